"""Lock files: which versions they hold, and what the project itself asked for.

uv.lock, poetry.lock and pylock.toml (PEP 751) are read for versions alone. Which files a version
has is asked of the index again: a lock knows what there was on the day it was written, and wheels
for a new interpreter come later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, Pylock, PylockUnsupportedVersionError, PylockValidationError
from packaging.utils import canonicalize_name

from ftbuild.auditing.inputs import poetry
from ftbuild.errors import UsageError

_UV_VERSION = 1
"""The version of uv.lock that is understood; its revisions are compatible."""

_HINT = "Lock anew with the tool that wrote it, or name pyproject.toml instead."


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """Something the project asks for itself.

    Attributes:
        text: A requirement.
        marker: A marker in the language of lock files, which may ask for extras and groups
            (`"test" in dependency_groups`); empty if there is none.
    """

    text: str
    marker: str = ""


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """What a lock file holds.

    Attributes:
        pins: `name==version`, with a marker where a name has several versions.
        roots: What the project asks for.
        python: The Pythons it was made for, as specifiers; empty if it does not say.
        notes: What was left out, for people.
    """

    pins: tuple[str, ...]
    roots: tuple[Root, ...]
    python: str = ""
    notes: tuple[str, ...] = ()


def read_lock(
    path: Path, document: Mapping[str, Any], *, extras: Sequence[str], groups: Sequence[str]
) -> Locked:
    """What a lock file holds.

    Args:
        path: Where it is; its name tells the kind.
        document: Its content.
        extras: The extras that are asked for.
        groups: The dependency groups that are asked for.

    Raises:
        UsageError: It is not such a file, or has no such extra or group.
    """
    try:
        if path.name == "uv.lock":
            return _uv(path, document, extras, groups)
        if path.name == "poetry.lock":
            return _poetry(path, document, extras, groups)
        return _pylock(path, document, extras, groups)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{path} is not what a {path.name} looks like: {what}", hint=_HINT) from (
            error
        )


def require_known(what: str, asked: Iterable[str], known: Iterable[str], where: Path | str) -> None:
    """Whether every extra or group that is asked for is there.

    Args:
        what: `extra` or `dependency group`.
        asked: The names that are asked for.
        known: The names that there are.
        where: The file, for the message.

    Raises:
        UsageError: One is not; names those there are.
    """
    there = {canonicalize_name(name): name for name in known}
    for name in asked:
        if canonicalize_name(name) not in there:
            offers = f"It has: {', '.join(there.values())}" if there else f"It has no {what}."
            raise UsageError(f"{where} has no {what} {name!r}", hint=offers)


def _uv(
    path: Path, document: Mapping[str, Any], extras: Sequence[str], groups: Sequence[str]
) -> Locked:
    if document.get("version") != _UV_VERSION:
        raise UsageError(
            f"{path} has version {document.get('version')!r} of its format; "
            f"{_UV_VERSION} is understood",
            hint=_HINT,
        )
    packages = [item for item in document.get("package", []) if "version" in item or _own(item)]
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for item in packages:
        by_name.setdefault(item["name"], []).append(item)
    members = [item for item in packages if _source(item) in {"editable .", "virtual ."}]
    if not members:
        named = set(document.get("manifest", {}).get("members", ()))
        members = [item for item in packages if item["name"] in named]
    for what, key, asked in (
        ("extra", "optional-dependencies", extras),
        ("dependency group", "dev-dependencies", groups),
    ):
        require_known(what, asked, (name for item in members for name in item.get(key, {})), path)
    roots = list(_uv_roots(members, by_name, extras, groups))
    local = sorted(item["name"] for item in packages if _own(item) and item not in members)
    pins, notes = _pins(
        (item["name"], item["version"], " or ".join(_brackets(item.get("resolution-markers", ()))))
        for item in packages
        if "registry" in item.get("source", {})
    )
    if local:
        notes = (*notes, f"part of the project and not from an index: {', '.join(local)}")
    return Locked(
        pins=pins,
        roots=tuple(dict.fromkeys(roots)),
        python=document.get("requires-python", ""),
        notes=notes,
    )


def _uv_roots(
    members: Sequence[Mapping[str, Any]],
    by_name: Mapping[str, Sequence[Mapping[str, Any]]],
    extras: Sequence[str],
    groups: Sequence[str],
) -> Iterator[Root]:
    """What the members of a workspace ask for, through the local packages among it."""
    wanted = {canonicalize_name(name) for name in extras}
    asked = {canonicalize_name(name) for name in groups}
    waiting = [
        (dependency, "")
        for member in members
        for dependency in (
            *member.get("dependencies", ()),
            *_chosen(member.get("optional-dependencies", {}), wanted),
            *_chosen(member.get("dev-dependencies", {}), asked),
        )
    ]
    seen = set()
    while waiting:
        dependency, outer = waiting.pop(0)
        marker = " and ".join(_brackets((outer, dependency.get("marker", ""))))
        candidates = by_name.get(dependency["name"], ())
        version = dependency.get("version")
        found = next((x for x in candidates if version in {None, x.get("version")}), None)
        if found is None:
            continue
        if not _own(found):
            yield Root(text=_asked(dependency, found, marker))
            continue
        inner = {canonicalize_name(name) for name in dependency.get("extra", ())}
        key = (found["name"], marker, frozenset(inner))
        if key not in seen:
            seen.add(key)
            waiting += [
                (item, marker)
                for item in (
                    *found.get("dependencies", ()),
                    *_chosen(found.get("optional-dependencies", {}), inner),
                )
            ]


def _asked(dependency: Mapping[str, Any], found: Mapping[str, Any], marker: str) -> str:
    """A dependency in uv.lock as a requirement."""
    extras = f"[{','.join(dependency['extra'])}]" if dependency.get("extra") else ""
    source = found.get("source", {})
    name = f"{found['name']}{extras}"
    if "git" in source:
        # `https://host/repo?subdirectory=x&rev=main#<commit>`
        address, _, commit = source["git"].partition("#")
        address, _, query = address.partition("?")
        parts = [word for word in query.split("&") if word.startswith("subdirectory=")]
        fragment = f"#{parts[0]}" if parts else ""
        name += f" @ git+{address}@{commit}{fragment}"
    elif "url" in source:
        name += f" @ {source['url']}"
    elif dependency.get("version"):
        name += f"=={dependency['version']}"
    return f"{name} ; {marker}" if marker else name


def _chosen(tables: Mapping[str, Any], names: set[Any]) -> Iterator[Mapping[str, Any]]:
    for name, entries in tables.items():
        if canonicalize_name(name) in names:
            yield from entries


def _own(item: Mapping[str, Any]) -> bool:
    """Whether a package in uv.lock is a directory or a file of this machine."""
    return not {"registry", "git", "url"} & set(item.get("source", {}))


def _source(item: Mapping[str, Any]) -> str:
    return " ".join(f"{kind} {where}" for kind, where in item.get("source", {}).items())


def _brackets(markers: Iterable[str]) -> list[str]:
    """Markers fit to be joined by `and` or `or`."""
    given = [marker for marker in markers if marker]
    return [f"({marker})" for marker in given] if len(given) > 1 else given


def _pins(entries: Iterable[tuple[str, str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Pins from names, versions and markers, and notes on those that cannot be told apart."""
    known = list(entries)
    count = Counter(name for name, _, _ in known)
    unclear = {
        name
        for name, _, marker in known
        # uv tells conflicting extras apart with names that only uv knows: `extra-7-project-cpu`.
        if (count[name] > 1 and not marker) or "extra ==" in marker or "extra !=" in marker
    }
    pins = tuple(
        f"{name}=={version} ; {marker}" if marker else f"{name}=={version}"
        for name, version, marker in known
        if name not in unclear
    )
    notes = tuple(
        f"{name} is locked at several versions that markers do not tell apart: "
        "its version was chosen anew"
        for name in sorted(unclear)
    )
    return pins, notes


