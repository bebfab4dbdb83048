"""`downloads.json`, in which uv looks for Pythons to install: its entries, and how it is merged.

uv reads the fields that it knows; the one named `ftbuild` is ours. By it an index that ftbuild
wrote is told from any other, and one build from another.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from packaging.version import Version

from ftbuild.errors import Refused, UsageError
from ftbuild.model.archive import SUFFIX
from ftbuild.model.manifest import Manifest
from ftbuild.model.text import BuildName, Count, Sha256, Word

NAME = "downloads.json"
"""The index's file name, which uv's own list of downloads has had, too."""

FORMAT = 1
"""Version of what is made of a build for uv. An archive of another one is made anew."""

_ARCHITECTURES = {
    "x86_64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "ppc64le": "powerpc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
}
"""uv's names of machines, by those that `uname` has."""

_SYSTEMS = ("linux", "darwin")

_LIBC = {"glibc": "gnu", "musl": "musl", "macos": "none"}
"""uv's names of C libraries, by those that manifests have."""


class Arch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine; the variant is a microarchitecture's, such as `v3`."""

    family: Word
    variant: Word | None


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ftbuild knows of an archive.

    Attributes:
        format: The version of what it makes of a build.
        build: Friendly name of the build.
        digest: The digest of what was asked for.
        contents: SHA-256 over its manifest and its list of hashes, and so over all it holds.
        libc: The oldest C library that it runs with.
    """

    format: int
    build: BuildName
    digest: Sha256
    contents: Sha256
    libc: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Python that can be installed, as uv has it (crates/uv-python/src/downloads.rs).

    Attributes:
        name: `cpython`.
        arch, os, libc: What it runs on.
        major, minor, patch: Its release.
        prerelease: `rc2`; empty for a final release.
        url: Where the archive is.
        sha256: Its hash.
        variant: `freethreaded`, `debug`, `freethreaded+debug`; None for the GIL build.
        build: A number that grows with the time at which it was built. uv takes a Python of the
            same release for an upgrade if its number is greater.
        ftbuild: What ftbuild knows of it.
    """

    name: Literal["cpython"]
    arch: Arch
    os: Word
    libc: Word
    major: Count
    minor: Count
    patch: Count
    prerelease: Annotated[str, msgspec.Meta(pattern=r"\A(?:(?:a|b|rc)[0-9]{1,4})?\Z")]
    url: str
    sha256: Sha256
    variant: Annotated[str, msgspec.Meta(pattern=r"\A[a-z]+(?:\+[a-z]+)?\Z")] | None
    build: Word
    ftbuild: Origin

    @property
    def key(self) -> str:
        """What uv calls it: `cpython-3.14.7+freethreaded-linux-x86_64-gnu`."""
        variant = f"+{self.variant}" if self.variant else ""
        return f"{self.name}-{self.release}{variant}-{self.platform}"

    @property
    def release(self) -> str:
        """`3.15.0rc2`."""
        return f"{self.major}.{self.minor}.{self.patch}{self.prerelease}"

    @property
    def platform(self) -> str:
        """`linux-x86_64-gnu`."""
        return f"{self.os}-{self.arch.family}-{self.libc}"

    @property
    def archive(self) -> str:
        """The archive's file name. uv wants nothing but letters, digits, `-`, `_` and dots."""
        variant = f"-{self.variant.replace('+', '-')}" if self.variant else ""
        digits = self.ftbuild.digest[:8]
        return f"{self.name}-{self.release}{variant}-{self.platform}-{digits}{SUFFIX}"


Index = dict[str, Entry]
"""The entries by their keys."""

_ARCHIVE = re.compile(r"cpython-[\w.-]+" + re.escape(SUFFIX))


def is_ours(name: str) -> bool:
    """Whether a file's name is one that archives here have, or the name of something beside one.

    >>> is_ours("cpython-3.14.7-linux-x86_64-gnu-063742fe.tar.zst.intoto.jsonl")
    True
    """
    match = _ARCHIVE.match(name)
    return match is not None and name[match.end() :][:1] in {"", "."}


