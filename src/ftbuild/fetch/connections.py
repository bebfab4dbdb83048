"""Sessions of requests that can be ended from another thread.

requests offers no way to interrupt what it waits for. So there is a second handle of each socket
in use: shut down, it ends the wait for the first, be that for TLS, a proxy, a header or a body.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError


class Session(requests.Session):
    """A session for one exchange at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._ended = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self))

    def hold(self, used: socket.socket) -> None:
        """Have a second handle of a socket until the exchange is over."""
        with self._lock:
            if self._ended:
                used.close()
                raise ConnectionAbortedError("nobody waits for it any more")
            self._handles.append(socket.socket(fileno=os.dup(used.fileno())))

    def release(self) -> None:
        """Close the second handles: the exchange is over."""
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def end(self) -> None:
        """End whatever the exchange waits for; it makes no connection any more."""
        with self._lock:
            self._ended = True
            for handle in self._handles:
                with contextlib.suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
        self.release()
        self.close()


class Sessions:
    """Sessions that wait for the next exchange, each with its open connections.

    A connection to a server costs several round trips, and reading the trusted certificates tens
    of milliseconds; whoever asks many small questions needs that only once for each thread.
    """

    def __init__(self) -> None:
        self._idle: queue.LifoQueue[Session] = queue.LifoQueue()

    def take(self) -> Session:
        """A session that nobody else uses."""
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        return Session()

    def give_back(self, session: Session) -> None:
        """Keep a session for the next exchange."""
        session.cookies.clear()
        self._idle.put(session)


class _Adapter(HTTPAdapter):
    """Tells a session of the sockets it uses: new ones, and those of an earlier exchange."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        session, kind = self._session, type(pool).ConnectionCls

        class Connection(kind):  # type: ignore[misc, valid-type]
            def _new_conn(self) -> socket.socket:
                made: socket.socket = super()._new_conn()
                session.hold(made)
                return made

            def connect(self) -> None:
                try:
                    super().connect()
                except TimeoutError as error:  # TLS, or a proxy: not silence after a request
                    raise ConnectTimeoutError(self, "no secure connection in time") from error

            def request(self, *args: Any, **kwargs: Any) -> None:
                if self.sock is not None:
                    session.hold(self.sock)
                super().request(*args, **kwargs)

        if pool.ConnectionCls is kind:
            pool.ConnectionCls = Connection
        return pool
