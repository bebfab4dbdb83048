"""Which modules an installed distribution has to try: its extensions, and what users import."""

from __future__ import annotations

import csv
import keyword
import mmap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec
from packaging.utils import NormalizedName, canonicalize_name

from ftbuild.files import read_file

_ASIDE = frozenset(
    {"test", "tests", "testing", "doc", "docs", "example", "examples", "benchmark", "benchmarks"}
    | {"bin", "scripts", "share", "include", "tools", "conftest", "setup"}
)
"""Directories and modules that a package carries along, and that nobody imports to use it."""

_BARE = ".so"
"""The ending that any shared library may have, which the interpreter takes for a module as well."""


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """An installed package.

    Attributes:
        name: Its normalized name.
        files: Its files, relative to `site-packages`.
    """

    name: NormalizedName
    files: tuple[str, ...]


class Module(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A module to import.

    Attributes:
        name: Its full name.
        extension: Whether it is an extension module; else it is a top-level one.
    """

    name: str
    extension: bool

    @property
    def package(self) -> str:
        """The package it is in; empty for what is in none."""
        return self.name.rpartition(".")[0]


Exports = Callable[[str, str], bool]
"""Whether a file, relative to `site-packages`, has the function that initializes a module."""


def distributions(folder: Path) -> tuple[Distribution, ...]:
    """The packages installed in a `site-packages`, by their RECORD."""
    return tuple(
        Distribution(
            name=canonicalize_name(record.parent.name.partition("-")[0]),
            files=tuple(recorded(read_file(record).decode(errors="replace"))),
        )
        for record in sorted(folder.glob("*.dist-info/RECORD"))
    )


def recorded(text: str) -> Iterator[str]:
    """The files that a RECORD names, those outside of `site-packages` left out."""
    for row in csv.reader(text.splitlines()):
        path = PurePosixPath(row[0]) if row else PurePosixPath()
        if path.parts and not path.is_absolute() and ".." not in path.parts:
            yield str(path)


def exports(folder: Path) -> Exports:
    """Looks into the files of a `site-packages` for what makes a module (PEP 489, PEP 793)."""

    def look(path: str, name: str) -> bool:
        try:
            with (folder / path).open("rb") as file, _mapped(file.fileno()) as content:
                return any(
                    content.find(f"{hook}_{name}\0".encode()) >= 0
                    for hook in ("PyInit", "PyModExport")
                )
        except (OSError, ValueError):
            return False

    return look


def _mapped(number: int) -> mmap.mmap:
    return mmap.mmap(number, 0, access=mmap.ACCESS_READ)


def modules(
    distribution: Distribution, suffixes: Sequence[str], exported: Exports
) -> tuple[Module, ...]:
    """The modules to try, the top-level ones first.

    Those are what users import: the topmost packages (below namespace packages, which are only
    directories, too), and modules that are in no package. What lies in a directory for tests,
    documentation or scripts is left out, private names are not.

    Args:
        distribution: The installed package.
        suffixes: Endings of extension modules.
        exported: Asked where the ending does not tell an extension module from another library.
    """
    paths = [PurePosixPath(file) for file in distribution.files]
    extensions = dict(_extensions(paths, suffixes, exported))
    sources = [path for path in paths if path.suffix == ".py"]
    inits = {path.parent.parts for path in sources if path.stem == "__init__"}
    inits |= {parts for parts, path in extensions.items() if path.name.startswith("__init__.")}
    inits.discard(())
    tops = [parts for parts in inits if not _within(parts[:-1], inits)]
    tops += [
        (*path.parent.parts, path.stem)
        for path in sources
        if not path.stem.startswith("__") and not _within(path.parent.parts, inits)
    ]
    named = {".".join(parts) for parts in tops if _importable(parts)}
    native = {".".join(parts) for parts in extensions if _importable(parts)}
    return (
        *(Module(name=name, extension=False) for name in sorted(named - native)),
        *(Module(name=name, extension=True) for name in sorted(native)),
    )


def _extensions(
    paths: Sequence[PurePosixPath], suffixes: Sequence[str], exported: Exports
) -> Iterator[tuple[tuple[str, ...], PurePosixPath]]:
    """The extension modules among files: their names, in parts, and files."""
    for path in paths:
        suffix = next((s for s in suffixes if path.name.endswith(s)), None)
        if suffix is None:
            continue
        stem = path.name.removesuffix(suffix)
        parts = path.parent.parts if stem == "__init__" else (*path.parent.parts, stem)
        # Libraries that an extension links to are found by their ending and name, too.
        if parts and (suffix != _BARE or exported(str(path), parts[-1])):
            yield parts, path


def _within(parts: tuple[str, ...], packages: set[tuple[str, ...]]) -> bool:
    """Whether this is a package or lies in one."""
    return any(parts[:count] in packages for count in range(1, len(parts) + 1))


def _importable(parts: tuple[str, ...]) -> bool:
    return _ASIDE.isdisjoint(parts) and all(
        part.isidentifier() and not keyword.iskeyword(part) for part in parts
    )
