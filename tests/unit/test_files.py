from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.files import (
    clear_unfinished,
    expand_home,
    full_disk,
    open_atomically,
    read_file,
    read_text,
    require_room,
    write_atomically,
)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(path, b"newer")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_whose_writing_fails_does_not_appear(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(TypeError), open_atomically(path) as sink:
        sink.writelines([b"new", "no bytes"])  # type: ignore[list-item]
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_what_had_the_name_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "file"
    elsewhere.write_text("somebody's")
    path.symlink_to(elsewhere)
    write_atomically(path, b"ours")
    assert (path.is_symlink(), path.read_text()) == (False, "ours")
    assert elsewhere.read_text() == "somebody's"


@pytest.mark.parametrize(("umask", "mode"), [(0o000, 0o644), (0o022, 0o644), (0o077, 0o600)])
def test_nobody_else_may_write_to_it(umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_the_longest_names_can_be_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("\N{SNOWMAN}" * 85), b"content")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["content"]


def test_a_text_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbftext")
    assert read_text(path) == "text"


def test_a_file_may_be_as_long_as_the_limit_and_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_file(path, limit=5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_file(path, limit=4)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices_are_not_read(device: str) -> None:
    with pytest.raises(OSError, match="neither a regular file nor a pipe"):
        read_file(Path(device))


def test_a_directory_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path)


def test_a_pipe_is_read_to_its_end_though_its_writer_comes_late(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Timer(0.1, path.write_bytes, args=(b"content" * 100_000,))
    writer.start()
    assert read_file(path) == b"content" * 100_000
    writer.join()


def test_a_pipe_that_does_not_end_is_left(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match=r"did not end within 0\.1 s"):
        read_file(path, patience=0.1)
    with path.open("r+b", buffering=0) as writer:
        writer.write(b"some")
        with pytest.raises(OSError, match=r"did not end within 0\.1 s"):
            read_file(path, patience=0.1)


def test_what_a_killed_run_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    left = tmp_path / ".file.0badcafe.ftbuild"
    left.touch()
    foreign = [tmp_path / name for name in (".file.mine", ".other.0badcafe.ftbuild")]
    for path in foreign:
        path.touch()
    with open_atomically(tmp_path / "file") as sink:
        assert not left.exists()
        write_atomically(tmp_path / "file", b"another run's")
        clear_unfinished(tmp_path)
        assert Path(sink.name).exists()
        sink.write(b"ours")
    assert (tmp_path / "file").read_bytes() == b"ours"
    assert sorted(tmp_path.iterdir()) == [foreign[0], tmp_path / "file"]


def test_a_file_that_is_being_written_can_be_read_by_its_name(tmp_path: Path) -> None:
    with open_atomically(tmp_path / "file") as sink:
        sink.write(b"content")
        sink.flush()
        assert Path(sink.name).read_bytes() == b"content"


def test_a_full_disk(small_disk: Path) -> None:
    require_room(small_disk)
    with (small_disk / "fill").open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            if (small_disk / "fill").stat().st_size == 256 << 10:
                break
        with pytest.raises(OSError, match="No space left") as caught:
            file.write(bytes(4096))
        fault = full_disk(caught.value)
        assert fault is not None
        assert "no space left" in fault.message
        with pytest.raises(EnvironmentFault, match="no space left"):
            require_room(small_disk)
    (small_disk / "fill").unlink()
    require_room(small_disk)


def test_one_that_was_full_for_a_while(tmp_path: Path) -> None:
    require_room(tmp_path, "cannot open file")
    with pytest.raises(EnvironmentFault, match=f"no space left: {tmp_path}"):
        require_room(tmp_path, "OSError: [Errno 28] No space left on device: 'there'")


def test_another_error_is_none_of_a_full_disk(tmp_path: Path) -> None:
    assert full_disk(PermissionError(errno.EACCES, "no", "there")) is None
    require_room(tmp_path / "not-there")


def test_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expand_home(Path("~/a")) == Path("/home/me/a")
    assert expand_home(Path("a/~")) == Path("a/~")
    with pytest.raises(UsageError, match="no such home") as caught:
        expand_home(Path("~no-such-user-at-all/a"))
    assert "Set HOME" in caught.value.hint


def test_links_and_directories_of_such_names_stay(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    (tmp_path / ".link.0badcafe.ftbuild").symlink_to(tmp_path / "there")
    (tmp_path / ".folder.0badcafe.ftbuild").mkdir()
    os.mkfifo(tmp_path / ".fifo.0badcafe.ftbuild")
    clear_unfinished(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
