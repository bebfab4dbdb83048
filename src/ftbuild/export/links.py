"""Symbolic links outside the root: put in place in one step, told from those of others, removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from ftbuild.errors import EnvironmentFault
from ftbuild.store.links import swap

Status = Literal["linked", "updated", "already", "taken", "removed", "kept"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a name outside the root.

    Attributes:
        name: What it is called there: `python3.14t`, or `3.14.7t` for pyenv.
        path: The link, or the directory of links.
        build: The friendly name of the build, `cpython-3.14.7t`.
        status: `linked` or `updated` now, there `already`, `taken` by something that is not ours,
            `removed`, or `kept` because something of others is in it.
        note: What is in the way, or what was left.
    """

    name: str
    path: Path
    build: str
    status: Status
    note: str = ""


def target(path: Path) -> str:
    """What a link says, to the letter; empty where there is no link."""
    try:
        return os.readlink(path)  # noqa: PTH115 - a Path would be another text
    except OSError:
        return ""


def is_there(path: Path) -> bool:
    """Whether a name is in use, be it by a link to nowhere."""
    return path.is_symlink() or path.exists()


def what_is(path: Path) -> str:
    """What has a name, for people."""
    if path.is_symlink():
        return f"a link to {target(path)}"
    return "a directory" if path.is_dir() else "a file"


def point(path: Path, to: Path) -> None:
    """Make a link, or swap one for it, in one step.

    Raises:
        EnvironmentFault: The directory cannot be written.
    """
    try:
        swap(path, to)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def unwritable(folder: Path, error: OSError) -> EnvironmentFault:
    """The error that a directory outside the root cannot be changed."""
    return EnvironmentFault(
        f"{folder} cannot be changed: {error.strerror}",
        hint="Choose a directory you may write, or run this as the user it belongs to.",
    )
