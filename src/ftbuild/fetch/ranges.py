"""What is inside a remote file, without downloading all of it where that can be avoided.

A zip has its directory at its end, and wheels have their metadata right before it: one request
for the tail tells what is in most of them. A tarball has no directory; it is read as it comes.
Nothing is ever unpacked, and every length that a file claims has a bound.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, TypeVar

import msgspec

from ftbuild.fetch import wire
from ftbuild.fetch.access import OFFLINE, Access
from ftbuild.fetch.cache import open_regular
from ftbuild.fetch.deadlines import Watch
from ftbuild.fetch.origins import local_path

TAIL = 256 << 10
"""Bytes of a zip that are asked for first: the directory of 2,000 files and the metadata."""

BLOCK = 64 << 10
"""Bytes that are asked for at least, whenever more is needed."""

WHOLE = 64 << 20
"""Bytes of a file that may be downloaded where its server cannot send parts of one, and that all
parts of a file may have together."""

TEXT = 1 << 20
"""Bytes of a member that is read. Of the largest METADATA known, most is a README of 300,000."""

SEARCHED = 64 << 20
"""Bytes of a member that is searched."""

UNPACKED = 512 << 20
"""Bytes a tarball may unpack to. That of SciPy has 290 million, the largest of a popular one."""

MEMBERS = 200_000
"""Members that an archive may have. The wheel of PyTorch has 13,000."""

_AT_ONCE = 32 << 20
_REQUESTS = 32
_MEMORY = 8 << 20
_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, struct.error),
    # What the archive modules of the standard library raise besides, for what is no archive.
    *(ValueError, NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError),
    OSError,
)

T = TypeVar("T")

Wanted = Callable[[str], bool]
"""Says of a member's name whether its text is wanted."""

Sought = Callable[[str], bytes | None]
"""Says of a member's name which bytes are sought in it, if any."""


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """What is inside an archive.

    Attributes:
        names: The names of all files.
        texts: The text of those that were wanted, by name.
        found: The names of those that hold the bytes which were sought in them.
    """

    names: tuple[str, ...]
    texts: dict[str, str]
    found: frozenset[str] = frozenset()


def look(
    url: str,
    size: int | None,
    wanted: Wanted,
    *,
    sought: Sought = lambda _: None,
    access: Access,
) -> Members:
    """What is inside a zip: a wheel, or an old sdist.

    Args:
        url: Where it is: `http://`, `https://` or `file://`.
        size: Bytes it has, or None where nobody knows.
        wanted: Which members' text to read.
        sought: Which members to search, and what for.
        access: How to ask.

    Raises:
        wire.Failed: It cannot be had, or is no zip.
        Interrupted: The run was stopped.
    """
    try:
        with _opened(url, size, access) as file, zipfile.ZipFile(file) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            if len(members) > MEMBERS:
                raise wire.Failed(f"has more than {MEMBERS:,} members")
            return Members(
                names=tuple(each.filename for each in members),
                texts={
                    each.filename: _text(archive, each)
                    for each in members
                    if each.file_size <= TEXT and _plain(each) and wanted(each.filename)
                },
                found=frozenset(
                    each.filename
                    for each in members
                    if _plain(each)
                    and (bytes_sought := sought(each.filename)) is not None
                    and _holds(archive, each, bytes_sought)
                ),
            )
    except _DAMAGED as error:
        raise wire.Failed(f"is no zip that can be read: {error}") from None


def unroll(url: str, size: int | None, wanted: Wanted, *, limit: int, access: Access) -> Members:
    """What is inside a `.tar.gz`: an sdist.

    Args:
        url: Where it is: `http://`, `https://` or `file://`.
        size: Bytes it has, or None where nobody knows.
        wanted: Which members' text to read.
        limit: Bytes it may have.
        access: How to ask.

    Raises:
        wire.Failed: It has more, cannot be had, or is no tarball.
        Interrupted: The run was stopped.
    """
    if size is not None and size > limit:
        raise wire.Failed(f"has {size:,} bytes, more than is looked into")

    def read(packed: IO[bytes]) -> Members:
        with (
            gzip.GzipFile(fileobj=packed) as unpacked,
            tarfile.TarFile(fileobj=_Bounded(unpacked)) as archive,
        ):
            return _listed(archive, wanted)

    try:
        return _stream(url, limit, access, read)
    except _DAMAGED as error:
        raise wire.Failed(f"is no .tar.gz that can be read: {error}") from None


def document(url: str, *, access: Access) -> str | None:
    """A small document, or None where its server has none.

    Raises:
        wire.Failed: It cannot be had.
        Interrupted: The run was stopped.
    """
    try:
        return _stream(url, TEXT, access, lambda file: file.read().decode(errors="replace"))
    except wire.Absent:
        return None


def _listed(archive: tarfile.TarFile, wanted: Wanted) -> Members:
    names: list[str] = []
    texts: dict[str, str] = {}
    for member in archive:
        if not member.isfile():
            continue
        if len(names) >= MEMBERS:
            raise wire.Failed(f"has more than {MEMBERS:,} members")
        names.append(member.name)
        if member.size <= TEXT and wanted(member.name):
            content = archive.extractfile(member)
            if content is not None:
                texts[member.name] = content.read().decode(errors="replace")
    return Members(names=tuple(names), texts=texts)


