"""Archives with a little of everything in them, and what is said of them beside them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from ftbuild.archive.elf import needs_of
from ftbuild.archive.pack import survey, write
from ftbuild.attest import write_beside
from ftbuild.model.archive import FORMAT, Record
from ftbuild.model.components import Component, Linked, Package
from ftbuild.model.manifest import Manifest
from ftbuild.store.layout import Layout
from ftbuild.store.prefixes import complete
from ftbuild.store.tree import digest, hash_tree
from tests.builders import build, changed, specification, with_python

SHELL = Path("/bin/sh").resolve()
"""A file that is linked with a library or two."""

LIBC = Package(
    kind="deb",
    name="libc6",
    version="2.36-9+deb12u14",
    architecture="amd64",
    distribution="debian",
    release="12",
)
EXPAT = Component(
    name="expat",
    version="2.8.2",
    cpe="cpe:2.3:a:libexpat_project:libexpat:2.8.2:*:*:*:*:*:*:*",
    location="https://files.example/expat-2.8.2.tar.gz",
    sha256="e" * 64,
)
PIP = Component(
    name="pip", version="26.2.1", license="MIT", purl="pkg:pypi/pip@26.2.1", sha256="f" * 64
)
URLLIB3 = Component(name="urllib3", version="2.7.0", purl="pkg:pypi/urllib3@2.7.0", within="pip")
SEEN: dict[str, Any] = {
    "upstream": "https://files.example/Python-3.14.7.tar.xz",
    "bundled": (EXPAT, PIP, URLLIB3),
    "linked": tuple(
        Linked(name=name, path=f"/lib/{name}", package=LIBC)
        for name in sorted(needs_of(SHELL).libraries if sys.platform == "linux" else ())
    ),
}
"""What a manifest records of such a build."""


def manifest(**used: Any) -> Manifest:
    """The manifest of a build of which everything was recorded, but for the given fields."""
    return changed(build(Path("/opt/store/x")), "used", **(SEEN | used)).manifest


def packed(
    layout: Layout, into: Path, *, used: dict[str, Any] = SEEN, said: bool = True, **asked: Any
) -> Path:
    """An archive with its record and, if said, statement and bill of materials."""
    spec = specification(**asked)
    prefix = layout.store / spec.store_name("fast")
    made = with_python(changed(build(prefix, **asked), "used", **used), "exit")
    (prefix / "lib").mkdir()
    (prefix / "lib/module.so").write_bytes(SHELL.read_bytes())
    tree = hash_tree(prefix)
    counts = {"size": tree.size, "files": tree.count, "files_sha256": tree.sha256}
    made = complete(prefix, changed(made, "result", links=tree.links, **counts).manifest, tree)
    found = survey(made)
    path = into / f"{prefix.name}.tar.zst"
    with path.open("wb") as sink:
        write(found, sink)
    record = Record(
        format=FORMAT, sha256=digest(path), size=path.stat().st_size, manifest=found.manifest
    )
    path.with_name(f"{path.name}.json").write_bytes(msgspec.json.encode(record))
    if said:
        write_beside(path, found.manifest, sha256=record.sha256)
    return path