def entry(manifest: Manifest, *, libc: str = "", contents: str = "", sha256: str = "") -> Entry:
    """The entry of a build, not placed anywhere yet.

    Args:
        manifest: Its manifest.
        libc: The oldest C library that it runs with.
        contents: The hash of what its archive holds, where it is known.
        sha256: The hash of its archive, where there is one.

    Raises:
        Refused: uv has no name for what it runs on, or for what it is.
    """
    spec, used = manifest.spec, manifest.used
    family = _ARCHITECTURES.get(used.machine)
    named = _LIBC.get(used.libc.partition(" ")[0])
    if family is None or named is None or used.system not in _SYSTEMS:
        raise Refused(
            f"{manifest.name}: uv has no name for {used.system} on {used.machine} with {used.libc}"
        )
    if spec.sanitizer:
        raise Refused(
            f"{manifest.name}: uv has no variant for builds with a sanitizer",
            hint="`ftbuild pack` makes an archive of it that `ftbuild install` takes.",
        )
    release = Version(spec.version)
    words = ["freethreaded"] if spec.variant.suffix else []
    words += ["debug"] if spec.debug else []
    return Entry(
        name="cpython",
        arch=Arch(family=family, variant=None),
        os=used.system,
        libc=named,
        major=release.major,
        minor=release.minor,
        patch=release.micro,
        prerelease="".join(map(str, release.pre or ())),
        url="",
        sha256=sha256,
        variant="+".join(words) or None,
        build=re.sub(r"\D", "", used.started[: len("2026-11-22T19:41:43")]),
        ftbuild=Origin(
            format=FORMAT,
            build=manifest.name,
            digest=manifest.digest,
            contents=contents,
            libc=libc,
        ),
    )


def decode(document: bytes, place: str) -> Index:
    """An index as it was read.

    Args:
        document: The file.
        place: Where it is, for messages.

    Raises:
        UsageError: It is damaged, or ftbuild did not write it.
    """
    hint = f"Move it away, or name another directory with --dir. ftbuild adds to no other {NAME}."
    try:
        found = msgspec.json.decode(document, type=Index)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{place} is no index that ftbuild wrote, or damaged: {error}", hint=hint
        ) from None
    strange = next(
        (key for key, it in found.items() if it.key != key or not _ARCHIVE.fullmatch(it.archive)),
        None,
    )
    if strange is not None or not found:
        what = f"{strange} is not what stands below it" if strange else "it is empty"
        raise UsageError(f"{place} is no index that ftbuild wrote, or damaged: {what}", hint=hint)
    return found


def encode(index: Mapping[str, Entry], base_url: str) -> bytes:
    """An index as it is written: the newest release first, all archives below one address."""
    ordered = sorted(index.values(), key=lambda item: item.key)
    ordered.sort(key=lambda item: Version(item.release), reverse=True)
    placed = {
        item.key: msgspec.structs.replace(item, url=posixpath.join(base_url, item.archive))
        for item in ordered
    }
    return msgspec.json.format(msgspec.json.encode(placed), indent=2) + b"\n"


def require_same(here: Entry, there: Entry, folder: Path) -> None:
    """Make sure that an index does not have another build where one is to be.

    One that was built at the same second is no other: another ftbuild made its archive.

    Args:
        here: The build that is to be there; without a hash of its contents, nothing of those is
            said.
        there: What the index has.
        folder: Where the index is.

    Raises:
        Refused: They are two; the message names both.
    """
    mine, theirs = here.ftbuild, there.ftbuild
    again = mine.contents not in {"", theirs.contents} and here.build != there.build
    if mine.digest == theirs.digest and not again:
        return
    which = f"{theirs.build} ({theirs.digest[:8]}), not {mine.build} ({mine.digest[:8]})"
    if mine.digest == theirs.digest:
        which = f"{theirs.build} as it was built at {there.build}, not at {here.build}"
    raise Refused(
        f"{folder / NAME} has another build as {here.key}: {which}",
        hint="There is one build of a release, variant and platform in an index. To replace it, "
        f"delete {there.archive} there and export again; or name another directory with --dir.",
    )
