"""The command line as a user has it: real processes, with a root and a home of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

import ftbuild
from ftbuild.model.manifest import Installation
from ftbuild.store.layout import layout_of
from ftbuild.store.listing import installations
from tests.integration.fake_cpython import write_recipes, write_tarball

OLD, NEW = "3.97.1", "3.97.2"
"""Two releases of a series that does not exist: they are nowhere but in the test's folder."""

IGNORING = 'trap "" INT; exec "$@"'
"""Starts a command with SIGINT ignored, as the shell does in the background of a script."""

PATIENCE = 30.0
"""Seconds after which something that should have happened will not any more."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its JSON document."""
        return json.loads(self.out)


class Running:
    """A command under way."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self._process = process
        self._output = output

    @property
    def err(self) -> str:
        """What it has said on standard error so far."""
        return self._output.with_suffix(".err").read_text()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    @property
    def ended(self) -> bool:
        """Whether it has."""
        return self._process.poll() is not None

    def done(self, patience: float = PATIENCE) -> Done:
        """Wait for its end, so many seconds at most."""
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        return Done(code=code, out=self._output.with_suffix(".out").read_text(), err=self.err)


class Ftbuild:
    """A user with a root, a home whose recipes pin fake releases, and a mirror that has them."""

    def __init__(self, folder: Path, *, root: Path | None = None, disk: int = 1_000_000) -> None:
        self.folder = folder
        self.root = root or folder / "root"
        self.home = folder / "home"
        self.recipes = self.home / ".config/ftbuild/recipes"
        self.mirror = folder / "mirror"
        self.hooks = folder / "hooks"
        self.disk = disk
        self.pins: dict[str, str] = {}
        self.hooks.mkdir(parents=True)
        apt = folder / "apt.conf"
        apt.write_text('Dir::Etc::SourceList "/dev/null"; Dir::Etc::SourceParts "/dev/null";\n')
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "USER": str(folder),
            "PYTHONPATH": str(Path(ftbuild.__file__).parents[1]),
            "APT_CONFIG": str(apt),
            "FTBUILD_ROOT": str(self.root),
            "FTBUILD_MIRROR": str(self.mirror),
        }
        self.archives = self.root / "archives"

    def release(self, *versions: str, padding: int = 0) -> None:
        """Publish releases on the mirror and pin them."""
        for version in versions:
            tarball = self.mirror / f"Python-{version}.tar.xz"
            self.pins[version] = write_tarball(tarball, version, hooks=self.hooks, padding=padding)
        write_recipes(self.recipes, self.pins, upstream=self.folder / "upstream", disk=self.disk)

    def hook(self, stage: str, script: str) -> None:
        """Have a stage begin with a shell script, in which `$2` is the ABI flag."""
        (self.hooks / stage).write_text(f"{script}\n")

    def unhook(self) -> None:
        """Have every stage run as it should, and forget which have run."""
        for path in self.hooks.iterdir():
            path.unlink()

    @property
    def trace(self) -> list[str]:
        """The stages that have begun, each with the ABI flag of its build: `compile t`."""
        trace = self.hooks / "trace"
        return [line.strip() for line in trace.read_text().splitlines()] if trace.exists() else []

    def __call__(self, *words: str, code: int = 0) -> Done:
        """Run a command to its end, which must be this exit code."""
        done = self.start(*words).done()
        assert done.code == code, done
        return done

    def start(self, *words: str, script: str = 'exec "$@"') -> Running:
        """Start a command, by way of a shell script that may do something first."""
        return self.python("-m", "ftbuild", *words, script=script)

    def python(self, *words: str, script: str = 'exec "$@"') -> Running:
        """Start Python, as this user."""
        output = self.folder / f"output-{time.monotonic_ns()}"
        with (
            output.with_suffix(".out").open("w") as out,
            output.with_suffix(".err").open("w") as err,
        ):
            process = subprocess.Popen(
                ["/bin/sh", "-c", script, "sh", sys.executable, *words],
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
            )
        return Running(process, output)

    def reached(self, *lines: str) -> None:
        """Wait until these stages have begun."""
        wait_for(lambda: set(lines) <= set(self.trace), f"{lines} in {self.trace}")

    @property
    def installed(self) -> tuple[Installation, ...]:
        """What is installed, as `list` shows it."""
        return installations(layout_of(self.root))

    @property
    def names(self) -> list[str]:
        """The names of what is installed."""
        return [item.manifest.name for item in self.installed]

    @property
    def prefixes(self) -> list[Path]:
        """All there is in the store, installed or not."""
        return sorted((self.root / "store").iterdir())

    @property
    def litter(self) -> list[Path]:
        """What a run should have cleared away: scratch directories, unfinished prefixes."""
        unfinished = [
            path
            for path in self.prefixes
            if path.suffix in {".aside", ".failed", ".gone"}
            or (path / "ftbuild.incomplete").exists()
            or not (path / "ftbuild.json").exists()
        ]
        return [*(self.root / "work").iterdir(), *unfinished]

    @property
    def processes(self) -> list[str]:
        """The command lines of processes that were started on behalf of this user."""
        return list(self._processes().values())

    def end(self) -> None:
        """Kill what a test that failed has left running."""
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _processes(self) -> dict[int, str]:
        # The one variable of ours that both builds and checks pass on unchanged.
        mark = f"USER={self.folder}".encode()
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    words = (process / "cmdline").read_text().split("\0")
                    found[int(process.name)] = " ".join(words)
        return found


class Disk:
    """A file system in memory. Its size is its limit, for root as for anybody."""

    def __init__(self, path: Path, *, limits: str = "size=8m") -> None:
        self.path = path
        self.limits = limits
        self.made = False

    def __enter__(self) -> Self:
        self.path.mkdir()
        mount = ("/bin/mount", "-t", "tmpfs", "-o", self.limits, "none", str(self.path))
        with contextlib.suppress(FileNotFoundError):
            self.made = not subprocess.run(mount, check=False, capture_output=True).returncode
        return self

    def __exit__(self, *_: object) -> None:
        if self.made:
            subprocess.run(("/bin/umount", "-l", str(self.path)), check=True)

    def remount(self, mode: str) -> None:
        """Let nobody write to it (`ro`), root included, or everybody again (`rw`)."""
        subprocess.run(("/bin/mount", "-o", f"remount,{mode}", str(self.path)), check=True)


def wait_for(happened: Callable[[], bool], what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def intact(python: Path) -> bool:
    """Whether an installed interpreter runs."""
    done = subprocess.run([python, "hello"], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "<hello>" in done.stdout
