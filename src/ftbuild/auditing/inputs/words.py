"""What is audited: words on the command line become requirements, pins and files for uv.

A word is a project, a virtual environment, a file of requirements, a lock file, or a requirement.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from packaging.pylock import is_valid_pylock_path
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ftbuild import files
from ftbuild.auditing.inputs import poetry
from ftbuild.auditing.inputs.environments import read_environment
from ftbuild.auditing.inputs.locks import Root, read_lock, require_known
from ftbuild.errors import UsageError
from ftbuild.files import expand_home
from ftbuild.wheels.indexes import redacted

_LOCKS = ("uv.lock", "poetry.lock", "pylock.toml")
"""The locks beside a pyproject.toml, the first that is there."""

_ACCEPTED = (
    "Accepted are a directory with a pyproject.toml or requirements.txt, a virtual environment, "
    "requirements*.txt, pyproject.toml, pylock.toml, uv.lock, poetry.lock, or a requirement such "
    "as 'numpy==1.26.4'."
)

_SETUP = ("setup.cfg", "setup.py")
"""How projects were declared before pyproject.toml; only their build tells the dependencies."""

_LINE = re.compile(r"line (\d+)")


_T = TypeVar("_T")


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that uv reads by itself.

    Attributes:
        path: Where it is, absolute.
        label: What the user calls it.
    """

    path: Path
    label: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement that stands in no file for uv.

    Attributes:
        root: The requirement.
        label: Where it comes from: `uv.lock`, or the requirement itself.
    """

    root: Root
    label: str


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is to be resolved together.

    Attributes:
        labels: What is audited, for people.
        files: Files handed to uv.
        lines: Requirements besides.
        pins: Constraints: the versions that locks and environments hold.
        extras: Extras of the projects among the files.
        groups: Dependency groups in files: the path of a pyproject.toml and a name.
        of_locks: The extras and the groups that markers of lock files may ask for.
        pythons: Who is for which Pythons: a label and specifiers.
        project: Where uv runs: its configuration and relative paths count from here.
        notes: What was left out, for people.
    """

    labels: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    lines: tuple[Line, ...] = ()
    pins: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[tuple[Path, str], ...] = ()
    of_locks: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    pythons: tuple[tuple[str, str], ...] = ()
    project: Path
    notes: tuple[str, ...] = ()


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    cwd: Path


def read_inputs(
    words: Sequence[str], *, extras: Sequence[str], groups: Sequence[str], cwd: Path
) -> Inputs:
    """What words stand for; no word stands for the current directory.

    Args:
        words: Directories, files, requirements.
        extras: Extras of the projects among them.
        groups: Dependency groups of the projects among them. None is included by itself: what is
            audited is what the project needs to run.
        cwd: The directory that relative paths count from.

    Raises:
        UsageError: A word is none of these, a file cannot be read, or an extra or group is not
            there.
    """
    asked = _Asked(extras=tuple(extras), groups=tuple(groups), cwd=cwd)
    parts = [_understood(word, asked) for word in words or (".",)]
    if (extras or groups) and not any(part.pythons for part in parts):
        what = "extra" if extras else "dependency group"
        raise UsageError(
            f"there is no project among {', '.join(words)} that could have the {what} "
            f"{(*extras, *groups)[0]!r}",
            hint="Name the project's directory, its pyproject.toml or its lock file.",
        )
    homes = (part.project for part in parts if part.pythons or part.project != cwd)
    return Inputs(
        labels=_flat(part.labels for part in parts),
        files=_flat(part.files for part in parts),
        lines=_flat(part.lines for part in parts),
        pins=_flat(part.pins for part in parts),
        extras=_flat(part.extras for part in parts),
        groups=_flat(part.groups for part in parts),
        of_locks=(asked.extras, asked.groups),
        pythons=_flat(part.pythons for part in parts),
        project=next(homes, cwd),
        notes=_flat(part.notes for part in parts),
    )


def _flat(parts: Iterable[tuple[_T, ...]]) -> tuple[_T, ...]:
    """What all of them have, each once."""
    return tuple(dict.fromkeys(item for part in parts for item in part))


def _understood(word: str, asked: _Asked) -> Inputs:
    """What a word stands for. A stranger's file may have anything where text or a table belongs."""
    try:
        found = _read(word, asked)
        if not all(isinstance(python, str) for _, python in found.pythons):
            raise TypeError("requires-python is no text")  # noqa: TRY301
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        why = redacted(str(error).partition("\n")[0])
        raise UsageError(f"{redacted(word)} cannot be understood: {why}", hint=_ACCEPTED) from error
    return found


