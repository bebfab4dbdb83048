from __future__ import annotations

import io
import lzma
import os
import tarfile
from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import Refused
from ftbuild.model.training import FORMAT, TrainingProfile
from ftbuild.store.layout import Layout
from ftbuild.store.profiles import (
    frozen_beside,
    frozen_digest,
    place,
    place_frozen,
    place_of,
    profile_digest,
    read_frozen,
    read_profile,
    save,
)
from tests.builders import specification


def trained(tree: Path) -> TrainingProfile:
    """A build tree after a training by gcc, and the record of its profile."""
    for name, content in (
        ("Objects/listobject.gcda", b"counts" * 1000),
        ("Python/ceval.gcda", b"more"),
        ("Python/ceval.gcno", b"not a profile"),
        ("Makefile", b"neither"),
        ("Python/frozen_modules/os.h", b"const unsigned char _Py_M__os[] = {99};"),
    ):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    sha256 = profile_digest(tree)
    assert sha256 is not None
    spec = specification(profile="optimized", pgo=True)
    return TrainingProfile(
        format=FORMAT, spec=spec, sha256=sha256, frozen=frozen_digest(tree), ftbuild="0.1.0"
    )


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "profile.tar.xz"
    save(path, trained(tmp_path / "tree"), tmp_path / "tree")
    return path


def archive(path: Path, **members: bytes) -> Path:
    """An archive of somebody else's making."""
    with tarfile.open(path, "w:xz") as target:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    return path


def test_a_profile_is_names_and_contents(tmp_path: Path) -> None:
    assert profile_digest(tmp_path) is None
    digests = set()
    for name, content in (
        ("Objects/a.gcda", b"one"),
        ("Objects/b.gcda", b"two"),
        ("Objects/b.gcda", b"three"),
        ("code.profclangd", b"merged"),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        digests.add(profile_digest(tmp_path))
    assert len(digests) == 4
    (tmp_path / "Objects" / "a.gcno").touch()
    assert profile_digest(tmp_path) in digests


def test_it_comes_back_as_it_was(tmp_path: Path, stored: Path) -> None:
    there = tmp_path / "elsewhere"
    profile = place(stored, there)
    assert profile == trained(tmp_path / "tree") == read_profile(stored)
    assert profile_digest(there) == profile.sha256
    assert (there / "profile-run-stamp").is_file()
    assert not (there / "Makefile").exists()


def test_the_frozen_modules_lie_beside_it_and_not_in_it(tmp_path: Path, stored: Path) -> None:
    there = tmp_path / "elsewhere"
    profile = place(stored, there)
    assert frozen_digest(there) is None
    place_frozen(stored, profile, there)
    assert frozen_digest(there) == profile.frozen == frozen_digest(tmp_path / "tree")
    frozen_beside(stored).unlink()
    assert read_frozen(stored, profile) == {}


@pytest.mark.parametrize("name", ["Python/frozen_modules/os.h", "Makefile", "../x.h"])
def test_frozen_modules_that_are_not_the_profiles_own_are_left(stored: Path, name: str) -> None:
    archive(frozen_beside(stored), **{name: b"const unsigned char _Py_M__os[] = {66};"})
    assert read_frozen(stored, read_profile(stored)) == {}


def test_the_same_profile_makes_the_same_file(tmp_path: Path, stored: Path) -> None:
    tree = tmp_path / "tree"
    os.utime(tree / "Python" / "ceval.gcda", (1, 1))
    again = tmp_path / "again.tar.xz"
    save(again, trained(tree), tree)
    assert again.read_bytes() == stored.read_bytes()


def test_another_key_another_place(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path)
    assert place_of(layout, "cpython-3.14.7t", "a" * 64) != place_of(
        layout, "cpython-3.14.7t", "b" * 64
    )


@pytest.mark.parametrize("length", [0, 20, 100, -100])
def test_one_cut_short_is_refused(stored: Path, length: int) -> None:
    stored.write_bytes(stored.read_bytes()[:length])
    with pytest.raises(Refused, match="cannot be used as a training profile"):
        read_profile(stored)


def test_one_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftbuild.store.profiles._CEILING", 10_000_000)
    path = tmp_path / "bomb.tar.xz"
    path.write_bytes(lzma.compress(bytes(10_000_001), preset=0))
    with pytest.raises(Refused, match="what no training run leaves"):
        read_profile(path)


def test_altered_data_is_refused(tmp_path: Path) -> None:
    profile = trained(tmp_path / "tree")
    record = msgspec.json.encode(profile)
    path = archive(
        tmp_path / "altered.tar.xz",
        **{"ftbuild-profile.json": record, "Objects/listobject.gcda": b"other", "b.gcda": b""},
    )
    with pytest.raises(Refused, match="not what its record says"):
        place(path, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "name", ["../escape.gcda", "/etc/absolute.gcda", "Makefile", "Python/frozen_modules/os.h"]
)
def test_what_is_no_profile_is_refused(tmp_path: Path, name: str) -> None:
    record = msgspec.json.encode(trained(tmp_path / "tree"))
    path = archive(tmp_path / "bad.tar.xz", **{"ftbuild-profile.json": record, name: b""})
    with pytest.raises(Refused, match="what no training run leaves"):
        read_profile(path)


def test_a_format_from_the_future_is_refused(tmp_path: Path) -> None:
    profile = msgspec.structs.replace(trained(tmp_path / "tree"), format=99)
    record = msgspec.json.encode(profile)
    path = archive(tmp_path / "new.tar.xz", **{"ftbuild-profile.json": record})
    with pytest.raises(Refused, match="its record has format 99"):
        read_profile(path)
    with pytest.raises(Refused, match="its record cannot be read"):
        read_profile(archive(tmp_path / "none.tar.xz"))
    with pytest.raises(Refused, match="No such file"):
        read_profile(tmp_path / "nothing")
