from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Results, Sample, Series, Suite, SuiteRow
from ftbuild.bench.summary import (
    Row,
    geometric_mean,
    paired,
    quartiles,
    rows,
    single_thread_cost,
    spread,
    suite_summary,
)
from tests.unit.bench.examples import SMALL, results

SECONDS = st.floats(min_value=1e-6, max_value=1e6)


def series(arm: Arm, workers: int, *rounds: tuple[float, ...], **changes: Any) -> Series:
    """A series with so many values in each round."""
    samples = tuple(
        Sample(
            round=number,
            values=values,
            warmups=(),
            start=0.0,
            cpu=float(number),
            rss=100 + number,
            switches=(float(number), 0.0),
        )
        for number, values in enumerate(rounds)
    )
    return Series(workload="logs", arm=arm, workers=workers, samples=samples, **changes)


def measured(*found: Series) -> Results:
    return msgspec.structs.replace(results(()), series=found)


def row(document: Results, arm: Arm, workers: int) -> Row:
    (found,) = (r for r in rows(document) if (r.arm, r.workers) == (arm, workers))
    return found


def test_a_series_is_the_median_of_the_rounds_medians() -> None:
    found = row(measured(series(Arm.GIL, 1, (1.0, 9.0, 1.0), (2.0, 2.0), (3.0,))), Arm.GIL, 1)
    assert found.seconds == 2.0
    assert found.spread == pytest.approx(0.25)
    assert (found.rss, found.cpu, found.switches) == (102, 1.0, (1.0, 0.0))
    assert found.name == "logs gil 1"


def test_speed_ups_are_paired_so_that_drift_cancels() -> None:
    # The machine gets slower by half in each round; the ratio of the rounds stays.
    base = series(Arm.GIL, 1, (1.0,), (1.5,), (2.25,))
    free = series(Arm.FREE, 1, (1.1,), (1.65,), (2.475,))
    two = series(Arm.FREE, 2, (0.5,), (0.75,))
    document = measured(base, free, two)
    assert row(document, Arm.FREE, 2).speedup == pytest.approx(2.2)
    assert row(document, Arm.FREE, 2).over_gil == pytest.approx(2.0)
    assert row(document, Arm.FREE, 2).over_gil_range == pytest.approx((2.0, 2.0))
    assert row(document, Arm.FREE, 2).efficiency == pytest.approx(1.1)
    assert row(document, Arm.FREE, 1).over_gil == pytest.approx(1 / 1.1)


def test_rounds_that_only_one_side_has_count_for_no_ratio() -> None:
    assert paired({0: 1.0, 1: 4.0}, {1: 2.0, 2: 1.0}) == (2.0,)
    base = series(Arm.GIL, 1)
    assert row(measured(base, series(Arm.FREE, 2, (1.0,))), Arm.FREE, 2).over_gil is None


def test_a_failed_series_has_no_figures_and_keeps_its_reason() -> None:
    document = results(failures={("logs", Arm.FREE, 1): "signal SIGSEGV"})
    failed = row(document, Arm.FREE, 1)
    assert failed.failure == "signal SIGSEGV"
    assert (failed.seconds, failed.speedup, failed.rss, failed.cpu) == (None,) * 4
    # Its base is gone for two threads of this arm, but not that of the GIL build.
    two = row(document, Arm.FREE, 2)
    assert (two.speedup, two.efficiency) == (None, None)
    assert two.over_gil == pytest.approx(1.82, abs=0.02)


def test_more_workers_than_cpus_are_marked() -> None:
    found = rows(results(workers=(1, 2, 4), machine=SMALL))
    assert {r.workers for r in found if r.oversubscribed} == {4}


@pytest.mark.parametrize(
    ("rounds", "warning"),
    [
        ([(1.0,), (1.0,), (1.2,), (1.2,)], "the rounds differ by ±9 %"),
        ([(1.0, 1.0, 1.6), (1.0, 1.0, 1.0)], "one run took 1.6 times the median"),
        ([(0.0004,), (0.0004,)], "a run takes 0.40 ms, too short to be measured well"),
    ],
)
def test_doubtful_figures_are_warned_of(rounds: list[tuple[float, ...]], warning: str) -> None:
    assert row(measured(series(Arm.GIL, 1, *rounds)), Arm.GIL, 1).warnings == (warning,)


def test_good_figures_have_no_warning() -> None:
    assert not any(found.warnings for found in rows(results()))


