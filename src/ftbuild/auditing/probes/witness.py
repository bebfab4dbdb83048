"""Sees who switches the GIL on, in the process that imports this.

`start` replaces what creates extension modules by a function that looks at the GIL before and
after, and listens to the warning that the interpreter gives. Neither is enough by itself: a filter
may swallow the warning; and while an extension is being initialised the GIL is on for the moment,
so that one which is imported from there sees no change.

The GIL stays on once it is, so that only the first culprit of a process is found.

Copied into an environment under the name `ftbuild_witness`, with a `.pth` file that imports it,
`record` makes every process of that environment write down what it saw.
"""

import _imp
import atexit
import os
import sys
import warnings
from types import CodeType, FrameType, ModuleType
from typing import Any

FOLDER = "FTBUILD_WITNESS"
"""Variable that names the directory for the records of processes."""

WARNING = "The global interpreter lock (GIL) has been enabled"
"""How the interpreter's warning begins (3.13 to 3.15, Python/import.c)."""

warned: list[dict[str, Any]] = []
changed: list[dict[str, Any]] = []
recording: list[bool] = []


def gil() -> bool:
    """Whether the GIL is on; it is in every Python that cannot tell."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())  # the documented name


BEFORE = gil()
"""Whether it was on before anything else was imported."""

_create = _imp.create_dynamic
_show = warnings._showwarnmsg  # type: ignore[attr-defined]  # noqa: SLF001 - what the C code calls


def created(spec: Any, *rest: Any) -> ModuleType:
    """Create an extension module, in the place of `_imp.create_dynamic`."""
    before = gil()
    try:
        return _create(spec, *rest)
    finally:
        if gil() and not before:
            note(changed)


def shown(message: Any) -> None:
    """Show a warning, in the place of `warnings._showwarnmsg`."""
    if str(message.message).startswith(WARNING):
        note(warned)
    _show(message)


def note(where: list[dict[str, Any]]) -> None:
    """Keep which module is being created, and what led to it."""
    names, file = imports(sys._getframe(1))  # noqa: SLF001 - the documented name
    if names:
        where.append({"module": names[-1], "file": file, "chain": names})
        if recording:
            write()


def imports(frame: FrameType | None) -> tuple[list[str], str]:
    """The modules being imported in these frames, outermost first, and the innermost one's file.

    Counted are frames of the import system that load a module, and those of a module's own code,
    which is all there is where a loader of somebody else's runs it.
    """
    names: list[str] = []
    file = ""
    while frame is not None:
        name = ""
        if loads(frame.f_code):
            spec = frame.f_locals.get("spec")
            name = getattr(spec, "name", "")
            file = file or str(getattr(spec, "origin", ""))
        elif frame.f_code.co_name == "<module>":
            name = str(frame.f_globals.get("__name__", ""))
        if name not in {"", "__main__", *names[-1:]}:
            names.append(name)
        frame = frame.f_back
    return names[::-1], file


def loads(code: CodeType) -> bool:
    """Whether it is the function that loads, or creates, the module of a `spec`."""
    return code is created.__code__ or (
        code.co_name == "_load_unlocked" and code.co_filename == "<frozen importlib._bootstrap>"
    )


def culprits() -> list[dict[str, Any]]:
    """Who switched the GIL on, if it is on: the module, its file and what led to its import.

    Where the warning was seen, it tells. Else the first change does; several may have been noted,
    by threads for which another one's import had the GIL on for a moment.
    """
    return (warned or changed)[:1] if gil() else []


def start() -> None:
    """Begin to look."""
    _imp.create_dynamic = created
    warnings._showwarnmsg = shown  # type: ignore[attr-defined]  # noqa: SLF001


def record() -> None:
    """Begin to look, and to write what was seen, where the environment names a folder for it."""
    if FOLDER in os.environ:
        start()
        recording.append(True)
        write()
        atexit.register(write, ended=True)


def write(*, ended: bool = False) -> None:
    """Write what this process has seen so far, under its own number: it may have been forked."""
    seen = {
        "before": BEFORE,
        "after": gil() if ended or culprits() else None,
        "culprits": culprits(),
    }
    path = os.path.join(os.environ.get(FOLDER, os.devnull), str(os.getpid()))  # noqa: PTH118
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            file.write(repr(seen))
    except OSError:
        return  # a test may have taken the folder, or the right to write to it, away
