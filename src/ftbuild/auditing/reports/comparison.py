"""Audits for several targets, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ftbuild.auditing.findings import Audit, Finding, Status
from ftbuild.auditing.judging.shipping import shipped
from ftbuild.auditing.reports.verdict import short

_WORST_FIRST = tuple(Status)


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A package with several targets.

    Attributes:
        name: Its name.
        findings: What was found with each target, in their order; None where it is not needed.
    """

    name: str
    findings: tuple[Finding | None, ...]

    @property
    def fine(self) -> bool:
        """Whether nothing speaks against it with any of them."""
        return all(item is None or item.status is Status.FINE for item in self.findings)

    @property
    def version(self) -> str:
        """Its version; all of them where targets get different ones."""
        versions = (item.package.version for item in self.findings if item is not None)
        return " / ".join(dict.fromkeys(versions))


def compared(audits: Sequence[Audit]) -> tuple[Compared, ...]:
    """A row for each package that any of the targets gets, the worst first, then by name."""
    by_name = [{item.package.name: item for item in audit.findings} for audit in audits]
    names = {name for found in by_name for name in found}
    rows = [
        Compared(name=name, findings=tuple(found.get(name) for found in by_name)) for name in names
    ]
    return tuple(sorted(rows, key=lambda row: (_badness(row), row.name)))


def _badness(row: Compared) -> tuple[int, ...]:
    """By the worst verdict, then by the next: what blocks every target before what blocks one."""
    statuses = (item.status if item else Status.FINE for item in row.findings)
    return tuple(sorted(map(_WORST_FIRST.index, statuses)))


def cell(item: Finding | None) -> str:
    """What stands in a target's column: the verdict, or what a package without fault ships."""
    if item is None:
        return "not needed"
    if item.status is not Status.FINE:
        return short(item)
    built = item.installed is not None and item.installed.how == "built"
    return "fine, compiled here" if built else f"fine, {shipped(item.grading)}"
