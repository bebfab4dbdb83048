from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftbuild.errors import UsageError
from ftbuild.fetch import (
    Attempt,
    Origin,
    Unavailable,
    apt_archives,
    directory_url,
    filename,
    local_path,
    origins_for,
    printable,
)
from ftbuild.fetch.origins import server_of
from ftbuild.model.recipes import Origins

RECIPE = Origins(
    upstream="https://www.python.org/ftp/python/{base}/Python-{version}.tar.xz",
    apt_pool="pool/main/p/python{series}/python{series}_{debian}.orig.tar.xz",
    releases="https://api.example",
)
VERSIONS = st.builds(
    "3.{}.{}{}".format,
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(["", "a1", "b3", "rc1", "rc12"]),
)


def urls(version: str, *mirrors: str, recipe: Origins = RECIPE, apt: str = "") -> list[str]:
    found = origins_for(version, recipe, mirrors=mirrors, apt=(apt,) if apt else ())
    return [origin.url for origin in found]


def test_order_and_spelling() -> None:
    recipe = msgspec.structs.replace(RECIPE, mirrors=("https://ours.example/",))
    assert urls("3.15.0rc1", "file:///srv/py", recipe=recipe, apt="http://deb.example/debian/") == [
        "file:///srv/py/Python-3.15.0rc1.tar.xz",
        "file:///srv/py/3.15.0/Python-3.15.0rc1.tar.xz",
        "https://ours.example/3.15.0/Python-3.15.0rc1.tar.xz",
        "https://ours.example/Python-3.15.0rc1.tar.xz",
        "https://www.python.org/ftp/python/3.15.0/Python-3.15.0rc1.tar.xz",
        "http://deb.example/debian/pool/main/p/python3.15/python3.15_3.15.0~rc1.orig.tar.xz",
    ]


@given(VERSIONS)
def test_every_version_has_a_plain_name_and_a_place(version: str) -> None:
    upstream, pool = urls(version, apt="http://deb.example/debian")
    base = version.rstrip("0123456789").removesuffix("rc").removesuffix("a").removesuffix("b")
    assert upstream.endswith(f"/{filename(version)}")
    assert "/" not in filename(version)
    assert base in pool
    assert ("~" in pool) == (version[-2] in "abc" or version[-3] in "abc")


def test_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = (tmp_path / "a b" / "Python-3.14.7.tar.xz").as_uri()
    for mirror in ("a b", "./a b/", str(tmp_path / "a b"), (tmp_path / "a b").as_uri()):
        assert urls("3.14.7", mirror)[0] == expected
    origin = origins_for("3.14.7", RECIPE, mirrors=("a b",), apt=())[0]
    assert origin.name == str(tmp_path / "a b" / "Python-3.14.7.tar.xz")


def test_apts_file_archives() -> None:
    assert urls("3.14.7", apt="file:/srv/debian/")[-1].startswith("file:///srv/debian/pool/")


def test_the_same_place_is_asked_once() -> None:
    assert len(urls("3.14.7", "https://www.python.org/ftp/python", "/m", "/m/")) == 4


def test_hosts_are_named_without_credentials() -> None:
    origin = origins_for("3.14.7", RECIPE, mirrors=("https://me:hunter2@m.example:8443",), apt=())[
        0
    ]
    assert origin.name == "m.example:8443"
    assert "hunter2" in origin.url
    assert "hunter2" not in repr(origin)


@pytest.mark.parametrize(
    "mirror",
    [
        "",
        "ftp://me:hunter2@mirror.example/",
        "https://",
        "https://me:hunter2@",
        "https:/me:hunter2@mirror.example",
        "//me:hunter2@mirror.example/",
        "https://me:hunter2@mirror.example:port/",
        "https://me:p#hunter2@mirror.example/",
        "https://me:p?hunter2@mirror.example/",
        "https://me:p/hunter2@mirror.example/",
        "https://mirror.example/?token=hunter2",
        "https://mirror.example/\x1b[2J",
        "https://[::1/",
        "file://host/share",
        "file:relative",
    ],
)
def test_bad_mirrors_are_named_without_credentials(mirror: str) -> None:
    with pytest.raises(UsageError) as caught:
        urls("3.14.7", mirror)
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"
    assert "\x1b" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("template", ["https://x/{nope}", "https://x/{", "https://x/{0}"])
def test_bad_templates(template: str) -> None:
    with pytest.raises(UsageError, match="template"):
        urls("3.14.7", recipe=msgspec.structs.replace(RECIPE, upstream=template))


ANYTHING = st.text(st.characters()) | st.lists(
    st.sampled_from(
        (
            *("http", "https", "file", ":", "/", "//", "///", "@", "%40", "me:", "<x>", "?", "#"),
            *("[", "]", "\\", ".", " ", "\0", "\x1b[2J", "\u202e", "\ud800", "\udcff", ":8", "{"),
        )
    )
).map("".join)
"""Also what no file's name can hold, and what cannot be encoded."""


