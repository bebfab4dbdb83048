"""What an audit comes to, in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ftbuild.auditing.findings import Audit, Ending, Finding, Grade, Status, TestsRun
from ftbuild.auditing.judging.judge import tried_to_build

_NAMED = 6
"""Packages that the line names before it only counts."""

KINDS = {
    "free-threaded wheels": frozenset({Grade.FREE_THREADED, Grade.ABI3T}),
    "pure Python": frozenset({Grade.PURE, Grade.SDIST_PURE}),
    "programs or libraries": frozenset({Grade.BINARIES}),
}
"""The kinds of packages that are fine as they are shipped."""

BUILT = "compiled here"
"""The kind of those that ship nothing, and are fine all the same."""

OTHER = "installed here"
"""The kind of those of which nothing but that is known."""


def verdict(audit: Audit) -> str:
    """What keeps the project from switching, or that nothing does; a sentence or three."""
    label = audit.target.label
    blocking = audit.blocking
    doubts = (
        _doubt(audit.findings, Status.SUSPICIOUS, "is suspicious", "are suspicious"),
        _doubt(audit.findings, Status.UNKNOWN, "could not be judged", "could not be judged"),
    )
    doubted = "; ".join(filter(None, doubts))
    trouble = trouble_with(audit.tests)
    if blocking:
        verb = "blocks" if len(blocking) == 1 else "block"
        lead = f"{len(blocking)} of {len(audit.findings)} {verb} {label}: {named(blocking)}"
    elif not trouble and _only_pure(audit.findings):
        lead = f"{_pure(audit.findings)}: this project can switch to {label} today"
    else:
        lead = f"Nothing blocks {label}: {_composition(audit.findings)}"
    sentences = [f"{lead}; {doubted}" if doubted else lead]
    if not audit.probed and any(item.grading.grade not in _SAFE for item in audit.findings):
        sentences.append("Nothing was imported: this is what wheels promise, not what they do")
    if audit.tests is not None:
        sentences.append(f"The project's tests {trouble or 'passed'}")
    return "".join(f"{sentence}. " for sentence in sentences).rstrip()


_SAFE = KINDS["pure Python"]


def short(finding: Finding) -> str:
    """The verdict on a package in two or three words."""
    installed, grade = finding.installed, finding.grading.grade
    crashed = any(item.ending is Ending.CRASHED for item in finding.probed)
    words = {
        Status.CRASH: "crashes" if crashed else "hangs",
        Status.GIL: "switches the GIL on",
        Status.MISSING: "sdist only" if grade in _SDIST_ONLY else "no wheel",
        Status.FAILED: "import fails",
    }
    if finding.status is Status.MISSING and tried_to_build(installed):
        return "does not compile"
    if finding.status is Status.FAILED and installed is not None and installed.how is None:
        return "cannot be installed"
    return words.get(finding.status, str(finding.status))


_SDIST_ONLY = frozenset({Grade.SDIST, Grade.SDIST_NATIVE})


def named(findings: Sequence[Finding]) -> str:
    """Packages with their verdicts: `numpy 1.26.4 (no wheel), foo 1.0 (crashes)`."""
    told = [
        f"{item.package.name} {item.package.version}".rstrip() + f" ({short(item)})"
        for item in findings[:_NAMED]
    ]
    if len(findings) > _NAMED:
        told.append(f"{len(findings) - _NAMED} more")
    return ", ".join(told)


def trouble_with(tests: TestsRun | None) -> str:
    """What went wrong with the project's tests, as `The tests …` goes on; empty if nothing did."""
    if tests is None:
        return ""
    said = [f"failed ({tests.ending})"] if tests.code else []
    if tests.gil_before is None and not tests.code:
        said.append("never started this interpreter (is their runner among what is audited?)")
    elif tests.gil_before:
        said.append("ran with the GIL on from the start")
    elif tests.gil_after:
        modules = ", ".join(culprit.module for culprit in tests.culprits)
        said.append("switched the GIL on" + (f" ({modules})" if modules else ""))
    return " and ".join(said)


def kind_of(finding: Finding) -> str:
    """The kind of a package that is fine, for people."""
    built = finding.installed is not None and finding.installed.how == "built"
    kinds = (kind for kind, grades in KINDS.items() if finding.grading.grade in grades)
    return next(kinds, BUILT if built else OTHER)


def _only_pure(findings: Iterable[Finding]) -> bool:
    return all(item.status is Status.FINE and item.grading.grade in _SAFE for item in findings)


def _pure(findings: Sequence[Finding]) -> str:
    return f"Only pure-Python dependencies ({len(findings)})" if findings else "No dependencies"


def _composition(findings: Sequence[Finding]) -> str:
    """`31 packages, 12 with free-threaded wheels, 19 pure Python`."""
    if not findings:
        return "no dependencies"
    kinds = Counter(kind_of(item) for item in findings if item.status is Status.FINE)
    parts = [f"{len(findings)} package{'' if len(findings) == 1 else 's'}"]
    parts += [f"{kinds[kind]} {_WITH.get(kind, '')}{kind}" for kind in KINDS if kinds[kind]]
    parts += [f"{kinds[kind]} {kind}" for kind in (BUILT, OTHER) if kinds[kind]]
    return ", ".join(parts)


_WITH = {"free-threaded wheels": "with ", "programs or libraries": "with only "}


def _doubt(findings: Iterable[Finding], status: Status, one: str, many: str) -> str:
    names = [item.package.name for item in findings if item.status is status]
    if not names:
        return ""
    shown = ", ".join(names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} {one if len(names) == 1 else many}: {shown}{more}"
