"""The bytecode of sources that were changed: which files that is, and how it is made again."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from ftbuild import process
from ftbuild.errors import Refused
from ftbuild.model.manifest import Installation

_LEVEL = re.compile(r"\.opt-([12])\.pyc")

_TIMEOUT = 120.0
"""Seconds; it takes a fifth of one, and ten times that under a sanitizer."""


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
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Refused(
            f"{installation.manifest.name} does not run here: {done.ending}"
            + (f": {said[-1]}" if said else ""),
            hint="It may need libraries that this system lacks, or has in another version.",
        )
