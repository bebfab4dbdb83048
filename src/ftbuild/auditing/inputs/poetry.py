"""Poetry's own way to declare dependencies, turned into requirements (PEP 508).

Poetry 1 keeps them in `[tool.poetry]`, with constraints that no standard knows: `^1.2`, `~1.2`,
`1.*`, `>=1,<2 || >=3`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_TERM = re.compile(r"(\^|~=|~|===?|!=|>=|<=|>|<|=)?\s*([^\s,^~=!<>|]+(?:!\d[^\s,^~=!<>|]*)?)")
_OR = re.compile(r"\s*\|\|?\s*")


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What `[tool.poetry]` declares.

    Attributes:
        requirements: Of the project itself, the extras that were asked for included.
        extras: All extras there are.
        groups: The requirements of each group.
        python: The Pythons the project is for: `>=3.9,<4.0`; empty for all.
    """

    requirements: tuple[str, ...]
    extras: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    python: str


def declared(table: Mapping[str, Any], base: Path, extras: Sequence[str]) -> Declared:
    """What a `[tool.poetry]` table declares.

    Args:
        table: The table.
        base: The directory that paths in it are relative to.
        extras: The extras to include, normalized.

    Raises:
        ValueError: A constraint or an entry is not understood; says which.
    """
    offered = {
        canonicalize_name(extra): {canonicalize_name(name) for name in names}
        for extra, names in table.get("extras", {}).items()
    }
    wanted = {name for extra in extras for name in offered.get(canonicalize_name(extra), ())}
    main = dict(table.get("dependencies", {}))
    python = main.pop("python", "*")
    groups = {name: group.get("dependencies", {}) for name, group in table.get("group", {}).items()}
    if "dev-dependencies" in table:
        groups.setdefault("dev", table["dev-dependencies"])
    return Declared(
        requirements=tuple(_all(main, base, wanted)),
        extras=tuple(offered),
        groups={name: tuple(_all(group, base, ())) for name, group in groups.items()},
        python=specifiers(python),
    )


def _all(entries: Mapping[str, Any], base: Path, wanted: Collection[str]) -> Iterator[str]:
    for name, given in entries.items():
        for entry in given if isinstance(given, list) else [given]:
            optional = isinstance(entry, Mapping) and entry.get("optional")
            if not optional or canonicalize_name(name) in wanted:
                yield requirement(name, entry, base)


def requirement(name: str, entry: str | Mapping[str, Any], base: Path) -> str:
    """One of poetry's dependencies as a requirement.

    >>> requirement("numpy", {"version": "^1.26", "python": "<3.12"}, Path())
    'numpy>=1.26,<2 ; python_full_version < "3.12"'

    Raises:
        ValueError: It is not understood; says what.
    """
    if isinstance(entry, str):
        entry = {"version": entry}
    try:
        extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
        place = _place(entry, base)
        markers = " and ".join(_markers(entry))
        version = "" if place else specifiers(entry.get("version", "*"))
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"the dependency {name}: {error}") from error
    wanted = f"{name}{extras} @ {place}" if place else f"{name}{extras}{version}"
    return f"{wanted} ; {markers}" if markers else wanted


def _place(entry: Mapping[str, Any], base: Path) -> str:
    """The address of what does not come from an index, or nothing."""
    if "git" in entry:
        revision = next((entry[key] for key in ("rev", "tag", "branch") if key in entry), None)
        address = re.sub(r"^git@([^:]+):", r"ssh://git@\1/", entry["git"])
        part = f"#subdirectory={entry['subdirectory']}" if "subdirectory" in entry else ""
        return f"git+{address}{f'@{revision}' if revision else ''}{part}"
    if "url" in entry:
        return str(entry["url"])
    local = entry.get("path") or entry.get("file")
    return (base / local).resolve().as_uri() if local else ""


def _markers(entry: Mapping[str, Any]) -> Iterator[str]:
    if python := entry.get("python"):
        choices = [
            " and ".join(
                f'python_full_version {spec.operator} "{spec.version}"' for spec in _terms(choice)
            )
            for choice in _OR.split(python.strip())
        ]
        if all(choices):
            yield _either(choices)
    if platform := entry.get("platform"):
        words = [word.strip() for word in _OR.split(platform.strip())]
        yield _either(
            f'sys_platform != "{word[2:]}"'
            if word.startswith("!=")
            else f'sys_platform == "{word.lstrip("=")}"'
            for word in words
        )
    if markers := entry.get("markers"):
        yield f"({markers})"


