"""What python.org's API answers, and what of it the catalogue lacks.

Version 2 of the API: `release/` lists releases, `release_file/` the files of one. Only what is
used is decoded; everything else may come and go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from packaging.version import Version

from ftbuild.catalogue import RELEASE
from ftbuild.errors import EnvironmentFault
from ftbuild.fetch import filename
from ftbuild.model.recipes import Catalogue
from ftbuild.model.versions import is_prerelease, series_of

RELEASES = "release/?version=3&is_published=true"
"""The question for all releases of Python 3."""

FILES = "release_file/?release={id}"
"""The question for the files of one release."""

_NAME = re.compile(r"Python (.*)")
_ID = re.compile(r"/release/([0-9]{1,9})/?$", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A release that python.org lists.

    Attributes:
        version: `3.15.0rc1`.
        id: Its number in the API.
    """

    version: str
    id: str


class Tarball(msgspec.Struct, frozen=True, kw_only=True):
    """What python.org says of a release's source tarball.

    Attributes:
        sha256: Its hash.
        size: Its length in bytes, or None where that is not said.
    """

    sha256: str
    size: int | None


class _Release(msgspec.Struct):
    name: str
    is_published: bool
    resource_uri: str


class _File(msgspec.Struct):
    url: str
    sha256_sum: str | None = None
    filesize: int | None = None


def published(answer: bytes) -> tuple[Published, ...]:
    """The releases in an answer to `RELEASES`, in its order; those before 3.0 or unnamed are not.

    Raises:
        EnvironmentFault: It is no such answer.
    """
    found = []
    for release in _decoded(answer, _Release):
        name, id_ = _NAME.fullmatch(release.name.strip()), _ID.search(release.resource_uri)
        if release.is_published and name and id_ and RELEASE.fullmatch(name[1]):
            found.append(Published(version=name[1], id=id_[1]))
    return tuple(found)


def tarball(answer: bytes, version: str) -> Tarball | None:
    """What an answer to `FILES` says of the release's tarball; None where that has no hash.

    Raises:
        EnvironmentFault: It is no such answer.
    """
    for file in _decoded(answer, _File):
        name = re.split("[?#]", file.url)[0].rpartition("/")[2]
        if name == filename(version) and _SHA256.fullmatch(file.sha256_sum or ""):
            return Tarball(sha256=file.sha256_sum or "", size=file.filesize or None)
    return None


def lacking(found: Iterable[Published], known: Catalogue) -> tuple[Published, ...]:
    """The releases of the catalogue's series that it does not have, oldest first.

    A pre-release counts while its series has no final release, and where it is newer than all
    the catalogue has: nobody wants the alphas of what is out.
    """
    theirs = {release.version: release for release in found}
    wanted = []
    for series in known.series:
        ours = [version for version in known.releases if series_of(version) == series]
        new = [v for v in theirs if series_of(v) == series and v not in ours]
        final = any(not is_prerelease(version) for version in (*ours, *new))
        newest = max(map(Version, ours), default=Version("0"))
        wanted += [
            theirs[version]
            for version in new
            if not is_prerelease(version) or (not final and Version(version) > newest)
        ]
    return tuple(sorted(wanted, key=lambda release: Version(release.version)))


T = TypeVar("T")


def _decoded(answer: bytes, kind: type[T]) -> list[T]:
    try:
        return msgspec.json.decode(answer, type=list[kind])  # type: ignore[valid-type]
    except (msgspec.DecodeError, RecursionError) as error:
        raise EnvironmentFault(
            f"what answers in place of python.org's API is something else: {error}",
            hint="The address is `releases` in origins.yaml.",
        ) from None
