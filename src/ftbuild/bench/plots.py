"""Plots of a measurement, drawn by matplotlib: speed-up against workers, and what one thread costs.

matplotlib comes with the extra `ftbuild[bench]` and is imported only when something is drawn. Its
object-oriented interface is used: there is no state between calls, and no display is needed.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Results
from ftbuild.bench.summary import Costs, Row, rows, single_thread_cost
from ftbuild.bench.verdict import DISTURBED
from ftbuild.errors import EnvironmentFault

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, SHADE, ALARM = "#1f2328", "#6a737d", "#dfe2e6", "#f0f1f3", "#b3261e"
"""Colours of text, of what is beside the point, of lines behind, of areas, and of warnings."""

COLOURS: Mapping[Arm, str] = {
    Arm.FREE: "#0072b2",
    Arm.FORCED: "#56a0d3",
    Arm.PROCESSES: "#d55e00",
    Arm.GIL: "#57606a",
}
"""Blue and vermilion of Okabe and Ito's palette, which people with any kind of colour vision tell
apart; the free-threaded build's arms are both blue, and the base of all is grey."""

_MARKERS = {Arm.FREE: "o", Arm.PROCESSES: "D", Arm.FORCED: "^", Arm.GIL: "s"}
_LINES: Mapping[Arm, Any] = {**dict.fromkeys(Arm, "-"), Arm.FORCED: (0, (4, 1.5))}
_DOTS = (0, (1, 2))
_DPI = 160
_WIDEST = 5.0
"""The percentage that the axis of costs reaches at least, so that half a percent looks like it."""

_LINEAR = 4
"""The most workers for which equal steps read better than doublings."""


def require() -> None:
    """Find out before anything is measured whether plots can be drawn.

    Raises:
        EnvironmentFault: matplotlib is not there; the hint installs it.
    """
    try:
        import matplotlib.figure  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise EnvironmentFault(
            "plots need matplotlib, which is not installed",
            hint=f"{sys.executable} -m pip install 'ftbuild[bench]'",
        ) from error


def figures(results: Results) -> dict[str, Figure]:
    """The figures that show something, by name: `speedup` from two counts on, `cost`."""
    found = rows(results)
    drawn = {}
    if len({row.workers for row in found if row.over_gil is not None}) > 1:
        drawn["speedup"] = speedup_figure(results)
    if single_thread_cost(found).workloads:
        drawn["cost"] = cost_figure(results)
    return drawn


def write(results: Results, folder: Path) -> tuple[Path, ...]:
    """Write each figure as PNG and as SVG, the same bytes for the same results and matplotlib.

    Returns:
        The files: `speedup.png`, `speedup.svg`, `cost.png`, `cost.svg`; without those that would
        be empty.

    Raises:
        EnvironmentFault: They cannot be written there.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures(results).items():
            for kind, content in (("png", png(figure)), ("svg", svg(figure).encode())):
                path = folder / f"{name}.{kind}"
                path.write_bytes(content)
                written.append(path)
    except OSError as error:
        raise EnvironmentFault(f"cannot write plots into {folder}: {error.strerror}") from error
    return tuple(written)


def png(figure: Figure) -> bytes:
    """A figure as a PNG image."""
    held = io.BytesIO()
    with _style():
        figure.savefig(held, format="png", dpi=_DPI, facecolor="white")
    return held.getvalue()


def svg(figure: Figure) -> str:
    """A figure as an SVG document, its text as text."""
    held = io.StringIO()
    with _style():
        figure.savefig(held, format="svg", metadata={"Date": None}, transparent=True)
    return held.getvalue()


@contextmanager
def _style() -> Iterator[None]:
    """The defaults of matplotlib, whatever the user's matplotlibrc says, and then ours."""
    import matplotlib as mpl  # noqa: PLC0415 - an extra

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "axes.edgecolor": MUTED,
                "axes.labelcolor": INK,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "font.size": 9,
                "svg.fonttype": "none",
                "svg.hashsalt": "ftbuild",
                "text.color": INK,
                "xtick.color": MUTED,
                "xtick.labelcolor": INK,
                "ytick.color": MUTED,
                "ytick.labelcolor": INK,
            }
        )
        yield


