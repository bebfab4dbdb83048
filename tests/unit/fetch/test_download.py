from __future__ import annotations

import hashlib
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, Interrupted
from ftbuild.fetch import Origin, Source, Unavailable, directory_url, wire
from ftbuild.fetch.deadlines import SOURCE as LIMITS
from ftbuild.fetch.deadlines import Limits
from ftbuild.fetch.download import CEILING, Downloads
from ftbuild.model.events import Downloaded, Downloading, Event, Noted, Warned
from tests.unit.conftest import unwritable

from .drip import PHASES, Drip
from .loopback import ENDLESS, Behaviour, Handler, Server, cut, pour, redirect, serve, status

BODY = bytes(range(256)) * 2048
EVIL = BODY[::-1]
NAME = "Python-3.14.7.tar.xz"
SOURCE = Source(filename=NAME, sha256=hashlib.sha256(BODY).hexdigest(), size=len(BODY))
UNSIZED = Source(filename=NAME, sha256=SOURCE.sha256)

Make = Callable[..., Downloads]


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def make(cache: Path, events: list[Event]) -> Make:
    """Downloads that lose no time."""

    def made(
        *,
        env: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
        emit: Callable[[Event], None] = events.append,
        offline: bool = False,
        read: float = 2.0,
        window: float = 45.0,
    ) -> Downloads:
        return Downloads(
            cache=cache,
            env=env or {},
            emit=emit,
            stop=stop or threading.Event(),
            offline=offline,
            limits=Limits(connect=2.0, silence=read, window=window, tries=3, backoff=0.01),
        )

    return made


def at(*urls: str) -> tuple[Origin, ...]:
    return tuple(Origin(name=f"origin {count}", url=url) for count, url in enumerate(urls))


def said(error: Unavailable) -> list[str]:
    return [attempt.said for attempt in error.attempts]


def texts(events: list[Event], kind: type[Noted | Warned]) -> list[str]:
    return [event.text for event in events if isinstance(event, kind)]


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


# The good day


@pytest.mark.parametrize("source", [SOURCE, UNSIZED])
@pytest.mark.parametrize("body", [serve(BODY), pour(BODY)])
def test_a_download(
    server: Server, cache: Path, make: Make, events: list[Event], source: Source, body: Behaviour
) -> None:
    server.route(body)
    origins = at(server.url())
    fetched = make().fetch(source, origins)
    assert fetched.path == cache / NAME
    assert fetched.origin == origins[0]
    assert fetched.path.read_bytes() == BODY
    assert left(cache) == [NAME]
    assert isinstance(events[0], Downloading)
    assert isinstance(events[-1], Downloaded)
    assert (events[-1].name, events[-1].origin, events[-1].size) == (NAME, "origin 0", len(BODY))


def test_what_is_cached_is_not_asked_for(server: Server, make: Make) -> None:
    server.route(serve(BODY))
    make().fetch(SOURCE, at(server.url()))
    again = make().fetch(SOURCE, at(server.url()))
    assert again.origin is None
    assert len(server.asked) == 1


def test_progress_is_told_ten_times_a_second(
    server: Server, make: Make, events: list[Event]
) -> None:
    server.route(serve(BODY * 20))
    source = Source(filename=NAME, sha256=hashlib.sha256(BODY * 20).hexdigest())
    started = time.monotonic()
    make().fetch(source, at(server.url()))
    told = [event for event in events if isinstance(event, Downloading)]
    assert 1 <= len(told) <= 2 + 10 * (time.monotonic() - started)
    assert told[0].total == 20 * len(BODY)


def test_a_file_origin(tmp_path: Path, make: Make, events: list[Event]) -> None:
    (tmp_path / "a b").write_bytes(BODY)
    fetched = make().fetch(SOURCE, at((tmp_path / "a b").as_uri()))
    assert fetched.path.read_bytes() == BODY
    assert isinstance(events[-1], Downloaded)


