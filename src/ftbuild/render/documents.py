"""What results have in common: the JSON document, its fields, and the answer no."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ftbuild.console import say
from ftbuild.errors import FtbuildError, Refused
from ftbuild.fetch.signing import Signature, Unsigned
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Report
from ftbuild.model.text import format_json, sanitise_line
from ftbuild.provision import Outcome
from ftbuild.store.listing import Damaged

FORMAT = 1
"""Version of every JSON document that a task prints."""


def refuse(found: Sequence[Report], message: str) -> None:
    """Raise `Refused` where a report says no."""
    failed = [report for report in found if not report.ok]
    if failed:
        lines = [
            sanitise_line(
                f"  {report.subject}: {check.name}: expected {check.expected}, found {check.found}"
            )
            for report in failed
            for check in report.failed
        ]
        raise Refused("\n".join((message, *lines)))


def kind_of(item: Installation) -> str:
    """What kind of build it is, for people."""
    lost = item.spec.profile == "optimized" and not item.manifest.result.pgo
    return f"{item.spec.profile}{' without PGO' if lost else ''}"


def installation_fields(item: Installation) -> dict[str, Any]:
    """An installed build, for programs."""
    spec, result = item.spec, item.manifest.result
    return {
        "name": item.manifest.name,
        "version": spec.version,
        "variant": spec.variant,
        "profile": spec.profile,
        "digest": item.manifest.digest,
        "prefix": str(item.prefix),
        "python": str(item.python),
        "pgo": result.pgo,
        "lto": result.lto,
        "size": result.size,
        "built": item.manifest.used.started,
    }


def damaged_fields(found: Sequence[Damaged]) -> dict[str, Any]:
    """What is left of damaged builds, for programs; nothing where there are none."""
    fields = [
        {"name": i.prefix.name, "prefix": str(i.prefix), "why": i.why, "newer": i.newer}
        | {"remedy": i.remedy}
        for i in found
    ]
    return {"damaged": fields} if fields else {}


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """What became of a build, for programs."""
    error = outcome.error
    return {
        "name": outcome.name,
        "status": outcome.status,
        "seconds": round(outcome.seconds, 1),
        "build": installation_fields(outcome.installation) if outcome.installation else None,
        "report": report_fields(outcome.report) if outcome.report else None,
        "error": error_fields(error) if error else None,
    }


def error_fields(error: FtbuildError) -> dict[str, Any]:
    """An error, for programs."""
    log = str(error.log) if error.log else None
    return {"message": error.message, "hint": error.hint, "log": log, "tail": error.tail}


def report_fields(report: Report) -> dict[str, Any]:
    """A report, for programs."""
    return {**msgspec.to_builtins(report), "ok": report.ok}


def signature_fields(signature: Signature | Unsigned | None) -> dict[str, Any] | None:
    """What is known of a signature, for programs; None where it was not asked for."""
    if signature is None:
        return None
    return {"good": isinstance(signature, Signature), **msgspec.to_builtins(signature)}


def signature_text(signature: Signature) -> str:
    """A signature that holds, for people."""
    return f"signed by {signature.signer}, {signature.made} ({signature.means}, {signature.key})"


def print_json(**document: Any) -> None:
    """Print the document that a task answers programs with."""
    say(format_json({"format": FORMAT, **document}, enc_hook=plain))


def plain(value: object) -> str:
    """What msgspec has no JSON for, as text: paths."""
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value))
