from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ftbuild.fetch.missed import LATELY, Missed

MIRRORS = ("https://mirror.example/python",)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "missed.json"


def test_it_remembers_beyond_the_run(path: Path) -> None:
    Missed(path).remember("3.14.9", MIRRORS)
    Missed(path).remember("3.14.10", MIRRORS)
    assert all(Missed(path).lately(version, MIRRORS) for version in ("3.14.9", "3.14.10"))
    assert not Missed(path).lately("3.14.8", MIRRORS)


def test_another_mirror_may_have_it(path: Path) -> None:
    Missed(path).remember("3.14.9", MIRRORS)
    assert not Missed(path).lately("3.14.9", ())


def test_credentials_are_not_kept(path: Path) -> None:
    Missed(path).remember("3.14.9", ("https://me:secret@mirror.example/python",))
    assert "secret" not in path.read_text()
    assert Missed(path).lately("3.14.9", MIRRORS)


@pytest.mark.parametrize("seconds", [LATELY + 1, -10.0])
def test_it_forgets(path: Path, seconds: float) -> None:
    """After an hour; and at once where the clock was set back."""
    Missed(path).remember("3.14.9", MIRRORS)
    kept = msgspec.json.decode(path.read_bytes())
    kept["3.14.9"]["at"] -= seconds
    path.write_bytes(msgspec.json.encode(kept))
    assert not Missed(path).lately("3.14.9", MIRRORS)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"3.14.9": 1}'])
def test_a_damaged_memory_is_an_empty_one(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    assert not Missed(path).lately("3.14.9", MIRRORS)
    Missed(path).remember("3.14.9", MIRRORS)
    assert Missed(path).lately("3.14.9", MIRRORS)


def test_a_place_that_cannot_be_written_forgets(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    missed = Missed(tmp_path / "file" / "missed.json")
    missed.remember("3.14.9", MIRRORS)
    assert not missed.lately("3.14.9", MIRRORS)
