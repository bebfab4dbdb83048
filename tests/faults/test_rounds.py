"""Kills, several commands at once, full disks: at random, seeded, on every command that writes."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.rounds import play
from tests.faults.stage import COMMANDS, PATIENCE, Stage
from tests.integration.driver import Disk

SIGNALS = (
    *[signal.SIGKILL] * 4,
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT),
)
"""Killed as often as asked to end."""

LONGEST = {"build": 3.0, "build a pair": 4.0, "replace": 4.0, "upgrade": 6.0}
"""Seconds within which the moment is drawn; a command that has ended by then was not disturbed."""

SHORT = 1.6

REMOVING = {"remove", "gc", "unlink path"}
"""What takes away what others may be looking at."""


def test_a_kill_at_any_moment_of_any_command(rounds: range, tmp_path: Path) -> None:
    names = sorted(COMMANDS)

    def one(stage: Stage, draw: random.Random) -> None:
        name = names[draw.randrange(len(names))]
        number = draw.choice(SIGNALS)
        run = stage.user.start(*stage.words(name))
        time.sleep(draw.uniform(0.05, LONGEST.get(name, SHORT)))
        run.signal(number)
        done = run.done(PATIENCE)
        if number is not signal.SIGKILL:
            assert done.code in {0, 1, 3, 130, -number}, (name, number, done)
            # Python itself may still be starting up, and then knows of no better end.
            ours = "Traceback" in done.err and "/ftbuild/" in done.err and done.code != -number
            assert not ours, (name, number, done)
        stage.check()
        stage.again(name)
        stage.check_cleared()

    play(rounds, one, tmp_path, repeat=_this("test_a_kill_at_any_moment_of_any_command"))


def test_several_commands_at_once(rounds: range, tmp_path: Path) -> None:
    names = sorted(COMMANDS)

    def one(stage: Stage, draw: random.Random) -> None:
        mix = [draw.choice(names) for _ in range(draw.randint(2, 4))]
        runs = []
        for name in mix:
            runs.append(stage.user.start(*stage.words(name)))
            time.sleep(draw.choice((0.0, draw.uniform(0.0, 1.0))))
        ends = [run.done(PATIENCE) for run in runs]
        for name, done in zip(mix, ends, strict=True):
            assert "Traceback" not in done.err, (mix, name, done)
            allowed = {*COMMANDS[name].again, 0}
            if REMOVING & set(mix):
                allowed |= {1, 2, 3}  # what it is about was removed under its eyes: it says so
            assert done.code in allowed, (mix, name, done)
        stage.check()
        for name in dict.fromkeys(mix):
            if name not in {"pack", "pack elsewhere"} or stage.user.installed:
                stage.again(name)
        stage.check_cleared()

    play(_half(rounds), one, tmp_path, repeat=_this("test_several_commands_at_once"))


class _Full:
    """A file system in memory on which there is only so much room."""

    def __init__(self, disk: Disk) -> None:
        self._folder = disk.path / "filler"

    def leave(self, *, bytes_left: int | None, names_left: int | None) -> None:
        """Have so many bytes left, or so many files."""
        self._folder.mkdir()
        if bytes_left is not None:
            with (self._folder / "bytes").open("wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while file.write(bytes(1 << 16)):
                        pass
                file.truncate(max(0, file.tell() - bytes_left))
        if names_left is not None:
            made: list[Path] = []
            with contextlib.suppress(OSError):
                while True:
                    made.append(self._folder / str(len(made)))
                    made[-1].touch()
            for path in made[-names_left - 1 :]:
                path.unlink(missing_ok=True)

    def free(self) -> None:
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()


def test_a_disk_that_is_full_at_any_point(rounds: range, tmp_path: Path) -> None:
    names = sorted(set(COMMANDS) - {"link path", "link pyenv", "unlink path", "profiles"})
    disks: dict[Path, Disk] = {}

    def make(folder: Path, stack: ExitStack) -> Stage:
        disk = Disk(folder / "disk", limits="size=16m,nr_inodes=3000")
        folder.mkdir()
        stack.enter_context(disk)
        if not disk.made:
            pytest.skip("this user may not mount a file system here")
        disks[folder] = disk
        return Stage(folder, root=disk.path / "root")

    def one(stage: Stage, draw: random.Random) -> None:
        full = _Full(disks[stage.user.folder])
        name = draw.choice(names)
        if draw.random() < 0.75:
            full.leave(bytes_left=int(2 ** draw.uniform(0, 20)) - 1, names_left=None)
        else:
            full.leave(bytes_left=None, names_left=int(2 ** draw.uniform(0, 8)) - 1)
        done = stage.user.start(*stage.words(name)).done(PATIENCE)
        assert "Traceback" not in done.err, (name, done)
        assert done.code in {0, 3, *COMMANDS[name].again}, (name, done)
        stage.check()
        full.free()
        stage.again(name)
        stage.check_cleared()
        stage.run("verify", "--files")

    this = _this("test_a_disk_that_is_full_at_any_point")
    play(_half(rounds), one, tmp_path, repeat=this, make=make)


def test_a_round_that_fails_says_how_to_repeat_it(tmp_path: Path) -> None:
    def one(stage: Stage, draw: random.Random) -> None:
        raise AssertionError(draw.random())

    def make(folder: Path, stack: ExitStack) -> Stage:
        return _Empty(folder)

    with pytest.raises(pytest.fail.Exception, match="--faults-rounds 1 --faults-seed 7") as failed:
        play(range(7, 8), one, tmp_path, repeat="tests/faults/x.py::y", make=make)
    assert str(random.Random(7).random()) in str(failed.value)  # noqa: S311 - as it drew


class _Empty(Stage):
    """Nothing to play on."""

    def _furnish(self) -> None:
        pass

    def restore(self) -> None:
        pass


def _half(rounds: range) -> range:
    return range(rounds.start, rounds.start + max(1, len(rounds) // 2))


def _this(test: str) -> str:
    return f"tests/faults/test_rounds.py::{test}"
