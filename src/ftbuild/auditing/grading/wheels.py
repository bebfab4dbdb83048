"""What the names of wheels say: which of them a target takes, and which ABIs there are."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import msgspec
from packaging.tags import Tag
from packaging.utils import InvalidSdistFilename, parse_sdist_filename
from packaging.version import Version

from ftbuild.auditing.findings import File, Target
from ftbuild.wheels import tags
from ftbuild.wheels.tags import wheel_of

NO_ABI = "none"
"""The ABI tag of a wheel that claims to suit every ABI."""

_CPYTHON = re.compile(r"cp[0-9]+t?|abi3t?|none")
_FREE_THREADED = re.compile(r"cp[0-9]+t|abi3t")
_DIGITS = re.compile(r"([0-9]+)")


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The wheel that a target takes, and why.

    Attributes:
        file: The wheel.
        tag: The best of its tags that the target accepts.
    """

    file: File
    tag: Tag


def version_of(name: str) -> Version | None:
    """The version of a wheel or an sdist by its file name; None for any other file.

    >>> version_of("numpy-1.26.4.tar.gz")
    <Version('1.26.4')>
    """
    if name.endswith(".whl"):
        wheel = wheel_of(name)
        return wheel.version if wheel else None
    try:
        return parse_sdist_filename(name)[1]
    except InvalidSdistFilename:
        return None


def best(files: Iterable[File], target: Target) -> Taken | None:
    """The wheel that an installer takes for the target: the best tag, then the latest build."""
    by_name = {file.name: file for file in files}
    found = tags.best(by_name, target.tags)
    return None if found is None else Taken(file=by_name[found[0]], tag=found[1])


def abis(files: Iterable[File], target: Target) -> tuple[str, ...]:
    """The ABI tags of CPython that there are wheels of for the target's platform.

    Whatever the release: `("cp39", "cp310", "abi3")`. A wheel for every platform counts.
    """
    platforms = _platforms(target.tags)
    found = {
        tag.abi
        for file in files
        if (wheel := wheel_of(file.name)) is not None
        for tag in wheel.tags
        if tag.platform in platforms and _CPYTHON.fullmatch(tag.abi)
    }
    return tuple(sorted(found, key=_natural))


def for_gil(files: Iterable[File], target: Target) -> bool:
    """Whether the GIL build of the target's release would take one of these on its platform."""
    platforms, release = _platforms(target.tags), Version(target.version)
    short = f"cp{release.major}{release.minor}"
    return any(
        tag.abi == short or (tag.abi == "abi3" and _at_most(tag.interpreter, release))
        for file in files
        if (wheel := wheel_of(file.name)) is not None
        for tag in wheel.tags
        if tag.platform in platforms
    )


def is_free_threaded(abi: str) -> bool:
    """Whether an ABI tag is one of free-threaded builds.

    >>> [is_free_threaded(abi) for abi in ("cp314t", "abi3t", "cp314", "abi3", "none")]
    [True, True, False, False, False]
    """
    return _FREE_THREADED.fullmatch(abi) is not None


@functools.lru_cache(maxsize=8)
def _platforms(tags: tuple[str, ...]) -> frozenset[str]:
    return frozenset(tag.split("-", 2)[2] for tag in tags)


def _at_most(interpreter: str, release: Version) -> bool:
    """Whether an interpreter tag, `cp311`, is of a release or an older one."""
    found = re.fullmatch(r"cp([0-9])([0-9]*)", interpreter)
    return found is not None and (int(found[1]), int(found[2] or 0)) <= release.release[:2]


def _natural(abi: str) -> tuple[bool, list[tuple[int, str]]]:
    """The order people expect: cp39, cp310, cp310t, abi3, abi3t, none."""
    parts = _DIGITS.split(abi)
    return not abi.startswith("cp"), [
        (int(part), "") if part.isdigit() else (-1, part) for part in parts
    ]
