"""Results on what is said of archives."""

from __future__ import annotations

from collections.abc import Sequence

from ftbuild.console import report_text, say
from ftbuild.model.report import Report
from ftbuild.render.documents import print_json, refuse, report_fields


def attested(found: Sequence[Report], *, json: bool, everything: bool) -> None:
    """What was found of archives. Raises `Refused` if a check failed."""
    if json:
        print_json(reports=[report_fields(report) for report in found])
    else:
        say("\n".join(report_text(report, everything=everything) for report in found))
    refuse(found, "what is said of these archives does not hold")