def test_file_origins_that_do_not_deliver(tmp_path: Path, make: Make, cache: Path) -> None:
    (tmp_path / "evil").write_bytes(EVIL)
    (tmp_path / "short").write_bytes(BODY[1:])
    os.mkfifo(tmp_path / "pipe")
    names = ("nothing", "", "pipe", "short", "evil")
    with pytest.raises(Unavailable) as caught:
        make().fetch(SOURCE, at(*((tmp_path / name).as_uri() for name in names)))
    assert said(caught.value)[:4] == [
        "no such file",
        "is not a regular file",
        "is not a regular file",
        "has 524,287 bytes instead of 524,288",
    ]
    assert "not the pinned one" in said(caught.value)[4]
    assert left(cache) == []


# The cache


@pytest.mark.parametrize("bad", [BODY[:-1], EVIL, b""])
def test_a_bad_cached_file_is_dropped(
    server: Server, cache: Path, make: Make, events: list[Event], bad: bytes
) -> None:
    cache.mkdir()
    (cache / NAME).write_bytes(bad)
    server.route(serve(BODY))
    make().fetch(SOURCE, at(server.url()))
    assert (cache / NAME).read_bytes() == BODY
    assert len(texts(events, Warned)) == 1


def test_a_linked_cached_file_is_replaced(
    server: Server, cache: Path, make: Make, tmp_path: Path
) -> None:
    cache.mkdir()
    (tmp_path / "victim").write_bytes(BODY)
    (cache / NAME).symlink_to(tmp_path / "victim")
    server.route(serve(BODY))
    make().fetch(SOURCE, at(server.url()))
    assert not (cache / NAME).is_symlink()
    assert (tmp_path / "victim").read_bytes() == BODY


@pytest.mark.parametrize("place", [f"{NAME}.part", f"{NAME}.lock"])
def test_planted_links_stop_it_before_the_network(
    server: Server, cache: Path, make: Make, tmp_path: Path, place: str
) -> None:
    cache.mkdir()
    (tmp_path / "victim").write_bytes(b"precious")
    (cache / place).symlink_to(tmp_path / "victim")
    with pytest.raises(EnvironmentFault, match="is a symbolic link"):
        make().fetch(SOURCE, at(server.url()))
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert not server.asked


def test_a_cache_that_cannot_be_made(server: Server, tmp_path: Path, make: Make) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(EnvironmentFault, match="cannot be written to") as caught:
        make().fetch(SOURCE, at(server.url()))
    assert "--root" in caught.value.hint
    assert not server.asked


def test_a_read_only_cache(server: Server, open_directory: Path) -> None:
    downloads = Downloads(cache=open_directory, env={}, emit=lambda _: None, stop=threading.Event())
    path = open_directory / NAME
    for content, works in ((BODY, True), (EVIL, False)):
        path.write_bytes(content)
        with unwritable(open_directory):
            if works:
                assert downloads.fetch(SOURCE, at(server.url())).path == path
            else:
                with pytest.raises(EnvironmentFault, match="cannot be written to"):
                    downloads.fetch(SOURCE, at(server.url()))
        assert path.read_bytes() == content
    assert not server.asked


def test_offline(server: Server, cache: Path, make: Make) -> None:
    server.route(serve(BODY))
    with pytest.raises(Unavailable, match=f"{cache / NAME} is not there, and ftbuild is offline"):
        make(offline=True).fetch(SOURCE, at(server.url()))
    make().fetch(SOURCE, at(server.url()))
    assert make(offline=True).fetch(SOURCE, at(server.url())).origin is None
    assert len(server.asked) == 1


def test_a_full_disk_leaves_no_poisoned_cache(server: Server, small_disk: Path) -> None:
    server.route(serve(BODY))
    downloads = Downloads(cache=small_disk, env={}, emit=lambda _: None, stop=threading.Event())
    with pytest.raises(EnvironmentFault, match="No space left") as caught:
        downloads.fetch(SOURCE, at(server.url()))
    assert not isinstance(caught.value, Unavailable)
    assert left(small_disk) == []


# Connections that do not last


def test_a_truncated_download_goes_on(server: Server, make: Make) -> None:
    server.route(cut(BODY, 200_000), cut(BODY, 400_000), serve(BODY))
    assert make().fetch(SOURCE, at(server.url())).path.read_bytes() == BODY
    offsets = [int(value.removeprefix("bytes=")[:-1]) for value in server.headers("range") if value]
    assert len(offsets) == 2
    assert 0 < offsets[0] < offsets[1] <= 400_000


