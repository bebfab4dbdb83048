"""An audit as Markdown, for a job summary or a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ftbuild.auditing.findings import Audit, Finding, Status
from ftbuild.auditing.judging.shipping import shipped
from ftbuild.auditing.reports.comparison import cell, compared
from ftbuild.auditing.reports.verdict import verdict
from ftbuild.model.text import sanitise


def report(audit: Audit, notes: Iterable[str] = ()) -> str:
    """One audit: the verdict, a table of what is not fine, the rest folded away."""
    bad = [item for item in audit.findings if item.status is not Status.FINE]
    fine = [item for item in audit.findings if item.status is Status.FINE]
    parts = [f"### Free threading: {audit.target.label}", f"**{_plain(verdict(audit))}**"]
    if bad:
        header = ("package", "ships", "verdict", "advice", "required by")
        parts.append(_table(header, [_row(item) for item in bad]))
    parts.append(_notes((*audit.notes, *notes)))
    if fine:
        rows = [(_name(item), shipped(item.grading), item.detail) for item in fine]
        count = f"{len(fine)} package{'s are' if len(fine) > 1 else ' is'} fine"
        table = _table(("package", "ships", "remark"), rows)
        parts.append(f"<details><summary>{count}</summary>\n\n{table}\n\n</details>")
    return "\n\n".join(filter(None, parts))


def comparison(audits: Sequence[Audit], notes: Iterable[str] = ()) -> str:
    """Audits for several targets: the verdict on each, and a table with a column a target."""
    labels = [audit.target.label for audit in audits]
    parts = [f"### Free threading: {', '.join(labels)}"]
    parts.append("\n".join(f"- {_plain(verdict(audit))}" for audit in audits))
    rows = [(row.name, row.version, *map(cell, row.findings)) for row in compared(audits)]
    if rows:
        parts.append(_table(("package", "version", *labels), rows))
    told = (f"{audit.target.label}: {note}" for audit in audits for note in audit.notes)
    parts.append(_notes((*told, *notes)))
    return "\n\n".join(filter(None, parts))


def _row(item: Finding) -> tuple[str, ...]:
    advice = item.advice.text if item.advice is not None else ""
    chain = " → ".join(item.package.chain)
    return _name(item), shipped(item.grading), f"{item.status}: {item.detail}", advice, chain


def _name(item: Finding) -> str:
    return f"{item.package.name} {item.package.version}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([_plain(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _notes(notes: Iterable[str]) -> str:
    return "\n".join(f"- {_plain(note)}" for note in notes)


def _plain(text: str) -> str:
    """Text that means nothing in Markdown or HTML, on one line: others' words are among it."""
    return re.sub(r"([\\`*_{}\[\]<>|~&])", r"\\\1", " ".join(sanitise(text).split()))
