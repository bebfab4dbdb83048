"""Two measurements side by side, with everything in which they differ.

Of builds or hosts that differ a ratio says nothing about its cause. So the differences are part of
the comparison, and what was not the same work has no ratio at all.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping

import msgspec

from ftbuild.bench import facts
from ftbuild.bench.arms import Arm
from ftbuild.bench.facts import Facts
from ftbuild.bench.results import Results, Suite, Workload
from ftbuild.bench.summary import Row, geometric_mean, rows, spread


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A fact in which two measurements differ.

    Attributes:
        about: What it is a fact about: `host`, `GIL build`, `method`, `workload logs`.
        what: Its name.
        a, b: What is so in each.
    """

    about: str
    what: str
    a: str
    b: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A series that both have.

    Attributes:
        workload: Its workload, or `SUITE: BENCHMARK`.
        arm: Its arm.
        workers: How many threads, or processes.
        a, b: Seconds for a unit of the workload's amount; None without a figure.
        ratio: `b` by `a`: below 1, B is faster. None where a figure is missing, and for work that
            is not the same.
        uncertainty: What both spreads amount to together, as a part of the ratio; None where there
            is no ratio, or one side has a single round.
        clear: Whether the ratio differs from 1 by more than that; None without an uncertainty.
        speedup_a, speedup_b: Over one worker of the same arm. They compare other work, too, but
            then say as much about that.
        doubt: Why there is no ratio, or empty.
    """

    workload: str
    arm: Arm
    workers: int
    a: float | None
    b: float | None
    ratio: float | None
    uncertainty: float | None
    clear: bool | None
    speedup_a: float | None
    speedup_b: float | None
    doubt: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two measurements, A and B.

    Attributes:
        differences: Everything in which they differ beside their figures.
        rows: The series that both have, in A's order.
        means: The geometric mean of the ratios for each arm that has any.
        only_a, only_b: Names of the series that one of them lacks.
    """

    differences: tuple[Difference, ...]
    rows: tuple[Compared, ...]
    means: dict[Arm, float]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def compare(a: Results, b: Results) -> Comparison:
    """Set two measurements side by side."""
    others = _doubts(a, b)
    left, right = _keyed(a), _keyed(b)
    found = (
        *(_row(row, right[key], a, b, others) for key, row in left.items() if key in right),
        *_suites(a.suites, b.suites),
    )
    by_arm = {arm: geometric_mean(row.ratio for row in found if row.arm is arm) for arm in Arm}
    return Comparison(
        differences=tuple(_differences(a, b)),
        rows=found,
        means={arm: mean for arm, mean in by_arm.items() if mean is not None},
        only_a=(*_names(left, right), *_suite_names(a.suites, b.suites)),
        only_b=(*_names(right, left), *_suite_names(b.suites, a.suites)),
    )


_Key = tuple[str, Arm, int]


def _keyed(results: Results) -> dict[_Key, Row]:
    return {(row.workload, row.arm, row.workers): row for row in rows(results)}


def _names(mine: Mapping[_Key, Row], others: Mapping[_Key, Row]) -> Iterable[str]:
    return (row.name for key, row in mine.items() if key not in others)


def _row(one: Row, two: Row, a: Results, b: Results, doubts: Mapping[str, str]) -> Compared:
    per_a = _per_unit(one.seconds, _amount(a, one.workload))
    per_b = _per_unit(two.seconds, _amount(b, one.workload))
    return _compared(
        (one.workload, one.arm, one.workers),
        (per_a, one.spread, one.speedup),
        (per_b, two.spread, two.speedup),
        doubts.get(one.workload) or _missing(one, two),
    )


_Side = tuple[float | None, float | None, float | None]
"""Seconds for a unit, their spread, and the speed-up."""


def _compared(key: _Key, a: _Side, b: _Side, doubt: str) -> Compared:
    ratio = None if a[0] is None or b[0] is None or doubt else b[0] / a[0]
    known = ratio is not None and a[1] is not None and b[1] is not None
    # Added, not in quadrature: what disturbs a machine lasts, and is not independent.
    uncertainty = (a[1] or 0.0) + (b[1] or 0.0) if known else None
    return Compared(
        workload=key[0],
        arm=key[1],
        workers=key[2],
        a=a[0],
        b=b[0],
        ratio=ratio,
        uncertainty=uncertainty,
        clear=(
            None
            if ratio is None or uncertainty is None
            else abs(math.log(ratio)) > math.log1p(uncertainty)
        ),
        speedup_a=a[2],
        speedup_b=b[2],
        doubt=doubt,
    )


def _missing(one: Row, two: Row) -> str:
    """Why a series has no figure in one of them."""
    sides = (("A", one), ("B", two))
    said = [f"{side}: {row.failure or 'not measured'}" for side, row in sides if not row.seconds]
    return "; ".join(said)


