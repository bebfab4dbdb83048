"""Reads the recipe files into one `Catalogue`: ftbuild's own, then the user's on top.

A recipe folder holds any of `cpython.yaml`, `signers.yaml`, `profiles.yaml`, `libraries.yaml`,
`origins.yaml`, `images.yaml`. A later folder adds entries and replaces those of the same name;
mirrors are put in front.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from ftbuild import files
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.recipes import (
    Base,
    Catalogue,
    LibraryRecipe,
    Origins,
    PackageManager,
    Profile,
    Release,
    Series,
    Signer,
    decode,
)
from ftbuild.model.text import Word, fitting
from ftbuild.model.versions import nearest, series_of

_SECTIONS: dict[str, dict[str, Any]] = {
    "cpython.yaml": {"series": Series, "releases": Release},
    "signers.yaml": {"signers": Signer},
    "profiles.yaml": {"profiles": Profile, "default": str},
    "libraries.yaml": {"libraries": LibraryRecipe, "managers": PackageManager},
    "origins.yaml": {"origins": Origins},
    "images.yaml": {"bases": Base, "base": str},
}
"""The files of a recipe folder, their sections, and the type of a section's entries."""

_SERIES = re.compile(r"3\.(0|[1-9]\d?)", re.ASCII)
RELEASE = re.compile(_SERIES.pattern + r"\.(0|[1-9]\d?)((a|b|rc)[1-9]\d?)?", re.ASCII)
"""A release as recipes name it."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeys(_Loader):  # type: ignore[misc]  # chosen at run time
    """YAML lets the later of two equal keys win in silence; in a list of pins that is a fault."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem=f"a key in line {line} is no plain value")
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} stands twice, again in line {line}")
            seen.add(key)
        return dict(super().construct_mapping(node, deep))


def own_recipes() -> Path:
    """The recipes ftbuild came with: inside the wheel, or beside `src` in a checkout.

    Raises:
        EnvironmentFault: There are none. Those of whoever owns the directories above are not ours.
    """
    packaged = Path(__file__).with_name("recipes")
    if packaged.is_dir():
        return packaged
    checkout = own_checkout()
    if checkout is None:
        raise EnvironmentFault(
            f"the recipes that belong to ftbuild are not in {packaged}",
            hint="Install ftbuild again: pip install --force-reinstall ftbuild",
        )
    return checkout / "recipes"


def own_checkout() -> Path | None:
    """The checkout that this ftbuild runs from; None for an installed one, wherever it lies.

    `pip install --target` may have put it anywhere, a `src` included: a checkout has no recipes in
    the package, is said to be ftbuild's by its pyproject.toml, and belongs to who owns the package.
    """
    import tomllib  # noqa: PLC0415 - an installed ftbuild does without

    package = Path(__file__).parent
    top = package.parents[1]
    project = top / "pyproject.toml"
    if (package / "recipes").is_dir() or package != top / "src" / "ftbuild":
        return None
    try:
        name = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["name"]
        alike = project.stat().st_uid == Path(__file__).stat().st_uid
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return top if alike and name == "ftbuild" else None


def load(folders: Sequence[Path] = ()) -> Catalogue:
    """The catalogue of ftbuild's own recipes with the given folders laid over it, in order.

    Raises:
        UsageError: A folder or an entry is not what it must be; file, key and the nearest valid
            key are named.
    """
    sections: dict[str, Any] = {name: {} for kinds in _SECTIONS.values() for name in kinds}
    for folder in (own_recipes(), *folders):
        if not folder.is_dir():
            raise UsageError(
                f"{folder} is not a recipe folder",
                hint=f"A recipe folder holds any of {', '.join(_SECTIONS)}.",
            )
        for path in sorted(folder.glob("*.y*ml")):
            _overlay(sections, _read(path), path)
    return _assemble(sections)


