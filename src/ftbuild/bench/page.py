"""A measurement as one HTML page that needs nothing else: figures, tables, facts, the data.

Made with Jinja2. Everything that is put into the page is escaped there; the plots alone come as
markup.
"""

from __future__ import annotations

import re
from importlib import resources

import msgspec

from ftbuild.bench import facts, plots
from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Results
from ftbuild.bench.summary import rows, single_thread_cost, suite_summary
from ftbuild.bench.verdict import notes, verdict
from ftbuild.model.text import escape_unseen, sanitise

_COLOURS = {
    plots.INK: "--ink",
    plots.MUTED: "--muted",
    plots.GRID: "--grid",
    plots.SHADE: "--shade",
    plots.ALARM: "--alarm",
    plots.COLOURS[Arm.FREE]: "--free",
    plots.COLOURS[Arm.FORCED]: "--forced",
    plots.COLOURS[Arm.PROCESSES]: "--processes",
    plots.COLOURS[Arm.GIL]: "--gil",
}
"""Which of the page's colours, of which it has a light and a dark set, stand for the plots' own."""


def page(results: Results) -> str:
    """The page on a measurement."""
    import jinja2  # noqa: PLC0415 - 40 ms that only a page takes

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_shown
    )
    environment.filters.update(digits=digits, percent=_percent, size=_size, total=_total)
    text = (resources.files("ftbuild.bench") / "page.html.j2").read_text("utf-8")
    found = rows(results)
    pair = results.pair
    markup = environment.filters["safe"]
    return environment.from_string(text).render(
        title=f"Thread scaling of {pair.gil.name} and {pair.free_threaded.name}",
        results=results,
        verdict=verdict(results),
        notes=notes(results),
        figures={
            name: markup(inline(name, plots.svg(figure)))
            for name, figure in plots.figures(results).items()
        },
        workloads=[
            (workload, [row for row in found if row.workload == workload.name])
            for workload in results.workloads
        ],
        oversubscribed=any(row.oversubscribed for row in found),
        costs=single_thread_cost(found),
        suites=[(suite, suite_summary(suite)) for suite in results.suites],
        host=facts.host(results.machine),
        gil=facts.build(pair.gil),
        free_threaded=facts.build(pair.free_threaded),
        method=facts.method(results.method),
        json=markup(embedded(results)),
    )


def _shown(value: object) -> object:
    """What a placeholder stands for; markup is our own."""
    return sanitise(value) if type(value) is str else value


def embedded(results: Results) -> str:
    """The document as JSON that cannot end the script element it stands in.

    In JSON `<` occurs in strings only, where its escape means the same.
    """
    return escape_unseen(msgspec.json.encode(results).decode()).replace("<", "\\u003c")


def inline(name: str, document: str) -> str:
    """An SVG document as an element of a page: identifiers of its own, the page's colours."""
    element = document[document.index("<svg") :]
    element = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", element)
    element = re.sub(r"\s*<metadata>.*?</metadata>", "", element, count=1, flags=re.DOTALL)
    for colour, variable in _COLOURS.items():
        element = element.replace(colour, f"var({variable})")
    return element.replace("<svg ", f'<svg role="img" aria-label="{name}" ', 1)


def digits(value: float | None, count: int) -> str:
    """At least so many significant digits; empty for None.

    >>> digits(0.0123456, 3)
    '0.0123'
    """
    if value is None:
        return ""
    if value >= 10**count:
        return f"{value:.0f}"
    return f"{value:#.{count}g}".rstrip(".")  # trailing zeros were measured, too


def _percent(part: float | None) -> str:
    return "" if part is None else f"{part * 100:.1f} %"


def _size(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"  # noqa: PLR2004


def _total(switches: tuple[float, float] | None) -> str:
    return "" if switches is None else f"{sum(switches):.0f}"
