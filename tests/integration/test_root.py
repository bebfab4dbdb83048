"""Roots of all kinds: odd names, no permission, no space."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.driver import NEW, OLD, Disk, Ftbuild, intact

BUILD = ("build", "3.97t")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with Disk(tmp_path / "disk") as disk:
        if not disk.made:
            pytest.skip("this user may not mount a file system here")
        yield disk


def test_white_space(tmp_path: Path) -> None:
    ftbuild = Ftbuild(tmp_path, root=tmp_path / "my pythons")
    ftbuild.release(NEW)
    done = ftbuild(*BUILD, code=2)
    assert "white space" in done.err
    assert not ftbuild.root.exists()


def test_letters_of_any_script(tmp_path: Path) -> None:
    ftbuild = Ftbuild(tmp_path / "дом", root=tmp_path / "Wörter-文字")
    ftbuild.release(NEW)
    ftbuild("build", "3.97", "--profile", "optimized")
    assert intact(ftbuild.root / "bin/python3.97t")
    ftbuild("verify", "--files")


def test_a_root_of_another_name(ftbuild: Ftbuild) -> None:
    other = ftbuild.folder / "other"
    ftbuild(*BUILD, "--root", "other")
    assert intact(other / "bin/python3.97t")
    assert not ftbuild.root.exists()
    assert ftbuild("which", "3.97t", "--root", str(other)).out.startswith(str(other))


def test_not_a_directory(ftbuild: Ftbuild) -> None:
    ftbuild.root.write_text("")
    assert f"the root {ftbuild.root} cannot be used" in ftbuild(*BUILD, code=3).err


def test_read_only(tmp_path: Path, disk: Disk) -> None:
    ftbuild = Ftbuild(tmp_path, root=disk.path / "root")
    ftbuild.release(NEW)
    disk.remount("ro")
    assert str(ftbuild.root) in ftbuild(*BUILD, code=3).err
    disk.remount("rw")
    ftbuild(*BUILD)
    disk.remount("ro")
    done = ftbuild(*BUILD, "--force", code=3)
    assert f"the root {ftbuild.root} is not writable" in done.err


def test_what_is_installed_can_be_used_from_a_read_only_root(tmp_path: Path, disk: Disk) -> None:
    ftbuild = Ftbuild(tmp_path, root=disk.path / "root")
    ftbuild.release(NEW)
    ftbuild("build", "3.97")
    disk.remount("ro")
    assert ftbuild.names == ["cpython-3.97.2", "cpython-3.97.2t"]
    assert ftbuild("show", "3.97t").code == 0
    assert ftbuild("which", "3.97t").out.strip().endswith("bin/python3.97t")
    assert "<hello>" in ftbuild("run", "3.97t", "--", "hello").out
    ftbuild("verify")
    ftbuild("verify", "--files")


def test_too_little_space_is_said_before(tmp_path: Path, disk: Disk) -> None:
    ftbuild = Ftbuild(tmp_path, root=disk.path / "root", disk=2_000_000_000)
    ftbuild.release(NEW)
    done = ftbuild(*BUILD, code=3)
    assert "0.0 GB free; these builds need about 2.0 GB" in done.err
    assert ftbuild.trace == []


@pytest.mark.parametrize("stage", ["compile", "pip", "verify"])
def test_a_disk_that_fills_up(tmp_path: Path, disk: Disk, stage: str) -> None:
    ftbuild = Ftbuild(tmp_path, root=disk.path / "root")
    ftbuild.release(NEW)
    ftbuild(*BUILD)
    fill = f'cat /dev/zero > "{disk.path}/fill"; echo "what it printed"'
    ftbuild.hook(stage, fill)
    done = ftbuild(*BUILD, "--force", code=3)
    assert "pace" in done.err, "space is what it asks for"
    assert "Traceback" not in done.err
    (disk.path / "fill").unlink()
    assert ftbuild.names == ["cpython-3.97.2t"]
    assert intact(ftbuild.root / "bin/python3.97t")
    ftbuild.unhook()
    ftbuild(*BUILD, "--force")
    ftbuild("gc")
    assert ftbuild.litter == []


def test_a_read_only_cache(ftbuild: Ftbuild, disk: Disk) -> None:
    shutil.copy(ftbuild.mirror / f"Python-{NEW}.tar.xz", disk.path)
    disk.remount("ro")
    ftbuild.root.mkdir()
    (ftbuild.root / "sources").symlink_to(disk.path)
    ftbuild(*BUILD)
    assert intact(ftbuild.root / "bin/python3.97t")


def test_what_was_there_before_stays(ftbuild: Ftbuild) -> None:
    (ftbuild.root / "work" / "thesis").mkdir(parents=True)
    thesis = ftbuild.root / "work" / "thesis" / "chapter1.txt"
    thesis.write_text("irreplaceable")
    for words in (BUILD, ("gc",), ("fetch", "3.97")):
        done = ftbuild(*words, code=3)
        assert f"{thesis} exists and was not made by ftbuild" in done.err
        assert "--root" in done.err
    assert [path.name for path in ftbuild.root.iterdir()] == ["work"]
    assert thesis.read_text() == "irreplaceable"


def test_what_others_put_into_a_root_later_stays(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    elsewhere = ftbuild.folder / "elsewhere"
    elsewhere.mkdir()
    places = [
        ftbuild.root / folder / name
        for folder in ("work", "store", "logs", "archives", "exports", "places", "locks")
        for name in ("thesis", "thesis.gone", "thesis.aside", "12345678")
    ]
    for place in places:
        place.mkdir(parents=True)
        (place / "chapter1.txt").touch()
    (ftbuild.root / "work" / "abcdef01").symlink_to(elsewhere)
    ftbuild(*BUILD, "--force")
    ftbuild("gc", "--days", "0")
    ftbuild("remove", "3.97t")
    assert [place for place in places if not (place / "chapter1.txt").exists()] == []
    assert (ftbuild.root / "work" / "abcdef01").is_symlink()


def test_a_root_of_an_earlier_version(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    (ftbuild.root / "ftbuild-root.json").unlink()
    assert ftbuild("list", "--json").json["builds"]
    assert "there already" in ftbuild(*BUILD).out
    assert (ftbuild.root / "ftbuild-root.json").exists()


def test_runs_at_once_in_a_new_root(ftbuild: Ftbuild) -> None:
    runs = [ftbuild.start("fetch", "3.97") for _ in range(3)]
    assert [run.done().code for run in runs] == [0] * 3


def test_reading_a_root_to_be_read_only(tmp_path: Path, disk: Disk) -> None:
    ftbuild = Ftbuild(tmp_path, root=disk.path / "root")
    ftbuild.release(OLD, NEW)
    ftbuild("build", "3.97")
    ftbuild("fetch", f"{OLD}")
    failed = ftbuild.root / "store" / "cpython-3.97.1-12345678.failed"
    failed.mkdir()
    (failed / "ftbuild.incomplete").touch()
    disk.remount("ro")
    before = sorted(disk.path.rglob("*"))
    assert "there already" in ftbuild("build", "3.97").out
    assert "cached already" in ftbuild("fetch", "3.97").out
    assert str(failed) in ftbuild("gc", "--dry-run").out
    assert "is not writable" in ftbuild("gc", code=3).err
    assert "is not writable" in ftbuild("build", OLD, code=3).err
    ftbuild("link", "path", "--into", str(tmp_path / "bin"))
    assert sorted(disk.path.rglob("*")) == before


def test_nobody_else_may_write_whatever_the_umask(ftbuild: Ftbuild) -> None:
    assert ftbuild.start(*BUILD, script='umask 000; exec "$@"').done().code == 0
    assert ftbuild.start("pack", "3.97t", script='umask 000; exec "$@"').done().code == 0
    installed = ftbuild.root / "store"
    loose = [
        path
        for path in (ftbuild.root, *ftbuild.root.rglob("*"))
        if not path.is_symlink() and path.stat().st_mode & 0o022 and installed not in path.parents
    ]
    assert loose == []


def test_a_root_that_everybody_may_write_to(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    ftbuild.root.chmod(0o777)
    for words in (("which", "3.97t"), BUILD):
        assert f"chmod -R o-w {ftbuild.root}" in ftbuild(*words).err
    subprocess.run(["/bin/chmod", "-R", "o-w", str(ftbuild.root)], check=True)
    assert ftbuild("list").err == ""


def test_a_name_that_is_not_utf_8(ftbuild: Ftbuild) -> None:
    for words in (BUILD, ("list", "--json")):
        done = ftbuild(*words, "--root", os.fsdecode(b"no \xff utf-8"), code=2)
        assert "is not UTF-8" in done.err


def test_a_path_of_300_letters(tmp_path: Path) -> None:
    ftbuild = Ftbuild(tmp_path, root=tmp_path.joinpath("x" * 100, "y" * 100, "z" * 100))
    ftbuild.release(NEW)
    ftbuild(*BUILD)
    assert intact(ftbuild.root / "bin/python3.97t")
    ftbuild("verify")