def test_one_disturbed_round_of_five_does_not_move_the_spread() -> None:
    assert spread([1.0, 1.0, 1.01, 1.02, 7.0]) == pytest.approx(0.01, abs=0.001)
    assert spread([1.0, 1.0, 2.0]) == pytest.approx(0.25)
    assert spread([1.0]) is None


@given(st.lists(SECONDS, min_size=2))
def test_quartiles_lie_within_the_values(values: list[float]) -> None:
    found = quartiles(values)
    assert found is not None
    low, high = found
    slack = max(values) * 1e-9
    assert min(values) - slack <= low <= high + slack <= max(values) + 2 * slack


@given(st.lists(SECONDS, min_size=1))
def test_the_geometric_mean_of_inverses_is_the_inverse(values: list[float]) -> None:
    mean = geometric_mean(values)
    inverse = geometric_mean(1 / value for value in values)
    assert mean is not None
    assert inverse is not None
    assert math.isclose(mean * inverse, 1)


def test_a_geometric_mean_leaves_out_what_is_missing() -> None:
    assert geometric_mean([4.0, None, 1.0]) == pytest.approx(2.0)
    assert geometric_mean([None]) is None


def test_the_cost_of_one_thread_is_that_over_the_gil_build() -> None:
    costs = single_thread_cost(rows(results(("logs", "trees"), noise=0.0)))
    assert [cost.workload for cost in costs.workloads] == ["logs", "trees"]
    assert [cost.free for cost in costs.workloads] == pytest.approx([1.09, 1.18])
    assert costs.free == pytest.approx(math.sqrt(1.09 * 1.18))
    assert costs.forced == pytest.approx(math.sqrt(1.09 * 1.18) * 1.01)
    low, high = costs.workloads[0].free_range or (0.0, 0.0)
    assert low <= 1.09 * 1.000001
    assert high >= 1.09 * 0.999999


def test_a_workload_without_a_base_has_no_cost() -> None:
    failures = {("logs", Arm.GIL, 1): "timeout", ("trees", Arm.FORCED, 1): "timeout"}
    costs = single_thread_cost(rows(results(("logs", "trees"), failures=failures)))
    assert [cost.workload for cost in costs.workloads] == ["trees"]
    assert costs.forced is None


def test_a_suite_of_seconds_has_the_mean_of_paired_ratios() -> None:
    suite = Suite(
        name="pyperformance",
        version="1.14.0",
        figure="seconds",
        workers=1,
        rows=(
            SuiteRow(name="nbody", values={"gil": (1.0, 2.0), "free-threaded": (1.2, 2.4)}),
            SuiteRow(name="raytrace", values={"gil": (1.0,), "free-threaded": (1.0,)}),
            SuiteRow(name="lxml", values={"gil": (5.0,)}, failures={"free-threaded": "no wheel"}),
        ),
    )
    found = suite_summary(suite)
    assert [line.ratio for line in found.lines] == [pytest.approx(1.2), 1.0, None]
    assert found.ratio == pytest.approx(math.sqrt(1.2))
    # lxml would count for one of the two builds only.
    assert found.means == pytest.approx({"gil": math.sqrt(1.5), "free-threaded": math.sqrt(1.8)})
    assert found.lines[2].failures == {"free-threaded": "no wheel"}


def seconds(name: str, gil: tuple[float, ...], free: tuple[float, ...]) -> SuiteRow:
    return SuiteRow(name=name, values={"gil": gil, "free-threaded": free})


def suite(*rows: SuiteRow) -> Suite:
    return Suite(name="pyperformance", version="1", figure="seconds", workers=1, rows=rows)


def test_a_suites_ratio_is_a_geometric_mean_of_medians_within_rounds() -> None:
    # The machine was three times slower in the second round: for both alike.
    drifted = seconds("a", (1.0, 3.0, 1.0), (2.0, 6.0, 2.2))
    assert suite_summary(suite(drifted)).lines[0].ratio == 2.0
    for other, mean in (((2.0,), (1.0,)), 1.0), (((1.0,), (8.0,)), 4.0):
        found = suite_summary(suite(drifted, seconds("b", *other)))
        assert found.ratio == pytest.approx(mean)


def test_what_has_no_round_on_both_builds_has_no_share_in_a_suites_ratio() -> None:
    interrupted = seconds("b", (1.0,), ())
    failed = SuiteRow(name="c", values={"gil": (1.0,)})
    found = suite_summary(suite(interrupted, failed, seconds("a", (1.0, 2.0), (1.5,))))
    assert [line.ratio for line in found.lines] == [None, None, 1.5]
    assert found.ratio == pytest.approx(1.5)
    assert suite_summary(suite(interrupted, failed)).ratio is None
