"""The bytecode of sources that were changed: which files that is, and how it is made again."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from ftbuild import process
from ftbuild.errors import EnvironmentFault, Refused
from ftbuild.files import require_room
from ftbuild.model.manifest import Installation

_LEVEL = re.compile(r"\.opt-([12])\.pyc")

_TIMEOUT = 120.0
"""Seconds; it takes a fifth of one, and ten times that under a sanitizer."""

_HASHES = """
import importlib.util, json, pathlib, sys
hashes = {}
for name in json.load(sys.stdin):
    hashes[name] = importlib.util.source_hash(pathlib.Path(sys.argv[1], name).read_bytes()).hex()
print(json.dumps(hashes))
"""
"""Run by the interpreter whose bytecode it is: each version of Python has a key of its own."""


def files_of(source: str, among: Iterable[str]) -> tuple[str, ...]:
    """The bytecode files of a source, among the files of a build.

    >>> files_of("lib/a.py", ["lib/__pycache__/a.cpython-314.pyc", "lib/a.py"])
    ('lib/__pycache__/a.cpython-314.pyc',)
    """
    path = PurePosixPath(source)
    if path.suffix != ".py":
        return ()
    start = f"{path.parent / '__pycache__' / path.stem}."
    return tuple(name for name in among if name.startswith(start) and name.endswith(".pyc"))


def source_of(file: str) -> str:
    """The source of a bytecode file; empty where the name is none of one beside its source.

    >>> source_of("lib/__pycache__/a.cpython-314.opt-1.pyc")
    'lib/a.py'
    """
    path = PurePosixPath(file)
    if path.suffix != ".pyc" or path.parent.name != "__pycache__":
        return ""
    return str(path.parent.parent / f"{path.name.partition('.')[0]}.py")


def level(file: str) -> int:
    """The optimisation level that a bytecode file was made with: 0, 1 or 2."""
    found = _LEVEL.search(file)
    return int(found[1]) if found else 0


def compile_again(
    installation: Installation,
    stale: Mapping[str, frozenset[int]],
    *,
    mark: str,
    stop: threading.Event,
) -> None:
    """Compile sources with the interpreter they belong to.

    Args:
        installation: The build, in place.
        stale: The sources, with the optimisation levels.
        mark: The scratch directory of the run, by which its processes are found.
        stop: Ends it when set.

    Raises:
        Refused: The interpreter does not run here, or cannot compile them.
        EnvironmentFault: It took too long, or there is no space left.
        Interrupted: `stop` was set.
    """
    levels = sorted(set().union(*stale.values()))
    files = [installation.prefix / source for source in sorted(stale)]
    if not files:
        return
    options = [word for number in levels for word in ("-o", str(number))]
    done = process.capture(
        # -B: it must not add bytecode of modules that it imports itself.
        (installation.python, "-I", "-B", "-m", "compileall", "-q", *options, *files),
        env=installation.environment({"LC_ALL": "C.UTF-8", process.MARK: mark}),
        timeout=_TIMEOUT,
        stop=stop,
    )
    if not done.ok:
        raise _does_not_run(installation, done, installation.prefix)


def source_hashes(
    installation: Installation, sources: Sequence[str], *, stop: threading.Event
) -> dict[str, bytes]:
    """By which bytecode is validated that does not go by the time of its source.

    Args:
        installation: The build.
        sources: The sources, relative to its prefix.
        stop: Ends it when set.

    Raises:
        Refused: The interpreter does not run here, or cannot read them.
        EnvironmentFault: It took too long.
        Interrupted: `stop` was set.
    """
    done = process.capture(
        (installation.python, "-I", "-B", "-c", _HASHES, installation.prefix),
        env=installation.environment({"LC_ALL": "C.UTF-8"}),
        stdin=json.dumps(sources),
        timeout=_TIMEOUT,
        stop=stop,
    )
    try:
        found = msgspec.json.decode(done.stdout, type=dict[str, str])
    except msgspec.DecodeError:
        found = {}
    if not done.ok or found.keys() != set(sources):
        raise _does_not_run(installation, done)
    return {name: bytes.fromhex(digest) for name, digest in found.items()}


def _does_not_run(
    installation: Installation, done: process.Completed, writes: Path | None = None
) -> Refused:
    """Why a build does not do what each does, if that is not due to the machine.

    Raises:
        EnvironmentFault: It took too long, or there is no space left where it writes.
    """
    if done.timed_out:
        raise EnvironmentFault(
            f"{installation.manifest.name} {done.ending}",
            hint="Run the same command again when less else is going on.",
        )
    if writes is not None:
        require_room(writes, done.stderr)
    said = (done.stderr or done.stdout).strip().splitlines()
    return Refused(
        f"{installation.manifest.name} does not run here: {done.ending}"
        + (f": {said[-1]}" if said else ""),
        hint="It may need libraries that this system lacks, or has in another version.",
    )