def _either(choices: Iterator[str] | Sequence[str]) -> str:
    several = list(choices)
    return f"({' or '.join(several)})" if len(several) > 1 else several[0]


def specifiers(constraint: str) -> str:
    """A constraint of poetry's as version specifiers; empty for any version.

    Alternatives (`^1 || ^3`) have no counterpart there: the widest range that holds them all is
    given, which may allow versions in between.

    >>> specifiers("^1.2.3"), specifiers("~1.2"), specifiers("1.*"), specifiers("^1 || ^3")
    ('>=1.2.3,<2', '>=1.2,<1.3', '==1.*', '>=1,<4')

    Raises:
        ValueError: It is not understood.
    """
    choices = [tuple(_terms(choice)) for choice in _OR.split(constraint.strip())]
    if len(choices) == 1:
        return ",".join(map(str, choices[0]))
    lower, upper = zip(*map(_bounds, choices), strict=True)
    found = []
    if all(lower):
        found.append(min((spec for spec in lower if spec), key=lambda spec: Version(spec.version)))
    if all(upper):
        found.append(max((spec for spec in upper if spec), key=lambda spec: Version(spec.version)))
    return ",".join(map(str, found))


def _bounds(terms: Sequence[Specifier]) -> tuple[Specifier | None, Specifier | None]:
    """The lower and the upper bound of a range."""
    lower = upper = None
    for term in terms:
        if term.operator in {">", ">="}:
            lower = term
        elif term.operator in {"<", "<="}:
            upper = term
        elif term.operator in {"==", "~="}:
            release = term.version.removesuffix(".*")
            lower = Specifier(f">={release}")
            bumped = term.operator == "~=" or term.version.endswith(".*")
            length = len(Version(release).release) - (term.operator == "~=")
            upper = Specifier(f"<{_next(release, length)}" if bumped else f"<={release}")
    return lower, upper


def _terms(text: str) -> Iterator[Specifier]:
    """The specifiers that all have to hold."""
    rest = _TERM.sub("", text).replace(",", "").strip()
    found = _TERM.findall(text)
    if rest or not found:
        raise ValueError(f"{text!r} is no version constraint of poetry's")
    for operator, version in found:
        try:
            yield from map(Specifier, _term(operator, version))
        except (InvalidSpecifier, InvalidVersion):
            raise ValueError(f"{text!r} is no version constraint of poetry's") from None


def _term(operator: str, version: str) -> tuple[str, ...]:
    if version in {"*", "x", "X"}:
        return ()
    if version.endswith(".*"):
        stem = re.sub(r"(\.\*)+$", "", version)
        if operator in {"^", "~"}:
            return _term(operator, stem)
        # Of `>=3.*` the star says nothing.
        keeps = operator in {"", "=", "==", "!="}
        word = operator.replace("===", "==") if operator not in {"", "="} else "=="
        return (f"{word}{stem}.*",) if keeps else (f"{operator}{stem}",)
    if operator == "^":
        return f">={version}", f"<{_next(version, _caret(version))}"
    # `~=1`, which the standard does not allow, is `>=1,<2` to poetry-core.
    if operator == "~" or (operator == "~=" and len(Version(version).release) == 1):
        return f">={version}", f"<{_next(version, min(2, len(Version(version).release)))}"
    return (f"{'==' if operator in {'', '='} else operator}{version}",)


def _caret(version: str) -> int:
    """How many numbers a caret holds on to: up to the first that is not zero."""
    release = Version(version).release
    return next((at for at, number in enumerate(release, 1) if number), len(release))


def _next(version: str, length: int) -> str:
    """The version that comes after all that begin with these many numbers of this one."""
    parsed = Version(version)
    release = list(parsed.release[:length])
    release[-1] += 1
    epoch = f"{parsed.epoch}!" if parsed.epoch else ""
    return epoch + ".".join(map(str, release))
