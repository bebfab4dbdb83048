"""Scratch directories of runs: marked as alive by a lock, cleared away once nobody holds it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ftbuild import process
from ftbuild.errors import EnvironmentFault
from ftbuild.store.layout import Layout
from ftbuild.store.locks import held, is_free

_ALIVE = "alive.lock"
_LOCK = "work.lock"


@contextlib.contextmanager
def scratch(layout: Layout) -> Iterator[Path]:
    """A private directory below `work/` for the length of a run.

    Directories that a killed run left are cleared first, together with processes of its builds
    that are still running. Nothing a new run makes ever lies in an old run's directory.

    Raises:
        EnvironmentFault: It cannot be made.
    """
    path = layout.work / secrets.token_hex(4)
    with contextlib.ExitStack() as alive:
        with held(layout.locks / _LOCK):
            _clear(layout)
            try:
                path.mkdir(mode=0o700)
            except OSError as error:
                raise EnvironmentFault(f"{path} cannot be made: {error.strerror}") from error
            alive.enter_context(held(path / _ALIVE))
        try:
            yield path
        finally:
            process.end_marked(str(path))
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def scratch_or_temporary(layout: Layout) -> Iterator[Path]:
    """A directory to write in for the length of a run that adds nothing to the root.

    Below the root, or a temporary one where the root is somebody else's.

    Raises:
        EnvironmentFault: It cannot be made.
    """
    if os.access(layout.work, os.W_OK):
        with scratch(layout) as path:
            yield path
    else:
        with tempfile.TemporaryDirectory(prefix="ftbuild-") as name:
            yield Path(name)


def clear_abandoned(layout: Layout) -> int:
    """Remove the scratch directories whose run is gone; return how many there were."""
    with held(layout.locks / _LOCK):
        return _clear(layout)


def _clear(layout: Layout) -> int:
    count = 0
    for path in layout.work.iterdir():
        with contextlib.suppress(OSError, EnvironmentFault):
            if path.is_symlink() or not path.is_dir():
                path.unlink()
            elif _abandoned(path):
                process.end_marked(str(path))
                shutil.rmtree(path, ignore_errors=True)
                count += 1
    return count


def _abandoned(path: Path) -> bool:
    lock = path / _ALIVE
    return not lock.exists() or is_free(lock)
