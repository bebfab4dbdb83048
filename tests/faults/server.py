"""A server on the loopback interface that does what no server should, byte by byte.

`tests.unit.fetch.loopback` has one that speaks HTTP, and sends what it is told; this one has the
connection itself, and need not even come to a status line.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Hostile:
    """Treats every connection in one way, until it is closed.

    Attributes:
        requests: What came in, a connection each, as far as it was read.
    """

    def __init__(self, behave: Behaviour, *, host: str = "127.0.0.1", scheme: str = "http") -> None:
        self._behave = behave
        self._scheme = scheme
        self._host = host
        self.closing = threading.Event()
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def url(self, path: str = "", *, login: str = "") -> str:
        return f"{self._scheme}://{login}{self._host}:{self._port}{path}"

    @property
    def _port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._behave(self, connection)

    def read_request(self, connection: socket.socket) -> bytes:
        """The head of a request."""
        said = b""
        while b"\r\n\r\n" not in said and (chunk := connection.recv(65536)):
            said += chunk
        self.requests.append(said)
        return said


Behaviour = Callable[[Hostile, socket.socket], None]


def drip(start: bytes, slowly: Iterable[bytes], *, seconds: float = 0.5) -> Behaviour:
    """Answer with a start, and then with a piece every so many seconds."""

    def behave(server: Hostile, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(start)
        for piece in slowly:
            if server.closing.wait(seconds):
                return
            connection.sendall(piece)
        server.closing.wait()

    return behave


def answer(raw: bytes) -> Behaviour:
    """Answer with these bytes and hang up."""

    def behave(server: Hostile, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(raw)

    return behave


def silence(server: Hostile, connection: socket.socket) -> None:
    """Take what is said (a TLS client's hello) and never answer."""
    server.closing.wait()


def endless(byte: bytes) -> Iterable[bytes]:
    """The same for ever."""
    while True:
        yield byte
