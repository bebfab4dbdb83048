"""A virtual environment as an input: what is installed in it, and what of that was asked for."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ftbuild import files
from ftbuild.auditing.inputs.locks import Locked, Root
from ftbuild.errors import UsageError

_INSTALLERS = frozenset({"pip", "setuptools", "wheel", "uv"})
"""What venv and its like put into an environment for their own ends."""


def read_environment(place: Path) -> Locked:
    """What is installed in an environment.

    Its versions are pins. What it is for is not recorded: what no other package requires counts as
    asked for.

    Args:
        place: The directory with its `pyvenv.cfg`.

    Raises:
        UsageError: It has no directory for packages, or cannot be read.
    """
    folders = _site_packages(place)
    if not folders:
        raise UsageError(
            f"{place} has a pyvenv.cfg and no site-packages: it is no whole virtual environment",
            hint="Make it anew, or name what it was made from.",
        )
    found = {
        canonicalize_name(item.metadata["Name"]): item
        for item in (_Installed(path) for folder in folders for path in _metadata(folder))
        if item.metadata["Name"]
    }
    direct = {name: _direct(name, item) for name, item in found.items()}
    local = {name for name, text in direct.items() if text == ""}
    markers = _markers(place / "pyvenv.cfg")
    required = {
        (name, needed)
        for name, item in found.items()
        for needed in _required(item.requires or (), markers)
    }
    used = {needed for name, needed in required if name not in _INSTALLERS}
    kept = {
        name: item
        for name, item in found.items()
        if name not in local and (name not in _INSTALLERS or name in used)
    }
    inner = {needed for name, needed in required if name in kept and name != needed}
    roots = [
        Root(text=direct[name] or f"{name}=={item.version}")
        for name, item in sorted(kept.items())
        if name not in inner or direct[name]
    ]
    return Locked(
        pins=tuple(
            f"{name}=={item.version}" for name, item in sorted(kept.items()) if not direct[name]
        ),
        roots=tuple(roots),
        notes=(
            (f"installed from this machine and left out: {', '.join(sorted(local))}",)
            if local
            else ()
        ),
    )


def _site_packages(place: Path) -> list[Path]:
    found = (*place.glob("lib*/python3*/site-packages"), place / "Lib" / "site-packages")
    return list(dict.fromkeys(path.resolve() for path in found if path.is_dir()))


def _metadata(folder: Path) -> Iterator[Path]:
    """Where the packages in a directory say what they are."""
    for pattern in ("*.dist-info", "*.egg-info", "*.egg/EGG-INFO"):
        yield from sorted(folder.glob(pattern))


class _Installed(metadata.PathDistribution):
    """An installed package, of which no file without an end is read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._folder = path

    def read_text(self, filename: str | os.PathLike[str]) -> str | None:
        path = self._folder / filename
        try:
            return files.read_file(path).decode("utf-8", "replace")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
            return None
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _direct(name: str, item: metadata.Distribution) -> str | None:
    """A requirement for what was installed by address; empty if that is on this machine.

    None for what comes from an index. The record is PEP 610's `direct_url.json`.
    """
    try:
        record = msgspec.json.decode(item.read_text("direct_url.json") or "null")
    except msgspec.DecodeError:
        return None
    if not isinstance(record, dict):
        return None
    address = str(record.get("url", ""))
    if not address or address.startswith("file:"):
        return ""
    vcs = record.get("vcs_info") or {}
    part = f"#subdirectory={record['subdirectory']}" if record.get("subdirectory") else ""
    if "commit_id" in vcs:
        return f"{name} @ {vcs.get('vcs', 'git')}+{address}@{vcs['commit_id']}{part}"
    return f"{name} @ {address}{part}"


def _required(requires: Iterable[str], markers: dict[str, str]) -> Iterator[str]:
    """What a package requires in an environment.

    Not what its extras do: nothing records which were asked for, so what they brought counts as
    asked for by itself.
    """
    for text in requires:
        # Not a requirement, or one whose marker compares what cannot be compared.
        with contextlib.suppress(ValueError, RecursionError):
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate(markers):
                yield canonicalize_name(wanted.name)


def _markers(file: Path) -> dict[str, str]:
    """The Python of an environment, for markers."""
    try:
        text = files.read_file(file).decode(errors="replace")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    lines = (line.partition("=") for line in text.splitlines())
    facts = {key.strip(): value.strip() for key, _, value in lines}
    found = re.match(r"\d+\.\d+(\.\d+)?", facts.get("version") or facts.get("version_info", ""))
    markers = {"extra": ""}
    if found:
        markers["python_full_version"] = found[0]
        markers["python_version"] = ".".join(found[0].split(".")[:2])
    return markers
