from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.building.given import NOTHING_GIVEN, given_source
from ftbuild.catalogue import load
from ftbuild.errors import UsageError
from ftbuild.model.versions import parse_requests

HASH = "A" * 64


@pytest.fixture
def tarball(tmp_path: Path) -> str:
    path = tmp_path / "Python-3.16.0a1.tar.xz"
    path.touch()
    return str(path)


def test_nothing_given() -> None:
    assert given_source(parse_requests(["3.14"]), "", "") is NOTHING_GIVEN


def test_the_name_of_the_file_tells_the_release(tarball: str) -> None:
    given = given_source((), tarball, HASH)
    assert [request.release for request in given.requests] == ["3.16.0a1"]
    assert given.releases["3.16.0a1"].sha256 == HASH.lower()
    assert given.tarballs == {"3.16.0a1": Path(tarball)}


def test_a_named_release_goes_before_the_name_of_the_file(tarball: str) -> None:
    given = given_source(parse_requests(["3.14.99t,3.14.99+gil"]), tarball, HASH)
    assert set(given.releases) == {"3.14.99"}
    assert [request.text for request in given.requests] == ["3.14.99t", "3.14.99+gil"]


def test_the_catalogue_gets_the_release_and_its_series(tarball: str) -> None:
    own = load()
    known = given_source((), tarball, HASH).added_to(own)
    assert known.series["3.16"].status == "given"
    assert known.series["3.14"] == own.series["3.14"]
    assert set(known.releases) == {*own.releases, "3.16.0a1"}


@pytest.mark.parametrize("versions", ["3.14", "3.14.1,3.14.2", "3.14.1,3.14"])
def test_one_release_at_a_time(tarball: str, versions: str) -> None:
    with pytest.raises(UsageError, match=r"which release is in Python-3\.16\.0a1"):
        given_source(parse_requests([versions]), tarball, HASH)


def test_a_file_whose_name_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "main.tar.gz").touch()
    with pytest.raises(UsageError, match=r"which release is in main\.tar\.gz"):
        given_source((), str(tmp_path / "main.tar.gz"), HASH)


def test_what_goes_together(tarball: str) -> None:
    for source, sha256 in ((tarball, ""), ("", HASH)):
        with pytest.raises(UsageError, match="go together"):
            given_source((), source, sha256)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        given_source((), str(tmp_path / "none"), HASH)


@pytest.mark.parametrize("sha256", ["abc", "g" * 64, "a" * 65])
def test_no_hash(tarball: str, sha256: str) -> None:
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        given_source((), tarball, sha256)


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(UsageError, match="File name too long"):
        given_source((), "x" * 300, HASH)
