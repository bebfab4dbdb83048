"""Reads files within limits, and writes them whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import secrets
import select
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ftbuild.errors import EnvironmentFault, UsageError

LIMIT = 64 << 20
"""Bytes that a text a user names may have. The largest lock files seen have 2 MB."""

PATIENCE = 30.0
"""Seconds that a pipe may take to its end: who writes requirements may resolve them first."""

_CHUNK = 1 << 20

_ROOM = 1 << 16
"""Bytes that can be written where a disk is not full."""

_FULL = {number: os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT)}

UNFINISHED = ".ftbuild"
"""What the name of a file ends in while we write it: so it is ours to remove, if we are killed."""

_NAME = 200
"""Bytes of a name that its temporary file has too: no name may have more than 255."""


def read_file(path: Path, *, limit: int = LIMIT, patience: float = PATIENCE) -> bytes:
    """The content of a regular file or a pipe (`<(command)`, `/dev/stdin`), never of a device.

    Args:
        path: The file; links are followed.
        limit: Bytes it may have.
        patience: Seconds that a pipe may take to its end.

    Raises:
        OSError: It cannot be read, is larger, takes longer, or is something else; `strerror` says
            what is wrong in words of ours.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise OSError(errno.EINVAL, "neither a regular file nor a pipe", str(path))
        content = bytearray()
        deadline = time.monotonic() + patience
        while len(content) <= limit:
            chunk = _next_chunk(file, deadline)
            if chunk is None:
                raise OSError(errno.ETIMEDOUT, f"it did not end within {patience:g} s", str(path))
            if not chunk:
                return bytes(content)
            content += chunk
    raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes", str(path))


def read_text(path: Path, *, limit: int = LIMIT, patience: float = PATIENCE) -> str:
    """The same as text, of which a byte order mark is left out.

    Raises:
        OSError: As of `read_file`.
        UnicodeDecodeError: It is not UTF-8.
    """
    return read_file(path, limit=limit, patience=patience).decode("utf-8-sig")


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file so that a reader finds the old content or the new, never a part.

    Args:
        path: The file. What has its name, a symbolic link included, is replaced and never written
            through.
        content: What it is to hold.
        durable: Whether it must be on the disk when this returns; a cache can do without.

    Raises:
        OSError: The system refused; the old content is still there, and nothing else is left.
    """
    with open_atomically(path, durable=durable) as sink:
        sink.write(content)


@contextlib.contextmanager
def open_atomically(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file that takes its place when the block ends well, and else vanishes.

    Nobody but its owner may write to it, whatever the umask. Its `name` is that which it has until
    then. It is locked meanwhile, so that what a killed run left can be told from it.

    Raises:
        OSError: The system refused; what was in its place is still there.
    """
    name = os.fsdecode(os.fsencode(path.name)[:_NAME])
    if durable:
        clear_unfinished(path.parent, name)
    temporary = path.with_name(f".{name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        with _create_locked(temporary) as sink:
            yield sink
            if durable:
                sink.flush()
                os.fsync(sink.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_unfinished(folder: Path, name: str = "*") -> None:
    """Remove what killed runs left of files that they were writing in a directory.

    Args:
        folder: The directory.
        name: The file that was to be written; a pattern.
    """
    pattern = f".{name if name == '*' else glob.escape(name)}.{'[0-9a-f]' * 8}{UNFINISHED}"
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if stat.S_ISREG(os.fstat(handle).st_mode):
                    path.unlink()


def _create_locked(path: Path) -> BinaryIO:
    """A new file, locked by us before anybody took it for one that was left behind."""
    while True:
        sink = open(path, "xb", opener=lambda at, how: os.open(at, how, 0o644))  # noqa: SIM115 - the mode; the caller closes
        with contextlib.suppress(OSError):  # not every file system has locks
            fcntl.flock(sink, fcntl.LOCK_EX)
        if os.fstat(sink.fileno()).st_nlink:
            return sink
        sink.close()


def full_disk(error: OSError) -> EnvironmentFault | None:
    """The fault that an error is if a disk or a quota is full; None if it is something else."""
    if error.errno not in _FULL:
        return None
    return EnvironmentFault(
        f"no space left: {error.filename or 'a file'} cannot be written: {error.strerror}",
        hint="Free some space (`ftbuild gc` removes old builds), then run the same command again.",
    )


def require_room(folder: Path, said: str = "") -> None:
    """Make sure that a command that failed did not do so because the disk is full.

    Args:
        folder: Where it could write.
        said: What it said of its failure.

    Raises:
        EnvironmentFault: It said so itself, or nothing can be written there.
    """
    try:
        for number, words in _FULL.items():
            if words in said:
                raise OSError(number, words, str(folder))  # noqa: TRY301
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            if (written := file.write(bytes(_ROOM))) < _ROOM:
                file.write(bytes(_ROOM - written))  # for the error that it is
    except OSError as error:
        if fault := full_disk(error):
            raise fault from error


def expand_home(path: Path) -> Path:
    """A path with `~` expanded.

    Raises:
        UsageError: It begins with `~`, and whose home that is cannot be found out.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(
            f"{path}: there is no such home directory",
            hint="Set HOME, or write the path in full.",
        ) from None


def make_directory(path: Path, mode: int = 0o755) -> None:
    """Make a directory, and those above it, in which nobody but its owner may write.

    What is there already stays as it is.

    Args:
        path: The directory.
        mode: Its permissions, of which the umask may take more away.

    Raises:
        OSError: It cannot be made.
    """
    try:
        path.mkdir(mode)
    except FileNotFoundError:
        make_directory(path.parent)
        make_directory(path, mode)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None


def _next_chunk(file: BinaryIO, deadline: float) -> bytes | None:
    """Bytes of a file, none at its end; None where nothing came in time."""
    ready = select.poll()
    ready.register(file, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        # Asked first: a pipe that nobody has opened to write yet would seem to have ended.
        if ready.poll(left * 1000):
            chunk = file.read(_CHUNK)
            if chunk is not None:
                return chunk
    return None
