from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftbuild.fetch import Unavailable, simple, wire
from ftbuild.fetch.access import Access
from ftbuild.fetch.deadlines import Limits
from ftbuild.fetch.simple import Offered, names, page, parsed

from .drip import PHASES, Drip
from .loopback import Server, redirect, serve, status

SHA = "ab" * 32
JSON = json.dumps(
    {
        "meta": {"api-version": "1.1"},
        "name": "spam",
        "files": [
            {
                "filename": "spam-1.0-py3-none-any.whl",
                "url": "https://me:x@files.example/spam-1.0-py3-none-any.whl",
                "hashes": {"sha256": SHA},
                "size": 7,
                "requires-python": ">=3.9",
                "core-metadata": {"sha256": SHA},
                "yanked": False,
            },
            {
                "filename": "spam-0.9.tar.gz",
                "url": "../../spam-0.9.tar.gz",
                "hashes": {},
                "yanked": "broken",
                "requires-python": None,
            },
            {"filename": "spam-0.8.tar.gz", "url": "javascript:alert()", "hashes": {}},
        ],
    }
).encode()
HTML = f"""<!DOCTYPE html><html><body><h1>spam</h1>
<a href="https://me:x@files.example/spam-1.0-py3-none-any.whl#sha256={SHA}"
   data-requires-python="&gt;=3.9" data-core-metadata="sha256={SHA}">spam-1.0-py3-none-any.whl</a>
<a href="../../spam-0.9.tar.gz" data-yanked="broken">spam-0.9.tar.gz</a><br>
<a href="http://[bad">bad</a> <a name="x">no link</a>
</body></html>""".encode()
WHEEL = Offered(
    name="spam-1.0-py3-none-any.whl",
    url="https://files.example/spam-1.0-py3-none-any.whl",
    size=7,
    sha256=SHA,
    requires_python=">=3.9",
    metadata=True,
)


def asking(*, offline: bool = False) -> Access:
    limits = Limits(backoff=0.0, tries=3)
    return Access(env={}, stop=threading.Event(), offline=offline, limits=limits)


def test_both_kinds_of_page() -> None:
    url = "https://index.example/simple/spam/"
    sdist = Offered(
        name="spam-0.9.tar.gz", url="https://index.example/spam-0.9.tar.gz", yanked=True
    )
    assert parsed(JSON, url) == (WHEEL, sdist)
    assert parsed(HTML, url)[0].size is None
    assert [each.yanked for each in parsed(HTML, url)] == [False, True]
    assert parsed(HTML, url)[1] == sdist
    one = parsed(HTML, url)[0]
    assert (one.url, one.sha256, one.requires_python, one.metadata) == (
        WHEEL.url,
        SHA,
        ">=3.9",
        True,
    )


ADDRESSES = st.text(st.characters(exclude_categories=["Cs"])) | st.lists(
    st.sampled_from(
        ["http://", "//", "[", "]", "@", ":", "x", "#", "?", "\0", "\x1b", "file:", "/"]
    )
).map("".join)
PAGES = st.builds(
    lambda href, base, name, size: (
        json.dumps({"files": [{"filename": name, "url": href, "size": size}]}),
        f'<base href="{base}"><a href="{href}">{name}</a><![{name}[',
    ),
    href=ADDRESSES,
    base=ADDRESSES,
    name=st.text(),
    size=st.none() | st.integers(),
).flatmap(st.sampled_from)


@given(
    content=st.binary()
    | st.text().map(str.encode)
    | st.text().map(lambda x: f"{{{x}".encode())
    | PAGES.map(str.encode)
)
@example(b"<![foo[")
@example(b'<base href="http://["><a href="x">x</a>')
@example(b'{"files": [], "x": ' + b"[" * 100_000)
@example(b'{"files": [{"filename": "a", "url": "x", "size": 99999999999999999999999}]}')
def test_no_page_is_too_strange(content: bytes) -> None:
    try:
        found = parsed(content, "https://index.example/simple/spam/")
    except wire.Failed:
        return
    assert all(each.url.startswith(("http", "file")) for each in found)
    msgspec.msgpack.encode(found)


@pytest.mark.parametrize("index", ["http://[", "http://[bad]:x", "nonsense", "file:///a%00b", ""])
def test_an_index_that_is_none(tmp_path: Path, index: str) -> None:
    for ask in (
        lambda: page(index, "spam", access=asking(), cache=tmp_path),
        lambda: names(index, access=asking(), cache=tmp_path),
    ):
        with contextlib.suppress(Unavailable):
            assert not ask()


def test_an_index_that_drips_is_asked_once(tmp_path: Path) -> None:
    limits = Limits(connect=5.0, silence=5.0, window=0.2)
    access = Access(env={}, stop=threading.Event(), limits=limits)
    with Drip(*PHASES["body"]) as drip:
        for name, said in (("spam", "too slow"), ("ham", "not asked again: too slow")):
            with pytest.raises(Unavailable, match=said):
                page(drip.url(""), name, access=access, cache=tmp_path)
        assert drip.asked == 1


