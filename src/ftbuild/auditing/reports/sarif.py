"""Audits as SARIF 2.1.0, which code scanning and other viewers read: a run a target."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ftbuild.auditing.findings import BLOCKING, Audit, Finding, Status
from ftbuild.auditing.reports.baseline import Baseline, against
from ftbuild.auditing.reports.places import Place

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_RULES = {
    Status.CRASH: "Importing it ends the interpreter, or never ends",
    Status.GIL: "It switches the GIL back on",
    Status.MISSING: "It ships nothing for the free-threaded interpreter",
    Status.FAILED: "It cannot be installed or imported",
    Status.SUSPICIOUS: "Its wheel claims to suit every ABI and carries extension modules",
    Status.UNKNOWN: "It could not be judged",
}


def sarif(
    audits: Sequence[tuple[Audit, Mapping[str, Place]]], baseline: Baseline | None
) -> dict[str, Any]:
    """The document.

    Args:
        audits: Each audit, and where its packages are named.
        baseline: What is known, which then has the baseline state `unchanged`.
    """
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [_run(audit, places, baseline) for audit, places in audits],
    }


def _run(audit: Audit, places: Mapping[str, Place], baseline: Baseline | None) -> dict[str, Any]:
    known = None if baseline is None else against(audit, baseline).known
    return {
        "tool": {
            "driver": {
                "name": "ftbuild audit",
                "version": audit.ftbuild,
                "rules": [
                    {
                        "id": str(status),
                        "shortDescription": {"text": text},
                        "fullDescription": {"text": f"{text}."},
                        "defaultConfiguration": {"level": _level(status)},
                    }
                    for status, text in _RULES.items()
                ],
            }
        },
        # Runs of the same category replace each other: one for each target.
        "automationDetails": {"id": f"ftbuild-audit/{audit.target.label}/"},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(item, audit, places.get(item.package.name), known)
            for item in audit.findings
            if item.status is not Status.FINE
        ],
    }


def _level(status: Status) -> str:
    if status in BLOCKING:
        return "error"
    return "warning" if status is Status.SUSPICIOUS else "note"


def _result(
    item: Finding, audit: Audit, place: Place | None, known: Sequence[str] | None
) -> dict[str, Any]:
    package = item.package
    advice = f". {item.advice.text}" if item.advice is not None and item.advice.text else ""
    result: dict[str, Any] = {
        "ruleId": str(item.status),
        "ruleIndex": tuple(_RULES).index(item.status),
        "level": _level(item.status),
        "message": {
            "text": f"{package.name} {package.version} on {audit.target.label}: "
            f"{item.detail}{advice}"
        },
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(item, audit)},
        "properties": {
            "package": package.name,
            "version": package.version,
            "chain": list(package.chain),
        },
    }
    if place is not None:
        result["locations"] = [_location(place)]
    if known is not None:
        result["baselineState"] = "unchanged" if package.name in known else "new"
    return result


def _fingerprint(item: Finding, audit: Audit) -> str:
    """The same for every version of the package and wherever it is named.

    The name of the key is the one that GitHub reads; without it, it hashes the line, which changes
    with every pin.
    """
    text = f"{audit.target.label} {item.package.name} {item.status}".encode("utf-8", "replace")
    return f"{hashlib.sha256(text).hexdigest()[:16]}:1"


def _location(place: Place) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(place.path)}
    physical["region"] = {"startLine": place.line or 1}
    return {"physicalLocation": physical}


def _artifact(path: str) -> dict[str, str]:
    if path.startswith("/"):
        return {"uri": f"file://{quote(os.fsencode(path))}"}
    return {"uri": quote(os.fsencode(path)), "uriBaseId": "%SRCROOT%"}
