"""Writes provenance and bill of materials beside an archive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ftbuild.attest import provenance, sbom
from ftbuild.files import write_atomically
from ftbuild.model.manifest import Manifest

SUFFIXES = (provenance.SUFFIX, sbom.SUFFIX)


def write_beside(archive: Path, manifest: Manifest, *, sha256: str) -> None:
    """Write the statement on an archive and its bill of materials beside it.

    Args:
        archive: The archive.
        manifest: The manifest in it.
        sha256: Its hash.

    Raises:
        OSError: They cannot be written.
    """
    name = archive.name
    stated = provenance.statement(manifest, sha256=sha256, name=name)
    listed = sbom.sbom(manifest, sha256=sha256)
    for suffix, document in zip(SUFFIXES, (stated, listed), strict=True):
        write_atomically(archive.with_name(name + suffix), _encoded(document))


def _encoded(document: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