def _read(path: Path) -> dict[str, Any]:
    """The sections of one file, each entry decoded into its type."""
    kinds = _SECTIONS.get(path.name)
    if kinds is None:
        near = nearest(path.name, _SECTIONS, 1) or tuple(_SECTIONS)
        raise UsageError(f"{path}: not a recipe file", hint=f"Did you mean {' or '.join(near)}?")
    try:
        raw = yaml.load(files.read_file(path), Loader=_UniqueKeys) or {}  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, OSError, ValueError) as error:  # ValueError: a date in month 13
        raise UsageError(f"{path}: {error}") from None
    if not isinstance(raw, dict):
        raise UsageError(f"{path}: expected the sections {', '.join(kinds)}")
    decoded: dict[str, Any] = {}
    for name, value in raw.items():
        kind = kinds.get(name)
        if kind is None:
            near = nearest(str(name), kinds, 1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"{path}: unknown key {name!r}", hint=f"{hint}Valid keys: {', '.join(kinds)}."
            )
        decoded[name] = _section(value, kind, path, name)
    return decoded


_T = TypeVar("_T")


def _section(value: Any, kind: Any, path: Path, name: str) -> Any:
    if kind is str:
        return _expect(value, str, path, name)
    if kind is Origins:
        return _expect(value, dict, path, name)
    entries = _expect(value, dict, path, name)
    return {
        _key(key, kind, path, name): _located(
            decode(entry, kind, file=str(path), key=f"{name}.{key}"), path, f"{name}.{key}"
        )
        for key, entry in entries.items()
    }


def _located(entry: Any, path: Path, key: str) -> Any:
    """An entry with the file it names found beside its own."""
    if not isinstance(entry, Signer) or entry.key is None:
        return entry
    file = path.parent / entry.key
    if not file.is_file():
        raise UsageError(
            f"{path}: {key}.key: there is no file {entry.key}",
            hint=f"It is looked for as {file}.",
        )
    return msgspec.structs.replace(entry, key=str(file.absolute()))


def _expect(value: Any, kind: type[_T], path: Path, name: str) -> _T:
    if not isinstance(value, kind):
        wanted = "text" if kind is str else "a mapping"
        raise UsageError(f"{path}: {name}: expected {wanted}, found {type(value).__name__}")
    return value


def _key(key: Any, kind: Any, path: Path, section: str) -> str:
    """The name of an entry; YAML reads an unquoted 3.10 as the number 3.1."""
    if not isinstance(key, str):
        raise UsageError(f"{path}: {section}: {key!r} must be quoted", hint=f'Write "{key}":')
    if fitting(key, Word) is None:
        raise UsageError(
            f"{path}: {section}: {key!r} cannot be part of a file's name",
            hint="Letters, digits and the characters . _ - can.",
        )
    if kind is Release and not RELEASE.fullmatch(key):
        raise UsageError(f"{path}: {section}: {key!r} is not a release such as 3.14.7")
    if kind in {Series, Signer} and not _SERIES.fullmatch(key):
        raise UsageError(f"{path}: {section}: {key!r} is not a series such as 3.14")
    return key


def _overlay(sections: dict[str, Any], layer: dict[str, Any], path: Path) -> None:
    for name, value in layer.items():
        if isinstance(value, str):
            sections[name] = value
        elif name == "origins":
            merged = {**sections[name], **value}
            added = decode(merged, Origins, file=str(path), key=name).mirrors
            before = sections[name].get("mirrors", ()) if "mirrors" in value else ()
            sections[name] = {**merged, "mirrors": (*added, *before)}
        else:
            sections[name].update(value)


def _assemble(sections: dict[str, Any]) -> Catalogue:
    catalogue = Catalogue(
        series=sections["series"],
        releases=sections["releases"],
        profiles=sections["profiles"],
        default_profile=sections["default"],
        libraries=sections["libraries"],
        managers=sections["managers"],
        bases=sections["bases"],
        default_base=sections["base"],
        origins=msgspec.convert(sections["origins"], Origins),
        signers=sections["signers"],
    )
    catalogue.profile(catalogue.default_profile)
    catalogue.base(catalogue.default_base)
    for name, base in catalogue.bases.items():
        if base.manager not in catalogue.managers:
            raise UsageError(
                f"bases.{name}: there is no package manager {base.manager!r}",
                hint=f"Those in libraries.yaml are {', '.join(catalogue.managers)}.",
            )
    for version in catalogue.releases:
        if series_of(version) not in catalogue.series:
            raise UsageError(
                f"releases.{version}: its series {series_of(version)} is not described",
                hint=f'Add "{series_of(version)}" under `series` in cpython.yaml.',
            )
    return catalogue
