"""Roots of all kinds: odd names, no permission, no space."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.driver import NEW, Disk, Ftbuild, intact

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
