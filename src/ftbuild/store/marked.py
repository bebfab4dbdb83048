"""Removes directories that carry a mark of ours, and no others: a name alone makes nothing ours."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path


def is_marked(path: Path, marks: Collection[str]) -> bool:
    """Whether a path is a directory, no link to one, that has a file of one of these names."""
    return (
        not path.is_symlink()
        and path.is_dir()
        and any((path / mark).is_file() and not (path / mark).is_symlink() for mark in marks)
    )


def remove_marked(path: Path, marks: Collection[str]) -> None:
    """Remove a directory with a mark of ours, or an empty one.

    The marks go last: what a killed run leaves of it is still known for ours.

    Raises:
        OSError: It has no mark, is a link, or some of it cannot be removed.
    """
    if is_marked(path, marks):
        for entry in sorted(path.iterdir(), key=lambda entry: entry.name in marks):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    path.rmdir()
