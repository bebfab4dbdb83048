from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ftbuild.errors import Interrupted
from ftbuild.fetch import access, wire
from ftbuild.fetch.access import Access, logins, unavailable, with_credentials

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


def test_what_broke_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_BACKOFF", 0.0)
    answers: Iterator[str | wire.Failed] = iter([wire.Broken("lost"), wire.Broken("lost"), "there"])

    def exchange() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    asking = Access(env={}, stop=threading.Event())
    assert asking.patiently(exchange) == "there"
    answers = iter([wire.Broken("lost")] * 3)
    with pytest.raises(wire.Broken):
        asking.patiently(exchange)
    answers = iter([wire.Failed("no"), "there"])
    with pytest.raises(wire.Failed):
        asking.patiently(exchange)
    asking.stop.set()
    answers = iter([wire.Broken("lost", 1000.0)])
    with pytest.raises(Interrupted):
        asking.patiently(exchange)


def test_credentials_are_not_told() -> None:
    assert "hunter2" not in unavailable(LOGIN, "answered 403 Forbidden").message
