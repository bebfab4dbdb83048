from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.comparison import Compared, Comparison, compare
from ftbuild.bench.results import Pair, Results, Suite, SuiteRow, Workload
from tests.unit.bench.examples import BIG, FREE, GIL, UNLIKE, model, results

replace = msgspec.structs.replace


def pyperformance(version: str = "1.14.0", seconds: float = 1.0, **others: float) -> Suite:
    times = {"nbody": seconds, **others}
    return Suite(
        name="pyperformance",
        version=version,
        figure="seconds",
        workers=1,
        rows=tuple(
            SuiteRow(name=name, values={"gil": (value, value)}) for name, value in times.items()
        ),
    )


def changed(document: Results, **changes: Any) -> Results:
    """The same measurement with another workload."""
    (workload,) = document.workloads
    return replace(document, workloads=(replace(workload, **changes),))


def row(found: Comparison, arm: Arm, workers: int) -> Compared:
    (one,) = (row for row in found.rows if (row.arm, row.workers) == (arm, workers))
    return one


def told(found: Comparison) -> set[tuple[str, str]]:
    return {(difference.about, difference.what) for difference in found.differences}


def test_the_same_twice_does_not_differ() -> None:
    found = compare(results(), results())
    assert found.differences == ()
    assert [one.ratio for one in found.rows] == [1.0] * 8
    assert not any(one.clear for one in found.rows)
    assert found.means == pytest.approx(dict.fromkeys(Arm, 1.0))
    assert (found.only_a, found.only_b) == ((), ())


def test_seconds_are_for_a_unit_of_work() -> None:
    twice = changed(results(seconds=lambda *key: model(*key) * 2, noise=0.0), amount=2000)
    found = compare(results(noise=0.0), twice)
    assert row(found, Arm.GIL, 1).a == row(found, Arm.GIL, 1).b == 0.001
    assert row(found, Arm.GIL, 1).ratio == 1.0
    assert told(found) == {("workload logs", "amount")}


def test_the_ratio_is_that_of_b_to_a() -> None:
    found = compare(results(noise=0.0), results(seconds=lambda *key: model(*key) / 2, noise=0.0))
    assert row(found, Arm.FREE, 2).ratio == pytest.approx(0.5)
    assert row(found, Arm.FREE, 2).clear is True
    assert found.means[Arm.FREE] == pytest.approx(0.5)
    assert row(found, Arm.FREE, 2).speedup_a == row(found, Arm.FREE, 2).speedup_b


@pytest.mark.parametrize(("faster", "clear"), [(1.02, False), (0.98, False), (1.2, True)])
def test_a_difference_is_clear_if_it_is_larger_than_both_spreads(
    faster: float, clear: bool
) -> None:
    noisy = results(noise=0.2, rounds=9)
    found = compare(noisy, results(seconds=lambda *key: model(*key) * faster, noise=0.2, rounds=9))
    one = row(found, Arm.FREE, 2)
    assert one.uncertainty is not None
    assert 0.04 < one.uncertainty < 0.2
    assert one.clear is clear


def test_a_single_round_leaves_open_what_a_difference_means() -> None:
    one = row(compare(results(rounds=1), results()), Arm.GIL, 1)
    assert one.ratio is not None
    assert (one.uncertainty, one.clear) == (None, None)


@pytest.mark.parametrize(
    ("changes", "what", "doubt"),
    [
        ({"options": {"revision": 2}}, "revision", "not the same work: other revision"),
        ({"options": {"revision": 1, "seed": 3}}, "seed", "not the same work: other seed"),
        ({"unit": "pictures"}, "amount", "not the same work: counted in rows and in pictures"),
        ({"result": "6f" * 32}, "result", "not the same result"),
    ],
)
def test_other_work_has_no_ratio_but_speed_ups(
    changes: dict[str, Any], what: str, doubt: str
) -> None:
    found = compare(results(), changed(results(), **changes))
    assert told(found) == {("workload logs", what)}
    assert {one.doubt for one in found.rows} == {doubt}
    assert not any(one.ratio or one.uncertainty or one.clear for one in found.rows)
    assert all(one.a and one.b and one.speedup_a and one.speedup_b for one in found.rows)
    assert found.means == {}


