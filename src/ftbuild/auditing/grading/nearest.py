"""The nearest version of a package that ships a wheel for a target."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ftbuild.auditing.findings import File, Package, Target
from ftbuild.auditing.grading.wheels import best, is_free_threaded, version_of
from ftbuild.fetch.access import Access
from ftbuild.fetch.simple import Offered, page
from ftbuild.wheels.tags import wheel_of


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """A version that ships a wheel for a target.

    Attributes:
        version: The version.
        wheel: The wheel that the target takes.
    """

    version: str
    wheel: File


def file_of(offered: Offered) -> File:
    """A file on an index page, as an audit has it."""
    return File(name=offered.name, url=offered.url, size=offered.size, sha256=offered.sha256)


def files_of(offered: Iterable[Offered], version: str) -> tuple[File, ...]:
    """All files of a version, whatever they are for."""
    try:
        wanted = Version(version)
    except InvalidVersion:
        return ()
    return tuple(file_of(each) for each in offered if version_of(each.name) == wanted)


def nearest_of(package: Package, target: Target, *, access: Access, cache: Path) -> Nearest | None:
    """The nearest version of a package that ships a wheel for the target, by its index.

    Raises:
        Unavailable: The index does not answer, or is not in the cache and we are offline.
        Interrupted: The run was stopped.
    """
    if package.index is None:
        return None
    offered = page(package.index, package.name, access=access, cache=cache)
    return nearest(offered or (), package.version, target)


def nearest(offered: Iterable[Offered], current: str | None, target: Target) -> Nearest | None:
    """The lowest newer version with a wheel that the target takes, else the highest older one.

    Withdrawn files and those for other Pythons do not count, nor does a wheel for any ABI beside
    wheels for particular ones: that is what a release without a compiler at hand leaves behind, or
    a fallback that does less. Pre-releases count if the current version is one, or where there is
    no other.

    Args:
        offered: The package's page on its index.
        current: The version it is to be near to; None for the newest there is.
        target: The interpreter.
    """
    by_version: dict[Version, list[File]] = {}
    for each in offered:
        version = version_of(each.name)
        if version is not None and not each.yanked and _suits(each.requires_python, target):
            by_version.setdefault(version, []).append(file_of(each))
    now = None if current is None else Version(current)
    others = [version for version in by_version if version != now]
    final = [version for version in others if not version.is_prerelease]
    groups = [others] if now is not None and now.is_prerelease else [final, others]
    for versions in groups:
        for version in _by_distance(versions, now):
            wheel = _sound(by_version[version], target)
            if wheel is not None:
                return Nearest(version=str(version), wheel=wheel)
    return None


def _by_distance(versions: Iterable[Version], now: Version | None) -> list[Version]:
    """The newer ones, the lowest first; then the older ones, the highest first."""
    ordered = sorted(versions)
    newer = [] if now is None else [version for version in ordered if version > now]
    older = [version for version in ordered if now is None or version < now]
    return [*newer, *reversed(older)]


def _sound(files: Iterable[File], target: Target) -> File | None:
    """The wheel of a version that the target takes and that counts."""
    listed = list(files)
    taken = best(listed, target)
    if taken is None:
        return None
    abis = {abi for file in listed for abi in getattr(wheel_of(file.name), "abis", ())}
    if is_free_threaded(taken.tag.abi) or abis == {taken.tag.abi}:
        return taken.file
    return None


def _suits(requires: str, target: Target) -> bool:
    """Whether a file is for the target's release, where 3.15.0rc2 counts as 3.15.0."""
    try:
        return SpecifierSet(requires).contains(Version(target.version).base_version)
    except InvalidSpecifier:
        return True
