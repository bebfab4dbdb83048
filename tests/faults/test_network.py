"""Servers that drip, lie, redirect, cut off and fail; and what they must never learn."""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import time
from collections.abc import Iterator

import pytest

from ftbuild.store.layout import open_root
from tests.faults.dripping import KINDS, TLS, Dripping
from tests.faults.server import Hostile, answer
from tests.integration.driver import NEW, Ftbuild, intact
from tests.integration.fake_cpython import write_recipes
from tests.unit.fetch.loopback import Server, cut, pour, redirect, serve, status

SECRET = "hunter2-s3cr3t"  # noqa: S105
FILE = f"Python-{NEW}.tar.xz"
PATH = f"/{NEW}/{FILE}"
"""Where a mirror that is laid out like python.org has it."""


@pytest.fixture
def tarball(ftbuild: Ftbuild) -> bytes:
    """The source, which the user's own mirror has no more."""
    path = ftbuild.mirror / FILE
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        yield made


def have(ftbuild: Ftbuild, tarball: bytes) -> bool:
    """Whether the cache has the source, and nothing but it."""
    sources = ftbuild.root / "sources"
    names = {path.name for path in sources.iterdir() if not path.name.endswith((".lock", ".json"))}
    return names == {FILE} and (sources / FILE).read_bytes() == tarball


def have_nothing(ftbuild: Ftbuild) -> bool:
    return not list((ftbuild.root / "sources").glob("*.xz"))


@pytest.fixture
def large(ftbuild: Ftbuild) -> bytes:
    """A source of more than what is handed on at a time, and pinned; nobody unpacks it."""
    content = random.Random(0).randbytes(600_000)  # noqa: S311 - the same every time
    ftbuild.pins[NEW] = hashlib.sha256(content).hexdigest()
    write_recipes(ftbuild.recipes, ftbuild.pins, upstream=ftbuild.folder / "upstream", disk=1)
    (ftbuild.mirror / FILE).unlink()
    return content


def resumed(server: Server) -> list[int]:
    """From which bytes on it was asked."""
    asked = [header for header in server.headers("range") if header]
    return [int(header.removeprefix("bytes=").removesuffix("-")) for header in asked]


def test_a_truncated_download_resumes(ftbuild: Ftbuild, large: bytes, server: Server) -> None:
    server.route(cut(large, 400_000), serve(large), path=PATH)
    ftbuild("fetch", NEW, "--mirror", server.url(""))
    assert have(ftbuild, large)
    (start,) = resumed(server)
    assert 100_000 < start <= 400_000


def test_a_killed_download_resumes(ftbuild: Ftbuild, tarball: bytes, server: Server) -> None:
    open_root(ftbuild.root)
    (ftbuild.root / f"sources/{FILE}.part").write_bytes(tarball[:1500])
    server.route(serve(tarball), path=PATH)
    ftbuild("fetch", NEW, "--mirror", server.url(""))
    assert have(ftbuild, tarball)
    assert server.headers("range") == ["bytes=1500-"]


def test_a_wrong_resume_offset_is_an_error(ftbuild: Ftbuild, large: bytes, server: Server) -> None:
    server.route(cut(large, 400_000), serve(large, shift=7), path=PATH)
    done = ftbuild("fetch", NEW, "--mirror", server.url(""), code=3)
    assert "was asked for the bytes from" in done.err
    assert have_nothing(ftbuild)
    server.route(serve(large), path=PATH)
    ftbuild("fetch", NEW, "--mirror", server.url(""))
    assert have(ftbuild, large)


def test_what_was_resumed_from_other_bytes_is_fetched_again(
    ftbuild: Ftbuild, tarball: bytes, server: Server
) -> None:
    open_root(ftbuild.root)
    (ftbuild.root / "sources" / f"{FILE}.part").write_bytes(b"x" * 500)
    server.route(serve(tarball), path=PATH)
    ftbuild("fetch", NEW, "--mirror", server.url(""))
    assert have(ftbuild, tarball)


@pytest.mark.parametrize("change", ["longer", "shorter", "longer without a length", "altered"])
def test_a_body_that_is_not_what_is_pinned(
    ftbuild: Ftbuild, tarball: bytes, server: Server, change: str
) -> None:
    body = {
        "longer": tarball + b"x",
        "shorter": tarball[:-1],
        "longer without a length": tarball + bytes(1000),
        "altered": tarball[:-1] + bytes([tarball[-1] ^ 1]),
    }[change]
    server.route(pour(body) if "without" in change else serve(body), path=PATH)
    done = ftbuild("fetch", NEW, "--mirror", server.url(""), code=3)
    assert "Traceback" not in done.err
    assert have_nothing(ftbuild)


