"""Symbolic links and odd files that somebody put where ftbuild is going to write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ftbuild.store.layout import open_root
from tests.faults.stage import FOREIGN
from tests.integration.driver import NEW, Ftbuild

DIRECTORIES = ("work", "sources", "archives", "locks")
"""Where ftbuild writes, and clears up."""

CACHED = (
    f"sources/Python-{NEW}.tar.xz",
    f"sources/Python-{NEW}.tar.xz.part",
    f"sources/Python-{NEW}.tar.xz.lock",
)

FILES = (
    *CACHED,
    "locks/work.lock",
    "ftbuild-root.json",
    f"cpython-{NEW}t",
    "bin/python3.97t",
)
"""What it writes there, and what goes by its name."""


@pytest.fixture
def victim(ftbuild: Ftbuild) -> Path:
    """A directory of somebody's, with a file in it."""
    folder = ftbuild.folder / "victim"
    (folder / "deep").mkdir(parents=True)
    for name in ("precious", "deep/precious"):
        (folder / name).write_text(FOREIGN)
    return folder


def untouched(victim: Path) -> bool:
    """Whether what was there is there as it was; a cache may have been put beside it."""
    return all((victim / name).read_text() == FOREIGN for name in ("precious", "deep/precious"))


def attempt(ftbuild: Ftbuild, *words: str) -> None:
    """Do it, or say why not; never with a traceback."""
    done = ftbuild.start(*words).done()
    assert done.code in {0, 1, 2, 3}, (words, done)
    assert "Traceback" not in done.err, (words, done)


@pytest.mark.parametrize("name", DIRECTORIES)
def test_a_link_in_the_place_of_a_directory(ftbuild: Ftbuild, victim: Path, name: str) -> None:
    open_root(ftbuild.root)
    path = ftbuild.root / name
    if path.is_dir():
        for entry in path.iterdir():
            entry.unlink()
        path.rmdir()
    path.symlink_to(victim)
    for words in (("build", f"{NEW}t"), ("pack", f"{NEW}t"), ("gc", "--days", "0")):
        attempt(ftbuild, *words)
        assert untouched(victim), words
    attempt(ftbuild, "remove", f"{NEW}t")
    assert untouched(victim)


@pytest.mark.parametrize("name", FILES)
def test_a_link_in_the_place_of_a_file(ftbuild: Ftbuild, victim: Path, name: str) -> None:
    """Neither is what it points to written to or removed, nor is anything made where it points."""
    open_root(ftbuild.root)
    path = ftbuild.root / name
    for target in ("precious", "nothing"):
        path.unlink(missing_ok=True)
        path.symlink_to(victim / target)
        attempt(ftbuild, "build", f"{NEW}t")
        assert untouched(victim)
        assert not (victim / "nothing").exists()
    attempt(ftbuild, "gc")
    assert untouched(victim)


@pytest.mark.parametrize("kind", ["directory", "FIFO", "hard link"])
def test_something_else_in_the_place_of_a_file(ftbuild: Ftbuild, victim: Path, kind: str) -> None:
    open_root(ftbuild.root)
    for path in (ftbuild.root / name for name in CACHED):
        path.unlink(missing_ok=True)
        if kind == "directory":
            path.mkdir()
        elif kind == "FIFO":
            os.mkfifo(path)
        else:
            os.link(victim / "precious", path)
        attempt(ftbuild, "fetch", NEW)
        assert untouched(victim)
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


def test_links_among_what_a_killed_run_left(ftbuild: Ftbuild, victim: Path) -> None:
    """Clearing up removes the links and does not go where they lead."""
    ftbuild("build", f"{NEW}t")
    prefix = ftbuild.prefixes[0]
    for suffix in (".gone", ".failed", ".aside"):
        left = prefix.with_name(f"{prefix.name}{suffix}")
        left.mkdir()
        (left / "ftbuild.incomplete").touch()
        (left / "link").symlink_to(victim)
    scratch = ftbuild.root / "work" / "0badcafe"
    scratch.mkdir()
    (scratch / "alive.lock").touch()
    (scratch / "link").symlink_to(victim)
    (ftbuild.root / "store" / f"cpython-{NEW}t-00000000.gone").symlink_to(victim)
    attempt(ftbuild, "gc", "--days", "0")
    assert untouched(victim)
    assert not scratch.exists()
    there = {str(path.relative_to(victim)) for path in victim.rglob("*")}
    assert there == {"deep", "deep/precious", "precious"}
