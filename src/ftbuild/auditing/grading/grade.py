"""What a package ships for a target: its grade."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ftbuild.auditing.findings import File, Grade, Grading, Package, Target
from ftbuild.auditing.grading.contents import Shipped
from ftbuild.auditing.grading.wheels import NO_ABI, Taken, abis, best, for_gil, is_free_threaded

ABI3T = "abi3t"

_CARRIED = re.compile(r"[^/]+\.data/scripts/[^/]+|.+\.exe", re.IGNORECASE)
"""What a wheel for every platform may carry without having anything compiled for this one: scripts,
and the launchers for Windows of setuptools and its like."""


def graded(package: Package, target: Target, shipped: Shipped) -> Grading:
    """Grade what a package ships.

    Args:
        package: The package.
        target: The interpreter.
        shipped: What was learnt of its files.
    """
    if package.source is not None:
        return Grading(grade=Grade.LOCAL, note=shipped.note)
    files = package.wheels if shipped.files is None else shipped.files
    taken = best(package.wheels, target) or best(files, target)
    contents = shipped.contents
    grade = _missing(package, target, files, shipped) if taken is None else _taken(taken, shipped)
    inside = () if contents is None else contents.extensions or contents.sources
    return Grading(
        grade=grade,
        wheel=None if taken is None else taken.file.name,
        abis=abis(files, target),
        sdist=package.sdist is not None,
        level=None if contents is None else contents.level,
        inside=inside,
        note=_note(grade, shipped),
    )


def _taken(taken: Taken, shipped: Shipped) -> Grade:
    """The grade of a package that has a wheel for the target."""
    if taken.tag.abi == ABI3T:
        return Grade.ABI3T
    if taken.tag.abi != NO_ABI:
        return Grade.FREE_THREADED
    contents = shipped.contents
    for_any = taken.tag.platform == "any"
    if contents is None:
        # Nearly every wheel for every platform is what it says. One for a platform has something
        # compiled, and that may be anything.
        return Grade.PURE if for_any else Grade.UNKNOWN
    if contents.extensions:
        return Grade.SUSPICIOUS
    pure = for_any and all(map(_CARRIED.fullmatch, contents.binaries))
    return Grade.PURE if pure else Grade.BINARIES


def _missing(package: Package, target: Target, files: Sequence[File], shipped: Shipped) -> Grade:
    """The grade of a package that has no wheel for the target."""
    particular = [abi for abi in abis(files, target) if abi != NO_ABI]
    if particular:
        others = any(is_free_threaded(abi) for abi in particular)
        return Grade.OTHER if others and not for_gil(files, target) else Grade.GIL_ONLY
    contents = shipped.contents
    if contents is not None:
        return Grade.SDIST_NATIVE if contents.sources else Grade.SDIST_PURE
    if shipped.files is None and shipped.note:
        # Whether there are wheels for other releases is not known.
        return Grade.UNKNOWN
    if any(file.name.endswith(".whl") for file in files):
        return Grade.OTHER
    return Grade.UNKNOWN if package.sdist is None else Grade.SDIST


def _note(grade: Grade, shipped: Shipped) -> str:
    contents = shipped.contents
    if grade is Grade.SDIST_NATIVE and contents is not None and contents.optional:
        return "its native code seems to be optional"
    return shipped.note
