"""Runs a project's own tests in the throw-away environment, and watches the GIL meanwhile.

For the length of the run each process of that environment's interpreter imports `probes/witness.py`
when it starts, by a `.pth` file, and writes down whether the GIL is on, then and when it ends, and
who switched it on. Tests may start many of them: what counts is whether it was on in any.

The command goes through a shell, in the project's directory. It sees of the caller's environment
the search path, the environment's programs before it, and nothing else: no `PYTHONPATH`, no
credentials, a home and temporary directory of its own. What else the tests need can be said in the
command: `PYTHONPATH=src DATABASE=… pytest`.
"""

from __future__ import annotations

import ast
import collections
import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ftbuild import process
from ftbuild.auditing.findings import Culprit, TestsRun
from ftbuild.auditing.probing.environment import Environment
from ftbuild.auditing.probing.probe import Seen, culprit_of, installed_in
from ftbuild.auditing.target import PROBES
from ftbuild.errors import Interrupted
from ftbuild.files import read_file, require_room
from ftbuild.model.events import Emit, Measuring

_FOLDER = "FTBUILD_WITNESS"
"""What `probes/witness.py` is told the directory of records by."""

_MODULE = "ftbuild_witness"

_TAIL = 30
"""Lines of the output that are kept."""

_POLL = 0.05


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What one process wrote down: whether the GIL was on, before and after, and by whom."""

    before: bool
    after: bool | None
    culprits: tuple[Seen, ...]


def run_tests(
    command: str,
    environment: Environment,
    project: Path,
    *,
    timeout: float,
    stop: threading.Event,
    emit: Emit,
) -> TestsRun:
    """Run a project's tests with the interpreter of an environment.

    Args:
        command: The command, for a shell.
        environment: Where the project's dependencies are installed.
        project: The directory it runs in.
        timeout: Seconds after which it is ended.
        stop: Ends it when set, from another thread.
        emit: Told that it begins.

    Raises:
        EnvironmentFault: The shell cannot be started, or there is no space left.
        Interrupted: `stop` was set.
    """
    folder = environment.scratch / "tests"
    for name in ("home", "tmp", "seen"):
        (folder / name).mkdir(parents=True)
    emit(Measuring(task="audit", label=f"tests: {command}", done=0, total=1, left=None))
    tail: collections.deque[str] = collections.deque(maxlen=_TAIL)
    began = time.monotonic()
    with _witnessed(environment), _ending(stop, timeout) as late:
        code = process.stream(
            ("/bin/sh", "-c", command),
            env=scrubbed(environment, folder),
            cwd=project,
            log=folder / "log",
            on_line=tail.append,
            stop=late,
        )
    seconds = time.monotonic() - began
    if stop.is_set():
        raise Interrupted("the audit was stopped while the project's tests were running")
    if code:
        require_room(folder)
    records = read_records(folder / "seen")
    known = installed_in(environment.packages)
    after = [record.after for record in records if record.after is not None]
    return TestsRun(
        command=command,
        code=code,
        ending=f"took longer than {timeout:.0f} s" if late.is_set() else process.ending(code),
        seconds=seconds,
        gil_before=any(record.before for record in records) if records else None,
        gil_after=any(after) if after else None,
        culprits=_culprits([culprit_of(item, known) for r in records for item in r.culprits]),
        tail=tuple(tail),
    )


def scrubbed(environment: Environment, folder: Path) -> dict[str, str]:
    """The whole environment of the tests."""
    return {
        "PATH": f"{environment.path / 'bin'}{os.pathsep}{environment.search}",
        "VIRTUAL_ENV": str(environment.path),
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        # The project is somebody's working tree: leave nothing in it.
        "PYTHONDONTWRITEBYTECODE": "1",
        _FOLDER: str(folder / "seen"),
        process.MARK: str(folder),
    }


def read_records(folder: Path) -> tuple[_Record, ...]:
    """What processes wrote down; what cannot be read, cut off by a crash, is passed over."""
    found = []
    for path in sorted(folder.iterdir()):
        with contextlib.suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            said = ast.literal_eval(read_file(path, patience=1.0).decode(errors="replace"))
            found.append(msgspec.convert(said, type=_Record))
    return tuple(found)


def _culprits(found: list[Culprit]) -> tuple[Culprit, ...]:
    """Each module once, with the first of the ways that led to it."""
    return tuple({item.module: item for item in reversed(found)}.values())[::-1]


@contextlib.contextmanager
def _witnessed(environment: Environment) -> Iterator[None]:
    """Have each process of an environment's interpreter watched."""
    module = environment.packages / f"{_MODULE}.py"
    # Early in the order of names: what other .pth files import shall be seen, too.
    hook = environment.packages / f"0-{_MODULE}.pth"
    shutil.copyfile(PROBES / "witness.py", module)
    hook.write_text(f"import {_MODULE}; {_MODULE}.record()\n", encoding="utf-8")
    try:
        yield
    finally:
        hook.unlink(missing_ok=True)
        module.unlink(missing_ok=True)


@contextlib.contextmanager
def _ending(stop: threading.Event, timeout: float) -> Iterator[threading.Event]:
    """An event that is set when `stop` is, or after so many seconds."""
    either, over = threading.Event(), threading.Event()
    deadline = time.monotonic() + timeout

    def watch() -> None:
        while not over.wait(_POLL):
            if stop.is_set() or time.monotonic() > deadline:
                either.set()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield either
    finally:
        over.set()
        watcher.join()