def test_another_result_of_another_amount_means_nothing() -> None:
    found = compare(results(), changed(results(), result="6f" * 32, amount=7))
    assert told(found) == {("workload logs", "amount")}


@pytest.mark.parametrize(
    ("changes", "about", "what", "a", "b"),
    [
        ({"ftbuild": "0.5.0"}, "measurement", "ftbuild", "0.4.0", "0.5.0"),
        ({"interrupted": True}, "measurement", "stopped early", "no", "yes"),
        ({"disturbance": 0.2}, "measurement", "CPUs used by others", "0 %", "20 %"),
        (
            {"pair": Pair(gil=GIL, free_threaded=FREE, unlike=(UNLIKE,))},
            "measurement",
            "pair",
            "matched",
            "not matched: achieved",
        ),
        (
            {"pair": Pair(gil=replace(GIL, pgo=False), free_threaded=FREE)},
            "GIL build",
            "PGO",
            "yes",
            "no",
        ),
        (
            {"pair": Pair(gil=GIL, free_threaded=replace(FREE, flags=()))},
            "free-threaded build",
            "configure options",
            "--disable-gil --enable-optimizations --with-lto",
            "none",
        ),
        (
            {"machine": replace(results().machine, governor="powersave")},
            "host",
            "frequency governor",
            "unknown",
            "powersave",
        ),
        (
            {"machine": replace(results().machine, turbo=False)},
            "host",
            "turbo",
            "unknown",
            "no",
        ),
        (
            {"method": replace(results().method, cpus=None)},
            "method",
            "pinned to CPUs",
            "0, 1",
            "no",
        ),
    ],
)
def test_every_differing_fact_is_told(
    changes: dict[str, Any], about: str, what: str, a: str, b: str
) -> None:
    (difference,) = compare(results(), results(**changes)).differences
    assert (difference.about, difference.what) == (about, what)
    assert (difference.a, difference.b) == (a, b)


def test_another_host_differs_in_many_ways() -> None:
    found = told(compare(results(), results(machine=BIG)))
    assert {("host", "processor"), ("host", "CPUs"), ("host", "SMT")} <= found


def test_what_only_one_of_them_has_is_named() -> None:
    found = compare(results(workers=(1, 2)), results(("logs", "json"), workers=(1,)))
    assert found.only_a == tuple(f"logs {arm} 2" for arm in Arm)
    assert found.only_b == tuple(f"json {arm} 1" for arm in Arm)


def test_a_series_that_failed_has_no_ratio_and_says_where() -> None:
    broken = results(failures={("logs", Arm.FREE, 2): "signal SIGSEGV"})
    one = row(compare(results(), broken), Arm.FREE, 2)
    assert (one.ratio, one.b) == (None, None)
    assert one.doubt == "B: signal SIGSEGV"


def test_benchmarks_of_suites_are_compared_too() -> None:
    a = results((), suites=(pyperformance(lxml=2.0),))
    found = compare(a, results((), suites=(pyperformance(seconds=1.5),)))
    (one,) = found.rows
    assert (one.workload, one.arm, one.ratio) == ("pyperformance: nbody", Arm.GIL, 1.5)
    assert found.only_a == ("pyperformance: lxml gil",)
    other = compare(a, results((), suites=(pyperformance("1.15.0"),)))
    assert other.rows[0].ratio is None
    assert "another version" in other.rows[0].doubt
    assert told(other) == {("suite pyperformance", "version")}


def test_speed_ups_of_a_suite_have_no_seconds() -> None:
    suite = Suite(
        name="ftscalingbench",
        version="3.14.7",
        figure="speed-up",
        workers=2,
        rows=(SuiteRow(name="calls", values={"free-threaded": (1.8, 1.9, 1.9)}),),
    )
    (one,) = compare(results((), suites=(suite,)), results((), suites=(suite,))).rows
    assert (one.a, one.b, one.ratio) == (None, None, None)
    assert (one.speedup_a, one.speedup_b) == (1.9, 1.9)


def test_a_workload_without_a_known_result_can_be_compared() -> None:
    unknown: Workload = replace(results().workloads[0], result=None)
    found = compare(results(), replace(results(), workloads=(unknown,)))
    assert found.differences == ()
    assert all(one.ratio == 1.0 for one in found.rows)