def _poetry(
    path: Path, document: Mapping[str, Any], extras: Sequence[str], groups: Sequence[str]
) -> Locked:
    packages = document.get("package", [])
    offered = document.get("extras", {})
    require_known("extra", extras, offered, path)
    wanted = {"main", *groups}
    if groups:
        require_known(
            "dependency group",
            groups,
            (x for item in packages for x in item.get("groups", ())),
            path,
        )
    pins, notes = _pins(
        (canonicalize_name(item["name"]), item["version"], _poetry_marker(item))
        for item in packages
        if item.get("source", {}).get("type", "legacy") == "legacy"
    )
    roots = []
    left = []
    for item in packages:
        # Whatever an extra brings is optional, its dependencies too; which, no lock tells.
        if not wanted & set(item.get("groups", wanted)) or (item.get("optional") and not extras):
            continue
        text = _poetry_asked(item, path.parent)
        if text is None:
            left.append(item["name"])
        else:
            marker = _poetry_marker(item)
            roots.append(Root(text=f"{text} ; {marker}" if marker else text))
    if left:
        notes = (*notes, f"not from an index: {', '.join(sorted(left))}")
    python = document.get("metadata", {}).get("python-versions", "*")
    return Locked(pins=pins, roots=tuple(roots), python=poetry.specifiers(python), notes=notes)


