"""A measurement as text for a terminal: a table for each workload, the verdict, what to know."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from textwrap import fill

from ftbuild.bench.arms import Arm
from ftbuild.bench.comparison import Compared, Comparison
from ftbuild.bench.results import Pair, Results, Suite, Workload
from ftbuild.bench.summary import Row, rows, suite_summary
from ftbuild.bench.verdict import notes, verdict
from ftbuild.console import columns, size
from ftbuild.toolchain import Machine

_HEADER = (
    "",
    "workers",
    "time",
    "±",
    "speed-up",
    "over GIL",
    "efficiency",
    "CPU",
    "switches",
    "memory",
)

_WIDTH = 100
"""Columns of sentences: a terminal would cut words."""


def measurement(results: Results) -> str:
    """Everything measured, in tables; the verdict last, where eyes are."""
    parts = [head(results.pair, results.machine)]
    by_name = {workload.name: workload for workload in results.workloads}
    for name, group in groupby(rows(results), key=lambda row: row.workload):
        parts.append(f"{_title(by_name[name])}\n{_table(tuple(group))}")
    parts += [_suite(suite) for suite in results.suites]
    if results.series:
        parts.append(_legend())
    told = notes(results)
    if told:
        parts.append("\n".join(fill(f"note: {note}", _WIDTH) for note in told))
    parts.append(fill(verdict(results), _WIDTH))
    return "\n\n".join(parts)


def comparison(found: Comparison) -> str:
    """Two measurements beside each other: first in what they differ, then the figures."""
    if found.differences:
        told = [(f"  {d.about}: {d.what}", d.a, d.b) for d in found.differences]
        parts = ["They differ in", columns(told, ("", "A", "B"))]
    else:
        parts = ["They differ in nothing that is recorded but their figures."]
    header = ("", "A", "B", "B/A", "±", "speed-up A", "B", "")
    lines = [_compared(row) for row in found.rows]
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    parts.append(
        "\n".join(
            "  ".join(
                (line[0].ljust(widths[0]), *map(str.rjust, line[1:-1], widths[1:-1]), line[-1])
            ).rstrip()
            for line in (header, *lines)
        )
    )
    for arm, mean in found.means.items():
        parts.append(f"{arm.label}: B takes {mean:.3f} of A's time (geometric mean)")
    for side, names in (("A", found.only_a), ("B", found.only_b)):
        if names:
            parts.append(f"only in {side}: {', '.join(names)}")
    parts.append(
        "A and B: the time for a unit of work; B/A below 1: B is faster; =: no more than both "
        "spreads together"
    )
    return "\n\n".join(parts)


def _compared(row: Compared) -> tuple[str, ...]:
    name = f"{row.workload} {row.arm} {row.workers}"
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}{'' if row.clear else '='}"
    return (
        name,
        "" if row.a is None else seconds(row.a),
        "" if row.b is None else seconds(row.b),
        ratio,
        "" if row.uncertainty is None else f"{row.uncertainty:.0%}",
        "" if row.speedup_a is None else f"{row.speedup_a:.2f}",
        "" if row.speedup_b is None else f"{row.speedup_b:.2f}",
        row.doubt,
    )


def head(pair: Pair, machine: Machine) -> str:
    """What was measured, and on what."""
    gil, free = pair.gil, pair.free_threaded
    cores = f"{len(machine.cores)} core{'s' * (len(machine.cores) != 1)}"
    place = [f"{machine.cpus} CPU{'s' * (machine.cpus != 1)} on {cores}"]
    place += [word for word in (machine.virtual, machine.container) if word]
    load = f", load {machine.load:.2f} at the start" if machine.load is not None else ""
    lines = [
        f"{gil.name} and {free.name}: {gil.profile}, {gil.compiler.rsplit(' ', 1)[0]}",
        f"{machine.cpu}, {', '.join(place)}, {machine.system} {machine.kernel}{load}",
    ]
    if pair.unlike:
        lines.insert(1, "THIS IS NO MATCHED PAIR: the figures compare more than the GIL")
    return "\n".join(lines)


def _title(workload: Workload) -> str:
    amount = f"{workload.amount:,} {workload.unit}"
    if workload.unit == "bytes":
        amount = size(workload.amount)
    return f"{workload.name} ({amount}): {workload.summary}"


def _table(found: Sequence[Row]) -> str:
    lines = [_line(row) for row in found]
    widths = [max(map(len, column)) for column in zip(_HEADER, *lines, strict=True)]
    return "\n".join(
        "  ".join((f"  {line[0].ljust(widths[0])}", *map(str.rjust, line[1:], widths[1:]))).rstrip()
        for line in (_HEADER, *lines)
    )


def _line(row: Row) -> tuple[str, ...]:
    workers = f"{row.workers}{'*' if row.oversubscribed else ''}"
    if row.seconds is None:
        why = row.failure or "not measured"
        return (row.arm.label, workers, why, *[""] * (len(_HEADER) - 3))
    return (
        row.arm.label,
        workers,
        seconds(row.seconds),
        "" if row.spread is None else f"{row.spread:.0%}",
        "" if row.speedup is None else f"{row.speedup:.2f}",
        "" if row.over_gil is None else f"{row.over_gil:.2f}",
        "" if row.efficiency is None else f"{row.efficiency:.0%}",
        "" if row.cpu is None else seconds(row.cpu),
        "" if row.switches is None else f"{sum(row.switches):.0f}",
        "" if row.rss is None else size(row.rss),
    )


def _legend() -> str:
    return (
        "time: the median run; ±: half the interquartile range of the rounds; speed-up: over one "
        "worker\nof the same arm; over GIL: over one thread of the GIL build; efficiency: speed-up "
        "by workers;\nswitches: context switches a run; memory: the peak, of processes their sum"
        "; *: more workers than CPUs"
    )


def _suite(suite: Suite) -> str:
    found = suite_summary(suite)
    arms = tuple(arm for arm in Arm if any(arm in row.values for row in suite.rows))
    header = (suite.figure, *(arm.value for arm in arms), "ratio")
    show = seconds if suite.figure == "seconds" else "{:.2f}".format
    lines = [
        (
            f"  {line.name}",
            *(
                show(line.figures[arm]) if arm in line.figures else line.failures.get(arm, "")
                for arm in arms
            ),
            "" if line.ratio is None else f"{line.ratio:.3f}",
        )
        for line in found.lines
    ]
    means = (
        "  geometric mean",
        *(show(found.means[arm]) if arm in found.means else "" for arm in arms),
        "" if found.ratio is None else f"{found.ratio:.3f}",
    )
    title = f"{suite.name} {suite.version}, {suite.workers} thread{'s' * (suite.workers != 1)}"
    return f"{title}\n{columns((*lines, means), header)}"


def seconds(value: float) -> str:
    """A time with three digits and its unit: `1.02 s`, `310 ms`."""
    for unit, length in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= length:
            digits = max(0, 2 - (len(str(int(value / length))) - 1))
            return f"{value / length:.{digits}f} {unit}"
    return f"{value / 1e-9:.3g} ns"
