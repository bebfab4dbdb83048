"""A web server on the loopback interface that does what servers do on bad days."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import msgspec

ENDLESS = 1 << 60


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that arrived."""

    path: str
    headers: dict[str, str]


class Handler(BaseHTTPRequestHandler):
    """Looks up how to behave, and does."""

    server: _Listener

    def do_GET(self) -> None:
        self.server.behave(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


Behaviour = Callable[[Handler], None]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    behave: Behaviour

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that walked away is no news."""


class Server:
    """Answers each path with its behaviours in turn, then with the last one for ever."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._routes: dict[str, list[Behaviour]] = {}
        self._scheme = "http"
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._listener = _Listener(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._scheme = "https"
            self._listener.socket = tls.wrap_socket(
                self._listener.socket, server_side=True, do_handshake_on_connect=False
            )
        self._listener.behave = self._behave
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._listener.shutdown()
        self._listener.server_close()

    def url(self, path: str = "/file", *, host: str = "127.0.0.1", login: str = "") -> str:
        return f"{self._scheme}://{login}{host}:{self._listener.server_address[1]}{path}"

    def route(self, *behaviours: Behaviour, path: str = "/file") -> None:
        self._routes[path] = list(behaviours)

    def headers(self, name: str) -> list[str | None]:
        """What each request so far said in one header."""
        return [asked.headers.get(name) for asked in self.asked]

    def stall(self, body: bytes, at: int) -> Behaviour:
        """Announce it all, send some, then be silent."""

        def behave(handler: Handler) -> None:
            _send(handler, body, stop_at=at)
            self.closing.wait()

        return behave

    def hush(self, _: Handler) -> None:
        """Not even answer."""
        self.closing.wait()

    def _behave(self, handler: Handler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append(Asked(path=handler.path, headers=headers))
        waiting = self._routes.get(handler.path, [status(404)])
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(handler)


def serve(
    body: bytes,
    *,
    ranges: bool = True,
    shift: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Behaviour:
    """Send a file, or the part asked for (if `ranges`), or what lies `shift` bytes beside it."""
    return lambda handler: _send(handler, body, ranges=ranges, shift=shift, headers=headers or {})


def cut(body: bytes, at: int) -> Behaviour:
    """Announce it all, send up to `at`, close."""
    return lambda handler: _send(handler, body, stop_at=at)


def pour(body: bytes) -> Behaviour:
    """Send a body without saying how long it is."""

    def behave(handler: Handler) -> None:
        handler.head(200, {"Connection": "close"})
        handler.wfile.write(body)

    return behave


def status(code: int, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Answer with a status and a body that nobody needs."""
    return lambda handler: handler.head(code, {"Content-Length": "0", **(headers or {})})


def redirect(target: str) -> Behaviour:
    """Send elsewhere, with an endless body on top."""
    return status(302, {"Location": target, "Content-Length": str(ENDLESS)})


def _send(
    handler: Handler,
    body: bytes,
    *,
    ranges: bool = True,
    shift: int = 0,
    stop_at: int = ENDLESS,
    headers: Mapping[str, str] | None = None,
) -> None:
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
    start = int(found[1]) if found and ranges else 0
    end = min(len(body), int(found[2]) + 1) if found and ranges and found[2] else len(body)
    if found and ranges and start >= len(body):
        handler.head(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
        return
    sent = {"Content-Length": str(end - start)}
    if found and ranges:
        sent["Content-Range"] = f"bytes {start + shift}-{end - 1}/{len(body)}"
    handler.head(206 if found and ranges else 200, {**sent, **(headers or {})})
    handler.wfile.write(body[start : min(end, stop_at)])
    handler.wfile.flush()
