"""A user with builds in every state, who can be put back to that state, and what must hold of it.

A round goes: `restore`, do something terrible, `check`, the same command again, `check_cleared`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from pathlib import Path
from typing import Self

import msgspec

from ftbuild.store.listing import read_manifest
from tests.integration.driver import NEW, OLD, Done, Ftbuild, intact

FOREIGN = "somebody else's, and precious\n"

TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}|\.ftbuild-.*|.*\.part")
"""What files and links are called while they are written."""

PATIENCE = 120.0
"""Seconds that a command may take while others are at it on a busy machine."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command that writes.

    Attributes:
        words: What is said; `{}` stands for the directory outside the root.
        again: How it may end when it has been done already.
    """

    words: tuple[str, ...]
    again: tuple[int, ...] = (0,)


COMMANDS = {
    "build": Command(words=("build", f"{NEW}t")),
    "build a pair": Command(words=("build", NEW, "--jobs", "2")),
    "replace": Command(words=("build", f"{OLD}t+optimized", "--force")),
    "install": Command(words=("install", "{}/packed")),
    "pack": Command(words=("pack", f"{OLD}t")),
    "pack elsewhere": Command(words=("pack", f"{OLD}t", "--output", "{}/archives")),
    "remove": Command(words=("remove", f"{OLD}t+optimized"), again=(0, 2)),
    "gc": Command(words=("gc", "--days", "0")),
    "upgrade": Command(words=("upgrade",)),
    "fetch": Command(words=("fetch", "3.97")),
    "link path": Command(words=("link", "path", "--into", "{}/bin")),
    "link pyenv": Command(words=("link", "pyenv", "--pyenv-root", "{}/pyenv")),
    "unlink path": Command(words=("unlink", "path", "--into", "{}/bin")),
    "export uv": Command(words=("export", "uv", "--dir", "{}/uv")),
    "export toolcache": Command(words=("export", "toolcache", "--dir", "{}/tools")),
    "profiles": Command(words=("profiles", "--output", "{}/profiles")),
    # uv does not take the stand-in for a Python: all that comes before is done.
    "audit": Command(words=("audit", "{}/project", "--offline", "--no-probe"), again=(0, 3)),
}
"""Every command that writes, below the root or outside."""


class Stage:
    """A user whose root has a linked build, one that it replaced, an optimised one with its
    profile, and beside whose root lies an archive of a fourth; and foreign files all around.
    """

    def __init__(self, folder: Path, *, root: Path | None = None) -> None:
        self.user = Ftbuild(folder, root=root)
        self.root = self.user.root
        self.outside = folder / "outside"
        self._kept = folder / "kept"
        self._furnish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.user.end()

    def _furnish(self) -> None:
        user = self.user
        user.release(OLD, NEW)
        self.run("build", f"{NEW}t", "--configure-arg=--with-a")
        self.run("pack", f"{NEW}t", "--output", str(self.outside / "packed"))
        self.run("remove", f"{NEW}t")
        self.run("build", f"{OLD}t", "--configure-arg=--with-b")
        self.run("build", f"{OLD}t,{OLD}t+optimized")
        for name in ("bin", "pyenv/versions/3.9.1", "uv", "tools", "profiles", "archives"):
            (self.outside / name).mkdir(parents=True)
        (self.outside / "project").mkdir()
        (self.outside / "project/pyproject.toml").write_text(
            '[project]\nname = "it"\nversion = "1"\ndependencies = []\n'
        )
        for place in (self.outside / "bin", self.outside / "pyenv/versions/3.9.1"):
            (place / "mine").write_text(FOREIGN)
        for place in (self.root, self.root / "bin", user.folder):
            (place / "mine").write_text(FOREIGN)
        for name, path in self._parts.items():
            shutil.copytree(path, self._kept / name, symlinks=True)

    @property
    def _parts(self) -> dict[str, Path]:
        return {"root": self.root, "outside": self.outside}

    def restore(self) -> None:
        """Have everything as it was made."""
        for name, path in self._parts.items():
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(self._kept / name, path, symlinks=True)
        self.user.unhook()

    def words(self, name: str) -> tuple[str, ...]:
        """What is typed for a command."""
        return tuple(word.replace("{}", str(self.outside)) for word in COMMANDS[name].words)

    def run(self, *words: str) -> None:
        """Run a command, which must go well."""
        done = self.user.start(*words).done(PATIENCE)
        assert done.code == 0, (words, done)

    def again(self, name: str) -> Done:
        """Do it once more: it must go well."""
        done = self.user.start(*self.words(name)).done(PATIENCE)
        assert done.code in COMMANDS[name].again, ("the next run fails", name, done)
        return done

    def check(self) -> None:
        """What holds at any moment: what is listed is whole, and what is foreign is untouched."""
        for item in self.user.installed:
            assert intact(item.python), ("listed, and does not run", item.prefix)
            assert not (item.prefix / "ftbuild.incomplete").exists(), item.prefix
        foreign = [self.user.folder, self.root, self.root / "bin", self.outside / "bin"]
        foreign.append(self.outside / "pyenv/versions/3.9.1")
        for place in foreign:
            assert (place / "mine").read_text() == FOREIGN, place
        there = {path.name for path in self.user.folder.iterdir()}
        strange = {name for name in there - _EXPECTED if not name.startswith("output-")}
        assert strange <= {self.root.name}, ("outside of the root", strange)

    def check_cleared(self) -> None:
        """What holds once another run and `gc` went well: nothing of what went wrong is left."""
        self.check_processes()
        self.run("gc")
        self.check()
        self.check_names()
        assert not _scratch(self.root), ("scratch", _scratch(self.root))
        assert not self.unfinished(), ("unfinished", self.unfinished())
        left = [path for top in self._parts.values() for path in _temporary(top)]
        assert not left, ("temporary files", left)
        held = [path for path in self.root.rglob("*.lock") if not _is_free(path)]
        assert not held, ("locks held", held)

    def check_processes(self) -> None:
        """Nothing that was started on behalf of this user still runs."""
        assert self.user.processes == [], ("processes", self.user.processes)

    def check_names(self) -> None:
        """Whatever has a name of ours, within the root and outside, is a whole build."""
        whole = {item.prefix.resolve() for item in self.user.installed}
        names = [path for path in self.root.glob("cpython-*") if path.is_symlink()]
        names += [path for path in (self.outside / "pyenv/versions").iterdir() if path.is_symlink()]
        for path in names:
            assert path.resolve() in whole, ("names no build", path, path.readlink())
        for place in (self.root / "bin", self.outside / "bin"):
            for path in (path for path in place.iterdir() if path.is_symlink()):
                assert path.resolve().parents[1] in whole, ("starts no build", path)
                assert intact(path), path

    def unfinished(self) -> list[Path]:
        """What is in the store and is no build."""
        store = self.root / "store"
        return [
            path for path in store.iterdir() if read_manifest(path / "ftbuild.json") is None
        ] + [path for path in store.iterdir() if path.suffix in {".aside", ".failed", ".gone"}]


_EXPECTED = {
    *("apt.conf", "hooks", "home", "mirror", "upstream", "kept", "outside", "mine", "disk"),
    *("root", "output"),
}


def _scratch(root: Path) -> list[Path]:
    return list((root / "work").iterdir()) if (root / "work").is_dir() else []


def _temporary(top: Path) -> list[Path]:
    found = []
    for folder, _, files in os.walk(top):
        found += [Path(folder, name) for name in files if TEMPORARY.fullmatch(name)]
    return found


def _is_free(lock: Path) -> bool:
    with contextlib.suppress(OSError), lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
