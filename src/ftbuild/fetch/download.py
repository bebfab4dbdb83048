"""From origins to the cache: what arrives is judged by its pin, whoever sent it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from ftbuild.fetch import cache, wire
from ftbuild.fetch.deadlines import SIGNATURE, SOURCE, Limits, Watch
from ftbuild.fetch.origins import Attempt, Fetched, Origin, Source, Unavailable, local_path
from ftbuild.fetch.servers import NotAsked, Servers
from ftbuild.model.events import Downloaded, Downloading, Emit, Noted, Warned

CEILING = 64 << 20
"""Bytes a tarball of unrecorded size may have. The largest known, 3.15.0rc2, has 35.5 million."""

_TICK = 0.1

T = TypeVar("T")


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
        limits: How long one origin may take with one source.
    """

    def __init__(
        self,
        *,
        cache: Path,
        env: Mapping[str, str],
        emit: Emit,
        stop: threading.Event,
        offline: bool = False,
        limits: Limits = SOURCE,
    ) -> None:
        self._cache = cache
        self._env = env
        self._emit = emit
        self._stop = stop
        self._offline = offline
        self._limits = limits
        self._servers = Servers()

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
        attempts: list[Attempt] = []
        for origin in origins:
            started = time.monotonic()
            try:
                self._from_one(origin, source, partial)
            except wire.Failed as failed:
                absent = isinstance(failed, wire.Absent)
                attempts.append(Attempt(origin=origin, said=failed.said, absent=absent))
                if isinstance(failed, wire.Wrong):
                    self._emit(Warned(text=f"{origin.name}: {source.filename}: {failed.said}"))
                elif not absent and not isinstance(failed, NotAsked):
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

    def _from_one(self, origin: Origin, source: Source, partial: cache.Partial) -> None:
        """Complete the file from one origin, asking again as often as that may help."""
        path = local_path(origin.url)
        if path is not None:
            self._copy(path, origin, source, partial)
            return
        how = wire.Asking(verify=wire.trusted(self._env), limits=self._limits)
        self._ask(origin, how, lambda watch: self._transfer(origin, source, partial, how, watch))

    def read(self, origin: Origin, *, limit: int) -> bytes:
        """A small file that nothing pins, in memory and in no cache.

        Args:
            origin: Who is asked.
            limit: Bytes that it may have.

        Raises:
            wire.Failed: It is not delivered; `wire.Absent` where it is certain not to be there.
            Interrupted: `stop` was set.
        """
        path = local_path(origin.url)
        if path is not None:
            return _content(path, limit)
        limits = replace(self._limits, total=min(self._limits.total, SIGNATURE))
        how = wire.Asking(verify=wire.trusted(self._env), limits=limits)

        def exchange(watch: Watch) -> bytes:
            with wire.ask(origin.url, offset=0, how=how, watch=watch, stop=self._stop) as body:
                return wire.received(body, limit=limit)

        return self._ask(origin, how, exchange)

    def _ask(self, origin: Origin, how: wire.Asking, exchange: Callable[[Watch], T]) -> T:
        return self._servers.ask(
            origin.url,
            exchange,
            watch=Watch(how.limits),
            stop=self._stop,
            tell=lambda said: self._emit(Noted(text=f"{origin.name}: {said}")),
        )

    def _transfer(
        self,
        origin: Origin,
        source: Source,
        partial: cache.Partial,
        how: wire.Asking,
        watch: Watch,
    ) -> None:
        """One request; a second one from zero where the first went on from doubtful bytes."""
        resumed = partial.size
        try:
            with wire.ask(
                origin.url, offset=resumed, how=how, watch=watch, stop=self._stop
            ) as body:
                self._receive(body, origin, source, partial)
        except (wire.Wrong, wire.Unsatisfiable):
            # What was there before may be to blame: another origin's bytes, or a torn write.
            partial.clear()
            if not resumed:
                raise
            self._transfer(origin, source, partial, how, watch)

    def _copy(self, path: Path, origin: Origin, source: Source, partial: cache.Partial) -> None:
        """Complete the file from a directory."""
        try:
            with cache.open_regular(path, follow=True) as file:
                chunks = iter(lambda: file.read(cache.CHUNK), b"")
                size = os.fstat(file.fileno()).st_size
                body = wire.Body(start=0, total=size, chunks=chunks)
                self._receive(body, origin, source, partial)
        except FileNotFoundError:
            raise wire.Absent("no such file") from None
        except OSError as error:
            raise wire.Failed(str(error.strerror)) from None
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
        for chunk in body.chunks:
            if self._stop.is_set():
                raise wire.stopped()
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


def _content(path: Path, limit: int) -> bytes:
    """The content of a small file."""
    try:
        with cache.open_regular(path, follow=True) as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise wire.Absent("no such file") from None
    except OSError as error:
        raise wire.Failed(str(error.strerror)) from None
    if len(content) > limit:
        raise wire.Failed(f"has more than {limit:,} bytes")
    return content


def _expected(source: Source) -> str:
    return f"at most {CEILING:,}" if source.size is None else f"{source.size:,}"