def test_a_stalled_download_goes_on(server: Server, make: Make, events: list[Event]) -> None:
    server.route(server.stall(BODY, 300_000), serve(BODY))
    assert make(read=0.2).fetch(SOURCE, at(server.url())).path.read_bytes() == BODY
    assert server.headers("range")[1] is not None
    assert texts(events, Noted) == ["origin 0: silent for 0.2 s; again in 0.01 s"]


def test_another_origin_goes_on(server: Server, make: Make) -> None:
    server.route(cut(BODY, 300_000))
    server.route(serve(BODY), path="/other")
    fetched = make().fetch(SOURCE, at(server.url(), server.url("/other")))
    assert fetched.origin is not None
    assert fetched.origin.name == "origin 1"
    assert server.headers("range")[-1] is not None


def test_a_server_that_ignores_ranges(server: Server, make: Make) -> None:
    server.route(cut(BODY, 300_000), serve(BODY, ranges=False))
    assert make().fetch(SOURCE, at(server.url())).path.read_bytes() == BODY


def test_a_wrong_range_is_that_origins_fault(
    server: Server, make: Make, events: list[Event]
) -> None:
    server.route(cut(BODY, 300_000), serve(BODY, shift=1))
    server.route(serve(BODY), path="/other")
    make().fetch(SOURCE, at(server.url(), server.url("/other")))
    assert "sends others" in texts(events, Noted)[-1]
    assert [asked.path for asked in server.asked] == ["/file", "/file", "/other"]


def test_a_rotten_beginning_is_fetched_again(server: Server, cache: Path, make: Make) -> None:
    cache.mkdir()
    (cache / f"{NAME}.part").write_bytes(EVIL[:1000])
    server.route(serve(BODY))
    assert make().fetch(SOURCE, at(server.url())).path.read_bytes() == BODY
    assert server.headers("range") == ["bytes=1000-", None]


@pytest.mark.parametrize("rest", [b"", b"too much"])
def test_an_earlier_run_left_enough(server: Server, cache: Path, make: Make, rest: bytes) -> None:
    cache.mkdir()
    (cache / f"{NAME}.part").write_bytes(BODY + rest)
    server.route(serve(BODY))
    assert make().fetch(SOURCE, at(server.url())).path.read_bytes() == BODY
    assert server.headers("range") == (["bytes=524296-", None] if rest else [])
    assert left(cache) == [NAME]


CHILD = """
import functools, sys, threading
from pathlib import Path
from ftbuild.fetch import Origin, Source
from ftbuild.fetch.download import Downloads
cache, url, name, sha256, size = sys.argv[1:]
tell = functools.partial(print, flush=True)
downloads = Downloads(cache=Path(cache), env={}, emit=tell, stop=threading.Event())
source = Source(filename=name, sha256=sha256, size=int(size))
fetched = downloads.fetch(source, (Origin(name="origin", url=url),))
print("fetched", fetched.origin is not None)
"""


def child(cache: Path, url: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", CHILD, str(cache), url, NAME, SOURCE.sha256, str(SOURCE.size)]
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )


def test_after_kill_9_the_next_run_goes_on(server: Server, cache: Path, make: Make) -> None:
    server.route(server.stall(BODY, 300_000), serve(BODY))
    part = cache / f"{NAME}.part"
    with child(cache, server.url()) as process:
        deadline = time.monotonic() + 20
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert part.stat().st_size
    assert make().fetch(SOURCE, at(server.url())).path.read_bytes() == BODY
    assert server.headers("range")[1] is not None


def test_two_processes_at_once(server: Server, cache: Path) -> None:
    go = threading.Event()

    def slow(handler: Handler) -> None:
        go.wait(20)
        serve(BODY)(handler)

    server.route(slow)
    with child(cache, server.url()) as one:
        while not server.asked and one.poll() is None:
            time.sleep(0.01)
        with child(cache, server.url()) as other:
            assert one.stdout is not None
            assert other.stdout is not None
            assert "waiting for another ftbuild" in other.stdout.readline()
            go.set()
            assert one.stdout.read().endswith("fetched True\n")
            assert other.stdout.read() == "fetched False\n"
    assert len(server.asked) == 1


