from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.findings import Grade, Grading
from ftbuild.auditing.judging.shipping import folded, lacking, shipped, wanted
from tests.unit.auditing.examples import TARGET, grading, target_at


@pytest.mark.parametrize(
    ("abis", "said"),
    [
        (("cp310", "cp311", "cp312", "abi3"), "cp310\N{EN DASH}cp312, abi3"),
        (("cp39", "cp310", "cp312"), "cp39\N{EN DASH}cp310, cp312"),
        (("cp313t", "cp313", "cp314"), "cp313\N{EN DASH}cp314, cp313t"),
        (("cp27mu", "cp35m", "cp36m"), "cp35m\N{EN DASH}cp36m, cp27mu"),
        (("cp312", "pypy310_pp73"), "cp312"),
        (("pypy310_pp73",), "pypy310_pp73"),
        ((), ""),
    ],
)
def test_neighbouring_releases_are_folded(abis: tuple[str, ...], said: str) -> None:
    assert folded(abis) == said


@given(st.sets(st.integers(6, 20)))
def test_folding_loses_no_release(minors: set[int]) -> None:
    said = folded(f"cp3{minor}" for minor in minors)
    told: set[int] = set()
    for part in filter(None, said.split(", ")):
        ends = [int(number) for number in re.findall(r"cp3(\d+)", part)]
        told |= set(range(ends[0], ends[-1] + 1))
    assert told == minors


def test_the_abi_wanted_is_the_releases_own_and_the_stable_one_since_3_15() -> None:
    assert wanted(TARGET) == "cp314t"
    assert wanted(target_at("3.15.0rc2")) == "cp315t or abi3t"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (grading(Grade.GIL_ONLY, abis=("cp314", "abi3")), "no cp314t wheel (has cp314, abi3)"),
        (grading(Grade.OTHER, abis=("cp313t",)), "no cp314t wheel (has cp313t)"),
        (grading(Grade.OTHER), "no wheel for this platform"),
        (grading(Grade.GIL_ONLY), "no cp314t wheel"),
        (grading(Grade.SDIST_NATIVE), "sdist only, native code"),
        (grading(Grade.SDIST_PURE), "sdist only, pure Python"),
        (grading(Grade.SDIST), "sdist only"),
    ],
)
def test_what_a_package_has_instead(found: Grading, said: str) -> None:
    assert lacking(found, TARGET) == said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (grading(Grade.PURE), "pure Python"),
        (grading(Grade.FREE_THREADED), "cp314t"),
        (grading(Grade.ABI3T), "abi3t"),
        (grading(Grade.BINARIES), "programs"),
        (grading(Grade.SUSPICIOUS), "cp314-none"),
        (grading(Grade.GIL_ONLY, abis=("cp314",)), "cp314"),
        (grading(Grade.OTHER), "other platforms"),
        (grading(Grade.SDIST_NATIVE), "sdist, native"),
        (grading(Grade.LOCAL), "local"),
    ],
)
def test_what_a_package_ships_in_a_word(found: Grading, said: str) -> None:
    assert shipped(found) == said


def test_every_grade_has_a_word() -> None:
    assert all(shipped(grading(grade)) for grade in Grade)
