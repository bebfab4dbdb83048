from __future__ import annotations

import threading

import pytest

from ftbuild.errors import Interrupted
from ftbuild.fetch import Unavailable, document
from ftbuild.fetch.document import read_document

from .loopback import Behaviour, Server, cut, pour, serve, status


def read(url: str) -> bytes | None:
    return read_document(url, env={}, stop=threading.Event())


@pytest.mark.parametrize("behaviour", [serve(b"content"), pour(b"content")])
def test_what_is_there(server: Server, behaviour: Behaviour) -> None:
    server.route(behaviour)
    assert read(server.url()) == b"content"


@pytest.mark.parametrize("code", [404, 410])
def test_what_is_not(server: Server, code: int) -> None:
    server.route(status(code))
    assert read(server.url()) is None


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (status(500), "500 Internal Server Error"),
        (status(403), "403 Forbidden"),
        (cut(b"content", 3), "connection lost|ended after"),
        (pour(b"x" * 5000), "sends more than 1,000 bytes"),
    ],
)
def test_what_cannot_be_had(
    server: Server, behaviour: Behaviour, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "LIMIT", 1000)
    server.route(behaviour)
    with pytest.raises(Unavailable, match=says) as caught:
        read(server.url(login="me:secret@"))
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("silent", [True, False])
def test_patience_has_an_end(server: Server, silent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "TIMEOUTS", (1.0, 0.2))
    monkeypatch.setattr(document, "_PATIENCE", -1.0)
    server.route(server.hush if silent else serve(b"content"))
    with pytest.raises(Unavailable, match=r"silent for 0\.2 s" if silent else "too slow"):
        read(server.url())


def test_nobody_is_there() -> None:
    with Server() as server:
        url = server.url()
    with pytest.raises(Unavailable, match="cannot be reached"):
        read(url)


def test_it_can_be_stopped(server: Server) -> None:
    server.route(server.hush)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Interrupted):
        read_document(server.url(), env={}, stop=stop)
