from __future__ import annotations

import threading

import pytest
import requests

from ftbuild.fetch.connections import Session, Sessions

from .drip import OK, Drip
from .loopback import Handler, Server, serve


def test_sessions_are_used_again() -> None:
    sessions = Sessions()
    first, other = sessions.take(), sessions.take()
    assert first is not other
    first.cookies.set("a", "b")
    sessions.give_back(first)
    assert sessions.take() is first
    assert not first.cookies


@pytest.mark.parametrize("first", [b"", OK + b"Content-Length: 9\r\n\r\n"])
def test_another_thread_can_end_it(first: bytes) -> None:
    session, over = Session(), threading.Event()

    def exchange(url: str) -> None:
        with pytest.raises(requests.RequestException):
            session.get(url, timeout=60)
        over.set()

    with Drip(first, b"") as drip:
        threading.Thread(target=exchange, args=(drip.url(),), daemon=True).start()
        while not drip.asked:
            over.wait(0.01)
        session.end()
        assert over.wait(30)
        assert drip.left.wait(30)


def test_a_connection_that_is_used_again_can_be_ended(server: Server) -> None:
    """Its socket was made in an earlier exchange."""
    asked, used = threading.Event(), set()

    def behave(handler: Handler) -> None:
        handler.protocol_version, handler.close_connection = "HTTP/1.1", False
        used.add(handler.client_address)
        if len(server.asked) == 1:
            serve(b"content")(handler)
        else:
            asked.set()
            server.closing.wait()

    server.route(behave)
    session, over = Session(), threading.Event()
    session.get(server.url(), timeout=60)
    session.release()

    def exchange() -> None:
        with pytest.raises(requests.ConnectionError):
            session.get(server.url(), timeout=60)
        over.set()

    threading.Thread(target=exchange, daemon=True).start()
    assert asked.wait(30)
    session.end()
    assert over.wait(30)
    assert len(used) == 1


def test_an_ended_one_connects_no_more(server: Server) -> None:
    server.route(serve(b"content"))
    session = Session()
    session.end()
    with pytest.raises(requests.ConnectionError):
        session.get(server.url(), timeout=60)
    assert not server.asked
