"""Scratch directories of runs: marked as alive by a lock, cleared away once nobody holds it."""

from __future__ import annotations

import contextlib
import re
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ftbuild import process
from ftbuild.errors import EnvironmentFault
from ftbuild.store.layout import Layout, is_writable, read_mark, require_writable
from ftbuild.store.locks import held, is_free
from ftbuild.store.marked import is_marked, remove_marked

_NAME = re.compile(r"[0-9a-f]{8}")
_ALIVE = "alive.lock"
"""What a scratch directory is known by, both together: anything else in `work/` is not ours."""

_LOCK = "work.lock"


@contextlib.contextmanager
def scratch(layout: Layout) -> Iterator[Path]:
    """A private directory below `work/` for the length of a run.

    Directories that a killed run left are cleared first, together with processes of its builds
    that are still running. Nothing a new run makes ever lies in an old run's directory.

    Raises:
        EnvironmentFault: It cannot be made.
    """
    require_writable(layout)
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
            _remove(path)


@contextlib.contextmanager
def scratch_or_temporary(layout: Layout) -> Iterator[Path]:
    """A directory to write in for the length of a run that adds nothing to the root.

    Below the root, or a temporary one where there is no root of ours, or one to be read only.

    Raises:
        EnvironmentFault: It cannot be made.
    """
    if is_writable(layout) and read_mark(layout) and layout.work.is_dir():
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
    for path in () if layout.work.is_symlink() else layout.work.iterdir():
        if not _NAME.fullmatch(path.name) or path.is_symlink():
            continue
        if is_marked(path, (_ALIVE,)):
            if is_free(path / _ALIVE):
                count += _remove(path)
        else:  # killed before it had its lock: empty
            with contextlib.suppress(OSError):
                path.rmdir()
                count += 1
    return count


def _remove(path: Path) -> bool:
    """Remove a scratch directory, with the processes that belong to it, as far as that goes."""
    process.end_marked(str(path))
    with contextlib.suppress(OSError):
        remove_marked(path, (_ALIVE,))
    return not path.exists()
