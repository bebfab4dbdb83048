"""The cache of sources: entries verified on use, the unfinished file, the lock.

Nothing here follows a symbolic link at the places ftbuild writes to, so that one planted there
beforehand cannot send the bytes elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from ftbuild.errors import EnvironmentFault, Interrupted
from ftbuild.fetch.origins import Source
from ftbuild.files import make_directory, write_atomically

CHUNK = 1 << 20
"""Bytes read at a time from a file."""

MISSING = "is not there"

_NO_LINK = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_POLL = 0.1


def flaw(path: Path, source: Source) -> str | None:
    """Why a cache entry cannot be used, to be put behind its path; None if it is what it must be.

    A symbolic link is never used: what it points at can change after it was looked at.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if source.size not in {None, size}:
                return f"has {size:,} bytes instead of {source.size:,}"
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        return str(error.strerror)
    return None if digest == source.sha256 else f"has the SHA-256 {digest}, not the pinned one"


def open_regular(path: Path, *, follow: bool = False) -> io.BufferedReader:
    """Open a regular file to read, and nothing else.

    Args:
        path: The file.
        follow: Whether it may be a symbolic link to one.

    Raises:
        FileNotFoundError: It is not there.
        OSError: It cannot be opened, or is something else; `strerror` goes behind its path.
    """
    try:
        handle = os.open(path, os.O_RDONLY | _NO_LINK & ~(os.O_NOFOLLOW if follow else 0))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", errno.EINVAL)
        reason = f"cannot be read: {os.strerror(number)}"
        raise OSError(number, "is a symbolic link" if number == errno.ELOOP else reason) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "is not a regular file")
    return os.fdopen(handle, "rb")


def recall(path: Path, *, limit: int = 4 << 20) -> bytes | None:
    """A small answer that was kept; None where there is none that can be used, or a larger one."""
    with contextlib.suppress(OSError), open_regular(path) as file:
        content = file.read(limit + 1)
        return content if len(content) <= limit else None
    return None


def keep(path: Path, content: bytes) -> None:
    """Keep a small answer for the next run, whole or not at all; directories are made if need be.

    A cache that cannot be written to forgets. What had the name before, a symbolic link included,
    is replaced and never written through.
    """
    with contextlib.suppress(OSError, ValueError):  # a name may be none that a file can have
        make_directory(path.parent)
        write_atomically(path, content, durable=False)


def drop(path: Path) -> None:
    """Remove a cache entry: the link itself where it is one.

    Raises:
        EnvironmentFault: It cannot be removed.
    """
    try:
        path.unlink()
    except OSError as error:
        raise EnvironmentFault(
            f"{path} is no valid source and cannot be removed: {error.strerror}",
            hint="Remove it by hand, or name another root with --root.",
        ) from error


@contextlib.contextmanager
def locked(path: Path, *, stop: threading.Event, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a cache entry, whose directory is made if need be.

    A process that ends, however it ends, loses its lock; the lock's file stays behind.

    Args:
        path: The entry; the lock is beside it.
        stop: Ends the waiting.
        on_wait: Called once where another process holds the lock.

    Raises:
        EnvironmentFault: The directory cannot be written to, or the lock is a symbolic link.
        Interrupted: `stop` was set while waiting.
    """
    beside = path.with_name(f"{path.name}.lock")
    try:
        make_directory(path.parent)
        # Older releases of filelock follow links, and truncate what they find.
        if beside.is_symlink():
            raise _planted(beside, "a symbolic link")
        lock = FileLock(beside, mode=0o644)
        if not _taken(lock):
            on_wait()
            while not _taken(lock):
                if stop.wait(_POLL):
                    raise Interrupted(f"stopped while waiting for {path.name}")
    except OSError as error:
        raise EnvironmentFault(
            f"the cache {path.parent} cannot be written to: {error.strerror}",
            hint="Change its permissions, or name another root with --root.",
        ) from error
    try:
        yield
    finally:
        lock.release()


class Partial:
    """The unfinished file of a download, with the running hash of what it holds.

    What an earlier run left is kept and added to. Closing it keeps it for the next run, unless it
    is empty; any error while writing removes it.

    Attributes:
        size: Bytes it holds.

    Raises:
        EnvironmentFault: It cannot be made or written to, or what is there is not an ordinary
            file of this user's with no other name.
    """

    def __init__(self, path: Path) -> None:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o644)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _planted(path, "a symbolic link") from None
            raise _unwritable(path, error) from error
        self._path = path
        self._file = os.fdopen(handle, "r+b", buffering=0)
        status = os.fstat(handle)
        if (
            not stat.S_ISREG(status.st_mode)
            or status.st_nlink != 1
            or status.st_uid != os.geteuid()
        ):
            self._file.close()
            raise _planted(path, "not an ordinary file of this user's")
        self._hash = hashlib.sha256()
        self.size = 0
        while chunk := self._file.read(CHUNK):
            self._hash.update(chunk)
            self.size += len(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if not self._file.closed:
            self._file.close()
            if not self.size:
                self._path.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """Hash of what it holds."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Append."""
        with self._removed_on_error():
            left = memoryview(chunk)
            while left:
                left = left[self._file.write(left) :]
        self._hash.update(chunk)
        self.size += len(chunk)

    def clear(self) -> None:
        """Start over from nothing."""
        with self._removed_on_error():
            self._file.seek(0)
            self._file.truncate()
        self._hash = hashlib.sha256()
        self.size = 0

    def publish(self, path: Path) -> None:
        """Put it in its place, whole and on disk, and close it."""
        with self._removed_on_error():
            os.fsync(self._file.fileno())
            self._path.replace(path)
        self._file.close()

    @contextlib.contextmanager
    def _removed_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._file.close()
            with contextlib.suppress(OSError):
                self._path.unlink()
            raise _unwritable(self._path, error) from error


def _unwritable(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"{path} cannot be written: {error.strerror}",
        hint="Make sure there is space and permission, or name another root with --root.",
    )


def _planted(path: Path, what: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"{path} is {what}; ftbuild does not write to it",
        hint="Find out who put it there, and remove it.",
    )


def _taken(lock: FileLock) -> bool:
    with contextlib.suppress(Timeout):
        lock.acquire(timeout=0)
    return lock.is_locked
