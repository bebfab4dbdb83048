from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.toolchain.load import Snapshot, others, snapshot
from tests.unit.toolchain.trees import grow

TICK = os.sysconf("SC_CLK_TCK")
STAT = """\
cpu  1000 200 300 4000 500 60 70 80 900 20
cpu0 500 100 150 2000 250 30 35 40 450 10
cpu1 100 0 0 900 0 0 0 0 0 0
cpu2 400 100 150 1100 250 30 35 40 450 10
intr 5 0 0
"""


def shot(busy: float, total: float, own: float) -> Snapshot:
    return Snapshot(busy=busy, total=total, own=own)


def test_guests_are_counted_once_and_steal_is_busy(tmp_path: Path) -> None:
    found = snapshot(root=grow(tmp_path, {"proc/stat": STAT}), allowed={0})
    assert found is not None
    assert found.total == pytest.approx(3105 / TICK)
    assert found.busy == pytest.approx(855 / TICK)


def test_only_cpus_that_may_be_used(tmp_path: Path) -> None:
    found = snapshot(root=grow(tmp_path, {"proc/stat": STAT}), allowed={0, 1})
    assert found is not None
    assert found.total == pytest.approx((3105 + 1000) / TICK)


def test_cpus_with_other_numbers_in_a_container(tmp_path: Path) -> None:
    found = snapshot(root=grow(tmp_path, {"proc/stat": STAT}), allowed={0, 7})
    assert found is not None
    assert found.total == pytest.approx(6210 / TICK)


def test_system_without_proc(tmp_path: Path) -> None:
    assert snapshot(root=tmp_path, allowed={0}) is None


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
def test_this_process_counts_as_its_own() -> None:
    before = snapshot()
    until = os.times().user + 0.05
    while os.times().user < until:
        pass
    after = snapshot()
    assert before is not None
    assert after is not None
    assert after.own - before.own >= 0.04
    assert after.total >= before.total


def test_what_others_used() -> None:
    assert others(shot(10, 100, 3), shot(16, 120, 4)) == pytest.approx(5 / 20)


def test_all_was_ours() -> None:
    assert others(shot(10, 100, 3), shot(16, 120, 9)) == 0


def test_nothing_to_tell() -> None:
    assert others(None, shot(1, 2, 0)) is None
    assert others(shot(1, 2, 0), None) is None
    assert others(shot(1, 2, 0), shot(1, 2, 0)) is None


@given(*[st.tuples(*[st.floats(0, 1e9)] * 3)] * 2)
def test_share_is_a_share(
    before: tuple[float, float, float], after: tuple[float, float, float]
) -> None:
    share = others(shot(*before), shot(*after))
    assert share is None or 0 <= share <= 1
