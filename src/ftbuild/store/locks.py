"""Locks between runs on one root. The system frees them when their holder dies, however it dies.

Whoever needs several takes them in this order, so that no two runs wait for each other: that of an
image or of a directory of exports or archives, `work.lock`, that of a prefix, `links.lock`,
`places.lock`. What is to be removed or replaced is looked at again when its locks are held: another
run may have linked it, built it anew or removed it since it was chosen.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
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
    lock = filelock.FileLock(path, mode=0o644)
    told = False
    try:
        if path.is_symlink():  # older releases of filelock follow it, and truncate what they find
            raise EnvironmentFault(
                f"{path} is a symbolic link; ftbuild does not write to it",
                hint="Find out who put it there, and remove it.",
            )
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
    """Whether nobody holds a lock at this moment. Writes nothing; what cannot be told is no."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
