"""From origins to the cache: what arrives is judged by its pin, whoever sent it."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from ftbuild.fetch import cache, wire
from ftbuild.fetch.origins import Attempt, Fetched, Origin, Source, Unavailable
from ftbuild.model.events import Downloaded, Downloading, Emit, Noted, Warned

CEILING = 64 << 20
"""Bytes a tarball of unrecorded size may have. The largest known, 3.15.0rc2, has 35.5 million."""

LONGEST_WAIT = 30.0
"""Seconds between two tries at most, whatever the server asks for."""

_PATIENCE = 60.0
"""Seconds that a small file may take to arrive."""

_TICK = 0.1

T = TypeVar("T")


class _NotAsked(wire.Failed):
    """A host that could not be reached earlier in this run."""


class Downloads:
    """The downloads of one run, which share what was learnt about unreachable hosts.

    Threads may share one, for different sources and for the same.

    Args:
        cache: Directory of the verified tarballs; made if need be.
        env: The environment, for the file of trusted certificates: `REQUESTS_CA_BUNDLE`,
            `CURL_CA_BUNDLE` or `SSL_CERT_FILE`, the first that is set.
        emit: Receives progress and warnings.
        stop: When set, a download ends at once; the next run goes on where it was.
        offline: Whether the cache alone is used.
        retries: How often one origin is asked again for one source after a passing failure.
        backoff: Seconds before the first of them; doubled for each that follows.
        timeouts: Seconds to connect in, and seconds a server may be silent.
        patience: Seconds that one body may take to arrive.
    """

    def __init__(
        self,
        *,
        cache: Path,
        env: Mapping[str, str],
        emit: Emit,
        stop: threading.Event,
        offline: bool = False,
        retries: int = 4,
        backoff: float = 0.5,
        timeouts: tuple[float, float] = (10.0, 30.0),
        patience: float = float("inf"),
    ) -> None:
        self._cache = cache
        self._env = env
        self._emit = emit
        self._stop = stop
        self._offline = offline
        self._retries = retries
        self._backoff = backoff
        self._timeouts = timeouts
        self._patience = patience
        self._unreachable: dict[str, str] = {}

    def fetch(self, source: Source, origins: Iterable[Origin]) -> Fetched:
        """Have a source in the cache: as it is there already, or from the first origin that can.

        Raises:
            Unavailable: No origin delivered it, or it is not in the cache and we are offline.
            EnvironmentFault: The cache cannot be written to, or does not take what is written;
                said before the network is used wherever it can be known by then.
            Interrupted: `stop` was set.
        """
        path = self._cache / source.filename
        flaw = cache.flaw(path, source)
        if flaw is None:
            return Fetched(path=path, origin=None)
        if self._offline:
            raise Unavailable(
                f"{path} {flaw}, and ftbuild is offline",
                hint="`ftbuild fetch` brings sources into the cache for later.",
            )
        with cache.locked(path, stop=self._stop, on_wait=lambda: self._note_wait(source)):
            flaw = cache.flaw(path, source)
            if flaw is None:
                return Fetched(path=path, origin=None)
            if flaw != cache.MISSING:
                cache.drop(path)
                self._emit(Warned(text=f"{path} {flaw}: removed, to be fetched again"))
            with cache.Partial(path.with_name(f"{path.name}.part")) as partial:
                if partial.sha256 == source.sha256:  # left by a run that was killed at the end
                    partial.publish(path)
                    return Fetched(path=path, origin=None)
                return self._from_any(origins, source, partial, path)

    def _note_wait(self, source: Source) -> None:
        self._emit(Noted(text=f"waiting for another ftbuild that is fetching {source.filename}"))

    def _from_any(
        self, origins: Iterable[Origin], source: Source, partial: cache.Partial, path: Path
    ) -> Fetched:
        """Ask one origin after the other, and publish what the first good one delivers."""
        how = wire.Asking(
            verify=wire.trusted(self._env), connect=self._timeouts[0], read=self._timeouts[1]
        )
        attempts: list[Attempt] = []
        for origin in origins:
            started = time.monotonic()
            try:
                self._from_one(origin, source, partial, how)
            except wire.Failed as failed:
                absent = isinstance(failed, wire.Absent)
                attempts.append(Attempt(origin=origin, said=failed.said, absent=absent))
                if isinstance(failed, wire.Wrong):
                    self._emit(Warned(text=f"{origin.name}: {source.filename}: {failed.said}"))
                elif not absent and not isinstance(failed, _NotAsked):
                    self._emit(Noted(text=f"{origin.name}: {failed.said}"))
            else:
                partial.publish(path)
                seconds = time.monotonic() - started
                self._emit(
                    Downloaded(
                        name=source.filename,
                        origin=origin.name,
                        size=partial.size,
                        seconds=seconds,
                    )
                )
                return Fetched(path=path, origin=origin)
        raise Unavailable(
            f"{source.filename} cannot be had; asked were"
            if attempts
            else f"there is no origin to ask for {source.filename}",
            hint="Name a mirror that has it with --mirror or FTBUILD_MIRROR (http, https, file:// "
            f"or a directory), or put the file into {self._cache} yourself.",
            attempts=tuple(attempts),
        )

    def _from_one(
        self, origin: Origin, source: Source, partial: cache.Partial, how: wire.Asking
    ) -> None:
        """Complete the file from one origin, asking again as often as that may help."""
        if urlsplit(origin.url).scheme == "file":
            self._copy(origin, source, partial)
        else:
            self._asked(origin, lambda: self._transfer(origin, source, partial, how))

    def read(self, origin: Origin, *, limit: int) -> bytes:
        """A small file that nothing pins, in memory and in no cache.

        Args:
            origin: Who is asked.
            limit: Bytes that it may have.

        Raises:
            wire.Failed: It is not delivered; `wire.Absent` where it is certain not to be there.
            Interrupted: `stop` was set.
        """
        parts = urlsplit(origin.url)
        if parts.scheme == "file":
            return _content(unquote(parts.path), limit)
        how = wire.Asking(
            verify=wire.trusted(self._env), connect=self._timeouts[0], read=self._timeouts[1]
        )

        def exchange() -> bytes:
            with wire.ask(origin.url, offset=0, how=how, stop=self._stop) as body:
                return wire.received(body, limit=limit, patience=_PATIENCE)

        return self._asked(origin, exchange)

    def _asked(self, origin: Origin, exchange: Callable[[], T]) -> T:
        """What comes of an exchange with an origin, repeated as often as that may help."""
        parts = urlsplit(origin.url)
        host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if host in self._unreachable:
            raise _NotAsked(f"not asked again: {self._unreachable[host]}")
        delay = self._backoff
        for left in reversed(range(self._retries + 1)):
            try:
                return exchange()
            except wire.Unreachable as failed:
                self._unreachable[host] = failed.said
                raise
            except wire.Broken as broken:
                if not left:
                    raise wire.Failed(f"{broken.said} (asked {self._retries + 1} times)") from None
                wait = min(delay if broken.after is None else broken.after, LONGEST_WAIT)
                delay *= 2
                self._emit(Noted(text=f"{origin.name}: {broken.said}; again in {wait:.3g} s"))
                if self._stop.wait(wait):
                    raise wire.stopped() from None
        raise AssertionError  # the last try returns or raises

    def _transfer(
        self, origin: Origin, source: Source, partial: cache.Partial, how: wire.Asking
    ) -> None:
        """One request; a second one from zero where the first went on from doubtful bytes."""
        resumed = partial.size
        try:
            with wire.ask(origin.url, offset=resumed, how=how, stop=self._stop) as body:
                self._receive(body, origin, source, partial)
        except (wire.Wrong, wire.Unsatisfiable):
            # What was there before may be to blame: another origin's bytes, or a torn write.
            partial.clear()
            if not resumed:
                raise
            self._transfer(origin, source, partial, how)

    def _copy(self, origin: Origin, source: Source, partial: cache.Partial) -> None:
        """Complete the file from a directory."""
        try:
            handle = os.open(unquote(urlsplit(origin.url).path), os.O_RDONLY | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode):
                    raise wire.Failed("is not a regular file")
                chunks = iter(lambda: file.read(cache.CHUNK), b"")
                body = wire.Body(start=0, total=status.st_size, chunks=chunks)
                self._receive(body, origin, source, partial)
        except FileNotFoundError:
            raise wire.Absent("no such file") from None
        except OSError as error:
            raise wire.Failed(f"cannot be read: {error.strerror}") from None
        except wire.Wrong:
            partial.clear()
            raise

    def _receive(
        self, body: wire.Body, origin: Origin, source: Source, partial: cache.Partial
    ) -> None:
        """Add a body to the file and judge the result.

        Raises:
            Wrong: It is not what is pinned.
            Broken: It ended too early.
        """
        limit = CEILING if source.size is None else source.size
        if body.total is not None and (body.total > limit or source.size not in {None, body.total}):
            raise wire.Failed(f"has {body.total:,} bytes instead of {_expected(source)}")
        if not body.start and partial.size:
            partial.clear()
        total = source.size or body.total
        shown = float("-inf")
        began = time.monotonic()
        for chunk in body.chunks:
            if self._stop.is_set():
                raise wire.stopped()
            if time.monotonic() - began > self._patience:
                raise wire.Failed(f"too slow: not all there after {self._patience:g} s")
            if partial.size + len(chunk) > limit:
                raise wire.Wrong(f"sends more bytes than {_expected(source)}")
            partial.write(chunk)
            if time.monotonic() - shown >= _TICK:
                shown = time.monotonic()
                self._emit(
                    Downloading(
                        name=source.filename, origin=origin.name, done=partial.size, total=total
                    )
                )
        if total is not None and partial.size < total:
            raise wire.Broken(f"ended after {partial.size:,} of {total:,} bytes")
        if partial.sha256 != source.sha256:
            raise wire.Wrong(f"sent a file with the SHA-256 {partial.sha256}, not the pinned one")


def _content(path: str, limit: int) -> bytes:
    """The content of a small file, which must be a regular one."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise wire.Failed("is not a regular file")
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise wire.Absent("no such file") from None
    except OSError as error:
        raise wire.Failed(f"cannot be read: {error.strerror}") from None
    if len(content) > limit:
        raise wire.Failed(f"has more than {limit:,} bytes")
    return content


def _expected(source: Source) -> str:
    return f"at most {CEILING:,}" if source.size is None else f"{source.size:,}"
