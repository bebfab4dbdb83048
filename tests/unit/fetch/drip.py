"""A server that sends what it has to say a bit at a time, and does not come to an end."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08" + bytes(6)

PHASES: dict[str, tuple[bytes, bytes]] = {
    "silence": (b"", b""),
    "status line": (b"HTTP/1.1 200 O", b"K"),
    "header": (OK + b"X: ", b"x"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (OK + b"Content-Length: 524288\r\n\r\n", b"x"),
    "body without length": (OK + b"\r\n", b"x"),
    "chunks": (CHUNKED, b"1\r\nx\r\n"),
    "extension of a chunk": (CHUNKED + b"1;", b"x"),
    "trailer": (CHUNKED + b"0\r\n", b"X: x\r\n"),
}
"""What is sent at once, and what then goes on for ever."""


class Drip:
    """Says the same to everybody.

    Args:
        first: What is sent at once.
        bit: What is sent again and again.
        pause: Seconds between two bits.
        bits: How often; then the connection is closed.
        last: What is sent before that.

    Attributes:
        asked: Connections so far.
        left: Set whenever a client has closed a connection.
    """

    def __init__(
        self,
        first: bytes,
        bit: bytes,
        *,
        pause: float = 0.02,
        bits: int | None = None,
        last: bytes = b"",
    ) -> None:
        self._said = (first, bit, last)
        self._pause = pause
        self._bits = bits
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self.asked = 0
        self.left = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def url(self, path: str = "/file", *, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}{path}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.asked += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        first, bit, last = self._said
        with client, contextlib.suppress(OSError):
            if first.startswith(b"HTTP"):
                client.settimeout(30)
                client.recv(65536)
            client.settimeout(self._pause)
            sent = 0
            client.sendall(first)
            while not self._closing.is_set() and sent != self._bits:
                # A client that asks, or says nothing, is there; one that has gone says so.
                with contextlib.suppress(TimeoutError):
                    if not client.recv(65536):
                        break
                    self._closing.wait(self._pause)
                client.sendall(bit)
                sent += 1
            client.sendall(last)
        self.left.set()
