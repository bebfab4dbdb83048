"""Imports a module and writes down what came of it; or a package, and then its modules in forks.

    python -I -B importing.py FOLDER alone MODULE
    python -I -B importing.py FOLDER group SECONDS PACKAGE MODULE...

The report on the module of number N, from 0, becomes the file FOLDER/N; FOLDER/fault gets what the
faulthandler has to say. A report is written by the process that was to import the module and
nobody else: an import that forks comes back here twice. No report means that the process ended in
the import.

In a group the package is imported first, as any import of its modules would, and each module by a
process forked from there: scipy has a hundred extension modules, and 0.3 s to import before the
first of them. FOLDER/ready says that the package is there. A module that takes longer than SECONDS
is ended, and whoever asked tries it again alone; so it does with each that left no report.

Of the standard library as little as possible is imported before the module, which shall find what
programs find.
"""

import faulthandler
import os
import signal
import sys
import time
from typing import Any

# Kept, because a module may replace them, and closed descriptors are why there is a path.
_exit, fork, getpid, kill, waitpid = os._exit, os.fork, os.getpid, os.kill, os.waitpid
clock, opened, text = time.perf_counter, open, repr

TELLING = 600
"""Characters of an exception that are worth keeping: its first lines."""

_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
sys.path.insert(0, _here)  # -I leaves it out
import witness  # noqa: E402

sys.path.remove(_here)


def lacking(error: BaseException | None) -> str | None:
    """The module that was not found, if that is why an import failed."""
    while isinstance(error, ImportError):
        if isinstance(error, ModuleNotFoundError) and error.name:
            return error.name
        error = error.__cause__ or error.__context__
    return None


def described(error: BaseException) -> str:
    """An exception in a few lines, whatever its own text does."""
    try:
        said = str(error)[:TELLING]
    except BaseException:  # noqa: BLE001 - it is somebody else's code
        said = "…"
    kind = type(error).__name__
    return f"{kind}: {said}" if said else kind


def load(name: str) -> BaseException | None:
    """Import a module; what it raised."""
    try:
        __import__(name)
    except BaseException as error:  # noqa: BLE001
        return error
    return None


def circle(error: BaseException | None) -> str:
    """The module whose import of a half-finished one failed; empty if that is not what happened."""
    found = ""
    if isinstance(error, ImportError) and "partially initialized module" in str(error):
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_name == "<module>":
                found = str(trace.tb_frame.f_globals.get("__name__", ""))
            trace = trace.tb_next
    return "" if found == "__main__" else found


def outcome(name: str) -> dict[str, Any]:
    """Import a module; whatever it raises is an outcome.

    Some extension modules import the module that imports them. Programs get to them by way of
    that one, so it is imported first if they cannot be imported otherwise
    (`scipy.linalg._matfuncs_sqrtm_triu`).
    """
    began = clock()
    raised = load(name)
    first = circle(raised)
    if first and load(first) is None and load(name) is None:
        raised = None
    error = lacks = None
    if raised is not None:
        error, lacks = described(raised), lacking(raised)
    return {
        "seconds": clock() - began,
        "gil": witness.gil(),
        "culprits": witness.culprits(),
        "error": error,
        "lacks": lacks,
    }


def report(path: str, found: object) -> None:
    """Write a report, whole or not at all."""
    with opened(f"{path}.new", "w", encoding="utf-8", errors="replace") as file:
        file.write(text(found))
    os.replace(f"{path}.new", path)  # noqa: PTH105


def ended(child: int, seconds: float) -> None:
    """Wait for a child; kill it after so many seconds."""
    deadline = clock() + seconds
    while not waitpid(child, os.WNOHANG)[0]:
        if clock() > deadline:
            kill(child, signal.SIGKILL)
            waitpid(child, 0)
            return
        time.sleep(0.001)


def group(folder: str, seconds: float, package: str, names: list[str]) -> None:
    """Import a package, then each of its modules in a fork."""
    pid = getpid()
    __import__(package)
    if getpid() != pid:
        return
    report(f"{folder}/ready", text(""))
    for number, name in enumerate(names):
        child = fork()
        if not child:
            pid = getpid()
            found = outcome(name)
            if getpid() == pid:
                report(f"{folder}/{number}", found)
            return
        ended(child, seconds)


def main() -> None:
    """Do what the arguments say, and leave without waiting for threads or running exit handlers."""
    folder, kind, *words = sys.argv[1:]
    del sys.argv[1:]
    pid = getpid()
    faulthandler.enable(opened(f"{folder}/fault", "w"))
    witness.start()
    try:
        if kind == "group":
            group(folder, float(words[0]), words[1], words[2:])
        else:
            found = outcome(words[0])
            if getpid() == pid:
                report(f"{folder}/0", found)
    finally:
        # Not an exception either: it would wait for threads that never end.
        _exit(0)


if __name__ == "__main__":
    main()