def test_a_body_without_end(ftbuild: Ftbuild, tarball: bytes) -> None:
    """Of a size that no tarball has: left at the ceiling, and nothing is kept."""
    endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(80 << 20)
    with Hostile(answer(endless)) as server:
        ftbuild("fetch", NEW, "--mirror", server.url(), code=3)
    assert have_nothing(ftbuild)
    assert not list((ftbuild.root / "sources").glob("*.part"))


def test_a_hostile_mirror_with_its_own_checksum_file_still_fails_the_pin(
    ftbuild: Ftbuild, tarball: bytes, server: Server
) -> None:
    other = tarball + b"malicious"
    digest = hashlib.sha256(other).hexdigest()
    for suffix, body in {
        "": other,
        ".sha256": f"{digest}  {FILE}\n".encode(),
        ".sha256sum": digest.encode(),
        ".asc": b"-----BEGIN PGP SIGNATURE-----\n",
        ".sigstore": b"{}",
    }.items():
        server.route(serve(body), path=f"{PATH}{suffix}")
    server.route(serve(f"{digest}  {FILE}\n".encode()), path=f"/{NEW}/SHA256SUMS")
    ftbuild("fetch", NEW, "--mirror", server.url(""), code=3)
    assert have_nothing(ftbuild)


@pytest.mark.parametrize("name", ["../../../escaped", "x\r\nX-Header: y"])
def test_a_hostile_download_file_name(
    ftbuild: Ftbuild, tarball: bytes, server: Server, name: str
) -> None:
    """What the server calls the file is of no interest, in a header or at the end of a redirect."""
    headers = {"Content-Disposition": f'attachment; filename="{name!a}"', "Content-Type": name[:1]}
    target = server.url("/elsewhere/..%2F..%2F..%2Fescaped?filename=../../escaped")
    server.route(redirect(target), path=PATH)
    server.route(
        serve(tarball, headers=headers),
        path="/elsewhere/..%2F..%2F..%2Fescaped?filename=../../escaped",
    )
    ftbuild("fetch", NEW, "--mirror", server.url(""))
    assert have(ftbuild, tarball)
    assert not list(ftbuild.folder.rglob("*escaped*"))


def leaks(ftbuild: Ftbuild, *said: str) -> list[str]:
    """Where the secret is: in what was printed, or in a file."""
    found = [text for text in said if SECRET in text]
    files = (path for path in ftbuild.folder.rglob("*") if path.is_file() and not path.is_symlink())
    return found + [str(path) for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize("status_code", [200, 401, 500])
def test_credentials_in_addresses_are_never_printed_or_written(
    ftbuild: Ftbuild, tarball: bytes, server: Server, status_code: int
) -> None:
    answered = serve(tarball) if status_code == 200 else status(status_code, {"Retry-After": "0"})
    server.route(answered, path=PATH)
    mirror = server.url("", login=f"me:{SECRET}@")
    store = server.url("/store", login=f"me:{SECRET}@")
    words = ("build", f"{NEW}t", "--verbose", "--mirror", mirror, "--archive-store", store)
    done = ftbuild.start(*words).done(90)
    assert "Traceback" not in done.err
    shown = ftbuild.start("show", f"{NEW}t", "--json").done()
    assert not leaks(ftbuild, done.out, done.err, shown.out)
    assert any(header for header in server.headers("authorization")), "they were sent"


PROXIES = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    b"nonsense\r\n\r\n",
)


def test_credentials_of_a_proxy_are_never_printed_or_written(
    ftbuild: Ftbuild, tarball: bytes
) -> None:
    """All at once: what is asked again takes its time."""
    with contextlib.ExitStack() as stack:
        runs = []
        for number, raw in enumerate(PROXIES):
            proxy = stack.enter_context(Hostile(answer(raw)))
            address = proxy.url(login=f"me:{SECRET}@")
            ftbuild.env |= {"http_proxy": address, "https_proxy": address}
            for scheme in ("http", "https"):
                mirror = f"{scheme}://mirror.invalid/python"
                root = f"root-{number}-{scheme}"
                runs.append(ftbuild.start("fetch", NEW, "--mirror", mirror, "--root", root))
        for run in runs:
            done = run.done(90)
            assert done.code == 3, done
            assert not leaks(ftbuild, done.out, done.err)