def _plain(member: zipfile.ZipInfo) -> bool:
    """Whether it is packed the way wheels are; what else there is may need gigabytes to unpack."""
    return member.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def _text(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    with archive.open(member) as content:
        return content.read(TEXT).decode(errors="replace")


def _holds(archive: zipfile.ZipFile, member: zipfile.ZipInfo, wanted: bytes) -> bool:
    """Whether a member holds some bytes, as far as it is searched."""
    with archive.open(member) as content:
        rest, read = b"", 0
        while read < SEARCHED and (chunk := content.read(1 << 20)):
            if wanted in rest + chunk:
                return True
            rest, read = chunk[-len(wanted) :], read + len(chunk)
    return False


@contextlib.contextmanager
def _opened(url: str, size: int | None, access: Access) -> Iterator[IO[bytes]]:
    """A file to read from anywhere."""
    path = local_path(url)
    if path is not None:
        try:
            file = open_regular(path, follow=True)
        except FileNotFoundError:
            raise wire.Absent("is not there") from None
        except OSError as error:
            raise wire.Failed(str(error.strerror)) from None
        with file:
            yield file
        return
    if access.offline:
        raise wire.Failed(OFFLINE)
    with contextlib.closing(_Remote(access.address(url), size, access)) as remote:
        yield io.BufferedReader(remote)


def _stream(url: str, limit: int, access: Access, read: Callable[[IO[bytes]], T]) -> T:
    """What is read of a file from its beginning; reading beyond the limit fails."""
    if local_path(url) is not None:
        with _opened(url, None, access) as file:
            return read(file)
    if access.offline:
        raise wire.Failed(OFFLINE)
    address = access.address(url)

    def exchange(watch: Watch) -> T:
        how, stop = access.how(), access.stop
        with wire.ask(address, offset=0, how=how, watch=watch, stop=stop) as body:
            return read(io.BufferedReader(_Pieces(body, limit)))

    return access.ask(address, exchange)


class _Pieces(io.RawIOBase):
    """The body of an answer, as a file."""

    def __init__(self, body: wire.Body, limit: int) -> None:
        super().__init__()
        self._body = body
        self._limit = limit
        self._read = 0
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(next(self._body.chunks, b""))
            self._read += len(self._rest)
            if self._read > self._limit:
                raise wire.Failed(f"has more than {self._limit:,} bytes")
            if not self._rest and self._body.total not in {None, self._read}:
                raise wire.Broken(f"ended after {self._read:,} of {self._body.total:,} bytes")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class _Bounded(io.BufferedIOBase):
    """A decompressed stream that gives up on bombs: as much as `tarfile` needs of a file."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= TEXT * 2:
            raise tarfile.ReadError("it has a header of absurd size")
        data = self._stream.read(size)
        self._measure(self._stream.tell())
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._measure(offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def _measure(self, reached: int) -> None:
        if reached > UNPACKED:
            raise wire.Failed("unpacks to more than is looked into")


class _Remote(io.RawIOBase):
    """A remote file of which only the parts that are read are asked for."""

    def __init__(self, url: str, size: int | None, access: Access) -> None:
        super().__init__()
        self._url = url
        self._access = access
        self._watch = Watch(access.limits)
        self._parts: list[tuple[int, bytes]] = []
        self._whole: IO[bytes] | None = None
        self._asked = self._received = self._at = 0
        # Nobody knows its size: the answer to the smallest question tells.
        self._size = 0
        self._size = size or self._fetch(0, 1)
        if self._whole is None:
            self._fetch(max(0, self._size - TAIL), self._size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("it begins before its beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._slice(self._at, min(self._size, self._at + len(buffer)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if self._whole is not None:
            self._whole.close()
        super().close()

    def _slice(self, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        if self._whole is not None:
            self._whole.seek(start)
            return self._whole.read(end - start)
        for begin, data in self._parts:
            if begin <= start < begin + len(data):
                return data[start - begin : end - begin]
        # Whoever needs more soon needs more still: twice as much each time.
        ahead = start + max(BLOCK, self._received)
        self._fetch(start, min(self._size, max(end, ahead)))
        return self._slice(start, end)

    def _fetch(self, start: int, end: int) -> int:
        """Have a part; the size of the whole file is returned."""
        self._asked += 1
        if self._asked > _REQUESTS or self._received > WHOLE or end - start > _AT_ONCE:
            raise wire.Failed("would have to be downloaded almost whole to be looked into")
        ask = self._access.ask
        return ask(self._url, lambda watch: self._ask(start, end, watch), watch=self._watch)

    def _ask(self, start: int, end: int, watch: Watch) -> int:
        how, stop = self._access.how(), self._access.stop
        with wire.ask(self._url, offset=start, until=end, how=how, watch=watch, stop=stop) as body:
            if not body.partial:
                return self._all(body)
            if body.total is None or self._size not in {0, body.total}:
                raise wire.Failed("is not as long as it should be")
            data = bytearray()
            for chunk in body.chunks:
                data += chunk[: end - start - len(data)]
                if len(data) == end - start:
                    break
        if len(data) < end - start:
            raise wire.Broken(f"ended after {len(data):,} of {end - start:,} bytes")
        self._parts.append((start, bytes(data)))
        self._received += len(data)
        return body.total

    def _all(self, body: wire.Body) -> int:
        """The whole file, from a server that does not send parts."""
        with contextlib.ExitStack() as stack:
            whole = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=_MEMORY))
            for chunk in body.chunks:
                whole.write(chunk)
                if whole.tell() > WHOLE:
                    said = f"has more than {WHOLE:,} bytes, and its server does not send parts"
                    raise wire.Failed(said)
            if body.total not in {None, whole.tell()}:
                raise wire.Broken("connection lost: closed by the other side")
            stack.pop_all()
        self._whole, self._size = whole, whole.tell()
        return self._size
