from __future__ import annotations

import gzip
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import Interrupted
from ftbuild.fetch import wire

from .loopback import Server, cut, redirect, serve, status

BODY = bytes(range(256)) * 4096
HOW = wire.Asking(verify=True, connect=2.0, read=0.2)


def body_of(url: str, *, offset: int = 0) -> bytes:
    with wire.ask(url, offset=offset, how=HOW, stop=threading.Event()) as body:
        assert body.start == offset
        assert body.total == len(BODY)
        return b"".join(body.chunks)


def test_a_whole_file_and_the_rest_of_one(server: Server) -> None:
    server.route(serve(BODY))
    assert body_of(server.url()) == BODY
    assert body_of(server.url(), offset=1000) == BODY[1000:]
    assert server.headers("range") == [None, "bytes=1000-"]
    assert server.headers("accept-encoding") == ["identity", "identity"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (404, wire.Absent),
        (410, wire.Absent),
        (429, wire.Broken),
        (500, wire.Broken),
        (503, wire.Broken),
        (204, wire.Failed),
        (206, wire.Failed),
        (304, wire.Failed),
        (403, wire.Failed),
        (416, wire.Failed),
        (499, wire.Failed),
    ],
)
def test_statuses(server: Server, code: int, kind: type[wire.Failed]) -> None:
    server.route(status(code))
    with pytest.raises(wire.Failed) as caught:
        body_of(server.url())
    assert type(caught.value) is kind


def test_a_part_of_a_file(server: Server) -> None:
    server.route(serve(BODY))
    for offset in (0, 1000):
        with wire.ask(
            server.url(), offset=offset, until=1007, how=HOW, stop=threading.Event()
        ) as body:
            assert (body.start, body.total, body.partial) == (offset, len(BODY), True)
            assert b"".join(body.chunks) == BODY[offset:1007]
    assert server.headers("range") == ["bytes=0-1006", "bytes=1000-1006"]


def test_a_server_that_does_not_send_parts(server: Server) -> None:
    server.route(serve(BODY, ranges=False))
    with wire.ask(server.url(), offset=9, until=10, how=HOW, stop=threading.Event()) as body:
        assert (body.start, body.partial) == (0, False)


def test_what_did_not_change(server: Server) -> None:
    server.route(status(304))
    headers = {"If-None-Match": '"1"'}
    with (
        pytest.raises(wire.Unchanged),
        wire.ask(server.url(), offset=0, headers=headers, how=HOW, stop=threading.Event()),
    ):
        pass
    assert server.headers("if-none-match") == ['"1"']


def test_a_document_may_be_compressed(server: Server) -> None:
    compressed = gzip.compress(BODY)
    server.route(serve(compressed, headers={"Content-Encoding": "gzip"}))
    how = msgspec.structs.replace(HOW, compressed=True)
    with wire.ask(server.url(), offset=0, how=how, stop=threading.Event()) as body:
        assert body.total is None
        assert b"".join(body.chunks) == BODY


def test_sessions_are_used_again_but_not_after_an_error(server: Server) -> None:
    sessions = wire.Sessions()
    with sessions.one() as first:
        first.cookies.set("a", "b")
    with sessions.one() as second, sessions.one() as third:
        assert second is first
        assert not second.cookies
        assert third is not first
    with pytest.raises(KeyError), sessions.one() as failed:
        raise KeyError
    with sessions.one() as one, sessions.one() as other:
        assert failed not in {one, other}


def test_an_offset_beyond_the_end(server: Server) -> None:
    server.route(serve(BODY))
    with pytest.raises(wire.Unsatisfiable):
        body_of(server.url(), offset=len(BODY))


@pytest.mark.parametrize("shift", [-1, 1, 1000])
def test_another_range_than_asked_for(server: Server, shift: int) -> None:
    server.route(serve(BODY, shift=shift))
    with pytest.raises(wire.Failed, match="from 1,000 on and sends others"):
        body_of(server.url(), offset=1000)