def speedup_figure(results: Results) -> Figure:
    """Speed-up over one thread of the GIL build against workers: a panel for each workload."""
    found = [row for row in rows(results) if row.over_gil is not None or row.failure is not None]
    names = tuple(dict.fromkeys(row.workload for row in found))
    across = {1: 1, 2: 2, 4: 2}.get(len(names), 3)
    down = math.ceil(len(names) / across)
    size = (6.6, 4.0) if len(names) == 1 else (max(6.6, 3.15 * across), 2.35 * down)
    scale = _Scale(found, results.machine.cpus, size[1] / down)
    with _style():
        title = "Speed-up over one thread of the GIL build"
        figure = _framed(results, title, size, _arms(found))
        grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        panels = list(grid.flat)
        for axes, name in zip(panels, names, strict=False):
            _panel(axes, name, [row for row in found if row.workload == name], scale)
        for number, axes in enumerate(panels):
            if number >= len(names):
                axes.set_axis_off()
            elif number >= len(names) - across:  # nothing is below
                axes.tick_params(labelbottom=True)
                axes.set_xlabel("threads or processes", color=MUTED)
    return figure


class _Scale:
    """The axes that all panels share; their height in inches says how close labels may be."""

    def __init__(self, found: Sequence[Row], cpus: int, height: float) -> None:
        self.least = _LABEL / height
        self.cpus = cpus
        self.counts = sorted({row.workers for row in found})
        self.linear = self.counts[-1] <= _LINEAR
        ends = [end for row in found for end in (row.over_gil_range or ())]
        reached = [*ends, *(row.over_gil for row in found if row.over_gil is not None)]
        top = max(*reached, min(self.counts[-1], cpus), 1.0)
        if self.linear:
            step = (self.counts[-1] - 1) or 1
            self.x = (1 - 0.12 * step, self.counts[-1] + 0.3 * step)
            self.y = (0.0, top * 1.1)
        else:
            self.x = (0.87, self.counts[-1] * self.counts[-1] ** 0.17)
            self.y = (min(*reached, 1.0) / 1.25, top * 1.25)

    def part(self, value: float) -> float:
        """How far up the panel a value is, from 0 to 1."""
        low, high = self.y
        if self.linear:
            return (value - low) / (high - low)
        return math.log(value / low) / math.log(high / low)

    def ideal(self) -> tuple[list[float], list[float]]:
        """The line that every worker with a CPU to itself would give."""
        last = self.counts[-1]
        bend = [float(self.cpus)] if 1 < self.cpus < last else []
        along = [1.0, *bend, float(last)]
        return along, [min(count, float(self.cpus)) for count in along]


def _panel(axes: Axes, name: str, found: Sequence[Row], scale: _Scale) -> None:
    """One workload."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator  # noqa: PLC0415

    axes.set_title(_shortened(name), loc="left", fontsize=10, fontweight="bold")
    if not scale.linear:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
    axes.set_xlim(*scale.x)
    axes.set_ylim(*scale.y)
    axes.xaxis.set_major_locator(FixedLocator(scale.counts))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()
    if scale.linear:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    if scale.counts[-1] > scale.cpus:
        axes.axvspan(scale.cpus, scale.x[1], color=SHADE, linewidth=0, zorder=0)
    axes.plot(*scale.ideal(), color=MUTED, linewidth=1, linestyle=_DOTS, zorder=1)
    ends: dict[Arm, tuple[int, float]] = {}
    for arm in COLOURS:
        series = [row for row in found if row.arm is arm and row.over_gil is not None]
        if series:
            ends[arm] = _line(axes, arm, sorted(series, key=lambda row: row.workers))
    places = apart([scale.part(value) for _, value in ends.values()], scale.least)
    for (arm, (last, value)), place in zip(ends.items(), places, strict=True):
        axes.annotate(
            f"{value:.2f}" if value < 10 else f"{value:.1f}",  # noqa: PLR2004 - three digits
            (last, place),
            xycoords=axes.get_xaxis_transform(),
            xytext=(6, 0),
            textcoords="offset points",
            color=COLOURS[arm],
            fontsize=8,
            fontweight="bold" if arm is Arm.FREE else "normal",
            va="center",
        )
    failed = [row for row in found if row.failure is not None]
    if failed:
        lines = [f"{row.arm} {row.workers}: {_shortened(row.failure or '')}" for row in failed[:3]]
        more = [f"and {len(failed) - 3} more failed"] if len(failed) > len(lines) else []
        axes.text(
            0.03,
            0.04,
            "\n".join([*lines, *more]),
            transform=axes.transAxes,
            color=ALARM,
            fontsize=7,
        )


def _line(axes: Axes, arm: Arm, series: Sequence[Row]) -> tuple[int, float]:
    """An arm's line with the quartiles of each point; gives the last point."""
    points = [(row.workers, row.over_gil or 0.0) for row in series]
    ranges = [
        row.over_gil_range or (value, value) for row, (_, value) in zip(series, points, strict=True)
    ]
    # The median of an even number of rounds is between two of them, the quartiles may not be.
    below = [max(0.0, value - low) for (_, value), (low, _) in zip(points, ranges, strict=True)]
    above = [max(0.0, high - value) for (_, value), (_, high) in zip(points, ranges, strict=True)]
    axes.errorbar(
        [count for count, _ in points],
        [value for _, value in points],
        yerr=(below, above),
        color=COLOURS[arm],
        linewidth=2.2 if arm is Arm.FREE else 1.4,
        linestyle=_LINES[arm],
        marker=_MARKERS[arm],
        markersize=5 if arm is Arm.FREE else 4,
        elinewidth=1,
        capsize=2,
        zorder=4 if arm is Arm.FREE else 3,
    )
    return points[-1]


