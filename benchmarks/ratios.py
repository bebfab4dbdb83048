"""Ratios of times, their geometric means, and tables of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Measured:
    """What one benchmark took: its command, and each interpreter's times, a list for each round.

    Times are in seconds a loop; `values` is how many of them one process gives.
    """

    command: tuple[str, ...]
    loops: int = 1
    values: int = 1
    times: dict[str, list[list[float]]] = field(default_factory=dict)

    def add(self, taken: Mapping[str, list[float]]) -> None:
        """Keep a round, which must have all the interpreters."""
        for name, values in taken.items():
            self.times.setdefault(name, []).append(values)

    def best(self, name: str) -> float:
        """An interpreter's shortest time."""
        return min(map(min, self.times[name]))

    def median(self, name: str) -> float:
        """An interpreter's median time."""
        return statistics.median(value for values in self.times[name] for value in values)

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        return min(map(len, self.times.values()), default=0)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Geometric means of one interpreter's times divided by another's; below 1 is faster.

    The same by each round's best times alone shows how far chance reaches.
    """

    name: str
    to: str
    by_best: float
    by_median: float
    by_round: tuple[float, ...]


def compare(benchmarks: Sequence[Measured], name: str, to: str) -> Comparison:
    """Compare two interpreters over some benchmarks, each of which has a round at least."""

    def mean(ratios: Iterable[float]) -> float:
        return statistics.geometric_mean(list(ratios))

    rounds = range(min(each.rounds for each in benchmarks))
    return Comparison(
        name=name,
        to=to,
        by_best=mean(each.best(name) / each.best(to) for each in benchmarks),
        by_median=mean(each.median(name) / each.median(to) for each in benchmarks),
        by_round=tuple(
            mean(min(each.times[name][n]) / min(each.times[to][n]) for each in benchmarks)
            for n in rounds
        ),
    )


def ratios(benchmarks: Mapping[str, Measured], names: Sequence[str]) -> str:
    """A table of best times: the first interpreter's, and the others' divided by it."""
    base, *others = names
    rows = [("best time", base, *others)]
    for title, each in benchmarks.items():
        best = each.best(base)
        rows.append((title, readable(best), *(f"{each.best(name) / best:.3f}" for name in others)))
    return table(rows)


def means(comparisons: Iterable[Comparison]) -> str:
    """A table of geometric means."""
    rows = [("geometric mean", "by best", "by median", "single rounds")]
    for each in comparisons:
        span = f"{min(each.by_round):.3f} to {max(each.by_round):.3f}"
        figures = (f"{each.by_best:.3f}", f"{each.by_median:.3f}", span)
        rows.append((f"{each.name} / {each.to}", *figures))
    return table(rows)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of them the head, as Markdown that also reads well as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    ruler = [f":{'-' * (widths[0] - 1)}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    lines = []
    for row in (rows[0], ruler, *rows[1:]):
        first, *rest = (
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append(f"| {' | '.join((first, *rest))} |")
    return "\n".join(lines)


def readable(seconds: float) -> str:
    """A time with three digits and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