@given(ANYTHING)
@example("@\u00e9?\\%2F//user\ud800")
@example("a\0b")
def test_every_mirror_is_an_address_or_a_usage_error(mirror: str) -> None:
    try:
        found = urls("3.14.7", mirror)
    except UsageError:
        return
    assert all(url.partition(":")[0].lower() in {"http", "https", "file"} for url in found)


PASSWORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map("<{}>".format)


@given(user=st.text(max_size=5), password=PASSWORDS, escaped=st.booleans())
def test_passwords_are_never_printed(user: str, password: str, escaped: bool) -> None:
    login = f"{quote(user, safe='', errors='replace')}:{quote(password, safe='')}"
    url = f"https://{login if escaped else f'{user}:{password}'}@host/path?x=1#y"
    shown = printable(url)
    assert "<" not in shown
    assert ">" not in shown
    assert "%3C" not in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host:8/a/b", "https://host:8/a/b"),
        ("https://me:secret@host/a?b#c", "https://host/a"),
        ("https://me:se@cret@host/a", "https://host/a"),
        ("https://me:se#cret@host/a", "https://…"),
        ("https://host/a?signature=x@y", "https://…"),
        ("file:///a%20b/c@d", "/a b/c@d"),
        ("/home/me@work/mirror", "/home/me@work/mirror"),
        ("me:secret@host/a", "host/a"),
        ("https://host/\x1b[2J\n", "https://host/?[2J?"),
        ("https://me:secret%40host/a%40b", "https://host/a%40b"),
        ("https://me:secret\uff20host/a", "https://host/a"),
        ("me:se://cret@host/a", "host/a"),
        ("https://host/\u202e", "https://host/?"),
    ],
)
def test_printable(url: str, shown: str) -> None:
    assert printable(url) == shown


@given(ANYTHING)
def test_printable_takes_anything(text: str) -> None:
    assert printable(text).isprintable()
    assert server_of(text).isprintable()
    local_path(text)


@given(before=ANYTHING, after=ANYTHING)
def test_what_stands_before_the_last_at_is_not_shown(before: str, after: str) -> None:
    """But in the path of a file, and in one that begins like a path, an @ is a letter."""
    url = f"https://{before}<hunter2>{after}@host/{after}"
    assert "hunter2" not in printable(url)
    assert "hunter2" not in server_of(url)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a%20b/%C3%BC", "/a b/ü"),
        ("FILE://localhost/a?b#c", "/a"),
        ("file:/srv/apt", "/srv/apt"),
        ("file:///%ff", os.fsdecode(b"/\xff")),
        ("file:///a%00b", "/a%00b"),
        ("https://example.org/a", None),
        ("http://[bad", None),
        ("/a", None),
    ],
)
def test_local_path(url: str, path: str | None) -> None:
    assert local_path(url) == (Path(path) if path else None)


def test_where_there_is_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError):
        directory_url("mirror")


@given(ANYTHING)
def test_every_template_makes_an_address_or_is_a_usage_error(template: str) -> None:
    try:
        found = urls("3.14.7", recipe=msgspec.structs.replace(RECIPE, upstream=template))
    except UsageError:
        return
    assert all(url.isprintable() for url in found)


def test_unavailable_lists_what_each_said() -> None:
    near = Origin(name="near", url="http://me:hunter2@near/x")
    far = Origin(name="far.example", url="http://far.example/x")
    error = Unavailable(
        "x cannot be had",
        hint="Try later.",
        attempts=(
            Attempt(origin=near, said="answered 404 Not Found", absent=True),
            Attempt(origin=far, said="silent for 30 s"),
        ),
    )
    assert error.message.splitlines() == [
        "x cannot be had",
        "  http://near/x         answered 404 Not Found",
        "  http://far.example/x  silent for 30 s",
    ]
    assert not error.absent
    assert Unavailable("", hint="", attempts=error.attempts[:1]).absent
    assert not Unavailable("", hint="").absent
    assert "hunter2" not in repr(error.attempts)


def test_no_apt_no_archives(tmp_path: Path) -> None:
    assert apt_archives({"PATH": str(tmp_path)}) == ()


@pytest.mark.parametrize(("exit_status", "expected"), [(0, 3), (100, 0)])
def test_what_apt_says(tmp_path: Path, exit_status: int, expected: int) -> None:
    apt = tmp_path / "apt-get"
    lines = ["http://a/debian/", "cdrom:[x]/", "https://b/", "http://a/debian/", "file:/srv/apt"]
    said = "\n".join(lines)
    apt.write_text(f"#!/bin/sh\ncat <<'.'\n{said}\n.\nexit {exit_status}\n")
    apt.chmod(0o755)
    found = ("http://a/debian/", "https://b/", "file:/srv/apt")
    assert apt_archives({"PATH": f"{tmp_path}:{os.defpath}"}) == found[:expected]


@pytest.mark.skipif(not shutil.which("apt-get"), reason="no apt on this machine")
def test_this_machines_apt() -> None:
    archives = apt_archives(os.environ)
    assert all(archive.startswith(("http", "file:")) for archive in archives)
