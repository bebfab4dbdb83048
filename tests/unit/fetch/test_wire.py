from __future__ import annotations

import contextlib
import gzip
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftbuild.errors import Interrupted
from ftbuild.fetch import wire
from ftbuild.fetch.connections import Sessions
from ftbuild.fetch.deadlines import Limits

from .drip import GZIP, OK, PHASES, Drip
from .loopback import Handler, Server, cut, redirect, serve, status

BODY = bytes(range(256)) * 4096
HOW = wire.Asking(verify=True, limits=Limits(connect=2.0, silence=0.2))


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
    patient = wire.Asking(verify=True, limits=Limits(connect=60.0, silence=60.0, window=90.0))
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


@given(st.text() | st.datetimes().map(format_datetime) | st.from_regex(r"[A-Z][a-z]{2}, .*"))
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
def test_no_wait_is_too_strange(header: str) -> None:
    seconds = wire._retry_after(header)
    assert seconds is None or seconds >= 0


@settings(max_examples=50, deadline=None)
@given(target=st.text(st.characters(codec="latin-1", exclude_characters="\r\n")))
def test_no_redirect_is_too_strange(target: str) -> None:
    with Server() as server:
        server.route(redirect(server.url(f"/{target}")))
        with contextlib.suppress(wire.Failed):
            body_of(server.url())


@given(
    url=st.sampled_from(
        ["http://[", "http://a\0b/", "http://\ud800/", "http://a b/", "", "http:///"]
    )
    | st.text(st.characters()).map("http://[{}".format)
    | st.text().map("ht:{}".format)
)
def test_no_address_is_too_strange(url: str) -> None:
    with pytest.raises(wire.Failed, match="not valid"):
        body_of(url)


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


# Servers that take for ever

HASTY = Limits(connect=5.0, silence=5.0, window=0.2)


def dripping(drip: Drip, *, scheme: str = "http", compressed: bool = False) -> str:
    """What is said of a server that drips, and is left for good."""
    how = wire.Asking(verify=True, limits=HASTY, compressed=compressed)
    url = drip.url(scheme=scheme)
    with (
        pytest.raises(wire.Unreachable) as caught,
        wire.ask(url, offset=0, how=how, stop=threading.Event()) as body,
    ):
        list(body.chunks)
    assert drip.left.wait(30), "its connection is still open"
    assert drip.asked == 1
    return caught.value.said


@pytest.mark.parametrize("phase", PHASES)
def test_a_dripping_server_is_left(phase: str) -> None:
    with Drip(*PHASES[phase]) as drip:
        assert re.fullmatch(r"too slow: [0-9]+ bytes in 0\.2 s", dripping(drip))


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"])
def test_a_stalled_handshake_is_left(said: bytes) -> None:
    with Drip(said, said and b"\0") as drip:
        assert "too slow: 0 bytes" in dripping(drip, scheme="https")


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"])
def test_a_handshake_has_the_time_of_a_connection(said: bytes) -> None:
    how = wire.Asking(verify=True, limits=Limits(connect=0.3, silence=5.0))
    with (
        Drip(said, said and b"\0") as drip,
        pytest.raises(wire.Unreachable, match=r"no connection within 0\.3 s"),
        wire.ask(drip.url(scheme="https"), offset=0, how=how, stop=threading.Event()),
    ):
        pass


def test_a_dripping_gzip_is_left() -> None:
    """Its header holds a file name without end."""
    with Drip(GZIP, b"x") as drip:
        assert "too slow: 0 bytes" in dripping(drip, compressed=True)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dripping_proxy_is_left(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with Drip(b"HTTP/1.1 200 ", b"x") as proxy, Drip(b"", b"") as never:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url(""))
        how = wire.Asking(verify=True, limits=HASTY)
        with (
            pytest.raises(wire.Unreachable, match="too slow"),
            wire.ask(never.url(scheme=scheme), offset=0, how=how, stop=threading.Event()),
        ):
            pass
        assert proxy.left.wait(30)
        assert not never.asked


def test_slow_redirects_count_together() -> None:
    """Each comes within the limits, a byte at a time."""
    first = b"HTTP/1.1 302 Found\r\nLocation: /\r\nX: "
    with Drip(first, b"x", bits=8, last=b"\r\n\r\n") as drip:
        how = wire.Asking(verify=True, limits=HASTY)
        with (
            pytest.raises(wire.Unreachable, match="too slow"),
            wire.ask(drip.url(), offset=0, how=how, stop=threading.Event()),
        ):
            pass
        assert drip.asked > 1


def test_a_name_that_is_not_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_: object, **__: object) -> None:
        over.wait(30)
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", hang)
    how = wire.Asking(verify=True, limits=HASTY)
    with (
        pytest.raises(wire.Unreachable, match="too slow: 0 bytes"),
        wire.ask("http://files.example/", offset=0, how=how, stop=threading.Event()),
    ):
        pass
    over.set()


def test_slow_but_steady() -> None:
    with Drip(OK + b"Content-Length: 20000\r\n\r\n", b"x" * 500, pause=0.05, bits=40) as drip:
        limits = Limits(silence=5.0, window=1.0)
        how = wire.Asking(verify=True, limits=limits)
        with wire.ask(drip.url(), offset=0, how=how, stop=threading.Event()) as body:
            assert len(b"".join(body.chunks)) == 20_000


def test_it_may_be_too_much_in_all(server: Server) -> None:
    server.route(server.stall(BODY, at=300_000))
    how = wire.Asking(verify=True, limits=Limits(total=0.3))
    with (
        pytest.raises(wire.Failed, match=r"not all there after 0\.3 s"),
        wire.ask(server.url(), offset=0, how=how, stop=threading.Event()) as body,
    ):
        list(body.chunks)


def test_whoever_has_enough_leaves_the_connection_open(server: Server) -> None:
    used = set()

    def behave(handler: Handler) -> None:
        handler.protocol_version, handler.close_connection = "HTTP/1.1", False
        used.add(handler.client_address)
        serve(BODY)(handler)

    server.route(behave)
    how = msgspec.structs.replace(HOW, sessions=Sessions())
    for _ in range(3):
        with wire.ask(server.url(), offset=0, until=4, how=how, stop=threading.Event()) as body:
            assert next(body.chunks) == BODY[:4]
    assert len(used) == 1
