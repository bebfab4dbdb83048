"""A measurement in one sentence, and in notes what its reader has to know beside.

The sentence answers what people measure for: what do threads gain on this machine with this kind of
work, and what does the free-threaded build cost with one thread? Whatever makes the answer doubtful
is part of it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Results, Suite
from ftbuild.bench.summary import (
    SPREAD,
    Row,
    geometric_mean,
    rows,
    single_thread_cost,
    suite_summary,
)
from ftbuild.toolchain.machine import Machine

DISTURBED = 0.05
"""Share of the CPUs' time used by others from which figures are called rough."""

_SHOWN = 5
"""Things of a kind that are told one by one before they are only counted."""

_NAMED = 3
"""Names in the sentence before they are only counted."""

_EQUAL = 0.005
"""Below this part two times are printed as the same."""


def verdict(results: Results) -> str:
    """What this machine gains from threads, and what one thread costs, in a sentence."""
    found = rows(results)
    clauses = (
        _gain(found, results.machine),
        _cost(found),
        *map(_suite, results.suites),
        _failed(found),
        _rough(found, results.disturbance),
        "it was stopped early" if results.interrupted else None,
    )
    said = [clause for clause in clauses if clause]
    if not found and not results.suites:
        said.insert(0, "nothing was measured")
    if results.pair.unlike:
        names = ", ".join(check.name.removeprefix("pair.") for check in results.pair.unlike)
        said[0] = f"on builds that differ in more than the GIL ({names}), {said[0]}"
    sentence = "; ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}."


