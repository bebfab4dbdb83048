"""CPython's own benchmark of how threads scale, out of the source that the builds were made from.

`Tools/ftscalingbench/ftscalingbench.py` holds some twenty small loops that once did not scale. For
each it says how much faster n threads are together than one thread that does the work of all, with
one digit after the point: 0.1 of 2 is all that a single round can tell.

It is run for one benchmark at a time, each in a process of its own, so that the arms take turns
every few milliseconds and a crash costs one figure.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Suite
from ftbuild.bench.suites import take_turns
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.fetch.unpack import one_file
from ftbuild.files import require_room
from ftbuild.model.events import Emit
from ftbuild.model.manifest import Installation
from ftbuild.process import Completed, capture
from ftbuild.verifying.probing import complaint

NAME = "ftscalingbench"
PATH = f"Tools/{NAME}/{NAME}.py"
ARMS = (Arm.GIL, Arm.FREE, Arm.FORCED)
SCALE = 100
"""CPython's own default: 100,000 iterations of most loops, 2 to 20 ms for one thread."""

TIMEOUT = 60.0
"""Seconds for a process at CPython's scale, which needs well under one."""

_LIST = "import runpy, sys; print(*runpy.run_path(sys.argv[1])['ALL_BENCHMARKS'])"

_START = b'\nif __name__ == "__main__":\n'

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LINE = re.compile(r"(?P<name>\w+) +(?P<factor>\d+(?:\.\d+)?)x (?P<direction>faster|slower)")
_NOTICE = re.compile(r"^expected to be run with the +GIL disabled\n", re.MULTILINE)


def script(tarball: Path) -> bytes:
    """The script, from a verified source tarball.

    Raises:
        UsageError: That release does not have it.
        EnvironmentFault: The tarball is damaged or cannot be read.
    """
    found = one_file(tarball, PATH)
    if found is None:
        raise UsageError(
            f"{tarball.name} holds no {PATH}", hint="CPython has it from 3.14 on, not in 3.13."
        )
    return found


def bound(script: bytes, cpus: Sequence[int]) -> bytes:
    """The script with a line added that binds its threads to these CPUs, a thread each.

    Left to itself it would choose among all CPUs there are, and wait for ever for a thread that may
    not run on its own. (Importing the script and calling it would not do: in a module that was
    compiled for an import, not loaded from byte code, 3.14 counts references to numbers and tuples
    among the constants, over which threads fight.)

    Raises:
        EnvironmentFault: This script is not like that of 3.14.
    """
    chooser = b"determine_num_threads_and_affinity"
    before, start, after = script.partition(_START)
    if b"def " + chooser not in before or not start:
        raise EnvironmentFault(f"ftbuild does not know how this {NAME} binds its threads")
    return before + f"\n{chooser.decode()} = lambda: {list(cpus)}\n".encode() + start + after


def parse(output: str) -> dict[str, float]:
    """The speed-ups in the script's output, by benchmark; other lines are passed over.

    >>> parse("pymethod                   1.9x faster")
    {'pymethod': 1.9}
    """
    found = {}
    for line in _COLOURS.sub("", output).splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is not None and (factor := float(match["factor"])) > 0:
            found[match["name"]] = factor if match["direction"] == "faster" else 1 / factor
    return found


def run(
    pair: tuple[Installation, Installation],
    tarball: Path,
    *,
    workers: int,
    rounds: int,
    scratch: Path,
    env: Mapping[str, str],
    stop: threading.Event,
    emit: Emit,
    cpus: Sequence[int] = (),
    scale: int = SCALE,
    only: Sequence[str] = (),
) -> Suite:
    """Run it with threads on all three arms, the rounds interleaved.

    Args:
        pair: The GIL build and the free-threaded one.
        tarball: The verified source of their release.
        workers: Threads.
        rounds: Processes for each benchmark and arm.
        scratch: An existing directory to write in.
        env: The caller's environment; its PYTHON* variables do not count.
        stop: Ends it early; what was measured is returned. Set here if that happens through Ctrl-C.
        emit: Receives the progress.
        cpus: The CPUs to bind the threads to, one after the other; none are bound if it is empty.
        scale: How much work a loop does, `SCALE` being what CPython does.
        only: Benchmarks to run; all, if none are named.

    Raises:
        UsageError: The release has no such script, or the script no such benchmark.
        EnvironmentFault: The script cannot be read from the tarball, or run by the GIL build.
        Interrupted: `stop` was set before anything was measured.
    """
    text, path = script(tarball), scratch / f"{NAME}.py"
    if cpus:
        text = bound(text, [cpus[n % len(cpus)] for n in range(workers)])
    path.write_bytes(text)
    gil, free = pair

    def launch(build: Installation, *words: str | Path, timeout: float = TIMEOUT) -> Completed:
        done = capture(
            (build.python, "-I", "-B", *words),
            env=build.environment(env),
            cwd=scratch,
            timeout=timeout,
            stop=stop,
        )
        if not done.ok:
            require_room(scratch, done.stderr)
        return done

    known = benchmarks(launch(gil, "-c", _LIST, path), gil.manifest.name)
    if unknown := [name for name in only if name not in known]:
        raise UsageError(
            f"no {', '.join(unknown)} in {NAME}", hint=f"There are: {', '.join(known)}."
        )

    def one(name: str, arm: Arm, _: int) -> float | str:
        build = free if arm in {Arm.FREE, Arm.FORCED} else gil
        threads = () if cpus else (f"--threads={workers}",)
        words = (*arm.flags, path, *threads, f"--scale={scale}", name)
        done = launch(build, *words, timeout=TIMEOUT * max(1.0, scale * workers / SCALE))
        return figure(done, name)

    rows = take_turns(one, only or known, ARMS, rounds=rounds, suite=NAME, stop=stop, emit=emit)
    return Suite(name=NAME, version=gil.spec.version, figure="speed-up", workers=workers, rows=rows)


def figure(done: Completed, name: str) -> float | str:
    """The speed-up that a process found for a benchmark, or why it found none."""
    speedup = parse(done.stdout).get(name)
    if done.ok and speedup is not None:
        return speedup
    # On every arm with a GIL it says that there is one, which explains nothing.
    heard = msgspec.structs.replace(done, stderr=_NOTICE.sub("", done.stderr))
    return f"no figure in its output: {done.stdout[-80:]!r}" if done.ok else complaint(heard)


def benchmarks(done: Completed, name: str) -> tuple[str, ...]:
    """The names of the script's benchmarks, which a build of that name was made to print.

    Raises:
        EnvironmentFault: It did not.
    """
    names = tuple(done.stdout.split())
    if not done.ok or not names:
        raise EnvironmentFault(
            f"{PATH} cannot be run by {name}: {complaint(done)}",
            hint="`ftbuild verify` tells whether that build is in order.",
        )
    return names