def test_a_connection_that_breaks(server: Server) -> None:
    server.route(cut(BODY, at=300_000))
    with pytest.raises(wire.Broken, match="connection lost"):
        body_of(server.url())


def test_a_silent_server(server: Server) -> None:
    server.route(server.stall(BODY, at=300_000))
    with pytest.raises(wire.Broken, match=r"silent for 0\.2 s"):
        body_of(server.url())
    server.route(server.hush)
    with pytest.raises(wire.Broken, match=r"silent for 0\.2 s"):
        body_of(server.url())


def test_compressed_once_more(server: Server) -> None:
    server.route(serve(BODY, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(wire.Failed, match="compressed once more"):
        body_of(server.url())


def test_walking_away_from_a_silent_server(server: Server) -> None:
    stop = threading.Event()
    patient = wire.Asking(verify=True, connect=60.0, read=60.0)
    server.route(server.stall(BODY, at=0))
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()
    with (
        pytest.raises(Interrupted),
        wire.ask(server.url(), offset=0, how=patient, stop=stop) as body,
    ):
        list(body.chunks)
    assert time.monotonic() - started < 30, "half of what the server would be waited for"


def test_redirects_are_followed(server: Server) -> None:
    server.route(redirect("second"))
    server.route(redirect(server.url("/third", host="localhost")), path="/second")
    server.route(serve(BODY), path="/third")
    assert body_of(server.url(), offset=7) == BODY[7:]
    assert server.headers("range") == ["bytes=7-"] * 3


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/file", "redirects more than 5 times"),
        ("file:///etc/passwd", "not http or https"),
        ("ftp://127.0.0.1/file", "not http or https"),
        ("http://127.0.0.1:99999/", "not valid"),
        ("http://" + "a" * 64 + "/", "not valid"),
        ("http://[/", "not valid"),
    ],
)
def test_hostile_redirects(server: Server, target: str, said: str) -> None:
    server.route(redirect(target))
    with pytest.raises(wire.Failed, match=said):
        body_of(server.url())


def test_credentials_are_for_one_host(server: Server) -> None:
    server.route(redirect("/near"))
    server.route(redirect(server.url("/far", host="localhost")), path="/near")
    server.route(serve(BODY), path="/far")
    assert body_of(server.url(login="me:p%40ss@")) == BODY
    assert server.headers("authorization") == ["Basic bWU6cEBzcw==", "Basic bWU6cEBzcw==", None]


def test_nobody_listens(server: Server) -> None:
    with Server() as gone:
        url = gone.url()
    with pytest.raises(wire.Unreachable, match="cannot be reached: Connection refused"):
        body_of(url)


def test_a_proxys_credentials_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as gone:
        monkeypatch.setenv("http_proxy", gone.url(login="me:hunter2@"))
    with pytest.raises(wire.Unreachable, match="proxy cannot be used") as caught:
        body_of("http://files.example/x")
    assert "hunter2" not in caught.value.said


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("-7", None), ("soon", None), ("", None)]
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert wire._retry_after(header) == seconds


def test_retry_after_a_date() -> None:
    now = datetime.now(UTC)
    assert wire._retry_after(format_datetime(now + timedelta(seconds=60))) == pytest.approx(
        60, abs=3
    )
    assert wire._retry_after(format_datetime(now - timedelta(days=1))) == 0


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-length": st.text() | st.integers().map(str),
        "content-range": st.text() | st.builds("bytes {}-{}/{}".format, *[st.integers()] * 3),
        "content-encoding": st.text(),
        "retry-after": st.text() | st.datetimes().map(str),
    },
)


@given(
    code=st.integers(100, 999),
    headers=HEADERS,
    offset=st.integers(0, 1 << 30),
    until=st.none() | st.integers(1, 1 << 31),
)
def test_no_answer_is_too_strange(
    code: int, headers: dict[str, str], offset: int, until: int | None
) -> None:
    try:
        start, total = wire._judged(
            wire._Answer(status=code, headers=headers), wire._Question(offset=offset, until=until)
        )
    except wire.Failed:
        return
    assert start in {0, offset}
    assert total is None or total >= 0
