from __future__ import annotations

import threading

import msgspec
import pytest

from ftbuild.errors import Interrupted
from ftbuild.fetch import Unavailable, access
from ftbuild.fetch.access import logins, read_document, unavailable, with_credentials
from ftbuild.fetch.deadlines import DOCUMENT, Limits

from .loopback import Behaviour, Server, cut, pour, serve, status

LOGIN = "https://me:hunter2@pkg.example/team/simple"


@pytest.mark.parametrize(
    ("env", "addresses", "found"),
    [
        ({}, (), ()),
        ({"UV_DEFAULT_INDEX": LOGIN}, (), (LOGIN,)),
        ({"UV_DEFAULT_INDEX": f"corp={LOGIN}"}, (), (LOGIN,)),
        ({"PIP_EXTRA_INDEX_URL": f"https://open.example/simple {LOGIN}"}, (), (LOGIN,)),
        ({}, (f"corp={LOGIN}", "--index"), (LOGIN,)),
        (
            {
                "UV_INDEX": "my-corp=https://pkg.example/simple",
                "UV_INDEX_MY_CORP_USERNAME": "me",
                "UV_INDEX_MY_CORP_PASSWORD": "p@ss",
            },
            (),
            ("https://me:p%40ss@pkg.example/simple",),
        ),
        ({"UV_INDEX": "corp=https://pkg.example/simple"}, (), ()),
        ({"UV_INDEX": "https://[bad ftp://me:x@h.example/"}, (), ()),
    ],
)
def test_where_credentials_come_from(
    env: dict[str, str], addresses: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert logins(env, addresses) == found


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://pkg.example/team/simple/x/", "me:hunter2@"),
        ("https://pkg.example:443/elsewhere/x.whl", "me:hunter2@"),
        ("https://pkg.example/other/x.whl", "you:else@"),
        ("http://pkg.example/team/simple/x/", ""),
        ("https://pkg.example:8443/team/simple/x/", ""),
        ("https://pkg.example.evil.example/team/simple/x/", ""),
        ("file:///srv/x.whl", ""),
    ],
)
def test_credentials_are_for_one_server(url: str, login: str) -> None:
    known = ["https://you:else@pkg.example/other/simple", LOGIN]
    if "elsewhere" in url:
        known = [LOGIN]
    scheme, _, rest = url.partition("://")
    assert with_credentials(url, known) == f"{scheme}://{login}{rest}"


def test_own_credentials_stay() -> None:
    url = "https://it:self@pkg.example/x"
    assert with_credentials(url, [LOGIN]) == url


def test_credentials_are_not_told() -> None:
    assert "hunter2" not in unavailable(LOGIN, "answered 403 Forbidden").message


# Documents


def read(url: str, limits: Limits = DOCUMENT) -> bytes | None:
    return read_document(url, env={}, stop=threading.Event(), limits=limits)


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
    monkeypatch.setattr(access, "LIMIT", 1000)
    server.route(behaviour)
    with pytest.raises(Unavailable, match=says) as caught:
        read(server.url(login="me:secret@"))
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("silent", [True, False])
def test_patience_has_an_end(server: Server, silent: bool) -> None:
    limits = msgspec.structs.replace(DOCUMENT, **({"silence": 0.2} if silent else {"total": -1.0}))
    server.route(server.hush if silent else serve(b"content"))
    with pytest.raises(Unavailable, match=r"silent for 0\.2 s$" if silent else "too slow"):
        read(server.url(), limits)


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