def _read(word: str, asked: _Asked) -> Inputs:
    place = _place(word, asked.cwd)
    try:
        Requirement(word)
    except InvalidRequirement as error:
        wrong = str(error).partition("\n")[0]
    else:
        wrong = ""
    if place and place.is_file():
        return _file(place, word, asked)
    if place and place.is_dir():
        if found := _directory(place, word, asked):
            return found
        # `audit requests` in a checkout with a folder of that name means the package.
        if wrong or _path_like(word):
            raise UsageError(f"{word} is a directory with nothing to audit in it", hint=_ACCEPTED)
    elif place:
        raise UsageError(f"{word} is neither a file nor a directory", hint=_ACCEPTED)
    elif _path_like(word):
        raise UsageError(f"{redacted(word)} does not exist", hint=_ACCEPTED)
    elif wrong:
        raise UsageError(
            f"{redacted(word)!r} is no file, no directory and no requirement: {redacted(wrong)}",
            hint=_ACCEPTED,
        )
    label = redacted(word)
    line = Line(root=Root(text=word), label=label)
    return Inputs(labels=(label,), lines=(line,), project=asked.cwd)


def _place(word: str, cwd: Path) -> Path | None:
    """What a word names that is there."""
    try:
        place = cwd / expand_home(Path(word))
        return place if place.exists() else None
    except (OSError, RuntimeError, ValueError):
        # Too long for a name, or the home of nobody: a requirement, perhaps.
        return None


def _path_like(word: str) -> bool:
    # An address after it says nothing.
    before = word.partition(" @ ")[0]
    suffixes = (".txt", ".in", ".toml", ".lock", ".cfg", ".py", ".whl", ".tar.gz")
    return os.sep in before or word.startswith((".", "~")) or before.endswith(suffixes)


def _directory(place: Path, word: str, asked: _Asked) -> Inputs | None:
    """What a directory holds, or None if that is nothing to audit."""
    if (place / "pyvenv.cfg").is_file():
        held = read_environment(place)
        return Inputs(
            labels=(word,),
            lines=tuple(Line(root=root, label=word) for root in held.roots),
            pins=held.pins,
            project=asked.cwd,
            notes=held.notes,
        )
    project = place / "pyproject.toml"
    if project.is_file() and _declares(_manifest(project), place, asked):
        return _project(project, _joined(word, project.name), asked)
    locks = [place / name for name in _LOCKS if (place / name).is_file()]
    if locks:
        return _lock(locks[0], _joined(word, locks[0].name), asked)
    files = sorted(place.glob("requirements*.txt"))
    chosen = [file for file in files if file.name == "requirements.txt"] or files
    chosen = chosen or [place / name for name in _SETUP if (place / name).is_file()][:1]
    if not chosen:
        return None
    left = [file.name for file in files if file not in chosen]
    labels = tuple(_joined(word, file.name) for file in chosen)
    return Inputs(
        labels=labels,
        files=tuple(
            File(path=file, label=label) for file, label in zip(chosen, labels, strict=True)
        ),
        project=place,
        notes=(f"not audited, because not named: {', '.join(left)}",) if left else (),
    )


def _joined(word: str, name: str) -> str:
    return os.path.normpath(Path(word) / name)


