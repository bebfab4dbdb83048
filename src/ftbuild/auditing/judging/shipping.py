"""What a package ships, or lacks, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.version import Version

from ftbuild.auditing.findings import Grade, Grading, Target

_TO = "\N{EN DASH}"


def lacking(grading: Grading, target: Target) -> str:
    """What a package has instead of a wheel: `no cp314t wheel (has cp314, abi3)`."""
    match grading.grade:
        case Grade.SDIST_NATIVE:
            return "sdist only, native code"
        case Grade.SDIST_PURE:
            return "sdist only, pure Python"
        case Grade.SDIST:
            return "sdist only"
        case _ if grading.abis:
            return f"no {wanted(target)} wheel (has {folded(grading.abis)})"
        case Grade.OTHER:
            return "no wheel for this platform"
        case _:
            return f"no {wanted(target)} wheel"


def wanted(target: Target) -> str:
    """The ABIs of extension modules that it takes: `cp314t`, `cp315t or abi3t`."""
    release = Version(target.version)
    own = f"cp{release.major}{release.minor}t"
    # The tags go back to 3.2, as those of abi3 do, but nothing before 3.15 has that ABI (PEP 803).
    return f"{own} or abi3t" if release >= _ABI3T else own


_ABI3T = Version("3.15.dev0")


def shipped(grading: Grading) -> str:  # noqa: PLR0911 - one a grade
    """What a package ships, as short as a table wants it."""
    match grading.grade:
        case Grade.PURE:
            return "pure Python"
        case Grade.FREE_THREADED | Grade.ABI3T if grading.wheel:
            abis = tag(grading).split("-")[1].split(".")
            return next((abi for abi in abis if abi.endswith("t")), abis[0])
        case Grade.SUSPICIOUS:
            return "-".join(tag(grading).split("-")[:2])
        case Grade.GIL_ONLY | Grade.OTHER if grading.abis:
            return folded(grading.abis)
        case Grade.OTHER:
            return "other platforms"
        case Grade.SDIST_PURE:
            return "sdist, pure"
        case Grade.SDIST_NATIVE:
            return "sdist, native"
        case Grade.BINARIES:
            return "programs"
        case _:
            return str(grading.grade)


def tag(grading: Grading) -> str:
    """The tag of the wheel the target takes: `cp314-cp314t-manylinux_2_28_x86_64`."""
    stem = (grading.wheel or "").removesuffix(".whl")
    return "-".join(stem.split("-")[-3:])


def folded(abis: Iterable[str]) -> str:
    """ABI tags in order, neighbouring releases folded into a range.

    >>> folded(["abi3", "cp314t", "cp312", "cp310"])
    'cp310, cp312, cp314t, abi3'
    """
    releases: dict[tuple[str, str], list[int]] = {}
    others = []
    for abi in dict.fromkeys(abis):
        if match := re.fullmatch(r"cp(\d)(\d+)([a-z]*)", abi):
            releases.setdefault((match[3], match[1]), []).append(int(match[2]))
        else:
            others.append(abi)
    told = [
        f"cp{major}{first}{flags}" + (f"{_TO}cp{major}{last}{flags}" if last > first else "")
        for (flags, major), minors in sorted(releases.items())
        for first, last in _runs(sorted(minors))
    ]
    # Beside CPython's own, those of PyPy and others are noise.
    kept = [abi for abi in others if abi in _STABLE] if told else others
    return ", ".join((*told, *sorted(kept)))


_STABLE = frozenset({"abi3", "abi3t", "none"})


def _runs(numbers: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Ascending numbers as ranges without a gap."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
