"""An audit as text for a terminal: the table worst first, what is wrong in detail, the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from textwrap import fill

from ftbuild.auditing.findings import Audit, Culprit, Ending, Finding, Installed, Status, TestsRun
from ftbuild.auditing.judging.blame import culprits_in
from ftbuild.auditing.judging.shipping import shipped
from ftbuild.auditing.reports.comparison import cell, compared
from ftbuild.auditing.reports.verdict import kind_of, short, trouble_with, verdict
from ftbuild.console import columns
from ftbuild.model.text import sanitise, sanitise_line

_WIDTH = 100
"""Columns of sentences: a terminal would cut words."""

_FEW = 10
"""Packages of which the table shows all; of more it shows those that are not fine."""

_SHOWN = 4
"""Modules and culprits that the details name before they only count."""

_TOGETHER = 8
"""Modules that a line names before they are only counted."""

_LEVELS = {None: "", 0: "claimed", 1: "unstable", 2: "beta", 3: "stable", 4: "resilient"}

_DONE = {Ending.CRASHED: "crashed", Ending.HUNG: "hung", Ending.FAILED: "failed"}

_HEADER = ("", "ships", "level", "imports", "verdict", "try", "required by")


def report(audit: Audit, *, everything: bool, notes: Iterable[str] = ()) -> str:
    """An audit for people; the verdict last, where eyes are.

    Args:
        audit: The audit.
        everything: Whether the table shows packages that are fine among many, too.
        notes: What to say besides, such as what the baseline knows.
    """
    everything = everything or len(audit.findings) <= _FEW
    bad = [item for item in audit.findings if item.status is not Status.FINE]
    fine = [item for item in audit.findings if item.status is Status.FINE]
    culprits = culprits_in(audit)
    parts = [_head(audit)]
    parts += [_table(audit.findings if everything else bad)]
    if not everything:
        parts.append(_fine(fine, others=bool(bad)))
    parts += ["\n".join(_details(item, culprits.get(item.package.name, ()))) for item in bad]
    if audit.tests is not None:
        parts.append("\n".join(_tests(audit.tests)))
    told = [_paragraph(f"note: {note}") for note in (*audit.notes, *notes)]
    parts += ["\n".join(told), _paragraph(verdict(audit))]
    return sanitise("\n\n".join(filter(None, parts)))


def comparison(audits: Sequence[Audit], *, everything: bool, notes: Iterable[str] = ()) -> str:
    """Audits for several targets beside each other, and a verdict on each."""
    found = compared(audits)
    everything = everything or len(found) <= _FEW
    shown = [row for row in found if everything or not row.fine]
    header = ("", "version", *(audit.target.label for audit in audits))
    lines = [(row.name, row.version, *map(cell, row.findings)) for row in shown]
    parts = [_inputs(audits[0])]
    parts.append(columns(lines, header) if lines else "")
    rest = [row.name for row in found if row.fine]
    if not everything and rest:
        parts.append(_listed(f"fine with each of them ({len(rest)})", rest))
    told = [f"{audit.target.label}: {note}" for audit in audits for note in audit.notes]
    parts.append("\n".join(_paragraph(f"note: {note}") for note in (*told, *notes)))
    parts.append("\n".join(_paragraph(verdict(audit)) for audit in audits))
    return sanitise("\n\n".join(filter(None, parts)))


def _head(audit: Audit) -> str:
    return _paragraph(f"{_inputs(audit)} for {audit.target.label} ({audit.target.name})")


def _inputs(audit: Audit) -> str:
    return ", ".join(audit.inputs)


def _table(findings: Sequence[Finding]) -> str:
    lines = [_row(item) for item in findings]
    # A column in which nobody has anything to say is left out.
    kept = [i for i in range(len(_HEADER)) if any(line[i] for line in lines)]
    return columns([[line[i] for i in kept] for line in lines], [_HEADER[i] for i in kept])


def _row(item: Finding) -> tuple[str, ...]:
    return (
        _versioned(item),
        shipped(item.grading),
        _LEVELS.get(item.grading.level, str(item.grading.level)),
        _imports(item),
        short(item),
        _try(item),
        _parents(item.package.via),
    )


def _versioned(item: Finding) -> str:
    """`numpy 1.26.4`; what is not from an index may have no version."""
    return f"{item.package.name} {item.package.version}".rstrip()


def _imports(item: Finding) -> str:
    """`28 fine`, `1 crashed, 3 fine`, `not installed`."""
    if not item.probed:
        absent = item.installed is not None and item.installed.how is None
        return "not installed" if absent else ""
    counts = Counter(
        "switched" if one.ending is Ending.GIL else _DONE.get(one.ending, "fine")
        for one in item.probed
    )
    order = ("crashed", "hung", "switched", "failed", "fine")
    return ", ".join(f"{counts[word]} {word}" for word in order if counts[word])


def _try(item: Finding) -> str:
    if item.advice is None or item.advice.version is None:
        return ""
    return f"{item.advice.version}{', forbidden' if item.advice.allowed is False else ''}"


def _parents(via: Sequence[str]) -> str:
    more = f" +{len(via) - 1}" if len(via) > 1 else ""
    return f"{via[0]}{more}" if via else ""


def _fine(fine: Sequence[Finding], *, others: bool) -> str:
    """The packages that are fine, by their kind."""
    if not fine:
        return ""
    kinds: dict[str, list[str]] = {}
    for item in fine:
        kinds.setdefault(kind_of(item), []).append(item.package.name)
    verb = "is" if len(fine) == 1 else "are"
    lines = [f"{len(fine)}{' more' * others} {verb} fine:"]
    lines += [_listed(f"  {kind} ({len(names)})", names) for kind, names in kinds.items()]
    return "\n".join(lines)


def _listed(what: str, names: Iterable[str]) -> str:
    # Breaking at hyphens would make two names of one.
    return fill(
        f"{what}: {', '.join(names)}", _WIDTH, subsequent_indent="    ", break_on_hyphens=False
    )


def _details(item: Finding, culprits: Sequence[Culprit]) -> Iterable[str]:
    yield _sentence("", f"{_versioned(item)}: {item.detail}")
    if len(item.package.chain) > 1:
        yield _sentence("  required by: ", " → ".join(item.package.chain))
    # Of a single one that nobody imports, the verdict has said all there is.
    if [culprit.chain for culprit in culprits] != [(culprit.module,) for culprit in culprits[:1]]:
        yield from _switched(culprits)
    yield from _ended(item)
    if item.status is Status.SUSPICIOUS and len(item.grading.inside) > 1:
        yield _sentence("  inside: ", ", ".join(item.grading.inside))
    yield from _build(item.installed)
    if item.grading.note and item.grading.note not in item.detail:
        yield _sentence("  note: ", item.grading.note)
    if item.advice is not None:
        if item.advice.text:
            yield _sentence("  advice: ", item.advice.text)
        if item.advice.forbidden_by:
            yield _sentence("  forbidden by: ", item.advice.forbidden_by)


def _switched(culprits: Sequence[Culprit]) -> Iterable[str]:
    ways = [" → ".join(culprit.chain) for culprit in culprits if len(culprit.chain) > 1]
    # Those that no other module imports have a line in common.
    alone = [culprit.module for culprit in culprits if len(culprit.chain) <= 1]
    told = [*ways[:_SHOWN], *([", ".join(alone[:_TOGETHER])] if alone else [])]
    for text in told:
        yield _sentence("  switches the GIL on: ", text)
    left = max(0, len(ways) - _SHOWN) + max(0, len(alone) - _TOGETHER)
    yield from _rest(left, 0)


def _ended(item: Finding) -> Iterable[str]:
    """The modules that crashed, hung or failed, where that says more than the verdict does."""
    ended = [one for one in item.probed if one.ending in _DONE]
    if item.status is Status.FAILED and len(ended) == 1:
        return
    # Where another package is the cause, one of them tells what happens.
    shown = 1 if item.status is Status.UNKNOWN else _SHOWN
    for one in ended[:shown]:
        when = ", called from many threads" if one.stress else ""
        why = " ".join((one.error or one.signal or "").split())
        yield _sentence(f"  {_DONE[one.ending]}: ", f"{one.module}{when}{': ' * bool(why)}{why}")
        yield from (f"    | {sanitise_line(frame)}" for frame in one.frames)
    yield from _rest(len(ended), shown)


def _build(installed: Installed | None) -> Iterable[str]:
    if installed is not None and installed.log:
        yield "  the build said:"
        yield from (f"    | {sanitise_line(line)}" for line in installed.log)


def _rest(count: int, shown: int) -> Iterable[str]:
    if count > shown:
        yield f"  and {_plural(count - shown, 'more module')} (--json has all)"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _tests(tests: TestsRun) -> Iterable[str]:
    yield f"Tests, {sanitise_line(tests.command)}: {tests.ending} after {tests.seconds:.0f} s"
    yield from _switched(tests.culprits)
    if trouble_with(tests):
        yield from (f"    | {sanitise_line(line)}" for line in tests.tail)


def _paragraph(text: str) -> str:
    return fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False)


def _sentence(lead: str, text: str) -> str:
    return fill(
        f"{lead}{text}",
        _WIDTH,
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,
    )
