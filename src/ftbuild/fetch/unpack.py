"""Opening a verified tarball without letting any member of it land elsewhere.

Every member is checked here, then written with exclusive creation. The `data` filter of the
standard library is not what this rests on: Python 3.11.0 to 3.11.3 do not have it, and patch
releases after them had holes in it. Owners, groups and special mode bits are not taken over.
"""

from __future__ import annotations

import gzip
import io
import os
import posixpath
import shutil
import sys
import tarfile
import threading
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ftbuild import zstd
from ftbuild.errors import EnvironmentFault, Interrupted

_LZMA_ERRORS: tuple[type[Exception], ...] = ()
try:
    import lzma
except ImportError:  # a Python built without liblzma; `_opened` says so when it matters
    pass
else:
    _LZMA_ERRORS = (lzma.LZMAError,)

MAX_BYTES = 2 << 30
"""Bytes an archive may unpack to. CPython 3.13 to 3.15 take 120 to 200 MB."""

MAX_MEMBERS = 100_000
"""Members an archive may have. CPython 3.13 to 3.15 have 5,000 to 6,000."""

MAX_READ = 1 << 20
"""Bytes read at once. Tar's extended headers are read in one piece: real ones have some hundred
bytes, hostile ones are as large as memory."""

_XZ = b"\xfd7zXZ\x00"
_GZIP = b"\x1f\x8b"
_DAMAGE: tuple[type[Exception], ...] = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    OverflowError,  # a time outside of what the system knows
    zstd.ZstdError,
    RecursionError,  # tarfile, on headers for headers for headers
    *_LZMA_ERRORS,
)


class Damaged(EnvironmentFault):
    """A tarball is damaged, or has a member that no tarball of ours has. Exit 3."""


def unpack(tarball: Path, into: Path, *, stop: threading.Event) -> Path:
    """Unpack a `.tar.xz`, `.tar.zst` or `.tgz`, keeping times and executable bits.

    Args:
        tarball: The archive, already verified.
        into: Directory to be made, for this user alone; it must not exist, or be empty. Removed
            again on any failure.
        stop: Ends the unpacking when set.

    Returns:
        The one directory at the archive's top, below `into`.

    Raises:
        Damaged: The archive is cut short or altered, is too large or has a member that could land
            elsewhere.
        EnvironmentFault: There is no space, or `into` holds something.
        Interrupted: `stop` was set.
    """
    with _opened(tarball) as stream:
        _make_private(into)
        try:
            return into / _extracted(_Bounded(stream), tarball, into, stop)
        except BaseException as error:
            shutil.rmtree(into, ignore_errors=True)
            if isinstance(error, _DAMAGE):
                raise _damaged(tarball, error) from error
            if isinstance(error, OSError):
                raise EnvironmentFault(
                    f"{tarball} cannot be unpacked into {into}: {error.strerror}",
                    hint="Make sure there is space and permission, or name another root with "
                    "--root.",
                ) from error
            raise


def first_file(tarball: Path) -> tuple[str, bytes]:
    """The name and the content of a tarball's first member, which must be a file.

    Raises:
        Damaged: There is no such thing to be found in it.
        EnvironmentFault: It cannot be read.
    """
    with _opened(tarball) as stream:
        try:
            with tarfile.TarFile(fileobj=_Bounded(stream)) as archive:
                member = archive.next()
                content = None if member is None else archive.extractfile(member)
                if member is None or content is None:
                    raise tarfile.ReadError("it does not begin with a file")
                return member.name, content.read(MAX_READ)
        except _DAMAGE as error:
            raise _damaged(tarball, error) from error
        except OSError as error:
            raise EnvironmentFault(f"{tarball} cannot be read: {error.strerror}") from error


def one_file(tarball: Path, path: str) -> bytes | None:
    """The content of one file in a tarball, found by its path below the top directory.

    Args:
        tarball: The archive, already verified. It is read up to the file, for lack of an index.
        path: `Tools/ftscalingbench/ftscalingbench.py`.

    Returns:
        The first `MAX_READ` bytes of it, or None if there is no such file.

    Raises:
        Damaged: The archive is cut short or altered.
        EnvironmentFault: It cannot be read.
    """
    with _opened(tarball) as stream:
        try:
            with tarfile.TarFile(fileobj=_Bounded(stream)) as archive:
                for member in archive:
                    if member.isreg() and _path(member).partition("/")[2] == path:
                        content = archive.extractfile(member)
                        return None if content is None else content.read(MAX_READ)
                return None
        except _DAMAGE as error:
            raise _damaged(tarball, error) from error
        except OSError as error:
            raise EnvironmentFault(f"{tarball} cannot be read: {error.strerror}") from error


