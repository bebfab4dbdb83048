"""Runs against servers that never come to an end, all at once: each waits, and none computes."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.server import CONTINUE, Behaviour, Hostile, drip, endless, silence
from tests.integration.driver import NEW, Done, Ftbuild, Running

LIMIT = 60.0
"""Seconds in which such a server is left for the next origin, retries included."""

LEEWAY = 30.0
"""What starting up, building and a busy machine may take besides."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n"

KINDS: dict[str, Behaviour] = {
    "status line": drip(b"HTTP/1.1 200 ", endless(b"O")),
    "headers": drip(HEAD, endless(b"X")),
    "body": drip(HEAD + b"\r\n", endless(b"{")),
    "chunks": drip(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", endless(b"1\r\nx\r\n")
    ),
    "100 Continue": drip(b"", endless(CONTINUE)),
    "silence": silence,
}

TLS = "TLS handshake"


class Dripping:
    """A `fetch` from each kind of server, with an honest mirror behind; and a `build` that asks one
    as its store. The deadline counts from the start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = contextlib.ExitStack()
        self._runs: dict[str, Running] = {}
        self._done: dict[str, Done] = {}
        self.users: dict[str, Ftbuild] = {}

    def __enter__(self) -> Self:
        for kind, behaviour in {**KINDS, TLS: silence, "store": KINDS["body"]}.items():
            scheme = "https" if kind == TLS else "http"
            server = self._open.enter_context(Hostile(behaviour, scheme=scheme))
            user = Ftbuild(self._folder / hashlib.sha256(kind.encode()).hexdigest()[:8])
            user.release(NEW)
            if kind == "store":
                words: tuple[str, ...] = ("build", f"{NEW}t", "--archive-store", server.url())
            else:
                words = ("fetch", NEW, "--mirror", server.url(), "--mirror", str(user.mirror))
            self.users[kind] = user
            self._runs[kind] = user.start(*words)
        self._started = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._open.close()
        for user in self.users.values():
            user.end()
        for run in self._runs.values():
            run.done()

    def done(self, kind: str) -> Done:
        """How a run ended; an error where it has not by now, and should have."""
        if kind not in self._done:
            left = self._started + LIMIT + LEEWAY - time.monotonic()
            self._done[kind] = self._runs[kind].done(max(left, 0.1))
        return self._done[kind]
