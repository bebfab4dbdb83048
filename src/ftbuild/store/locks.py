"""Locks between runs on one root. The system frees them when their holder dies, however it dies."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from ftbuild.errors import EnvironmentFault, Interrupted

_POLL = 0.1


@contextlib.contextmanager
def held(
    path: Path,
    *,
    stop: threading.Event | None = None,
    on_wait: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Hold a lock for as long as the block runs, waiting for another run to give it up.

    Args:
        path: The lock file.
        stop: Ends the waiting when set.
        on_wait: Called once if the lock is not to be had at once.

    Raises:
        Interrupted: `stop` was set while waiting.
        EnvironmentFault: The lock file cannot be opened.
    """
    lock = filelock.FileLock(path)
    told = False
    try:
        while not lock.is_locked:
            try:
                lock.acquire(timeout=_POLL)
            except filelock.Timeout:
                if not told:
                    on_wait()
                    told = True
                if stop is not None and stop.is_set():
                    raise Interrupted("stopped while waiting for another run") from None
            except OSError as error:
                raise EnvironmentFault(f"{path} cannot be locked: {error.strerror}") from error
        yield
    finally:
        lock.release()


def is_free(path: Path) -> bool:
    """Whether nobody holds a lock at this moment."""
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return False
    lock.release()
    return True