def objection(member: tarfile.TarInfo, seen: Mapping[str, bytes]) -> str | None:
    """Why a member must not be unpacked; None if nothing speaks against it.

    Args:
        member: The member; its name is taken as relative to the directory unpacked into.
        seen: Tar's type (`REGTYPE`, `DIRTYPE`, `SYMTYPE`) of each normalised path unpacked so
            far, the directories above them included.
    """
    path = _path(member)
    above = _above(path)
    top = above[-1] if above else path
    blocked = next(
        (parent for parent in above if seen.get(parent, tarfile.DIRTYPE) != tarfile.DIRTYPE), None
    )
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))
    objections = {
        "its name is absolute": member.name.startswith("/"),
        "its name leads upwards": ".." in member.name.split("/"),
        "it has no proper name": "\0" in member.name + member.linkname or path == ".",
        "it is neither file, directory nor link": not (
            member.isreg() or member.isdir() or member.issym() or member.islnk()
        ),
        "its size is not a size": member.size < 0,
        "it is not in a directory": not above and not member.isdir(),
        "it is not in the top directory of the others": bool(seen) and top not in seen,
        f"its name goes through {blocked!r}, which is not a directory": blocked is not None,
        "there was a member of that name before": path in seen
        and not (member.isdir() and seen[path] == tarfile.DIRTYPE),
        f"it links to {member.linkname!r}, outside": member.issym()
        and not (target == top or target.startswith(f"{top}/")),
        f"it links to {member.linkname!r}, which is not a file unpacked before": member.islnk()
        and seen.get(posixpath.normpath(member.linkname)) != tarfile.REGTYPE,
    }
    return next((reason for reason, applies in objections.items() if applies), None)


class _Bounded(io.BufferedIOBase):
    """A decompressed stream that gives up on bombs: as much as `tarfile` needs of a file."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= MAX_READ:
            raise tarfile.ReadError("it has a header of absurd size")
        data = self._stream.read(size)
        self._measure(self._stream.tell())
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._measure(offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def _measure(self, reached: int) -> None:
        if reached > MAX_BYTES:
            raise tarfile.ReadError(f"it holds more than {MAX_BYTES:,} bytes")


def _opened(tarball: Path) -> io.BufferedIOBase:
    """The decompressed stream."""
    try:
        with tarball.open("rb") as file:
            magic = file.read(len(_XZ))
        if magic.startswith(_GZIP):
            return gzip.open(tarball)
        if magic.startswith(zstd.MAGIC):
            return zstd.reader(tarball)
        if magic == _XZ and _LZMA_ERRORS:
            return lzma.open(tarball)
    except OSError as error:
        raise EnvironmentFault(f"{tarball} cannot be read: {error.strerror}") from error
    if magic == _XZ:
        raise EnvironmentFault(
            f"{tarball} cannot be unpacked: {sys.executable} has no lzma module",
            hint="Run ftbuild with a Python that was built with liblzma, such as the system's.",
        )
    raise Damaged(
        f"{tarball} is no .tar.xz, .tar.zst or .tgz archive",
        hint="Give a source tarball as python.org publishes it.",
    )


def _make_private(directory: Path) -> None:
    try:
        if directory.is_dir() and not directory.is_symlink():
            directory.rmdir()
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700)
    except OSError as error:
        raise EnvironmentFault(
            f"{directory} cannot be made: {error.strerror}",
            hint="A source is unpacked into a directory of its own, which must not exist before.",
        ) from error


def _extracted(stream: _Bounded, tarball: Path, into: Path, stop: threading.Event) -> str:
    """Write every member; return the name of the top directory."""
    top = ""
    links: list[str] = []
    with tarfile.TarFile(fileobj=stream) as archive:
        for path, member in _harmless(archive, tarball):
            if stop.is_set():
                raise Interrupted(f"the unpacking of {tarball.name} was stopped")
            _write(archive, member, into, into / path)
            top = path.partition("/")[0]
            if member.issym():
                links.append(path)
    if not top:
        raise tarfile.ReadError("it is empty")
    # The check of a compressed stream stands at its end, which tar has no need to read.
    while stream.read(MAX_READ):
        pass
    # One link may lead through another: only now can it be seen where each ends.
    inside = Path(os.path.realpath(into / top))
    for link in links:
        if not Path(os.path.realpath(into / link)).is_relative_to(inside):
            raise _refused(tarball, link, "it links, through other links, to the outside")
    return top


def _harmless(archive: tarfile.TarFile, tarball: Path) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """The members with their normalised paths, as long as nothing speaks against one."""
    seen: dict[str, bytes] = {}
    size = 0
    for count, member in enumerate(archive):
        size += member.size
        why = objection(member, seen)
        if size > MAX_BYTES or count >= MAX_MEMBERS:
            why = f"it goes beyond {MAX_BYTES:,} bytes or {MAX_MEMBERS:,} members"
        if why is not None:
            raise _refused(tarball, member.name, why)
        path = _path(member)
        for parent in _above(path):
            seen.setdefault(parent, tarfile.DIRTYPE)
        seen[path] = tarfile.REGTYPE if member.isreg() or member.islnk() else member.type
        yield path, member


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path, path: Path) -> None:
    """Write one member that was found harmless."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        path.mkdir(exist_ok=True)
    elif member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        os.link(into / posixpath.normpath(member.linkname), path)
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(path, flags, 0o755 if member.mode & 0o100 else 0o644)
        content = archive.extractfile(member)
        with os.fdopen(handle, "wb") as file:
            if content is not None:
                shutil.copyfileobj(content, file)
        os.utime(path, (member.mtime, member.mtime))


def _path(member: tarfile.TarInfo) -> str:
    return posixpath.normpath(member.name)


def _above(path: str) -> list[str]:
    """The directories that a normalised path goes through, the nearest first."""
    above = []
    while path := path.rpartition("/")[0]:
        above.append(path)
    return above


def _damaged(tarball: Path, error: BaseException) -> Damaged:
    return Damaged(
        f"{tarball} cannot be unpacked: {error}", hint="Remove it, so that it is fetched again."
    )


def _refused(tarball: Path, name: str, why: str) -> Damaged:
    return Damaged(
        f"{tarball} is refused: its member {name!r}: {why}",
        hint="No CPython source has such a member: do not build this file, whoever sent it.",
    )
