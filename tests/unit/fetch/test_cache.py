from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, Interrupted
from ftbuild.fetch import Source, cache
from ftbuild.fetch.cache import keep, open_regular, recall

BODY = b"tarball" * 1000
SOURCE = Source(filename="f", sha256=hashlib.sha256(BODY).hexdigest(), size=len(BODY))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    path = tmp_path / "f"
    path.write_bytes(BODY)
    return path


def test_a_verified_entry(entry: Path) -> None:
    assert cache.flaw(entry, SOURCE) is None
    assert cache.flaw(entry, Source(filename="f", sha256=SOURCE.sha256)) is None


def test_flaws(entry: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(entry)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "short").write_bytes(BODY[:-1])
    (tmp_path / "other").write_bytes(BODY[::-1])
    found = {name: cache.flaw(tmp_path / name, SOURCE) for name in names(tmp_path)}
    assert found["link"] == "is a symbolic link"
    assert found["pipe"] == "is not a regular file"
    assert found["short"] == "has 6,999 bytes instead of 7,000"
    assert "not the pinned one" in str(found["other"])
    assert cache.flaw(tmp_path, SOURCE) == "is not a regular file"
    assert cache.flaw(tmp_path / "nothing", SOURCE) == cache.MISSING
    assert cache.flaw(entry / "below", SOURCE) == "cannot be read: Not a directory"


def test_what_cannot_be_dropped(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be removed"):
        cache.drop(tmp_path)


def test_a_partial_file_is_kept_added_to_and_published(tmp_path: Path) -> None:
    part = tmp_path / "f.part"
    with cache.Partial(part) as partial:
        partial.write(BODY[:100])
    assert part.read_bytes() == BODY[:100]
    with cache.Partial(part) as partial:
        assert partial.size == 100
        partial.write(BODY[100:])
        assert partial.sha256 == SOURCE.sha256
        partial.publish(tmp_path / "f")
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == BODY


def test_a_partial_file_starts_over(tmp_path: Path) -> None:
    with cache.Partial(tmp_path / "f.part") as partial:
        partial.write(b"nonsense" * 2000)
        partial.clear()
        partial.write(BODY)
        assert (partial.size, partial.sha256) == (SOURCE.size, SOURCE.sha256)
    assert (tmp_path / "f.part").read_bytes() == BODY


def test_an_empty_partial_file_leaves_nothing(tmp_path: Path) -> None:
    with cache.Partial(tmp_path / "f.part") as partial:
        partial.write(BODY)
        partial.clear()
    assert names(tmp_path) == []


@pytest.mark.parametrize("plant", [os.symlink, os.link])
def test_nothing_is_written_through_a_planted_link(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    plant(victim, tmp_path / "f.part")
    with pytest.raises(EnvironmentFault, match=r"f\.part is .*; ftbuild does not write to it"):
        cache.Partial(tmp_path / "f.part")
    assert victim.read_bytes() == b"precious"


def test_other_things_in_the_way(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(EnvironmentFault, match="not an ordinary file"):
        cache.Partial(tmp_path / "pipe")
    with pytest.raises(EnvironmentFault, match="Is a directory"):
        cache.Partial(tmp_path)


def test_a_full_disk_leaves_no_partial_file(small_disk: Path) -> None:
    with (
        cache.Partial(small_disk / "f.part") as partial,
        pytest.raises(EnvironmentFault, match="No space left"),
    ):
        partial.write(BODY * 100)
    assert names(small_disk) == []


def test_the_lock_is_waited_for(tmp_path: Path) -> None:
    path, order = tmp_path / "new" / "f", list[str]()
    stop, waiting = threading.Event(), threading.Event()

    def second() -> None:
        with cache.locked(path, stop=stop, on_wait=waiting.set):
            order.append("second")

    with cache.locked(path, stop=stop, on_wait=order.clear):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_waiting_for_the_lock_ends(tmp_path: Path) -> None:
    stop = threading.Event()
    with (
        cache.locked(tmp_path / "f", stop=stop, on_wait=stop.set),
        pytest.raises(Interrupted),
        cache.locked(tmp_path / "f", stop=stop, on_wait=stop.set),
    ):
        pytest.fail("two held the lock")


def test_a_planted_lock_is_refused(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "f.lock").symlink_to(victim)
    with (
        pytest.raises(EnvironmentFault, match=r"f\.lock is a symbolic link"),
        cache.locked(tmp_path / "f", stop=threading.Event(), on_wait=threading.Event().set),
    ):
        pytest.fail("the lock was taken")
    assert victim.read_bytes() == b"precious"


# Small answers


def test_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    keep(path, b"one")
    keep(path, b"two")
    assert recall(path, limit=3) == b"two"
    assert recall(path, limit=2) is None
    assert list(path.parent.iterdir()) == [path]


def test_a_planted_link_is_replaced_and_not_read(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "file"
    target.write_bytes(b"theirs")
    path.symlink_to(target)
    assert recall(path, limit=100) is None
    keep(path, b"ours")
    assert target.read_bytes() == b"theirs"
    assert path.read_bytes() == b"ours"


def test_keeping_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    keep(tmp_path / "file" / "below", b"content")
    keep(tmp_path / "a\0b", b"content")


@pytest.mark.parametrize("name", ["nowhere", "folder", "pipe", "a\0b", "a" * 300, "\ud800"])
def test_what_is_no_file_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert recall(tmp_path / name, limit=100) is None
    with pytest.raises(OSError, match=r"regular file|cannot be read|No such file"):
        open_regular(tmp_path / name, follow=True)
