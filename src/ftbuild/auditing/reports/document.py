"""The JSON documents of audits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from ftbuild.auditing.findings import FORMAT, Audit, Grade, Status
from ftbuild.auditing.reports.verdict import verdict


def document(audits: Sequence[Audit]) -> dict[str, Any]:
    """One audit with what follows from it, or a comparison of several."""
    if len(audits) == 1:
        return _audit(audits[0])
    return {
        "kind": "audit-comparison",
        "format": FORMAT,
        "audits": [_audit(audit) for audit in audits],
    }


def _audit(audit: Audit) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(audit)
    # Thousands, which the target's version and platform imply.
    del found["target"]["tags"]
    statuses = Counter(item.status for item in audit.findings)
    grades = Counter(item.grading.grade for item in audit.findings)
    return {
        **found,
        "verdict": verdict(audit),
        "blocking": [item.package.name for item in audit.blocking],
        "counts": {
            "packages": len(audit.findings),
            "status": {str(status): statuses[status] for status in Status},
            "grade": {str(grade): grades[grade] for grade in Grade},
        },
    }