def test_a_page_that_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "spam").mkdir()
    os.mkfifo(tmp_path / "spam" / "index.html")
    assert page(tmp_path.as_uri(), "spam", access=asking(), cache=tmp_path) == ()


def test_a_page_is_asked_for_once_in_a_while(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.route(serve(JSON, headers={"ETag": '"1"'}), status(304), status(500), path="/spam/")
    found = page(server.url("/"), "Spam", access=asking(), cache=tmp_path)
    assert found is not None
    assert found[0] == WHEEL
    assert page(server.url("/"), "Spam", access=asking(), cache=tmp_path) == found
    assert len(server.asked) == 1
    assert "application/vnd.pypi.simple.v1+json" in str(server.headers("accept")[0])
    monkeypatch.setattr(simple, "FRESH", -1.0)
    assert page(server.url(""), "spam", access=asking(), cache=tmp_path) == found
    assert server.headers("if-none-match") == [None, '"1"']
    assert page(server.url(""), "spam", access=asking(offline=True), cache=tmp_path) == found
    with pytest.raises(Unavailable, match="500 Internal Server Error"):
        page(server.url(""), "spam", access=asking(), cache=tmp_path)


def test_links_are_relative_to_where_the_page_was(server: Server, tmp_path: Path) -> None:
    server.route(redirect(server.url("/real/simple/spam/")), path="/spam/")
    server.route(serve(JSON), path="/real/simple/spam/")
    found = page(server.url(""), "spam", access=asking(), cache=tmp_path)
    assert found is not None
    assert found[1].url == server.url("/real/spam-0.9.tar.gz")


def test_absent_projects(server: Server, tmp_path: Path) -> None:
    assert page(server.url(""), "no", access=asking(), cache=tmp_path) is None
    assert page(server.url(""), "no", access=asking(offline=True), cache=tmp_path) is None
    with pytest.raises(Unavailable, match="offline"):
        page(server.url(""), "other", access=asking(offline=True), cache=tmp_path)


def test_credentials_are_sent_and_not_told(server: Server, tmp_path: Path) -> None:
    server.route(status(403), path="/simple/spam/")
    env = {"UV_INDEX_URL": server.url("/simple", login="me:hunter2@")}
    allowed = Access(env=env, stop=threading.Event())
    with pytest.raises(Unavailable, match="403 Forbidden") as caught:
        page(server.url("/simple"), "spam", access=allowed, cache=tmp_path)
    assert server.headers("authorization") == ["Basic bWU6aHVudGVyMg=="]
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"


def test_a_damaged_cache_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.route(serve(JSON), path="/spam/")
    for _ in range(2):
        assert page(server.url(""), "spam", access=asking(), cache=tmp_path)
        [kept] = tmp_path.rglob("*.msgpack")
        kept.write_bytes(b"?")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "content",
    [
        b'{"meta": {}, "projects": [{"name": "Spam.Eggs"}, {"name": "ham"}]}',
        b'<a href="spam-eggs/">Spam.Eggs</a>\n<A class=x HREF="/simple/ham/">ham</A>',
    ],
)
def test_all_names(server: Server, tmp_path: Path, content: bytes) -> None:
    server.route(serve(content), status(500), path="/")
    for offline in (False, False, True):
        found = names(server.url(""), access=asking(offline=offline), cache=tmp_path)
        assert found == ("spam-eggs", "ham")
    assert len(server.asked) == 1


def test_directories(tmp_path: Path) -> None:
    flat, index, listed = tmp_path / "flat", tmp_path / "index", tmp_path / "listed"
    for folder, name in (
        (flat, "spam-1.0-py3-none-any.whl"),
        (flat, "spam-0.9.tar.gz"),
        (flat, "ham-1.0-py3-none-any.whl"),
        (flat, "README.txt"),
        (index / "Spam", "spam-1.0-py3-none-any.whl"),
        (listed / "spam", "index.html"),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(HTML if name == "index.html" else b"1234567")

    def found(folder: Path) -> tuple[Offered, ...] | None:
        return page(folder.as_uri(), "spam", access=asking(offline=True), cache=tmp_path / "no")

    assert [each.name for each in found(flat) or ()] == [
        "spam-0.9.tar.gz",
        "spam-1.0-py3-none-any.whl",
    ]
    [wheel] = found(index) or ()
    assert wheel.size == 7
    assert Path(wheel.url.removeprefix("file://")).is_file()
    assert [each.name for each in found(listed) or ()] == [WHEEL.name, "spam-0.9.tar.gz"]
    assert found(tmp_path) is None
    assert found(tmp_path / "no") is None
    assert names(flat.as_uri(), access=asking(), cache=tmp_path) == ("ham", "spam")
    assert not (tmp_path / "no").exists()
