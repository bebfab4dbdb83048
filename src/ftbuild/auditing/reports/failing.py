"""What an audit fails on: `--fail-on`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from ftbuild.auditing.findings import Audit, Finding, Status
from ftbuild.auditing.reports.baseline import Baseline, against
from ftbuild.auditing.reports.verdict import named, trouble_with
from ftbuild.errors import UsageError
from ftbuild.model.versions import nearest

WORDS = {
    "missing": frozenset({Status.MISSING}),
    "gil": frozenset({Status.GIL}),
    "crash": frozenset({Status.CRASH, Status.FAILED}),
    "unknown": frozenset({Status.UNKNOWN, Status.SUSPICIOUS}),
}

DEFAULT = ("missing", "gil", "crash")

NONE = "none"
"""The word for a report that never fails."""


def fail_on(texts: Iterable[str]) -> frozenset[Status]:
    """The verdicts that fail an audit.

    Args:
        texts: Comma-separated words of `--fail-on`; none at all mean the default.

    Raises:
        UsageError: A word is unknown, or `none` stands beside others.

    >>> sorted(fail_on(["gil, missing"]))
    [<Status.GIL: 'gil'>, <Status.MISSING: 'missing'>]
    """
    given = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    words = given or list(DEFAULT)
    for word in words:
        if word not in WORDS and word != NONE:
            near = nearest(word, (*WORDS, NONE), 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"--fail-on {word}: no such verdict",
                hint=f"{hint}There are {', '.join(WORDS)} and {NONE}.",
            )
    if NONE in words:
        if len(set(words)) > 1:
            raise UsageError(
                f"--fail-on {','.join(words)}: none means that nothing fails",
                hint="Name the verdicts that fail, or none alone.",
            )
        return frozenset()
    return frozenset[Status]().union(*(WORDS[word] for word in words))


def failing(
    audit: Audit, statuses: Collection[Status], baseline: Baseline | None
) -> tuple[Finding, ...]:
    """The findings that fail an audit: those asked for, less what the baseline knows."""
    found = audit.findings if baseline is None else against(audit, baseline).news
    return tuple(item for item in found if item.status in statuses)


def _counted(failed: Sequence[Finding]) -> str:
    counts = Counter(item.status for item in failed)
    kinds = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    return f"{len(failed)} package{'s' * (len(failed) != 1)} ({kinds})"


def refusal(audit: Audit, statuses: Collection[Status], baseline: Baseline | None) -> str:
    """Why an audit fails, in a line; empty if it does not."""
    failed = failing(audit, statuses, baseline)
    # Without a baseline, the verdict has named them.
    said = [_counted(failed) if baseline is None else f"{named(failed)} since the baseline"]
    said = said if failed else []
    trouble = trouble_with(audit.tests)
    # What the tests do is no matter of one package, and no baseline knows it.
    if statuses and trouble:
        said.append(f"the project's tests {trouble}")
    return f"the audit for {audit.target.label} fails: {'; '.join(said)}" if said else ""
