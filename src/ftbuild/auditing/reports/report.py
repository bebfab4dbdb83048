"""How audits are reported: the format, what fails them, and what is known already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from ftbuild.auditing.findings import Audit, Status
from ftbuild.auditing.reports import github, markdown, text
from ftbuild.auditing.reports.baseline import Baseline, against, load, news_lines, save, updated
from ftbuild.auditing.reports.failing import fail_on, failing, refusal
from ftbuild.auditing.reports.places import places
from ftbuild.auditing.reports.sarif import sarif
from ftbuild.errors import UsageError
from ftbuild.files import expand_home
from ftbuild.model.text import format_json
from ftbuild.model.versions import nearest

FORMATS = ("text", "json", "markdown", "sarif", "github")


class Reporting(msgspec.Struct, frozen=True, kw_only=True):
    """How audits are reported.

    Attributes:
        format: One of `FORMATS`.
        everything: Whether packages that are fine get a row, too.
        fail_on: The verdicts that fail an audit.
        baseline: What is known; None without a baseline.
        path: The baseline's file.
        update: Whether to write it.
        cwd: The current directory, which inputs are named from.
    """

    format: str
    everything: bool
    fail_on: frozenset[Status]
    baseline: Baseline | None
    path: Path | None
    update: bool
    cwd: Path


def reporting(
    *,
    format: str = "",  # noqa: A002 - the option's name
    json: bool = False,
    everything: bool = False,
    fail: Iterable[str] = (),
    baseline: str = "",
    update: bool = False,
    cwd: Path,
) -> Reporting:
    """Decode the options, before anything is audited.

    Args:
        format: `--format`.
        json: `--json`, the same as `--format json`.
        everything: `--verbose`.
        fail: The texts of `--fail-on`.
        baseline: `--baseline`, a file's name.
        update: `--update-baseline`.
        cwd: The current directory.

    Raises:
        UsageError: One of them is wrong, or the baseline is not there, or damaged.
    """
    word = format or ("json" if json else "text")
    if word not in FORMATS:
        near = nearest(word, FORMATS, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"--format {word}: no such format", hint=f"{hint}There are {', '.join(FORMATS)}."
        )
    if json and word != "json":
        raise UsageError(f"--json and --format {word} exclude each other", hint="Drop one of them.")
    if update and not baseline:
        raise UsageError(
            "--update-baseline: there is no file to write",
            hint="Name it: --baseline FILE --update-baseline",
        )
    path = cwd / expand_home(Path(baseline)) if baseline else None
    return Reporting(
        format=word,
        everything=everything,
        fail_on=fail_on(fail),
        baseline=load(path, may_be_absent=update) if path else None,
        path=path,
        update=update,
        cwd=cwd,
    )


def rendered(audits: Sequence[Audit], how: Reporting) -> str:
    """Audits in every format but JSON, which `document` makes.

    Args:
        audits: One, or several to be compared.
        how: How to report them.
    """
    notes = _notes(audits, how)
    match how.format:
        case "sarif":
            found = sarif([(audit, places(audit, how.cwd)) for audit in audits], how.baseline)
            return format_json(found)
        case "github":
            return "\n".join(_annotated(audit, how) for audit in audits)
        case "markdown" if len(audits) == 1:
            return markdown.report(audits[0], notes)
        case "markdown":
            return markdown.comparison(audits, notes)
        case _ if len(audits) == 1:
            return text.report(audits[0], everything=how.everything, notes=notes)
        case _:
            return text.comparison(audits, everything=how.everything, notes=notes)


def settled(audits: Sequence[Audit], how: Reporting) -> str:
    """Write the baseline, if that was asked for, and say why these audits fail.

    Returns:
        A line for each audit that fails; empty if none does. What a baseline that was just written
        knows does not fail, but tests still do.

    Raises:
        EnvironmentFault: The baseline cannot be written.
    """
    known = how.baseline
    if how.update and how.path is not None and known is not None:
        known = updated(known, audits)
        save(known, how.path)
    return "\n".join(filter(None, (refusal(audit, how.fail_on, known) for audit in audits)))


def _notes(audits: Sequence[Audit], how: Reporting) -> tuple[str, ...]:
    if how.baseline is None or how.update:
        return ()
    return tuple(
        f"{audit.target.label}, {line}" if len(audits) > 1 else line
        for audit in audits
        for line in news_lines(against(audit, how.baseline))
    )


def _annotated(audit: Audit, how: Reporting) -> str:
    failed = {item.package.name for item in failing(audit, how.fail_on, how.baseline)}
    known = against(audit, how.baseline).known if how.baseline is not None else ()
    return github.commands(audit, places(audit, how.cwd), failing=failed, known=known)
