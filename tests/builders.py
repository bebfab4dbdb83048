"""Plausible specifications, hosts and installations for the tests; every field can be given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ftbuild.model.manifest import FORMAT, Installation, Manifest, Result, StageRecord, Used
from ftbuild.model.spec import BuildSpec, Compiler, Host, Library, Make
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout
from ftbuild.store.links import link
from ftbuild.store.prefixes import complete
from ftbuild.store.tree import hash_tree

GCC = Compiler(
    family="gcc", version="12.2.0", target="x86_64-linux-gnu", path="/usr/bin/gcc", tools={}
)
CLANG = Compiler(
    family="clang",
    version="19.1.7",
    target="x86_64-pc-linux-gnu",
    path="/usr/bin/clang-19",
    tools={
        "llvm-profdata": "/usr/lib/llvm-19/bin/llvm-profdata",
        "ld.lld": "/usr/lib/llvm-19/bin/ld.lld",
    },
)
MAKE = Make(path="/usr/bin/make", version="4.3", fifo=False)
OPENSSL = Library(name="openssl", version="3.0.17")
HOST = Host(
    system="linux",
    machine="x86_64",
    libc="glibc 2.36",
    kernel="6.1.0",
    cpus=2,
    compiler=GCC,
    make=MAKE,
    libraries=(OPENSSL,),
)
DEFAULT = "fast"
"""The default profile of the catalogue that these builds come from."""


def specification(variant: Variant = Variant.FREE_THREADED, **asked: Any) -> BuildSpec:
    """What is asked for: 3.14.7 in the `fast` profile, but for the given fields."""
    gil = ("--disable-gil",) if variant is Variant.FREE_THREADED else ()
    spec = BuildSpec(
        version="3.14.7",
        variant=variant,
        profile="fast",
        source_sha256="5" * 64,
        pgo=False,
        lto=False,
        debug=False,
        sanitizer=None,
        flags=("--disable-test-modules", *gil),
        configure_args=(),
        compiler=GCC.identity,
        libraries=(OPENSSL,),
    )
    return msgspec.structs.replace(spec, **asked)


def build(prefix: Path, variant: Variant = Variant.FREE_THREADED, **asked: Any) -> Installation:
    """A build of such a specification, as ftbuild would record it."""
    spec = specification(variant, **asked)
    used = Used(
        ftbuild="0.1.0",
        origin=f"https://www.python.org/ftp/python/{spec.version}/Python-{spec.version}.tar.xz",
        source_size=23_000_000,
        compiler=GCC,
        make=MAKE,
        promised=("ssl",),
        configure=("configure", f"--prefix={prefix}", *spec.flags),
        environment={},
        compile_command=f"gcc -c -O3 -Wall -I{prefix}/include/python3.14{variant.suffix} "
        "-o a.o a.c",
        link_command="gcc -Xlinker -export-dynamic -o python a.o -ldl -lm",
        system="linux",
        machine="x86_64",
        libc="glibc 2.36",
        kernel="6.1.0",
        jobs=2,
        training=None,
        stages=(StageRecord(name="details", seconds=0.1),),
        started="2026-11-01T12:00:00+00:00",
    )
    result = Result(
        pgo=False,
        lto=False,
        training_profile=None,
        missing=("tkinter",),
        environment={},
        size=0,
        files=0,
        files_sha256="0" * 64,
        links={},
    )
    manifest = Manifest(
        format=FORMAT,
        name=spec.friendly_name(DEFAULT),
        digest=spec.digest,
        spec=spec,
        used=used,
        result=result,
    )
    return Installation(prefix=prefix, manifest=manifest)


def changed(installation: Installation, part: str, **values: Any) -> Installation:
    """The same installation with other values in one part of its manifest."""
    manifest = installation.manifest
    other = msgspec.structs.replace(getattr(manifest, part), **values)
    parts = {part: other}
    if part == "spec":  # of which the name and the digest follow
        parts |= {"name": other.friendly_name(DEFAULT), "digest": other.digest}
    manifest = msgspec.structs.replace(manifest, **parts)
    return msgspec.structs.replace(installation, manifest=manifest)


def with_python(installation: Installation, script: str) -> Installation:
    """Give it an interpreter, which is a shell script."""
    python = installation.python
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return installation


def store(
    layout: Layout,
    variant: Variant = Variant.FREE_THREADED,
    *,
    started: str = "2026-11-01T12:00:00+00:00",
    linked: bool = True,
    **asked: Any,
) -> Installation:
    """Install such a build below a root; its interpreter prints its words, one a line."""
    name = specification(variant, **asked).store_name(DEFAULT)
    made = changed(build(layout.store / name, variant, **asked), "used", started=started)
    with_python(made, """printf '%s\\n' "$@" """)
    tree = hash_tree(made.prefix)
    made = changed(made, "result", size=tree.size, files=tree.count, files_sha256=tree.sha256)
    complete(made.prefix, made.manifest, tree)
    if linked:
        link(layout, made, default_profile=DEFAULT)
    return made
