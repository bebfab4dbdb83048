"""The verdict on every package, and its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ftbuild.auditing.findings import (
    Advice,
    Culprit,
    Ending,
    Finding,
    Grade,
    Grading,
    Installed,
    Package,
    Probed,
    Status,
    Target,
    TestsRun,
)
from ftbuild.auditing.judging.blame import CRASHES, Evidence, evidence
from ftbuild.auditing.judging.shipping import lacking, shipped, tag

_WORST_FIRST = tuple(Status)

_ENDINGS = (Ending.CRASHED, Ending.HUNG, Ending.GIL, Ending.FAILED, Ending.FINE)
"""The worst first."""

WHEELS = frozenset({Grade.PURE, Grade.FREE_THREADED, Grade.ABI3T, Grade.BINARIES, Grade.SUSPICIOUS})
"""The grades of what has a wheel that the target takes."""

_NAMED = 3
"""Optional modules that a remark names before it only counts."""

Verdict = tuple[Status, str]


def findings_of(
    packages: Sequence[Package],
    gradings: Mapping[str, Grading],
    installed: Mapping[str, Installed],
    probed: Mapping[str, tuple[Probed, ...]],
    advice: Mapping[str, Advice],
    *,
    target: Target,
    tests: TestsRun | None = None,
) -> tuple[Finding, ...]:
    """The findings on all packages, the worst first, then by name.

    Args:
        packages: The packages that the project gets.
        gradings: What each ships, by name.
        installed: What came of installing them; empty if nothing was installed.
        probed: What came of importing their modules.
        advice: What to do about them.
        target: The interpreter.
        tests: The project's tests, which may have met what imports do not.
    """
    known = evidence(packages, installed, probed, tests.culprits if tests else ())
    found = []
    for package in packages:
        name = package.name
        grading, there = gradings[name], installed.get(name)
        status, detail = judged(grading, there, known[name], target)
        found.append(
            Finding(
                package=package,
                grading=grading,
                installed=there,
                probed=tuple(sorted(probed.get(name, ()), key=_severity)),
                advice=advice.get(name),
                status=status,
                detail=detail,
            )
        )
    return tuple(sorted(found, key=lambda f: (_WORST_FIRST.index(f.status), f.package.name)))


def judged(
    grading: Grading, installed: Installed | None, known: Evidence, target: Target
) -> Verdict:
    """The verdict on one package and its reason, half a sentence.

    What was seen counts more than what wheels claim, and the worst of it counts.

    Args:
        grading: What it ships.
        installed: What came of installing it; None where nothing was installed.
        known: What came of importing it.
        target: The interpreter.
    """
    return (
        _crash(known.probed)
        or _switch(known.culprits, _compiled(grading, installed, target))
        or _missing(grading, installed, target)
        or _not_installed(grading, installed)
        or _failed(known.probed)
        or _doubtful(grading, installed, known.waits)
        or (Status.FINE, _fine(grading, installed, known, target))
    )


def _severity(item: Probed) -> tuple[int, bool, str]:
    return _ENDINGS.index(item.ending), item.stress, item.module


def _crash(probed: Iterable[Probed]) -> Verdict | None:
    ended = sorted((item for item in probed if item.ending in CRASHES), key=_severity)
    if not ended:
        return None
    worst = ended[0]
    more = _more(len({item.module for item in ended}) - 1)
    if worst.ending is Ending.HUNG:
        doing = "in calls from many threads to" if worst.stress else "importing"
        said = f"hangs: no end after {worst.seconds:.0f} s {doing} {worst.module}{more}"
    else:
        when = "when called from many threads" if worst.stress else "on import"
        how = f"{worst.signal} in" if worst.signal else "in"
        said = f"crashes {when}: {how} {worst.module}{more}"
    return Status.CRASH, said


def _switch(culprits: Sequence[Culprit], compiled: str) -> Verdict | None:
    if not culprits:
        return None
    first = min(culprits, key=lambda culprit: (_inside(culprit), culprit.module))
    via = "" if _inside(first) else f", via {' → '.join(first.chain)}"
    said = f"switches the GIL on: {first.module}{_more(len(culprits) - 1)}{via}"
    return Status.GIL, f"{said} ({compiled})" if compiled else said


def _inside(culprit: Culprit) -> bool:
    """Whether the way to it is through its own package alone, and not worth a word."""
    top = culprit.module.partition(".")[0]
    return all(module.partition(".")[0] == top for module in culprit.chain)


def _missing(grading: Grading, installed: Installed | None, target: Target) -> Verdict | None:
    """Nothing for the target, and nothing made here."""
    if installed is not None and installed.how is not None:
        return None
    tried = tried_to_build(installed)
    none = {Grade.GIL_ONLY, Grade.OTHER, Grade.SDIST_NATIVE}
    if grading.grade not in none and not (grading.grade is Grade.SDIST and tried):
        return None
    said = lacking(grading, target)
    if tried and installed is not None:
        said += f"; compiling it failed: {installed.why}"
    elif grading.grade in {Grade.GIL_ONLY, Grade.OTHER} and not grading.sdist:
        said += ", no sdist"
    return Status.MISSING, said


def tried_to_build(installed: Installed | None) -> bool:
    """Whether compiling it here was tried, in vain."""
    return (
        installed is not None and installed.how is None and bool(installed.log or installed.seconds)
    )


def _not_installed(grading: Grading, installed: Installed | None) -> Verdict | None:
    if installed is None or installed.how is not None:
        return None
    if grading.grade in WHEELS:
        return Status.FAILED, f"cannot be installed: {installed.why}"
    if grading.grade in {Grade.SDIST_PURE, Grade.LOCAL} and tried_to_build(installed):
        return Status.FAILED, f"building it failed: {installed.why}"
    return None


def _failed(probed: Sequence[Probed]) -> Verdict | None:
    failed = [item for item in probed if item.ending is Ending.FAILED]
    tops = [item for item in probed if not item.extension and not item.stress] or probed
    if not all(item.ending is Ending.FAILED for item in tops):
        # What only wants something optional does not count while the rest works.
        failed = [item for item in failed if item.needs is None]
    if not failed:
        return None
    worst = min(failed, key=lambda item: (item.extension, item.stress, item.module))
    when = "from many threads " if worst.stress else ""
    more = _more(len({item.module for item in failed}) - 1)
    why = _line(worst.error or "no reason given")
    return Status.FAILED, f"importing {worst.module}{more} {when}fails: {why}"


def _doubtful(grading: Grading, installed: Installed | None, waits: str) -> Verdict | None:
    if grading.grade is Grade.SUSPICIOUS:
        inside = grading.inside[0] if grading.inside else "extension modules"
        return Status.SUSPICIOUS, f"its {tag(grading)} wheel carries {inside}"
    if waits:
        return Status.UNKNOWN, f"could not be tried: {waits}"
    unseen = {
        Grade.UNKNOWN: "could not be found out",
        Grade.SDIST: "sdist only, not looked into",
        Grade.LOCAL: "not from an index, and not built",
    }
    if grading.grade not in unseen or (installed is not None and installed.how is not None):
        return None
    note = f": {grading.note}" if grading.note else ""
    return Status.UNKNOWN, f"{unseen[grading.grade]}{note}"


def _fine(grading: Grading, installed: Installed | None, known: Evidence, target: Target) -> str:
    built = _compiled(grading, installed, target)
    remarks = [built or _claim(grading)]
    if built and not known.probed:
        remarks.append("nothing to import")
    if known.brings:
        verb = "switches" if len(known.brings) == 1 else "switch"
        remarks.append(f"brings in {', '.join(known.brings)}, which {verb} the GIL on")
    lacking_optional = sorted({item.needs for item in known.probed if item.needs})
    if lacking_optional:
        more = _more(len(lacking_optional) - _NAMED)
        remarks.append(f"optional parts need {', '.join(lacking_optional[:_NAMED])}{more}")
    return "; ".join(remarks)


def _claim(grading: Grading) -> str:
    """What a package without fault ships, in words."""
    match grading.grade:
        case Grade.PURE:
            return "pure Python"
        case Grade.SDIST_PURE:
            return "pure Python, built at installation"
        case Grade.BINARIES:
            return "programs or libraries, no extension module"
        case Grade.FREE_THREADED | Grade.ABI3T:
            return f"{shipped(grading)} wheel"
        case _:
            return "installed here"


def _compiled(grading: Grading, installed: Installed | None, target: Target) -> str:
    """That it was made here, and what it ships instead; empty if it was not."""
    if installed is None or installed.how != "built":
        return ""
    if grading.grade in {Grade.LOCAL, Grade.UNKNOWN}:
        return "built here"
    made = "built here" if grading.grade is Grade.SDIST_PURE else "compiled here"
    return f"{made}; {lacking(grading, target)}"


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _line(text: str) -> str:
    """A message of several lines as one."""
    return " ".join(text.split())