def _amount(results: Results, workload: str) -> int:
    (found,) = (item.amount for item in results.workloads if item.name == workload)
    return found


def _per_unit(seconds: float | None, amount: int) -> float | None:
    return None if seconds is None else seconds / amount


def _doubts(a: Results, b: Results) -> dict[str, str]:
    """Why a workload's seconds cannot be compared, for those of which it is so."""
    others = {workload.name: workload for workload in b.workloads}
    doubts = {}
    for one in a.workloads:
        two = others.get(one.name)
        if two is None:
            continue
        options = _changed(one.options, two.options)
        if options:
            doubts[one.name] = f"not the same work: other {', '.join(options)}"
        elif one.unit != two.unit:
            doubts[one.name] = f"not the same work: counted in {one.unit} and in {two.unit}"
        elif _other_result(one, two):
            doubts[one.name] = "not the same result"
    return doubts


def _other_result(one: Workload, two: Workload) -> bool:
    """Whether the same amount of the same work had another result, as far as it is known."""
    known = one.result is not None and two.result is not None
    return known and one.amount == two.amount and one.result != two.result


def _changed(one: Mapping[str, object], two: Mapping[str, object]) -> list[str]:
    """The keys whose values differ, or that one of them lacks, in the first one's order."""
    absent = object()
    keys = dict.fromkeys([*one, *two])
    return [key for key in keys if one.get(key, absent) != two.get(key, absent)]


def _differences(a: Results, b: Results) -> Iterable[Difference]:
    yield from _facts("measurement", _measurement(a), _measurement(b))
    yield from _facts("GIL build", facts.build(a.pair.gil), facts.build(b.pair.gil))
    yield from _facts(
        "free-threaded build",
        facts.build(a.pair.free_threaded),
        facts.build(b.pair.free_threaded),
    )
    yield from _facts("host", facts.host(a.machine), facts.host(b.machine))
    yield from _facts("method", facts.method(a.method), facts.method(b.method))
    others = {workload.name: workload for workload in b.workloads}
    for one in a.workloads:
        if two := others.get(one.name):
            about = f"workload {one.name}"
            yield from _facts(about, _workload(one), _workload(two))
            if _other_result(one, two):
                yield Difference(about=about, what="result", a=str(one.result), b=str(two.result))
    versions = {suite.name: suite for suite in b.suites}
    for suite in a.suites:
        if suite.name in versions:
            yield from _facts(
                f"suite {suite.name}", _suite_facts(suite), _suite_facts(versions[suite.name])
            )


def _facts(about: str, a: Facts, b: Facts) -> Iterable[Difference]:
    for what in dict.fromkeys([*a, *b]):
        mine, other = a.get(what, "not there"), b.get(what, "not there")
        if mine != other:
            yield Difference(about=about, what=what, a=mine, b=other)


def _measurement(results: Results) -> Facts:
    unlike = ", ".join(check.name.removeprefix("pair.") for check in results.pair.unlike)
    share = results.disturbance
    return {
        "ftbuild": results.ftbuild,
        "pair": f"not matched: {unlike}" if unlike else "matched",
        "stopped early": "yes" if results.interrupted else "no",
        "CPUs used by others": "unknown" if share is None else f"{share * 100:.0f} %",
    }


def _workload(about: Workload) -> Facts:
    return {
        "amount": f"{about.amount} {about.unit}",
        **{name: str(value) for name, value in about.options.items()},
    }


def _suite_facts(suite: Suite) -> Facts:
    return {"version": suite.version, "figure": suite.figure, "workers": str(suite.workers)}


_Benchmarks = Mapping[tuple[str, str, Arm], tuple[Suite, tuple[float, ...]]]


def _benchmarks(suites: Iterable[Suite]) -> _Benchmarks:
    """The values of every benchmark on every arm, by suite, name and arm."""
    return {
        (suite.name, row.name, Arm(arm)): (suite, values)
        for suite in suites
        for row in suite.rows
        for arm, values in row.values.items()
        if values
    }


def _suites(a: Iterable[Suite], b: Iterable[Suite]) -> Iterable[Compared]:
    right = _benchmarks(b)
    for key, (one, mine) in _benchmarks(a).items():
        if key not in right:
            continue
        two, others = right[key]
        same = _suite_facts(one) == _suite_facts(two)
        yield _compared(
            (f"{key[0]}: {key[1]}", key[2], one.workers),
            _side(one, mine),
            _side(two, others),
            "" if same else "not the same suite: another version or other threads",
        )


def _side(suite: Suite, values: tuple[float, ...]) -> _Side:
    middle = statistics.median(values)
    if suite.figure == "seconds":
        return middle, spread(values), None
    return None, None, middle


def _suite_names(mine: Iterable[Suite], others: Iterable[Suite]) -> Iterable[str]:
    there = _benchmarks(others)
    return (f"{key[0]}: {key[1]} {key[2]}" for key in _benchmarks(mine) if key not in there)
