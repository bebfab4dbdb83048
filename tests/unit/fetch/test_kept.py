from __future__ import annotations

from pathlib import Path

from ftbuild.fetch.kept import keep


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    keep(path, b"one")
    keep(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_planted_link_is_replaced(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "file"
    target.write_bytes(b"theirs")
    path.symlink_to(target)
    keep(path, b"ours")
    assert target.read_bytes() == b"theirs"
    assert path.read_bytes() == b"ours"


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    keep(tmp_path / "file" / "below", b"content")