def apart(wanted: Sequence[float], least: float) -> list[float]:
    """Places for labels near those wanted, in the same order, at least so far from each other.

    They stay between 0 and 1, as long as there is room for all.
    """

    def middle(group: Sequence[int]) -> float:
        half = least * (len(group) - 1) / 2
        mean = sum(wanted[index] for index in group) / len(group)
        return max(half, min(mean, 1 - half))

    groups: list[list[int]] = []
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]):
        groups.append([index])
        # Labels that would touch form a group around their mean; that may touch the one before.
        while len(groups) > 1 and (
            middle(groups[-1]) - middle(groups[-2])
            < least * (len(groups[-1]) + len(groups[-2])) / 2
        ):
            last = groups.pop()
            groups[-1].extend(last)
    places = list(wanted)
    for group in groups:
        lowest = middle(group) - least * (len(group) - 1) / 2
        for number, index in enumerate(group):
            places[index] = lowest + number * least
    return places


def cost_figure(results: Results) -> Figure:
    """The time of one thread of the free-threaded build, relative to the GIL build's."""
    from matplotlib.patches import Patch  # noqa: PLC0415 - an extra

    found = rows(results)
    costs = single_thread_cost(found)
    groups = _groups(costs)
    with _style():
        figure = _framed(
            results,
            "What one thread costs on the free-threaded build",
            (6.6, 0.42 * len(groups) + 0.75),
            [
                Patch(facecolor=COLOURS[arm], label=said)
                for arm, said in ((Arm.FREE, "GIL off"), (Arm.FORCED, "GIL forced on"))
                if any(row.arm is arm for row in found)
            ],
        )
        axes = figure.subplots()
        for number, (_, bars) in enumerate(groups):
            _bars(axes, number, bars)
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(range(len(groups)), [_shortened(name) for name, _ in groups])
        if len(groups) > 1:
            axes.axhline(len(groups) - 1.5, color=MUTED, linewidth=0.7)
            axes.get_yticklabels()[-1].set_fontweight("bold")
        axes.set_ylim(len(groups) - 0.45, -0.55)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.margins(x=0.14)
        axes.set_xlim(right=max(axes.get_xlim()[1], _WIDEST))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:+g} %" if value else "0")
        axes.set_xlabel("longer than one thread of the GIL build takes", color=MUTED)
    return figure


_Bar = tuple[Arm, float, tuple[float, float] | None]


def _groups(costs: Costs) -> list[tuple[str, list[_Bar]]]:
    """The bars of each workload, and of the geometric mean where there are several."""
    groups = [
        (
            cost.workload,
            [
                (arm, ratio, within)
                for arm, ratio, within in (
                    (Arm.FREE, cost.free, cost.free_range),
                    (Arm.FORCED, cost.forced, cost.forced_range),
                )
                if ratio is not None
            ],
        )
        for cost in costs.workloads
    ]
    if len(groups) > 1:
        means: list[_Bar] = [
            (arm, ratio, None)
            for arm, ratio in ((Arm.FREE, costs.free), (Arm.FORCED, costs.forced))
            if ratio is not None
        ]
        groups.append(("geometric mean", means))
    return groups


def _bars(axes: Axes, number: int, bars: Sequence[_Bar]) -> None:
    height = 0.36
    for place, (arm, ratio, within) in enumerate(bars):
        y = number + (place - (len(bars) - 1) / 2) * height
        percent = (ratio - 1) * 100
        axes.barh(y, percent, height * 0.88, color=COLOURS[arm])
        low, high = ((end - 1) * 100 for end in within or (ratio, ratio))
        if within is not None:
            axes.plot([low, high], [y, y], color=INK, linewidth=1)
        axes.annotate(
            f"{percent:+.1f} %",
            (max(high, percent, 0) if percent >= 0 else min(low, percent), y),
            xytext=(4 if percent >= 0 else -4, 0),
            textcoords="offset points",
            ha="left" if percent >= 0 else "right",
            va="center",
            fontsize=7.5,
        )


