"""Installations for the tests: a plausible manifest, and a shell script as the Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from ftbuild.model.manifest import FORMAT, Installation, Manifest, Result, Used
from ftbuild.model.report import Check, Report, Status
from ftbuild.model.spec import BuildSpec, Compiler, Library, Make
from ftbuild.model.versions import Variant
from ftbuild.verify import Context

GCC = Compiler(
    family="gcc", version="12.2.0", target="x86_64-linux-gnu", path="/usr/bin/gcc", tools={}
)
OPENSSL = Library(name="openssl", version="3.0.17")


def build(
    prefix: Path, variant: Variant = Variant.FREE_THREADED, *, sanitizer: str | None = None
) -> Installation:
    """A build of 3.14.7 in the `fast` profile, as ftbuild would record it."""
    t = variant.suffix
    spec = BuildSpec(
        version="3.14.7",
        variant=variant,
        profile="fast",
        source_sha256="5" * 64,
        pgo=False,
        lto=False,
        debug=False,
        sanitizer=sanitizer,
        flags=("--disable-test-modules", *(("--disable-gil",) if t else ())),
        configure_args=(),
        compiler=GCC.identity,
        libraries=(OPENSSL,),
    )
    used = Used(
        ftbuild="0.1.0",
        origin="https://www.python.org/ftp/python/3.14.7/Python-3.14.7.tar.xz",
        source_size=23_000_000,
        compiler=GCC,
        make=Make(path="/usr/bin/make", version="4.3", fifo=False),
        libraries=(OPENSSL,),
        promised=("ssl",),
        configure=("configure", f"--prefix={prefix}", *spec.flags),
        environment={},
        compile_command=f"gcc -c -O3 -Wall -I{prefix}/include/python3.14{t} -o a.o a.c",
        link_command="gcc -Xlinker -export-dynamic -o python a.o -ldl -lm",
        system="linux",
        machine="x86_64",
        libc="glibc 2.36",
        kernel="6.1.0",
        jobs=2,
        stages=(),
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
        name=f"cpython-3.14.7{t}",
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
    manifest = msgspec.structs.replace(manifest, **{part: other})
    return msgspec.structs.replace(installation, manifest=manifest)


def with_python(installation: Installation, script: str) -> Installation:
    """Give it an interpreter: a shell script that is called as `-I -B PROBE WORDS…`."""
    python = installation.python
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return installation


def context(scratch: Path, *, cpus: int = 2, compiler: Compiler | None = None) -> Context:
    """What the checks may use here."""
    return Context(env=dict(os.environ), scratch=scratch, cpus=cpus, compiler=compiler)


def named(checks: tuple[Check, ...] | Report) -> dict[str, Check]:
    """Checks by their names, which must be unique."""
    found = checks.checks if isinstance(checks, Report) else checks
    by_name = {check.name: check for check in found}
    assert len(by_name) == len(found)
    return by_name


def failing(checks: tuple[Check, ...] | Report) -> set[str]:
    """The names of the checks that failed."""
    return {n for n, check in named(checks).items() if check.status is Status.FAILED}
