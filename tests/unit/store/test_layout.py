from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.store.layout import (
    FORMAT,
    MARKER,
    Layout,
    Mark,
    layout_of,
    look_at_root,
    open_root,
    read_mark,
    require_space,
    require_writable,
    root_complaints,
)
from tests.builders import store
from tests.unit.conftest import unwritable


def test_a_root_is_made_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    layout = open_root(tmp_path / "deep" / "root")
    assert {path.name for path in layout.root.iterdir()} == {
        *("bin", "configure", "locks", "logs", "pairs", "profiles", "sources", "store", "work"),
        MARKER,
    }
    assert read_mark(layout) == Mark(format=FORMAT, owner=os.geteuid())
    assert layout.work.stat().st_mode & 0o077 == 0
    assert open_root(layout.root) == layout


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\N{NO-BREAK SPACE}"])
def test_white_space_is_refused_before_anything_is_made(tmp_path: Path, space: str) -> None:
    root = tmp_path / f"white{space}space"
    with pytest.raises(UsageError, match="white space") as caught:
        open_root(root)
    assert "--root" in caught.value.hint
    assert not root.exists()


def test_letters_of_any_script_are_fine(tmp_path: Path) -> None:
    assert open_root(tmp_path / "Ünïcode-пример-例").store.is_dir()


def test_a_home_directory_and_relative_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert open_root(Path("~/root")).root == tmp_path / "home" / "root"
    assert open_root(Path("x/../root")).root == tmp_path / "root"


def test_a_link_on_the_way_stays_in_the_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert open_root(tmp_path / "link").root == tmp_path / "link"


def test_to_read_nothing_is_made(tmp_path: Path) -> None:
    assert layout_of(tmp_path / "none").store == tmp_path / "none" / "store"
    assert not (tmp_path / "none").exists()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "root").touch()
    with pytest.raises(EnvironmentFault, match="cannot be used: Not a directory") as caught:
        open_root(tmp_path / "root")
    assert "FTBUILD_ROOT" in caught.value.hint


def test_a_directory_that_may_not_be_written(open_directory: Path) -> None:
    with unwritable(open_directory), pytest.raises(EnvironmentFault, match="Permission denied"):
        open_root(open_directory / "root")


def test_space_is_asked_for_beforehand(tmp_path: Path) -> None:
    layout = open_root(tmp_path)
    require_space(layout, 1)
    with pytest.raises(EnvironmentFault, match=r"GB free; these builds need about 1000000\.0 GB"):
        require_space(layout, 10**15)


def everything(top: Path) -> list[Path]:
    return sorted(top.rglob("*"))


def in_work(root: Path) -> None:
    (root / "work" / "thesis").mkdir(parents=True)
    (root / "work" / "thesis" / "chapter1.txt").touch()


def a_link_to_work(root: Path) -> None:
    in_work(root.parent / "other")
    (root / "work").symlink_to(root.parent / "other" / "work")


def at_the_top(root: Path) -> None:
    (root / "notes.txt").touch()


def among_sources(root: Path) -> None:
    (root / "sources").mkdir()
    (root / "sources" / "holidays.tar.gz").touch()


def with_a_lock_of_its_own(root: Path) -> None:
    (root / "locks").mkdir()
    (root / "locks" / "poetry.lock").write_text("content")


def with_a_store_of_its_own(root: Path) -> None:
    (root / "store" / "cpython-3.14.7t-12345678").mkdir(parents=True)
    (root / "store" / "cpython-3.14.7t-12345678" / "ftbuild.json").write_text("{}")


OTHERS = (
    in_work,
    a_link_to_work,
    at_the_top,
    among_sources,
    with_a_lock_of_its_own,
    with_a_store_of_its_own,
)