def _poetry_asked(item: Mapping[str, Any], base: Path) -> str | None:
    """A package in poetry.lock as a requirement; None for a directory or a file."""
    source = item.get("source", {})
    name = canonicalize_name(item["name"])
    match source.get("type", "legacy"):
        case "legacy":
            return f"{name}=={item['version']}"
        case "git":
            entry = {"git": source["url"], "rev": source["resolved_reference"]}
            if "subdirectory" in source:
                entry["subdirectory"] = source["subdirectory"]
            return poetry.requirement(name, entry, base)
        case "url":
            return f"{name} @ {source['url']}"
        case _:
            return None


def _poetry_marker(item: Mapping[str, Any]) -> str:
    """The marker of a package; poetry 2 has one, or one for each group."""
    given = item.get("markers", "")
    if isinstance(given, str):
        return given
    return " or ".join(_brackets(dict.fromkeys(given.values())))


def _pylock(
    path: Path, document: Mapping[str, Any], extras: Sequence[str], groups: Sequence[str]
) -> Locked:
    try:
        lock = Pylock.from_dict(document)
    except (PylockValidationError, PylockUnsupportedVersionError) as error:
        raise ValueError(str(error)) from error
    require_known("extra", extras, lock.extras or (), path)
    require_known("dependency group", groups, lock.dependency_groups or (), path)
    roots = []
    left = []
    for package in lock.packages:
        text = _pylock_asked(package)
        if text is None:
            left.append(package.name)
        else:
            roots.append(Root(text=text, marker=str(package.marker or "")))
    return Locked(
        pins=tuple(_pylock_pins(lock.packages)),
        roots=tuple(roots),
        python=str(lock.requires_python or ""),
        notes=(f"not from an index: {', '.join(sorted(left))}",) if left else (),
    )


def _pylock_pins(packages: Iterable[Package]) -> Iterator[str]:
    """The pins of those whose markers a requirement can have, too."""
    for package in packages:
        if package.version is None or package.is_direct:
            continue
        marker = str(package.marker or "")
        if marker and not _plain(marker):
            continue
        pin = f"{package.name}=={package.version}"
        yield f"{pin} ; {marker}" if marker else pin


def _plain(marker: str) -> bool:
    """Whether a lock file's marker says the same in a requirement."""
    try:
        Marker(marker)
    except InvalidMarker:
        return False
    return " in extras" not in marker and " in dependency_groups" not in marker


def _pylock_asked(package: Package) -> str | None:
    """A package in pylock.toml as a requirement; None for a directory or a file."""
    if package.vcs is not None and package.vcs.url:
        part = f"#subdirectory={package.vcs.subdirectory}" if package.vcs.subdirectory else ""
        vcs = package.vcs
        return f"{package.name} @ {vcs.type}+{vcs.url}@{vcs.commit_id}{part}"
    if package.archive is not None and package.archive.url:
        return f"{package.name} @ {package.archive.url}"
    if package.is_direct or package.version is None:
        return None
    return f"{package.name}=={package.version}"
