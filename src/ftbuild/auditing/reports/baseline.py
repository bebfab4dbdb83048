"""What is known and accepted: a committed file, so that only news fails CI.

It holds no versions, times or paths, and is sorted: it changes only where a verdict does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from ftbuild.auditing.findings import Audit, Culprit, Ending, Finding, Status
from ftbuild.auditing.judging.blame import CRASHES, culprits_in
from ftbuild.errors import EnvironmentFault, Refused, UsageError
from ftbuild.files import read_text, write_atomically
from ftbuild.model.text import Newer, decode_document

FORMAT = 1

_WORST_FIRST = tuple(Status)

_SEEN = frozenset({Status.CRASH, Status.GIL, Status.FAILED})
"""Verdicts that only importing can show, or take back."""


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A package that is known not to be fine.

    Attributes:
        status: The verdict.
        why: What it rests on: the modules that crash, fail or switch the GIL on, else the grade.
    """

    status: Status
    why: tuple[str, ...]


class Baseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known, for each target by its label and each package by its name."""

    targets: dict[str, dict[str, Known]] = {}
    kind: Literal["audit-baseline"] = "audit-baseline"
    format: int = FORMAT


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """An audit against its baseline.

    Attributes:
        news: The findings that are new, or worse than known.
        known: Names of the packages that are as bad as known, or less.
        changed: Those of `known` with the same verdict for another reason.
        fixed: Names of the packages that are in the baseline and better now, or gone.
    """

    news: tuple[Finding, ...]
    known: tuple[str, ...]
    changed: tuple[str, ...]
    fixed: tuple[str, ...]


def against(audit: Audit, baseline: Baseline) -> Against:
    """Compare an audit with what is known."""
    before = baseline.targets.get(audit.target.label, {})
    news, known, changed = [], [], []
    now = {item.package.name: item for item in audit.findings}
    reasons = _reasons(audit)
    for name, item in now.items():
        if item.status is Status.FINE:
            continue
        there = before.get(name)
        if there is None or _rank(there.status) > _rank(item.status):
            news.append(item)
            continue
        known.append(name)
        if there.status is item.status and there.why != reasons[name]:
            changed.append(name)
    return Against(
        news=tuple(news),
        known=tuple(known),
        changed=tuple(changed),
        fixed=tuple(
            name
            for name, there in sorted(before.items())
            if name not in now or _better(now[name], there, audit)
        ),
    )


def news_lines(found: Against) -> tuple[str, ...]:
    """What a reader has to know of the baseline besides what is new."""
    said = (
        ("known from the baseline", found.known),
        ("known for another reason than before", found.changed),
        ("better than in the baseline, which --update-baseline brings up to date", found.fixed),
    )
    return tuple(f"{what}: {', '.join(names)}" for what, names in said if names)


def updated(baseline: Baseline, audits: Iterable[Audit]) -> Baseline:
    """The baseline that knows what these audits found; other targets stay as they are."""
    targets = dict(baseline.targets)
    for audit in audits:
        before = targets.get(audit.target.label, {})
        reasons = _reasons(audit)
        entries = {}
        for item in audit.findings:
            name = item.package.name
            if not audit.probed and name in before and before[name].status in _SEEN:
                # Nothing was imported that could take it back.
                entries[name] = before[name]
            elif item.status is not Status.FINE:
                entries[name] = Known(status=item.status, why=reasons[name])
        targets[audit.target.label] = entries
    return Baseline(targets=targets)


def _rank(status: Status) -> int:
    return _WORST_FIRST.index(status)


def _better(item: Finding, before: Known, audit: Audit) -> bool:
    if not audit.probed and before.status in _SEEN:
        return False
    return _rank(item.status) > _rank(before.status)


def _reasons(audit: Audit) -> dict[str, tuple[str, ...]]:
    """What verdicts rest on, by package: what stays from release to release if nothing happens."""
    culprits = culprits_in(audit)
    return {
        item.package.name: _modules(item, culprits.get(item.package.name, ()))
        or (str(item.grading.grade),)
        for item in audit.findings
    }


def _modules(item: Finding, culprits: Iterable[Culprit]) -> tuple[str, ...]:
    match item.status:
        case Status.GIL:
            return tuple(sorted(culprit.module for culprit in culprits))
        case Status.CRASH:
            bad = CRASHES
        case Status.FAILED:
            bad = frozenset({Ending.FAILED})
        case _:
            return ()
    return tuple(sorted({probed.module for probed in item.probed if probed.ending in bad}))


def load(path: Path, *, may_be_absent: bool) -> Baseline:
    """Read a baseline.

    Args:
        path: The file.
        may_be_absent: Whether an absent one is an empty one, because it is about to be written.

    Raises:
        UsageError: It is not there, or damaged; file and line are named.
    """
    try:
        text = read_text(path)
    except FileNotFoundError:
        if may_be_absent:
            return Baseline()
        raise UsageError(
            f"{path}: there is no such baseline",
            hint=f"The same command with `--baseline {path} --update-baseline` writes it.",
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no baseline: {error.reason}", hint=_AGAIN) from None
    try:
        return decode_document(text.encode(), Baseline, format=FORMAT, what="this baseline")
    except Newer as error:
        raise UsageError(f"{path}: {error.message}", hint=_AGAIN) from None
    except Refused as error:
        line = _line(text, error.message)
        place = f"{path}, line {line}" if line else str(path)
        raise UsageError(f"{place}: no baseline: {error.message}", hint=_AGAIN) from None


_AGAIN = "Mend it, or remove it and write it again with `--update-baseline`."


def _line(text: str, complaint: str) -> int | None:
    """The line of a fault: where the text is no JSON, else where the word complained of stands."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return error.lineno if isinstance(error, json.JSONDecodeError) else None
    if word := re.search(r"['`]([^'`$]+)['`]", complaint):
        for number, line in enumerate(text.splitlines(), 1):
            if f'"{word[1]}"' in line:
                return number
    return None


def save(baseline: Baseline, path: Path) -> None:
    """Write a baseline, whole or not at all.

    Raises:
        EnvironmentFault: The file cannot be written.
    """
    encoded = msgspec.json.encode(baseline, order="deterministic")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.format(encoded, indent=2) + b"\n")
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written: {error.strerror}") from error
