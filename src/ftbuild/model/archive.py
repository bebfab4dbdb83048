"""Archives of builds: their names, the record beside each, and on which platform one can run."""

from __future__ import annotations

import msgspec
from packaging.version import InvalidVersion, Version

from ftbuild.errors import Refused
from ftbuild.model import manifest as manifest_
from ftbuild.model.manifest import Manifest
from ftbuild.model.spec import Platform
from ftbuild.model.text import Count, Sha256, decode_document

FORMAT = 1
"""Version of the record's shape and of what an archive holds. A reader refuses any other."""

SUFFIX = ".tar.zst"

RECORD_SUFFIX = ".json"
"""What follows the archive's name in that of its record."""

UV_PREFIX = "/install"
"""The prefix in archives for uv, which re-points no other: that of python-build-standalone."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside an archive: enough to decide on it without having it.

    Attributes:
        format: `FORMAT`.
        sha256: Hash of the archive.
        size: Bytes of the archive.
        manifest: The manifest in it, the same to the letter.
    """

    format: int
    sha256: Sha256
    size: Count
    manifest: Manifest


def archive_name(store_name: str, platform: Platform) -> str:
    """The name of an archive, which follows from what is asked for and where it is to run.

    >>> here = Platform(system="linux", machine="x86_64", libc="glibc 2.36")
    >>> archive_name("cpython-3.14.7t-1a2b3c4d", here)
    'cpython-3.14.7t-1a2b3c4d-linux-x86_64.tar.zst'
    """
    return f"{store_name}-{platform.system}-{platform.machine}{SUFFIX}"


def decode_record(document: bytes) -> Record:
    """A record as it was read.

    Raises:
        Refused: It is of a format this ftbuild does not know, or no record at all.
    """
    record = decode_document(document, Record, format=FORMAT, what="its record")
    manifest_.require_consistent(record.manifest)
    _require_packed(record.manifest)
    return record


def decode_manifest(document: bytes) -> Manifest:
    """A manifest as it was read from an archive.

    Raises:
        Refused: It is of a format this ftbuild does not know, or no manifest of an archive.
    """
    manifest = manifest_.decode_manifest(document)
    _require_packed(manifest)
    return manifest


def objection(manifest: Manifest, here: Platform) -> str | None:
    """Why a packed build cannot run on a platform; None if nothing speaks against it."""
    used, archived = manifest.used, manifest.archived
    if archived is not None and archived.prefix == UV_PREFIX:
        return "it was made for uv; `ftbuild pack` makes those that ftbuild installs"
    made = f"{used.system} {used.machine}"
    if (used.system, used.machine) != (here.system, here.machine):
        return f"it was built for {made}; this is {here.system} {here.machine}"
    needed = archived.libc if archived else used.libc
    family, _, version = needed.partition(" ")
    own_family, _, own_version = here.libc.partition(" ")
    if family != own_family:
        return f"it needs {family}; the C library here is {here.libc}"
    if _number(version) > _number(own_version):
        return f"it needs {needed} or newer; the C library here is {here.libc}"
    return None


def _require_packed(manifest: Manifest) -> None:
    if manifest.archived is None:
        raise Refused("its manifest does not say how it was packed")
    if manifest.format != manifest_.FORMAT:
        raise Refused(f"its manifest has format {manifest.format}, not {manifest_.FORMAT}")


def _number(version: str) -> Version:
    """A C library's version; one that tells none (`libc`) is taken for the oldest."""
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")