def test_credentials_are_not_forwarded_to_another_host(
    ftbuild: Ftbuild, tarball: bytes, server: Server
) -> None:
    ftbuild.env["FTBUILD_SECRET"] = SECRET
    with Server() as other:
        other.route(serve(tarball), path="/stolen")
        server.route(redirect(other.url("/stolen", host="localhost")), path=PATH)
        ftbuild("fetch", NEW, "--mirror", server.url("", login=f"me:{SECRET}@"))
        assert other.asked, "it was followed"
        for asked in other.asked:
            assert not {"authorization", "cookie", "proxy-authorization"} & set(asked.headers)
            assert SECRET not in f"{asked.headers}{asked.path}"
    assert have(ftbuild, tarball)


@pytest.mark.parametrize("codes", [(429, 500, 408), (502, 503, 504)], ids=str)
def test_passing_failures_are_retried(
    ftbuild: Ftbuild, tarball: bytes, server: Server, codes: tuple[int, ...]
) -> None:
    failures = [status(code, {"Retry-After": "0"}) for code in codes]
    server.route(*failures, serve(tarball), path=PATH)
    ftbuild("fetch", NEW, "--mirror", server.url(""))
    assert have(ftbuild, tarball)


def test_retries_are_bounded(ftbuild: Ftbuild, tarball: bytes, server: Server) -> None:
    server.route(status(503, {"Retry-After": "0"}), path=PATH)
    done = ftbuild("fetch", NEW, "--mirror", server.url(""), code=3)
    assert 2 <= len([asked for asked in server.asked if asked.path == PATH]) <= 10
    assert "503" in done.err


def test_a_redirect_in_circles(ftbuild: Ftbuild, tarball: bytes, server: Server) -> None:
    server.route(redirect(server.url(PATH)), path=PATH)
    assert "redirects more than" in ftbuild("fetch", NEW, "--mirror", server.url(""), code=3).err


ODD = (
    b"",
    b"\0" * 100,
    b"HTTP/1.1 999 Odd\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes x-y/z\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[::1/\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    b"HTTP/1.1 200 \x1b[31mOK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
)


def test_answers_that_make_no_sense(ftbuild: Ftbuild, tarball: bytes) -> None:
    """The next origin is asked. All at once: what is asked again takes its time."""
    good = ftbuild.folder / "good"
    good.mkdir()
    (good / FILE).write_bytes(tarball)
    with contextlib.ExitStack() as stack:
        runs = []
        for number, raw in enumerate(ODD):
            server = stack.enter_context(Hostile(answer(raw)))
            words = ("fetch", NEW, "--mirror", server.url(), "--mirror", str(good))
            runs.append(ftbuild.start(*words, "--root", f"root-{number}"))
        for number, run in enumerate(runs):
            done = run.done(90)
            assert done.code == 0, (ODD[number], done)
            assert "\x1b" not in done.err
            assert (ftbuild.folder / f"root-{number}/sources" / FILE).read_bytes() == tarball


@pytest.mark.parametrize("kind", [*KINDS, TLS])
def test_a_dripping_origin_is_left_within_its_limits(dripping: Dripping, kind: str) -> None:
    done = dripping.done(kind)
    assert done.code == 0, done
    tarball = (dripping.users[kind].mirror / FILE).read_bytes()
    assert have(dripping.users[kind], tarball)


def test_a_dripping_store_is_left_within_its_limits(dripping: Dripping) -> None:
    done = dripping.done("store")
    assert done.code == 0, done
    user = dripping.users["store"]
    assert "warning:" in done.err
    assert intact(user.root / "bin/python3.97t")


def test_a_slow_but_steady_download_ends_well(ftbuild: Ftbuild, tarball: bytes) -> None:
    pieces = [tarball[at : at + 512] for at in range(0, len(tarball), 512)]

    def steady(server: Hostile, connection: socket.socket) -> None:
        server.read_request(connection)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(tarball)}\r\n\r\n"
        connection.sendall(head.encode())
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)

    with Hostile(steady) as server:
        ftbuild("fetch", NEW, "--mirror", server.url())
    assert have(ftbuild, tarball)
