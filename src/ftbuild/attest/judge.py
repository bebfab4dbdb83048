"""Compares what is said of an archive with what its manifest says, part by part."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from typing import Any

from ftbuild.attest.sbom import BUNDLED, PART, SYSTEM
from ftbuild.model.report import Check, Status, expect

_STATEMENT = {
    "provenance.type": ("_type",),
    "provenance.subject": ("subject",),
    "provenance.predicate-type": ("predicateType",),
    "provenance.build-type": ("predicate", "buildDefinition", "buildType"),
    "provenance.source": ("predicate", "buildDefinition", "resolvedDependencies"),
    "provenance.parameters": ("predicate", "buildDefinition", "externalParameters"),
    "provenance.toolchain": ("predicate", "buildDefinition", "internalParameters"),
    "provenance.run": ("predicate", "runDetails"),
}
"""The parts of a statement, and where they are."""

_SBOM = {
    "sbom.format": ("bomFormat",),
    "sbom.version": ("specVersion",),
    "sbom.subject": ("metadata", "component"),
    "sbom.dependencies": ("dependencies",),
    "sbom.completeness": ("compositions",),
}

_UNJUDGED = (("$schema",), ("metadata", "tools"))
"""What another version of ftbuild may write in another way without saying anything else."""

_FORMATS = {
    "provenance.type": "This ftbuild reads in-toto Statements v1.",
    "provenance.predicate-type": "This ftbuild reads SLSA provenance v1.",
    "provenance.build-type": "It is not an ftbuild's, or that of another version.",
    "sbom.version": "This ftbuild reads what it writes: CycloneDX 1.6.",
}

_SHOWN = 3
_LONG = 200


def judge_statement(said: Any, true: Any, file: str) -> tuple[Check, ...]:
    """A statement, against the one that the archive ought to have.

    Args:
        said: The document as it was read.
        true: The document as it ought to be.
        file: Its name, with a full stop.
    """
    return _by_parts(_STATEMENT, said, true, file, rest="provenance.other")


def judge_sbom(said: Any, true: Any, file: str) -> tuple[Check, ...]:
    """A bill of materials, against the one that the archive ought to have; arguments alike."""
    said, true = _without(said, _UNJUDGED), _without(true, _UNJUDGED)
    kinds = {"sbom.bundled": BUNDLED, "sbom.linked": SYSTEM}
    told, real = _components(said), _components(true)
    checks = [
        _compared(
            name,
            {ref: part for ref, part in told.items() if _kind(part) == kind},
            {ref: part for ref, part in real.items() if _kind(part) == kind},
            file,
        )
        for name, kind in kinds.items()
    ]
    # What is of neither kind, and what comes with a document: serial number, timestamp.
    others = {ref: part for ref, part in told.items() if _kind(part) not in kinds.values()}
    true = _without(true, [("components",)])
    if isinstance(value_at(said, ("components",)), list):
        said = _without(said, [("components",)])
    if others:
        said = {**said, "components": others}
    form, version, *last = _by_parts(_SBOM, said, true, file, rest="sbom.other")
    return (form, version, *checks, *last)


def difference(said: Any, true: Any, at: str = "") -> tuple[str, ...]:
    """Where two JSON values differ, in words.

    >>> difference({"a": [1, 2]}, {"a": [1, 3]})
    ('a.1 is 2, not 3',)
    """
    if isinstance(said, list) and isinstance(true, list):
        said, true = dict(enumerate(said)), dict(enumerate(true))
    if isinstance(said, dict) and isinstance(true, dict):
        found: list[str] = []
        for key in dict.fromkeys((*true, *said)):
            place = f"{at}.{key}" if at else f"{key}"
            if key not in said:
                found.append(f"{place} is missing")
            elif key not in true:
                found.append(f"{place} is not so in the archive")
            else:
                found += difference(said[key], true[key], place)
        return tuple(found)
    same = type(said) is type(true) and said == true
    return () if same else (f"{at or 'it'} is {_short(said)}, not {_short(true)}",)


def value_at(document: Any, place: tuple[str, ...]) -> Any:
    """What is at a place; None where there is no such place."""
    for key in place:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _by_parts(
    parts: Mapping[str, tuple[str, ...]], said: Any, true: Any, file: str, *, rest: str
) -> tuple[Check, ...]:
    checks = [
        _compared(name, value_at(said, at), value_at(true, at), file) for name, at in parts.items()
    ]
    places = parts.values()
    other = _compared(rest, _without(said, places), _without(true, places), file)
    return (*checks, other)


def _compared(name: str, said: Any, true: Any, file: str) -> Check:
    if isinstance(said, str | None) and isinstance(true, str):
        hint = _FORMATS.get(name, "")
        found = "nothing" if said is None else said[:_LONG]
        return expect(name, true, found, f"{file} {hint}".rstrip())
    different = difference(said, true)
    if not different:
        return Check(name=name, status=Status.PASSED, found="as in the archive")
    more = f"; {len(different) - _SHOWN} more differences" if len(different) > _SHOWN else ""
    return Check(
        name=name,
        status=Status.FAILED,
        expected="what the archive's manifest says",
        found="; ".join(different[:_SHOWN]) + more,
        reason=file,
    )


def _components(document: Any) -> dict[str, Any]:
    """The components of a document by their references; one that stands twice is two."""
    listed = value_at(document, ("components",))
    found: dict[str, Any] = {}
    for number, part in enumerate(listed if isinstance(listed, list) else []):
        ref = part.get("bom-ref") if isinstance(part, dict) else None
        key = ref if isinstance(ref, str) and ref not in found else f"components.{number}"
        found[key] = part
    return found


def _kind(part: Any) -> str | None:
    properties = part.get("properties") if isinstance(part, dict) else None
    for each in properties if isinstance(properties, list) else []:
        if isinstance(each, dict) and each.get("name") == PART:
            value = each.get("value")
            return value if isinstance(value, str) else None
    return None


def _without(document: Any, places: Iterable[tuple[str, ...]]) -> Any:
    """A document without what is at some places."""
    for place in places:
        document = _removed(document, place)
    return document


def _removed(document: Any, place: tuple[str, ...]) -> Any:
    key, *rest = place
    if not isinstance(document, dict) or key not in document:
        return document
    if rest:
        return {**document, key: _removed(document[key], tuple(rest))}
    return {name: value for name, value in document.items() if name != key}


def _short(value: Any) -> str:
    """A value as Python writes it; of a deep or long one only so much."""
    form = reprlib.Repr()
    form.maxstring = form.maxlong = form.maxother = _LONG
    text = form.repr(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
