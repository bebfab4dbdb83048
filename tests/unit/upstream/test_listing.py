from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.catalogue import load
from ftbuild.errors import EnvironmentFault
from ftbuild.model.recipes import Catalogue, Release, Series
from ftbuild.upstream.listing import Published, Tarball, lacking, published, tarball

HASH = "a" * 64


def release(version: str, id_: int = 7, **other: Any) -> dict[str, Any]:
    """A release as the API lists it."""
    return {
        "name": f"Python {version}",
        "slug": f"python-{version.replace('.', '')}",
        "version": 3,
        "is_published": True,
        "is_latest": False,
        "release_date": "2026-06-10T13:13:18Z",
        "pre_release": False,
        "release_page": None,
        "release_notes_url": "",
        "show_on_download_page": True,
        "resource_uri": f"https://www.python.org/api/v2/downloads/release/{id_}/",
        **other,
    }


def file(version: str, suffix: str = ".tar.xz", **other: Any) -> dict[str, Any]:
    """A file of a release as the API lists it."""
    url = f"https://www.python.org/ftp/python/{version}/Python-{version}{suffix}"
    return {
        "name": "XZ compressed source tarball",
        "slug": "source",
        "os": "https://www.python.org/api/v2/downloads/os/3/",
        "release": "https://www.python.org/api/v2/downloads/release/7/",
        "is_source": True,
        "url": url,
        "gpg_signature_file": "",
        "md5_sum": "",
        "sha256_sum": HASH,
        "filesize": 123,
        "sigstore_bundle_file": f"{url}.sigstore",
        **other,
    }


def answer(*items: dict[str, Any]) -> bytes:
    return json.dumps(items).encode()


def test_releases_are_read_and_others_left_out() -> None:
    listed = answer(
        release("3.14.11", 1234),
        release("3.15.0rc1", resource_uri="/api/v2/downloads/release/8/"),
        release("3.16.0", is_published=False),
        release("install manager 25.0"),
        release("3.14.12", resource_uri="elsewhere"),
        *map(release, ("3.15.0rc0", "3.014.3", "3.14.100", "3.14.7-rc1", "3.14", "2.7.18")),
    )
    assert published(listed) == (
        Published(version="3.14.11", id="1234"),
        Published(version="3.15.0rc1", id="8"),
    )


def test_the_tarball_is_found_by_its_name() -> None:
    listed = answer(file("3.14.11", ".tgz", sha256_sum="b" * 64), file("3.14.11"))
    assert tarball(listed, "3.14.11") == Tarball(sha256=HASH, size=123)
    assert tarball(listed, "3.14.1") is None


@pytest.mark.parametrize("sum_", [None, "", "abc", HASH.upper()])
def test_a_tarball_without_a_hash_is_none(sum_: str | None) -> None:
    assert tarball(answer(file("3.14.11", sha256_sum=sum_)), "3.14.11") is None


def test_a_size_may_be_missing() -> None:
    found = tarball(answer(file("3.14.11", filesize=0)), "3.14.11")
    assert found is not None
    assert found.size is None


@given(st.binary(max_size=40) | st.sampled_from([b"{}", b'[{"name": 1}]', b"<html>", b"[[]]"]))
def test_whatever_answers_is_told_apart(junk: bytes) -> None:
    for read in (published, lambda body: tarball(body, "3.14.11")):
        try:
            assert not read(junk)
        except EnvironmentFault:
            continue


def known(*versions: str) -> Catalogue:
    some = Release(sha256=HASH, size=None, seen=("me",))
    series = Series(status="bugfix", free_threading="supported")
    return msgspec.structs.replace(
        load(), series={"3.97": series, "3.98": series}, releases=dict.fromkeys(versions, some)
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "new"),
    [
        (["3.97.1"], ["3.97.2", "3.97.1", "3.97.10", "3.97.0"], ["3.97.0", "3.97.2", "3.97.10"]),
        (["3.97.1"], ["3.97.0rc1", "3.99.0"], []),
        (["3.98.0a2"], ["3.98.0a1", "3.98.0a2", "3.98.0a3", "3.98.0b1"], ["3.98.0a3", "3.98.0b1"]),
        (["3.98.0a2"], ["3.98.0rc1", "3.98.0"], ["3.98.0"]),
        ([], ["3.98.0a1", "3.97.5"], ["3.97.5", "3.98.0a1"]),
    ],
)
def test_what_is_lacking(ours: list[str], theirs: list[str], new: list[str]) -> None:
    found = lacking([Published(version=v, id="1") for v in theirs], known(*ours))
    assert [release.version for release in found] == new