def test_two_threads_at_once(server: Server, make: Make, events: list[Event]) -> None:
    server.route(serve(BODY))
    downloads = make()
    threads = [
        threading.Thread(target=downloads.fetch, args=(SOURCE, at(server.url()))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 1
    assert sum(isinstance(event, Downloaded) for event in events) == 1


@pytest.mark.parametrize("silent", ["head", "body"])
def test_stopping_is_prompt(server: Server, make: Make, cache: Path, silent: str) -> None:
    stop = threading.Event()
    server.route(server.hush if silent == "head" else server.stall(BODY, 300_000))
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        make(stop=stop, read=60.0).fetch(SOURCE, at(server.url()))
    assert time.monotonic() - started < 30, "half of what the server would be waited for"
    assert left(cache) == ([] if silent == "head" else [f"{NAME}.part"])


# Servers that answer something else


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_recovers(server: Server, make: Make, events: list[Event], code: int) -> None:
    server.route(status(code, {"Retry-After": "0"}), status(code), serve(BODY))
    assert make().fetch(SOURCE, at(server.url())).path.read_bytes() == BODY
    assert [text.rpartition(" ")[0].rpartition(" ")[2] for text in texts(events, Noted)] == [
        "0",
        "0.02",
    ]


def test_a_server_that_does_not_recover(server: Server, make: Make) -> None:
    server.route(status(503))
    with pytest.raises(Unavailable) as caught:
        make().fetch(SOURCE, at(server.url()))
    assert said(caught.value) == ["answered 503 Service Unavailable (asked 3 times)"]
    assert len(server.asked) == 3
    assert not caught.value.absent


def test_a_long_wait_is_cut_short_and_can_be_stopped(server: Server, make: Make) -> None:
    server.route(status(503, {"Retry-After": "86400"}))
    stop, heard = threading.Event(), list[Event]()

    def emit(event: Event) -> None:
        heard.append(event)
        stop.set()

    with pytest.raises(Interrupted):
        make(stop=stop, emit=emit).fetch(SOURCE, at(server.url()))
    assert texts(heard, Noted)[0].endswith(f"again in {LIMITS.pause:g} s")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_a_definite_no_is_not_asked_twice(server: Server, make: Make, code: int) -> None:
    server.route(status(code))
    server.route(serve(BODY), path="/other")
    make().fetch(SOURCE, at(server.url(), server.url("/other")))
    assert [asked.path for asked in server.asked] == ["/file", "/other"]


def test_absent_everywhere_is_told_apart(server: Server, make: Make, tmp_path: Path) -> None:
    server.route(status(403), path="/secret")
    nowhere = (tmp_path / "nothing").as_uri()
    with pytest.raises(Unavailable) as caught:
        make().fetch(SOURCE, at(nowhere, server.url("/a")))
    assert caught.value.absent
    with pytest.raises(Unavailable) as caught:
        make().fetch(SOURCE, at(nowhere, server.url("/a"), server.url("/secret")))
    assert not caught.value.absent
    lines = caught.value.message.splitlines()
    assert len(lines) == 4
    assert lines[-1].split()[1:] == ["answered", "403", "Forbidden"]
    assert "--mirror" in caught.value.hint


def test_no_origin_at_all(make: Make) -> None:
    with pytest.raises(Unavailable, match="there is no origin to ask"):
        make().fetch(SOURCE, ())


def test_an_unreachable_host_is_asked_once_a_run(make: Make) -> None:
    with Server() as gone:
        origins = at(gone.url("/a"), gone.url("/b"))
    downloads = make()
    with pytest.raises(Unavailable) as caught:
        downloads.fetch(SOURCE, origins)
    assert said(caught.value) == [
        "cannot be reached: Connection refused",
        "not asked again: cannot be reached: Connection refused",
    ]
    other = Source(filename="Python-3.13.1.tar.xz", sha256=SOURCE.sha256)
    with pytest.raises(Unavailable) as caught:
        downloads.fetch(other, origins[:1])
    assert said(caught.value)[0].startswith("not asked again")


# Servers that take for ever


@pytest.mark.parametrize("phase", ["silence", "header", "body"])
def test_a_dripping_origin_is_left_for_the_next(
    server: Server, cache: Path, events: list[Event], phase: str
) -> None:
    """At once, with all it has on its host; and what it sent is not taken for the beginning."""
    server.route(serve(BODY))
    with Drip(*PHASES[phase]) as drip:
        downloads = Downloads(
            cache=cache,
            env={},
            emit=events.append,
            stop=threading.Event(),
            limits=Limits(connect=5.0, silence=5.0, window=1.0),
        )
        origins = at(drip.url(), drip.url("/other"), server.url())
        fetched = downloads.fetch(SOURCE, origins)
        assert fetched.origin == origins[2]
        assert fetched.path.read_bytes() == BODY
        assert drip.asked == 1
        assert drip.left.wait(30), "its connection is still open"
    (told,) = texts(events, Noted)
    assert re.fullmatch(r"origin 0: too slow: [0-9]+ bytes in 1 s", told)


def test_a_silent_origin_is_asked_again_as_long_as_there_is_time(
    server: Server, cache: Path, events: list[Event]
) -> None:
    server.route(server.hush)
    server.route(serve(BODY), path="/other")
    limits = Limits(silence=0.8, window=1.2, backoff=0.01)
    downloads = Downloads(
        cache=cache, env={}, emit=events.append, stop=threading.Event(), limits=limits
    )
    downloads.fetch(SOURCE, at(server.url(), server.url("/other", host="localhost")))
    assert [asked.path for asked in server.asked] == ["/file", "/file", "/other"]


def test_a_wait_beyond_the_limits_is_none(server: Server, make: Make) -> None:
    server.route(status(503, {"Retry-After": "1000000000"}))
    with pytest.raises(Unavailable) as caught:
        make(window=20.0).fetch(SOURCE, at(server.url()))
    assert said(caught.value) == ["answered 503 Service Unavailable"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("path", ["/a%00b", "/" + "a" * 300, "/%ff", "//nowhere"])
def test_a_file_that_cannot_be(make: Make, path: str) -> None:
    downloads = make()
    with pytest.raises(Unavailable):
        downloads.fetch(SOURCE, at(f"file://{path}"))
    with pytest.raises(wire.Failed):
        downloads.read(Origin(name="", url=f"file://{path}"), limit=100)


def test_a_directory_with_any_name(tmp_path: Path, make: Make) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff?b%20"))
    folder.mkdir()
    (folder / NAME).write_bytes(BODY)
    url = f"{directory_url(str(folder))}/{NAME}"
    assert make().fetch(SOURCE, at(url)).path.read_bytes() == BODY


# Servers that lie


def test_a_longer_or_shorter_file_is_rejected_unread(server: Server, make: Make) -> None:
    for count, body in enumerate((BODY[:-1], BODY + b"!", b"")):
        server.route(serve(body), path=f"/{count}")
    server.route(serve(BODY, headers={"Content-Length": str(ENDLESS)}), path="/3")
    with pytest.raises(Unavailable) as caught:
        make().fetch(SOURCE, at(*(server.url(f"/{count}") for count in range(4))))
    assert said(caught.value)[:3] == [
        f"has {size} bytes instead of 524,288" for size in ("524,287", "524,289", "0")
    ]
    assert len(server.asked) == 4


def test_a_body_without_length_that_does_not_end(server: Server, cache: Path, make: Make) -> None:
    server.route(pour(BODY + b"!"))
    with pytest.raises(Unavailable, match="sends more bytes than 524,288"):
        make().fetch(SOURCE, at(server.url()))
    assert left(cache) == []


def test_a_body_without_length_that_ends_early(server: Server, make: Make) -> None:
    server.route(pour(BODY[:1000]))
    with pytest.raises(Unavailable, match=r"524,288 bytes|sends others|not the pinned one"):
        make().fetch(SOURCE, at(server.url()))


def test_a_file_beyond_the_ceiling(server: Server, make: Make) -> None:
    server.route(status(200, {"Content-Length": str(CEILING + 1)}))
    with pytest.raises(Unavailable, match="instead of at most 67,108,864"):
        make().fetch(UNSIZED, at(server.url()))


@pytest.mark.parametrize("source", [SOURCE, UNSIZED])
def test_a_mirror_with_its_own_checksum_is_judged_by_the_pin(
    server: Server, cache: Path, make: Make, events: list[Event], source: Source
) -> None:
    digest = hashlib.sha256(EVIL).hexdigest()
    named = {
        "Content-Disposition": "attachment; filename=../../evil",
        "Digest": f"sha-256={digest}",
    }
    server.route(serve(EVIL, headers=named))
    server.route(serve(f"{digest}  {NAME}\n".encode()), path="/file.sha256")
    with pytest.raises(Unavailable, match=f"SHA-256 {digest}, not the pinned one"):
        make().fetch(source, at(server.url()))
    assert [asked.path for asked in server.asked] == ["/file"]
    assert len(texts(events, Warned)) == 1
    assert left(cache) == []


def test_the_servers_file_name_is_ignored(server: Server, cache: Path, make: Make) -> None:
    named = {"Content-Disposition": "attachment; filename=../../evil"}
    server.route(serve(BODY, headers=named))
    make().fetch(SOURCE, at(server.url()))
    assert left(cache) == [NAME]
    assert left(cache.parent) == ["cache"]


# Secrets


@pytest.mark.parametrize("fault", ["refused", "absent", "broken", "loop", "evil", "invalid"])
def test_credentials_never_appear(
    server: Server, make: Make, events: list[Event], fault: str
) -> None:
    login = "me:hunter2@"
    url = server.url(login=login)
    if fault == "refused":
        with Server() as gone:
            url = gone.url(login=login)
    elif fault == "invalid":
        url = f"http://{login}{'a' * 64}/"
    elif fault == "loop":
        server.route(redirect(url))
    elif fault != "absent":
        server.route(cut(BODY, 300_000) if fault == "broken" else serve(EVIL))
    with pytest.raises(Unavailable) as caught:
        make(read=0.2).fetch(SOURCE, at(url))
    shown = "".join(traceback.format_exception(caught.value))
    told = f"{caught.value!r}{caught.value.attempts!r}{caught.value.hint}{events!r}{shown}"
    assert "hunter2" not in told
    assert "bWU6aHVudGVyMg" not in told


def test_credentials_are_used(server: Server, make: Make) -> None:
    server.route(serve(BODY))
    make().fetch(SOURCE, at(server.url(login="me:hunter2@")))
    assert server.headers("authorization") == ["Basic bWU6aHVudGVyMg=="]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    made = tmp_path_factory.mktemp("tls")
    key, cert = made / "key.pem", made / "cert.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=loopback -addext"
    argv = [
        "openssl",
        *words.split(),
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    try:
        subprocess.run(argv, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl that makes certificates")
    return cert, key


@pytest.fixture
def secure(certificate: tuple[Path, Path]) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return Server(tls=context)


def test_certificates(
    secure: Server, certificate: tuple[Path, Path], make: Make, tmp_path: Path
) -> None:
    missing, trusted = str(tmp_path / "missing.pem"), str(certificate[0])
    with secure as server:
        server.route(serve(BODY))
        with pytest.raises(Unavailable, match=r"no secure connection: self.signed certificate"):
            make().fetch(SOURCE, at(server.url()))
        with pytest.raises(Unavailable, match=f"there are no certificates at {missing}"):
            make(env={"SSL_CERT_FILE": missing}).fetch(SOURCE, at(server.url()))
        with pytest.raises(Unavailable, match="there are no certificates at"):
            make(env={"SSL_CERT_FILE": trusted, "CURL_CA_BUNDLE": missing}).fetch(
                SOURCE, at(server.url())
            )
        make(env={"SSL_CERT_FILE": trusted, "CURL_CA_BUNDLE": ""}).fetch(SOURCE, at(server.url()))


def test_no_way_from_https_to_http(
    secure: Server, server: Server, certificate: tuple[Path, Path], make: Make
) -> None:
    server.route(serve(BODY))
    with secure as safe:
        safe.route(redirect(server.url()))
        with pytest.raises(Unavailable, match="redirects from https to http"):
            make(env={"SSL_CERT_FILE": str(certificate[0])}).fetch(SOURCE, at(safe.url()))
    assert not server.asked


def test_a_body_that_takes_too_long(server: Server, cache: Path) -> None:
    server.route(serve(BODY))
    downloads = Downloads(
        cache=cache,
        env={},
        emit=lambda _: None,
        stop=threading.Event(),
        limits=Limits(total=-1.0),
    )
    with pytest.raises(Unavailable) as caught:
        downloads.fetch(SOURCE, at(server.url()))
    assert said(caught.value) == ["too slow: not all there after -1 s"]