class _Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the arms reach with so many workers, by workload, over one thread of the GIL build."""

    workers: int
    free: dict[str, float]
    gil: dict[str, float]
    processes: dict[str, float]


def _gain(found: Sequence[Row], machine: Machine) -> str | None:
    """What threads gain with the most workers that have a CPU each; None without any series."""
    if not found:
        return None
    if machine.cpus == 1:
        return "with one CPU it cannot be shown what threads gain"
    if not any(row.arm is Arm.FREE for row in found):
        return "the free-threaded build was not measured with the GIL off"
    counts = {row.workers for row in found if row.workers > 1 and not row.oversubscribed}
    if not counts:
        return "nothing can be said about scaling, because only one thread was measured"
    workers = max(counts)
    at_most = [row for row in found if row.workers == workers]
    figures = _Figures(
        workers=workers,
        free=_over_gil(at_most, Arm.FREE),
        gil=_over_gil(at_most, Arm.GIL),
        processes=_over_gil(at_most, Arm.PROCESSES),
    )
    if not figures.free:
        return _alone(at_most, workers)
    measured = len({row.workload for row in found})
    one = len(figures.free) == 1
    return _one(figures, found, measured) if one else _many(figures, measured)


def _over_gil(found: Iterable[Row], arm: Arm) -> dict[str, float]:
    return {
        row.workload: row.over_gil
        for row in found
        if row.arm is arm and row.over_gil is not None and row.failure is None
    }


def _alone(at_most: Sequence[Row], workers: int) -> str:
    """What is left to say without one thread of the GIL build, or without the threads."""
    own = geometric_mean(row.speedup for row in at_most if row.arm is Arm.FREE)
    if own is None:
        return f"{workers} threads of the free-threaded build gave no figure"
    return (
        f"{workers} threads of the free-threaded build are {_times(own)} times as fast as one, "
        f"with no figure for one thread of the GIL build to compare with"
    )


def _one(figures: _Figures, found: Sequence[Row], measured: int) -> str:
    """For a single workload, or a single one with a figure: fewer threads may do better."""
    ((name, reached),) = figures.free.items()
    fewer = {
        row.workers: row.over_gil
        for row in found
        if row.arm is Arm.FREE and row.workers < figures.workers and row.over_gil is not None
        if row.workload == name
    }
    best = max(fewer, key=lambda count: fewer[count], default=figures.workers)
    clause = _runs(figures.workers, name, reached)
    if best in fewer and fewer[best] > reached * (1 + SPREAD):
        clause += f" (better: {_times(fewer[best])} with {'one' if best == 1 else best})"
    if measured > 1:
        clause += f", the only one of {measured} workloads with a figure"
    there = _others(figures.workers, figures.gil.get(name), figures.processes.get(name))
    wins = ", so processes win" if _wins(figures, name) else ""
    return f"{clause}; {there}{wins}" if there else clause


def _many(figures: _Figures, measured: int) -> str:
    """For many workloads: the mean, the best and the worst."""
    workers, free = figures.workers, figures.free
    best, worst = max(free, key=free.__getitem__), min(free, key=free.__getitem__)
    mean = geometric_mean(free.values())
    assert mean is not None  # noqa: S101 - there is at least one
    part = f"{len(free)} of " if len(free) < measured else ""
    clause = (
        f"{_runs(workers, f'{part}{measured} workloads', mean)} (geometric mean; best {best} "
        f"{_times(free[best])}, worst {worst} {_times(free[worst])})"
    )
    # A mean over other workloads than those could not be compared with theirs.
    gil, processes = (
        geometric_mean(side[name] for name in free) if free.keys() <= side.keys() else None
        for side in (figures.gil, figures.processes)
    )
    there = _others(workers, gil, processes)
    if there:
        clause += f"; {there}"
    winners = [name for name in free if _wins(figures, name)]
    return f"{clause}; processes win in {_names(winners)}" if winners else clause


def _runs(workers: int, what: str, ratio: float) -> str:
    """What a speed-up says, in words that fit it."""
    lead = f"with {workers} threads, the free-threaded build runs {what}"
    base = "one thread of the GIL build"
    if ratio > 1 + SPREAD:
        return f"{lead} {_times(ratio)} times as fast as {base}"
    if ratio >= 1 - SPREAD:
        return f"{lead} no faster than {base}"
    return f"{lead} slower than {base}, at {_times(ratio)} of its speed"


def _others(workers: int, gil: float | None, processes: float | None) -> str:
    """What the GIL build reaches with as many threads and processes."""
    reached = (("threads", gil), ("processes", processes))
    said = [f"{workers} {what} reach {_times(ratio)}" for what, ratio in reached if ratio]
    return f"on the GIL build {' and '.join(said)}" if said else ""


def _wins(figures: _Figures, name: str) -> bool:
    """Whether processes are faster by more than what figures are good for."""
    return figures.processes.get(name, 0.0) > figures.free[name] * (1 + SPREAD)


def _cost(found: Sequence[Row]) -> str | None:
    """What one thread of the free-threaded build costs."""
    costs = single_thread_cost(found)
    each = {cost.workload: cost for cost in costs.workloads if cost.free is not None}
    if costs.free is None:
        return None
    lead = "with one thread the free-threaded build takes"
    if len(each) == 1:
        (cost,) = each.values()
        return f"{lead} {_longer(costs.free, cost.free_range)} the GIL build"
    order = sorted(each, key=lambda name: each[name].free or 0.0)
    ends = ", ".join(f"{name} {_signed(each[name].free or 0.0)}" for name in (order[-1], order[0]))
    return f"{lead} {_longer(costs.free)} the GIL build (geometric mean; {ends})"


def _longer(ratio: float, within: tuple[float, float] | None = None) -> str:
    """`6 % longer than`; `about as long as` where the rounds disagree about the direction."""
    if abs(ratio - 1) < _EQUAL:
        return "as long as"
    if within is not None and within[0] < 1 < within[1]:
        return "about as long as"
    if ratio >= 2:  # noqa: PLR2004 - percentages are read up to twice
        return f"{_times(ratio)} times as long as"
    return f"{_percent(abs(ratio - 1))} {'longer' if ratio > 1 else 'less time'} than"


def _suite(suite: Suite) -> str:
    found = suite_summary(suite)
    if suite.figure == "seconds":
        if found.ratio is None:
            return f"{suite.name} gave no figure"
        count = sum(line.ratio is not None for line in found.lines)
        return (
            f"over {_plural(count, 'benchmark')} of {suite.name}, one thread of the "
            f"free-threaded build takes {_longer(found.ratio)} one of the GIL build"
        )
    free, gil = found.means.get(Arm.FREE), found.means.get(Arm.GIL)
    if free is None:
        return f"{suite.name} gave no figure for the free-threaded build"
    there = f" and {_times(gil)} on the GIL build" if gil is not None else ""
    return (
        f"in {suite.name}, {suite.workers} threads reach {_times(free)} on the free-threaded "
        f"build{there} (geometric mean)"
    )


def _failed(found: Sequence[Row]) -> str | None:
    failed = [row for row in found if row.failure is not None]
    if not failed:
        return None
    first = "first " if len(failed) > 1 else ""
    told = f"{first}{failed[0].name}: {failed[0].failure}"
    return f"{len(failed)} of {len(found)} series failed ({told})"


def _rough(found: Sequence[Row], disturbance: float | None) -> str | None:
    """Why no figure of all this is to be trusted far."""
    reasons = []
    if disturbance is not None and disturbance > DISTURBED:
        reasons.append(f"others used {_percent(disturbance)} of the CPUs meanwhile")
    spreads = [row.spread for row in found if row.spread is not None]
    if spreads and statistics.median(spreads) > SPREAD:
        typical = _percent(statistics.median(spreads))
        reasons.append(f"half of the series differ by ±{typical} and more from round to round")
    return f"these figures are rough, because {' and '.join(reasons)}" if reasons else None


def notes(results: Results) -> tuple[str, ...]:
    """What a reader has to know beside the figures, the gravest first."""
    found = rows(results)
    return (
        *_about_pair(results),
        *_about_run(results),
        *_about_failures(found),
        *(
            f"{suite.name} {line.name} on {arm} failed: {why}"
            for suite in results.suites
            for line in suite.rows
            for arm, why in line.failures.items()
        ),
        *_about_figures(found),
        *_about_workers(results, found),
        *_about_machine(results.machine),
    )


def _about_pair(results: Results) -> Iterable[str]:
    for check in results.pair.unlike:
        yield f"Not a matched pair, {check.name}: {check.expected}; {check.found}."


def _about_run(results: Results) -> Iterable[str]:
    if results.interrupted:
        yield "It was stopped early: what is here was measured before."
    share = results.disturbance
    if share is None:
        yield "Nobody could tell how much of the CPUs others used meanwhile."
    elif share > DISTURBED:
        yield (
            f"Others used {_percent(share)} of the CPUs meanwhile, other guests of this host "
            f"included: small differences mean nothing."
        )
    load, cpus = results.machine.load, results.machine.cpus
    if load is not None and load > cpus / 4:
        yield f"The load was {load:.1f} when it began, on {_plural(cpus, 'CPU')}."
    if results.series and results.method.rounds == 1:
        yield "There was one round only: how far figures can be trusted cannot be told."


def _about_failures(found: Sequence[Row]) -> Iterable[str]:
    """A note for all series of a workload that failed in the same way."""
    failed: dict[tuple[str, str], list[str]] = {}
    for row in found:
        if row.failure is not None:
            failed.setdefault((row.workload, row.failure), []).append(f"{row.arm} {row.workers}")
    for (workload, why), series in failed.items():
        yield f"{workload} failed on {', '.join(series)}: {why}"


def _about_figures(found: Sequence[Row]) -> Iterable[str]:
    doubtful = sorted((row for row in found if row.warnings), key=lambda row: -(row.spread or 0))
    for row in doubtful[:_SHOWN]:
        yield f"{row.name}: {'; '.join(row.warnings)}."
    if len(doubtful) > _SHOWN:
        yield f"{len(doubtful) - _SHOWN} more series have figures that are as doubtful or less so."


def _about_workers(results: Results, found: Sequence[Row]) -> Iterable[str]:
    machine, method = results.machine, results.method
    counts = sorted({row.workers for row in found})
    over = [str(count) for count in counts if count > machine.cpus]
    if over:
        yield (
            f"With {' and '.join(over)} workers there are more of them than CPUs "
            f"({machine.cpus}): they take turns."
        )
    sharing = [count for count in counts if len(machine.cores) < count <= machine.cpus]
    if machine.smt and sharing:
        numbers = " and ".join(map(str, sharing))
        yield (
            f"With {numbers} workers some share one of the {len(machine.cores)} physical cores: "
            f"two threads of a core give well below twice the work of one."
        )
    if found and method.cpus is None:
        yield "Workers were not pinned: two may have shared a core."


def _about_machine(machine: Machine) -> Iterable[str]:
    if machine.cpus == 1:
        yield "With one CPU nothing runs at the same time: only the cost of one thread is shown."
    if machine.governor is not None and "powersave" in machine.governor:
        yield "The frequency governor is powersave: the clock rises late, if at all."
    if machine.turbo:
        yield (
            "The clock may rise above its nominal rate, and higher for one busy core than for "
            "many: that takes from every speed-up."
        )
    if machine.virtual is not None:
        yield (
            f"A virtual machine (hypervisor: {machine.virtual}): its CPUs may be threads of shared "
            f"cores, which nobody in it can tell."
        )
    if machine.quota is not None:
        yield f"The control groups allow {machine.quota:g} CPUs' time: above that, workers stop."


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"  # noqa: PLR2004 - three digits


def _percent(part: float) -> str:
    return f"{part * 100:.0f} %"


def _signed(ratio: float) -> str:
    """`+18 %`."""
    return f"{round((ratio - 1) * 100):+d} %"


def _names(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b, c and 2 more`."""
    shown = list(words[:_NAMED])
    if len(words) > _NAMED:
        shown.append(f"{len(words) - _NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
