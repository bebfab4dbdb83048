"""An audit as annotations: workflow commands of GitHub Actions, a line a package."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ftbuild.auditing.findings import Audit, Finding, Status
from ftbuild.auditing.reports.places import Place
from ftbuild.auditing.reports.verdict import short, trouble_with, verdict


def commands(
    audit: Audit,
    places: Mapping[str, Place],
    *,
    failing: Collection[str],
    known: Collection[str],
) -> str:
    """The annotations of every package that is not fine, and the verdict.

    Args:
        audit: The audit.
        places: Where packages are named.
        failing: Names of the packages that fail the audit: errors. The others are warnings.
        known: Names of the packages that the baseline knows: notices.
    """
    label = audit.target.label
    lines = [
        _command(
            _level(item.package.name, failing, known),
            f"{item.package.name} {item.package.version} on {label}: {short(item)}",
            _message(item),
            places.get(item.package.name),
        )
        for item in audit.findings
        if item.status is not Status.FINE
    ]
    if trouble := trouble_with(audit.tests):
        lines.append(_command("error", f"Tests on {label}", f"The project's tests {trouble}", None))
    lines.append(_command("notice", f"ftbuild audit for {label}", verdict(audit), None))
    return "\n".join(lines)


def _level(name: str, failing: Collection[str], known: Collection[str]) -> str:
    if name in failing:
        return "error"
    return "notice" if name in known else "warning"


def _message(item: Finding) -> str:
    return ". ".join(_sentences(item))


def _sentences(item: Finding) -> Iterable[str]:
    yield f"{item.package.name} {item.package.version}: {item.detail}"
    if len(item.package.chain) > 1:
        yield f"It is required by {' → '.join(item.package.chain)}"
    if item.advice is not None and item.advice.text:
        yield item.advice.text


def _command(level: str, title: str, message: str, place: Place | None) -> str:
    where = {} if place is None else {"file": place.path}
    if place is not None and place.line is not None:
        where["line"] = str(place.line)
    properties = ",".join(f"{name}={_property(v)}" for name, v in {**where, "title": title}.items())
    return f"::{level} {properties}::{_data(message)}"


def _data(text: str) -> str:
    """Escaped as the runner unescapes messages: actions/toolkit, packages/core/src/command.ts."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
