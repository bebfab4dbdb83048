"""The wheel of ftbuild itself, made from the package that is running.

An image is built by the same ftbuild that was asked for it, be that a checkout, an editable
installation or a wheel's. Equal content gives equal bytes, and neither documents nor tests are part
of it, so that an engine's layer cache holds until ftbuild itself changes.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ftbuild
from ftbuild import __version__
from ftbuild.catalogue import own_recipes
from ftbuild.errors import EnvironmentFault

NAME = "ftbuild"

_PACKAGE = Path(ftbuild.__file__).parent
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can hold."""

_MODE = 0o100644
_UNIX = 3


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What ftbuild's metadata says.

    Attributes:
        python: The Pythons it is for, a version specifier.
        requires: What it requires without any extra.
        commands: Its commands: a name, and the function behind it.
    """

    python: str
    requires: tuple[Requirement, ...]
    commands: Mapping[str, str]


def own_project() -> Project:
    """What ftbuild's metadata says: those of its checkout, or of its installation.

    Those of an editable installation may be older than the checkout that it points to.
    """
    if own_recipes().is_relative_to(_PACKAGE):
        return _installed(metadata.distribution(NAME))
    table = tomllib.loads((_PACKAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    return _declared(table["project"])


def own_wheel(into: Path) -> Path:
    """Write ftbuild's own wheel.

    Args:
        into: The directory that gets it.

    Returns:
        Its path.

    Raises:
        EnvironmentFault: It cannot be written.
    """
    project = own_project()
    about = f"{NAME}-{__version__}.dist-info"
    files = {
        **{f"{NAME}/{name}": content for name, content in _content(_PACKAGE)},
        **{f"{NAME}/recipes/{name}": content for name, content in _content(own_recipes())},
        f"{about}/METADATA": _lines(
            "Metadata-Version: 2.1",
            f"Name: {NAME}",
            f"Version: {__version__}",
            f"Requires-Python: {project.python}",
            *(f"Requires-Dist: {requirement}" for requirement in project.requires),
        ),
        f"{about}/WHEEL": _lines(
            "Wheel-Version: 1.0", f"Generator: {NAME}", "Root-Is-Purelib: true", "Tag: py3-none-any"
        ),
        f"{about}/entry_points.txt": _lines(
            "[console_scripts]",
            *(f"{name} = {function}" for name, function in sorted(project.commands.items())),
        ),
    }
    record = f"{about}/RECORD"
    rows = (f"{name},sha256={_hash(content)},{len(content)}" for name, content in files.items())
    files[record] = _lines(*sorted(rows), f"{record},,")
    path = into / f"{NAME}-{__version__}-py3-none-any.whl"
    # Stored, because what compression makes of equal content depends on the zlib there is.
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name, content in sorted(files.items()):
                member = zipfile.ZipInfo(name, _EPOCH)
                member.create_system = _UNIX
                member.external_attr = _MODE << 16
                archive.writestr(member, content)
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be written: {error.strerror}",
            hint="It takes 1 MB below the root; is there space left?",
        ) from error
    return path


def _installed(own: metadata.Distribution) -> Project:
    return Project(
        python=own.metadata["Requires-Python"],
        requires=tuple(_core(own.requires or ())),
        commands={
            entry.name: entry.value for entry in own.entry_points.select(group="console_scripts")
        },
    )


def _declared(table: Mapping[str, Any]) -> Project:
    return Project(
        python=table["requires-python"],
        requires=tuple(_core(table["dependencies"])),
        commands=table["scripts"],
    )


def _core(requires: Iterable[str]) -> Iterator[Requirement]:
    """What is required without any extra, in the order of names."""
    found = (Requirement(text) for text in requires)
    core = (each for each in found if "extra ==" not in str(each.marker or ""))
    yield from sorted(core, key=lambda each: (canonicalize_name(each.name), str(each)))


def _content(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files below a folder: their relative paths, and what is in them."""
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _hash(content: bytes) -> str:
    """A hash as RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
