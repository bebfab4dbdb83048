"""What the names of wheels say, and which of them an interpreter accepts."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from packaging import tags
from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from ftbuild.errors import UsageError
from ftbuild.model.versions import Variant

_ABI3T_SINCE = (3, 15)

_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
"""What platforms were called before they were named for the C library's version (PEP 600)."""

_OLDEST = 17
"""The oldest glibc, 2.17, for which there are wheels of every machine."""

_OLDEST_X86 = 5
"""The same for x86, where it was 2.5."""


class Wheel(msgspec.Struct, frozen=True, kw_only=True):
    """What the name of a wheel says.

    Attributes:
        version: Its version.
        build: Its build number; empty without one.
        tags: What it suits.
    """

    version: Version
    build: BuildTag
    tags: frozenset[Tag]

    @property
    def abis(self) -> frozenset[str]:
        """Its ABI tags: `abi3` and `abi3t` for `cp315-abi3.abi3t-…`."""
        return frozenset(tag.abi for tag in self.tags)


@functools.lru_cache(maxsize=100_000)
def wheel_of(name: str) -> Wheel | None:
    """What a file name says of a wheel; None if it is not that of a wheel.

    >>> wheel_of("rich-14.0.0-py3-none-any.whl").abis
    frozenset({'none'})
    >>> wheel_of("rich-14.0.0.tar.gz") is None
    True
    """
    try:
        _, version, build, found = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return None
    return Wheel(version=version, build=build, tags=found)


def best(names: Iterable[str], accepted: tuple[str, ...]) -> tuple[str, Tag] | None:
    """The wheel that an installer takes: the best tag, then the latest build.

    Args:
        names: File names of wheels of one version; what is no wheel is passed over.
        accepted: The tags that the interpreter accepts, the best first.

    Returns:
        The wheel and the best of its tags, or None if none is accepted.
    """
    ranks = _ranks(accepted)
    found = [
        (-ranks[str(tag)], wheel.build, name, tag)
        for name in names
        if (wheel := wheel_of(name)) is not None
        for tag in wheel.tags
        if str(tag) in ranks
    ]
    if not found:
        return None
    *_, name, tag = max(found, key=lambda each: each[:3])
    return name, tag


def accepted_by(version: str, variant: Variant, platforms: Sequence[str]) -> tuple[str, ...]:
    """The wheel tags that a build of CPython accepts, the best first.

    The stable ABI of free-threaded builds is there from 3.15 on (PEP 803); `packaging` puts it into
    the tags of earlier ones, which do not import what it is about.

    Args:
        version: Its release, or the series.
        variant: With the GIL or without.
        platforms: The platform tags of where it runs, the best first.

    >>> tags = accepted_by("3.14.0", Variant.FREE_THREADED, ["linux_x86_64"])
    >>> tags[0]
    'cp314-cp314t-linux_x86_64'
    >>> any("-abi3" in tag for tag in tags)
    False
    """
    release = Version(version)
    python = (release.major, release.minor)
    short = f"cp{release.major}{release.minor}"
    free = variant is Variant.FREE_THREADED
    found = (
        *tags.cpython_tags(python, abis=[f"{short}t" if free else short], platforms=platforms),
        *tags.compatible_tags(python, short, platforms=platforms),
    )
    stable = python >= _ABI3T_SINCE
    return tuple(str(tag) for tag in found if stable or tag.abi != "abi3t")


def linux_platforms(machine: str, libc: str) -> tuple[str, ...]:
    """The platform tags of Linux with a C library, the best first (PEP 600, PEP 656).

    Args:
        machine: `x86_64`, `aarch64`: what `uname -m` says.
        libc: `glibc 2.41` or `musl 1.2`.

    Raises:
        UsageError: The C library is neither.

    >>> linux_platforms("x86_64", "musl 1.1")
    ('linux_x86_64', 'musllinux_1_1_x86_64', 'musllinux_1_0_x86_64')
    """
    kind, _, version = libc.partition(" ")
    numbers = version.split(".")
    if kind not in {"glibc", "musl"} or len(numbers) <= 1 or not all(map(str.isdecimal, numbers)):
        raise UsageError(
            f"{libc!r} is no C library whose wheels are known",
            hint="Write `glibc 2.41` or `musl 1.2`.",
        )
    major, newest = int(numbers[0]), int(numbers[1])
    names = []
    if kind == "musl":
        names = [f"musllinux_{major}_{minor}" for minor in range(newest, -1, -1)]
    else:
        oldest = _OLDEST_X86 if machine in {"x86_64", "i686"} else _OLDEST
        for minor in range(newest, oldest - 1, -1):
            names.append(f"manylinux_{major}_{minor}")
            names += filter(None, [_LEGACY.get((major, minor))])
    return tuple(f"{name}_{machine}" for name in ("linux", *names))


@functools.lru_cache(maxsize=8)
def _ranks(accepted: tuple[str, ...]) -> Mapping[str, int]:
    return {tag: rank for rank, tag in reversed([*enumerate(accepted)])}
