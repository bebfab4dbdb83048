"""What a measurement says: medians, spreads, speed-ups and costs, from the values it holds.

Every ratio is paired: both values come from the same round, and the median is taken of the ratios.
A machine that gets slower from round to round then changes both sides of each ratio alike, where
the ratio of two medians would take one side from early rounds and the other from late ones.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Results, Sample, Series, Suite

SPREAD = 0.05
"""The spread from which a figure is too rough to be read to two digits."""

OUTLIER = 1.5
"""How many times the median a value is that pyperf, too, warns of (`pyperf check`)."""

SHORT = 0.001
"""Seconds below which a value says more of the clock and of starting threads (pyperf's limit)."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One series in figures. None: it has no values, or what it would be compared with has none.

    Attributes:
        workload: Name of the workload.
        arm: The arm.
        workers: How many threads, or processes.
        seconds: The median over the rounds of each round's median.
        spread: Half the interquartile range of the rounds as a part of their median; None for a
            single round, of which nothing can be told.
        speedup: How many times as fast as one worker of the same arm, paired.
        over_gil: How many times as fast as one thread of the GIL build, paired.
        over_gil_range: The quartiles of that over the rounds; None for a single round.
        efficiency: `speedup` by workers: 1 is a worker's whole worth from each.
        rss: Peak resident memory in bytes, the highest of the rounds.
        cpu: CPU seconds for a value, the median.
        switches: Voluntary and involuntary context switches for a value, the medians.
        oversubscribed: Whether there were more workers than CPUs this process may use.
        warnings: What makes the figures doubtful, in words.
        failure: Why it has no figures, or not all of them.
    """

    workload: str
    arm: Arm
    workers: int
    seconds: float | None
    spread: float | None
    speedup: float | None
    over_gil: float | None
    over_gil_range: tuple[float, float] | None
    efficiency: float | None
    rss: int | None
    cpu: float | None
    switches: tuple[float, float] | None
    oversubscribed: bool
    warnings: tuple[str, ...]
    failure: str | None

    @property
    def name(self) -> str:
        """`logs free-threaded 2`, as the series it comes from."""
        return f"{self.workload} {self.arm} {self.workers}"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one thread of the free-threaded build takes, in times of the GIL build's time.

    Attributes:
        workload: Name of the workload.
        free: With the GIL off; 1.08 is 8 % longer.
        free_range: The quartiles of that over the rounds.
        forced: With the GIL forced on.
        forced_range: The quartiles of that over the rounds.
    """

    workload: str
    free: float | None
    free_range: tuple[float, float] | None
    forced: float | None
    forced_range: tuple[float, float] | None


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """The cost in every workload, and the geometric means of those that have one."""

    workloads: tuple[Cost, ...]
    free: float | None
    forced: float | None


class SuiteLine(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark of a suite.

    Attributes:
        name: Its name there.
        figures: The median over the rounds, by arm.
        ratio: The free-threaded build's figure over the GIL build's, paired.
        failures: Why an arm has no figure, by arm.
    """

    name: str
    figures: Mapping[str, float]
    ratio: float | None
    failures: Mapping[str, str]


class SuiteSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A suite in figures: its benchmarks, and the geometric means over those with a figure."""

    lines: tuple[SuiteLine, ...]
    means: Mapping[str, float]
    ratio: float | None


def rows(results: Results) -> tuple[Row, ...]:
    """A row for each series, in the order of the document."""
    rounds = {
        (series.workload, series.arm, series.workers): _rounds(series.samples)
        for series in results.series
    }
    return tuple(_row(series, rounds, results.machine.cpus) for series in results.series)


_Rounds = Mapping[int, float]
_Key = tuple[str, Arm, int]


def _row(series: Series, rounds: Mapping[_Key, _Rounds], cpus: int) -> Row:
    own = rounds[series.workload, series.arm, series.workers]
    medians = tuple(own.values())
    seconds = statistics.median(medians) if medians else None
    found = spread(medians)
    speedups = paired(rounds.get((series.workload, series.arm, 1), {}), own)
    over_gil = paired(rounds.get((series.workload, Arm.GIL, 1), {}), own)
    speedup = _median(speedups)
    used = [sample for sample in series.samples if sample.values]
    return Row(
        workload=series.workload,
        arm=series.arm,
        workers=series.workers,
        seconds=seconds,
        spread=found,
        speedup=speedup,
        over_gil=_median(over_gil),
        over_gil_range=quartiles(over_gil),
        efficiency=None if speedup is None else speedup / series.workers,
        rss=max((sample.rss for sample in used), default=None),
        cpu=_median([sample.cpu for sample in used]),
        switches=_switches(used),
        oversubscribed=series.workers > cpus,
        warnings=_warnings(used, found),
        failure=series.failure,
    )


def _rounds(samples: Iterable[Sample]) -> _Rounds:
    """The median of each round's values; a series has one sample a round."""
    return {sample.round: statistics.median(sample.values) for sample in samples if sample.values}


def _switches(samples: Sequence[Sample]) -> tuple[float, float] | None:
    if not samples:
        return None
    voluntary = statistics.median(sample.switches[0] for sample in samples)
    return voluntary, statistics.median(sample.switches[1] for sample in samples)


def _warnings(samples: Sequence[Sample], found: float | None) -> tuple[str, ...]:
    values = [value for sample in samples for value in sample.values]
    if not values:
        return ()
    middle = statistics.median(values)
    slowest = max(values) / middle
    warnings = []
    if found is not None and found > SPREAD:
        warnings.append(f"the rounds differ by ±{found * 100:.0f} %")
    if slowest > OUTLIER:
        warnings.append(f"one run took {slowest:.1f} times the median")
    if middle < SHORT:
        warnings.append(f"a run takes {middle * 1000:.2f} ms, too short to be measured well")
    return tuple(warnings)


def paired(base: _Rounds, own: _Rounds) -> tuple[float, ...]:
    """The ratio of two values for each round that has both: base by own, a speed-up for seconds."""
    return tuple(base[number] / own[number] for number in own if number in base)


def quartiles(values: Sequence[float]) -> tuple[float, float] | None:
    """The lower and the upper quartile; None for fewer than two values.

    Between two values by linear interpolation (type 7 of Hyndman and Fan, *Sample Quantiles in
    Statistical Packages*, 1996), so that they stay within what was measured.
    """
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return None
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def spread(values: Sequence[float]) -> float | None:
    """Half the interquartile range as a part of the median; None for fewer than two values.

    One disturbed round of five does not move it, as it would the standard deviation. The median
    absolute deviation, which pyperf prints, is about the same for five rounds and more; for three
    it is zero as soon as two agree, whatever the third one is.
    """
    found = quartiles(values)
    return None if found is None else (found[1] - found[0]) / 2 / statistics.median(values)


def geometric_mean(values: Iterable[float | None]) -> float | None:
    """The geometric mean of the values there are; None where there is none.

    Of ratios it is the only mean for which that of the inverses is the inverse (Fleming and
    Wallace, *How not to lie with statistics*, 1986).
    """
    there = [value for value in values if value is not None]
    return math.exp(statistics.fmean(map(math.log, there))) if there else None


def single_thread_cost(found: Sequence[Row]) -> Costs:
    """What one thread costs on the free-threaded build, for each workload that was measured so."""
    by_key = {(row.workload, row.arm): row for row in found if row.workers == 1}
    workloads = tuple(
        cost
        for name in dict.fromkeys(row.workload for row in found)
        if (cost := _cost(name, by_key.get)).free is not None or cost.forced is not None
    )
    return Costs(
        workloads=workloads,
        free=geometric_mean(cost.free for cost in workloads),
        forced=geometric_mean(cost.forced for cost in workloads),
    )


def _cost(workload: str, row_of: Callable[[tuple[str, Arm]], Row | None]) -> Cost:
    free, forced = row_of((workload, Arm.FREE)), row_of((workload, Arm.FORCED))
    return Cost(
        workload=workload,
        free=_inverse(free),
        free_range=_inverse_range(free),
        forced=_inverse(forced),
        forced_range=_inverse_range(forced),
    )


def _inverse(row: Row | None) -> float | None:
    return None if row is None or row.over_gil is None else 1 / row.over_gil


def _inverse_range(row: Row | None) -> tuple[float, float] | None:
    if row is None or row.over_gil_range is None:
        return None
    low, high = row.over_gil_range
    return 1 / high, 1 / low


def suite_summary(suite: Suite) -> SuiteSummary:
    """The figures of a suite; an arm's mean is over the benchmarks that every arm has finished."""
    lines = tuple(
        SuiteLine(
            name=row.name,
            figures={arm: statistics.median(got) for arm, got in row.values.items() if got},
            ratio=_median(
                [
                    free / gil
                    for gil, free in zip(
                        row.values.get(Arm.GIL, ()), row.values.get(Arm.FREE, ()), strict=False
                    )
                ]
            ),
            failures=row.failures,
        )
        for row in suite.rows
    )
    arms = tuple(dict.fromkeys(arm for line in lines for arm in line.figures))
    whole = [line for line in lines if all(arm in line.figures for arm in arms)]
    means = {arm: geometric_mean(line.figures[arm] for line in whole) for arm in arms}
    return SuiteSummary(
        lines=lines,
        means={arm: mean for arm, mean in means.items() if mean is not None},
        ratio=geometric_mean(line.ratio for line in lines),
    )


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