@pytest.mark.parametrize("put", OTHERS)
def test_a_directory_with_something_of_others_in_it(
    tmp_path: Path, put: Callable[[Path], None]
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    put(root)
    before = everything(tmp_path)
    with pytest.raises(EnvironmentFault, match="was not made by ftbuild") as caught:
        open_root(root)
    assert everything(tmp_path) == before
    assert "--root" in caught.value.hint


def test_the_way_out_for_the_root_of_an_earlier_version_without_builds(layout: Layout) -> None:
    (layout.root / MARKER).unlink()
    (layout.logs / "image-3.14.log").touch()
    with pytest.raises(EnvironmentFault, match="was not made by ftbuild") as caught:
        open_root(layout.root)
    command = caught.value.hint.partition("say so: ")[2]
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert open_root(layout.root) == layout


def test_what_may_be_there_before(tmp_path: Path) -> None:
    """Sources that somebody has put there, the rest of a run that was killed, a disk's own."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "Python-3.14.7.tar.xz").touch()
    root = tmp_path / "root"
    (root / "locks").mkdir(parents=True)
    (root / "locks" / "root.lock").touch()
    (root / "store").mkdir()
    (root / "archives").mkdir()
    (root / "archives" / "cpython-3.14.7t-12345678-linux-x86_64.tar.zst").touch()
    (root / "lost+found").mkdir()
    (root / f".{MARKER}.0123abcd.ftbuild").touch()
    (root / "sources").symlink_to(elsewhere)
    assert read_mark(open_root(root))


def test_a_root_of_an_earlier_version_is_adopted(layout: Layout) -> None:
    store(layout)
    (layout.root / MARKER).unlink()
    (layout.root / "notes.txt").touch()
    assert read_mark(open_root(layout.root))
    assert (layout.root / "notes.txt").exists()


@pytest.mark.parametrize("name", ["store", "bin", "work", "locks"])
def test_a_link_where_ftbuild_clears_up(layout: Layout, tmp_path: Path, name: str) -> None:
    (tmp_path / "other").mkdir()
    place = layout.root / name
    shutil.rmtree(place)
    place.symlink_to(tmp_path / "other")
    with pytest.raises(EnvironmentFault, match="is a symbolic link") as caught:
        open_root(layout.root)
    assert shlex.quote(str(place)) in caught.value.hint
    assert not everything(tmp_path / "other")


def other_format(marker: Path) -> None:
    marker.write_text('{"format": 99, "owner": 0}')


def of_something_else(marker: Path) -> None:
    marker.write_text('{"name": "something else"}')


def cut_short(marker: Path) -> None:
    marker.write_text('{"form')


def a_link(marker: Path) -> None:
    marker.rename(marker.with_name("other.json"))
    marker.symlink_to("other.json")


@pytest.mark.parametrize("spoil", [other_format, of_something_else, cut_short, a_link])
def test_a_marker_that_is_not_ours(layout: Layout, spoil: Callable[[Path], None]) -> None:
    spoil(layout.root / MARKER)
    for use in (open_root, look_at_root):
        with pytest.raises(EnvironmentFault, match=r"not what ftbuild writes|another ftbuild"):
            use(layout.root)


def test_a_copy_of_a_root_is_its_owners(layout: Layout) -> None:
    (layout.root / MARKER).write_text(f'{{"format": {FORMAT}, "owner": {os.geteuid() + 1}}}')
    assert read_mark(open_root(layout.root)) == Mark(format=FORMAT, owner=os.geteuid())


def test_owner_and_permissions(layout: Layout) -> None:
    me = layout.root.stat().st_uid
    assert root_complaints(layout, user=me) == ()
    assert root_complaints(layout_of(layout.root / "none"), user=me) == ()
    (complaint,) = (
        root_complaints(layout, user=me + 1) if me else root_complaints(layout, user=0) or ("",)
    )
    for path in (layout.root, layout.store):
        path.chmod(0o777)
    complaint = root_complaints(layout, user=me)[-1]
    command = complaint.rpartition(": ")[2]
    assert str(layout.store) in complaint
    subprocess.run(shlex.split(command), check=True)
    assert root_complaints(layout, user=me) == ()


def test_nobody_else_may_write_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        layout = open_root(tmp_path / "deep" / "root")
    finally:
        os.umask(before)
    made = [tmp_path / "deep", layout.root, *everything(layout.root)]
    assert not [path for path in made if path.stat().st_mode & 0o022]


@pytest.mark.parametrize("name", ["no\udcff utf-8", "red\x1b[31m", "back\u202ewards", "x" * 300])
def test_a_name_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    for use in (layout_of, look_at_root, open_root):
        with pytest.raises(UsageError, match="the root '") as caught:
            use(tmp_path / name)
        assert caught.value.message.isprintable()
        assert "--root" in caught.value.hint


def test_a_path_that_is_too_long_as_a_whole(tmp_path: Path) -> None:
    root = tmp_path.joinpath(*["x" * 200] * 25)
    for use in (look_at_root, open_root):
        with pytest.raises(EnvironmentFault, match="name too long"):
            use(root)


def test_a_root_that_cannot_be_looked_at(open_directory: Path) -> None:
    root = open_directory / "root"
    open_root(root)
    root.chmod(0)
    with unwritable(open_directory), pytest.raises(EnvironmentFault, match="Permission denied"):
        look_at_root(root)


def test_a_root_to_be_read_only(open_directory: Path) -> None:
    layout = open_root(open_directory / "root")
    for path in (layout.store, layout.locks, layout.work):
        path.chmod(0o555)
    with unwritable(layout.root):
        assert look_at_root(layout.root) == layout
        assert open_root(layout.root) == layout
        with pytest.raises(EnvironmentFault, match="is not writable"):
            require_writable(layout)