_TITLE = 0.55
_ROW = 0.2
_FOOT = 0.17
_MARGIN = 0.12
_LABEL = 0.155
"""Inches: the title with the line below it, a row of the legend, a line at the foot, the outer
margin, a label at the end of a line."""


def _framed(
    results: Results, title: str, size: tuple[float, float], legend: Sequence[Artist]
) -> Figure:
    """An empty figure with title, subtitle, legend and foot around so many inches of plots."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    warnings, about = _foot(results)
    across = 5 if size[0] > 9 and len(legend) <= 5 else 3  # noqa: PLR2004 - inches, entries
    foot = _FOOT * (len(warnings) + 1) + _MARGIN
    head = _TITLE + _ROW * math.ceil(len(legend) / across) + 2 * _MARGIN
    width, height = size[0], size[1] + head + foot
    figure = Figure(figsize=(width, height), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.005, foot / height, 0.99, 1 - (foot + head) / height), h_pad=0.06)

    def text(inches: float, said: str, **how: Any) -> None:
        figure.text(_MARGIN / width, inches / height, said, va="top", **how)

    text(height - _MARGIN, title, fontsize=13, fontweight="bold")
    text(height - _MARGIN - 0.3, _subject(results), fontsize=8.5, color=MUTED)
    figure.legend(
        handles=legend,
        loc="upper left",
        bbox_to_anchor=(_MARGIN / 2 / width, 1 - (_MARGIN + _TITLE) / height),
        ncols=min(across, len(legend)),
        frameon=False,
        fontsize=8,
        handlelength=2.2,
        columnspacing=1.6,
        borderaxespad=0,
        borderpad=0.5,
    )
    for number, line in enumerate(warnings):
        top = foot - _FOOT * number - _MARGIN / 4
        text(top, line, fontsize=8, color=ALARM, fontweight="bold")
    text(_FOOT + _MARGIN / 2, about, fontsize=7.5, color=MUTED)
    return figure


def _arms(found: Sequence[Row]) -> list[Artist]:
    """What the legend explains: the arms there are, the ideal, the shaded area."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - an extra
    from matplotlib.patches import Patch  # noqa: PLC0415 - an extra

    handles: list[Artist] = [
        Line2D(
            [],
            [],
            color=COLOURS[arm],
            marker=_MARKERS[arm],
            markersize=4,
            linestyle=_LINES[arm],
            label=arm.label,
        )
        for arm in COLOURS
        if any(row.arm is arm for row in found)
    ]
    handles.append(Line2D([], [], color=MUTED, linewidth=1, linestyle=_DOTS, label="ideal"))
    if any(row.oversubscribed for row in found):
        handles.append(Patch(facecolor=SHADE, label="more workers than CPUs"))
    return handles


def _subject(results: Results) -> str:
    """What was measured on what, in a line."""
    gil, free, machine = results.pair.gil, results.pair.free_threaded, results.machine
    cores = len(machine.cores)
    cpus = f"{machine.cpus} CPU{'' if machine.cpus == 1 else 's'}"
    if machine.smt:
        cpus += f" on {cores} core{'' if cores == 1 else 's'}"
    virtual = f", virtual (hypervisor: {machine.virtual})" if machine.virtual else ""
    return f"{gil.name} and {free.name} · {_shortened(machine.cpu, 48)}, {cpus}{virtual}"


def _foot(results: Results) -> tuple[tuple[str, ...], str]:
    """Warnings that no plot may be shown without, and how it was measured."""
    warnings = []
    if results.pair.unlike:
        names = ", ".join(check.name.removeprefix("pair.") for check in results.pair.unlike)
        warnings.append(_shortened(f"Not a matched pair; the builds also differ in: {names}", 100))
    if results.interrupted:
        warnings.append("Stopped early")
    if results.disturbance is not None and results.disturbance > DISTURBED:
        warnings.append(f"Rough: others used {results.disturbance * 100:.0f} % of the CPUs")
    about = (
        f"Medians of {results.method.rounds} rounds, bars show their quartiles. "
        f"ftbuild {results.ftbuild}, {results.created[:10]}"
    )
    return tuple(warnings), about


def _shortened(text: str, most: int = 36) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