def _file(place: Path, word: str, asked: _Asked) -> Inputs:
    if place.name == "pyproject.toml":
        if not _declares(_manifest(place), place.parent, asked):
            raise UsageError(
                f"{word} declares no dependencies: it has no table [project] or [tool.poetry]",
                hint=_ACCEPTED,
            )
        return _project(place, word, asked)
    if place.name in _LOCKS or is_valid_pylock_path(place):
        return _lock(place, word, asked)
    if place.suffix in {".txt", ".in"} or place.name in _SETUP:
        return Inputs(labels=(word,), files=(File(path=place, label=word),), project=asked.cwd)
    raise UsageError(f"{word} is of no kind that can be audited", hint=_ACCEPTED)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(files.read_text(path))
    except tomllib.TOMLDecodeError as error:
        at = _LINE.search(str(error))
        where = f"{path}, line {at[1]}" if at else f"{path}, at its end"
        raise UsageError(f"{where}: not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8") from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits; 1,000 brackets
        raise UsageError(f"{path} is no TOML that can be read: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _manifest(path: Path) -> dict[str, Any]:
    """A pyproject.toml."""
    data = _toml(path)
    wrong = [
        name
        for name in ("project", "dependency-groups", "tool")
        if not isinstance(data.get(name, {}), dict)
    ]
    if wrong:
        raise UsageError(f"{path}: {wrong[0]} is no table")
    return data


def _declares(data: Mapping[str, Any], place: Path, asked: _Asked) -> bool:
    """Whether a pyproject.toml is a project's, not only a place for the settings of tools."""
    return (
        "project" in data
        or "poetry" in data.get("tool", {})
        or bool(asked.groups and "dependency-groups" in data)
        or ("build-system" in data and any((place / name).is_file() for name in _SETUP))
    )


def _project(path: Path, label: str, asked: _Asked) -> Inputs:
    """A project by its pyproject.toml, at the versions of the lock beside it, if there is one."""
    data = _manifest(path)
    lock = next((path.with_name(name) for name in _LOCKS if path.with_name(name).is_file()), None)
    return _project_with(path, label, asked, data=data, lock=lock)


def _project_with(
    path: Path, label: str, asked: _Asked, *, data: Mapping[str, Any], lock: Path | None
) -> Inputs:
    table = data.get("project", {})
    dynamic = "dependencies" in table.get("dynamic", ()) or _only_built(data)
    if lock and dynamic:
        return _lock_alone(lock, _joined(str(Path(label).parent), lock.name), asked)
    _check(path, table)
    pins: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if lock:
        held = read_lock(lock, _toml(lock), extras=(), groups=())
        pins, notes = held.pins, held.notes
    if dynamic:
        notes = (f"{label} leaves its dependencies to its build, which runs its code",)
    lines, groups, python = _declared(path, label, data, asked)
    return Inputs(
        labels=(f"{label} with {lock.name}" if lock else label,),
        files=(File(path=path, label=label),) if "project" in data or _only_built(data) else (),
        lines=lines,
        pins=pins,
        extras=asked.extras if "project" in data else (),
        groups=groups,
        pythons=((label, python),),
        project=path.parent,
        notes=notes,
    )


def _only_built(data: Mapping[str, Any]) -> bool:
    """Whether nothing but the project's build tells what it depends on."""
    return "project" not in data and "poetry" not in data.get("tool", {}) and "build-system" in data


def _declared(
    path: Path, label: str, data: Mapping[str, Any], asked: _Asked
) -> tuple[tuple[Line, ...], tuple[tuple[Path, str], ...], str]:
    """The requirements that uv does not read itself, groups that it does, and the Pythons."""
    table = data.get("project", {})
    settings = data.get("tool", {}).get("poetry", {})
    try:
        of_poetry = poetry.declared(settings, path.parent, asked.extras)
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: [tool.poetry]: {error}") from error
    offered = table.get("optional-dependencies", {}) if "project" in data else of_poetry.extras
    if "optional-dependencies" not in table.get("dynamic", ()):
        require_known("extra", asked.extras, offered, path)
    standard = data.get("dependency-groups", {})
    require_known("dependency group", asked.groups, (*standard, *of_poetry.groups), path)
    names = {canonicalize_name(name): name for name in standard}
    groups = tuple(
        (path, names[canonicalize_name(group)])
        for group in asked.groups
        if canonicalize_name(group) in names
    )
    texts = [
        *(() if "project" in data else of_poetry.requirements),
        *(
            text
            for name, group in of_poetry.groups.items()
            if canonicalize_name(name) in {canonicalize_name(group) for group in asked.groups}
            and canonicalize_name(name) not in names
            for text in group
        ),
    ]
    lines = tuple(Line(root=Root(text=text), label=label) for text in texts)
    python = table.get("requires-python", "") if "project" in data else of_poetry.python
    return lines, groups, python


def _check(path: Path, table: Mapping[str, Any]) -> None:
    """Whether all requirements in `[project]` can be parsed.

    Raises:
        UsageError: One cannot, or the table is malformed; names the line.
    """
    lists = (table.get("dependencies", []), *_values(table.get("optional-dependencies", {})))
    for text in (text for texts in lists for text in texts):
        try:
            Requirement(text)
        except (InvalidRequirement, TypeError) as error:
            wrong = str(error).partition("\n")[0]
            line = _line_of(path, str(text))
            raise UsageError(
                f"{path}{line}: {redacted(str(text))!r} is no requirement: {redacted(wrong)}"
            ) from error


def _values(table: Any) -> Iterable[Sequence[Any]]:
    return table.values() if isinstance(table, dict) else ()


def _line_of(path: Path, text: str) -> str:
    lines = files.read_text(path).splitlines()
    at = next((number for number, line in enumerate(lines, 1) if text in line), None)
    return f", line {at}" if at else ""


def _lock(path: Path, label: str, asked: _Asked) -> Inputs:
    """A lock file: what the project beside it asks for, or all that it holds itself."""
    beside = path.with_name("pyproject.toml")
    if path.name in {"uv.lock", "poetry.lock"} and beside.is_file():
        data = _manifest(beside)
        if "project" in data or "poetry" in data.get("tool", {}):
            project = _joined(str(Path(label).parent), beside.name)
            return _project_with(beside, project, asked, data=data, lock=path)
    return _lock_alone(path, label, asked)


def _lock_alone(path: Path, label: str, asked: _Asked) -> Inputs:
    held = read_lock(path, _toml(path), extras=asked.extras, groups=asked.groups)
    return Inputs(
        labels=(label,),
        lines=tuple(Line(root=root, label=label) for root in held.roots),
        pins=held.pins,
        pythons=((label, held.python),),
        project=path.parent,
        notes=held.notes,
    )
