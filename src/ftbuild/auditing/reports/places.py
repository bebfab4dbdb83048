"""Where in the project a package is named: what annotations point at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ftbuild.auditing.findings import Audit, Package
from ftbuild.files import read_file

_LIMIT = 16 << 20
"""Bytes of an input that is searched. Lock files have a few megabytes at most."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an input.

    Attributes:
        path: The file, relative to the current directory if it lies below, with `/`.
        line: The line, from 1; None where the package is not named in it.
    """

    path: str
    line: int | None


def places(audit: Audit, cwd: Path) -> dict[str, Place]:
    """Where each package comes into the project, by name; none for what no file names.

    A package that another requires is looked for under the name of the one that the input names.

    Args:
        audit: The audit.
        cwd: The current directory, which inputs are named from.
    """
    files: dict[str, tuple[Path, list[str]] | None] = {}
    found = {}
    for item in audit.findings:
        label, name = _origin(item.package)
        if label not in files:
            files[label] = _read(label, cwd)
        if (there := files[label]) is not None:
            path, lines = there
            found[item.package.name] = Place(path=_relative(path, cwd), line=_find(name, lines))
    return found


def _origin(package: Package) -> tuple[str, str]:
    """The input, and the package that it names itself."""
    label, *others = package.chain or ("",)
    return label, others[0] if others else package.name


def _read(label: str, cwd: Path) -> tuple[Path, list[str]] | None:
    """The file that an input's label names, and its lines.

    A label may say more after the file's name: `pyproject.toml with uv.lock`.
    """
    try:
        path = cwd / label
        if not path.exists():
            path = cwd / label.partition(" with ")[0]
        if path.is_dir():
            path /= "pyproject.toml"
        if not path.is_file():
            return None
        return path, read_file(path, limit=_LIMIT).decode(errors="replace").splitlines()
    except (OSError, ValueError):  # a requirement is no path: too long, or with a null character
        return None


def _relative(path: Path, cwd: Path) -> str:
    whole = path.resolve()
    base = cwd.resolve()
    return (whole.relative_to(base) if whole.is_relative_to(base) else whole).as_posix()


def _find(name: str, lines: Iterable[str]) -> int | None:
    """The line that names a package: as an entry of a lock file or list, else anywhere."""
    spelled = re.sub(r"[-_.]+", "[-_.]+", re.escape(name).replace(r"\-", "-"))
    whole = rf"{spelled}(?![\w.-]*\w)"
    entry = re.compile(rf"""\s*(?:name\s*=\s*|-\s*)?["']?{whole}""", re.IGNORECASE)
    mention = re.compile(rf"(?<![\w./-]){whole}", re.IGNORECASE)
    anywhere = None
    for number, line in enumerate(lines, 1):
        code = line.split("#", 1)[0]
        if entry.match(code):
            return number
        if anywhere is None and mention.search(code):
            anywhere = number
    return anywhere
