"""What a faulthandler says of a process that crashed or hung, in a few lines."""

from __future__ import annotations

import re

MOST = 8
"""Frames that are kept; below them is what everybody's traceback has."""

_NATIVE = 3
"""Of these, at most so many of native code."""

_PYTHON = re.compile(r'\s*File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>.*)')
_C = re.compile(r'\s*Binary file "(?P<file>[^"]*)", at (?P<place>\S+)')
_STACK = re.compile(r"(Current thread|Thread|Stack)\b.*\(most recent call first\):")

_OURS = re.compile(r"<frozen |/auditing/probes/|/lib/python3[^/]*/threading\.py$")
"""Frames of the import system, of the probes, and of what starts threads."""


def frames(text: str) -> tuple[str, ...]:
    """The top of the traceback in what a faulthandler said, innermost first.

    Native frames stand first where the interpreter tells them (from 3.14), those of installed files
    alone: the others are the interpreter's or the C library's. Paths begin below `site-packages`.
    """
    native: list[str] = []
    python: list[str] = []
    stacks = 0
    for line in text.splitlines():
        if _STACK.match(line) and "C stack" not in line:
            # The thread it happened in comes first in 3.13 and later, where the GIL is off; with
            # the GIL on it is the one called current.
            stacks += 1
            if line.startswith("Current"):
                python.clear()
                stacks = 1
        elif (found := _PYTHON.match(line)) and stacks <= 1:
            if not _OURS.search(found["file"]):
                python.append(f"{_short(found['file'])}:{found['line']} in {found['name']}")
        elif (found := _C.match(line)) and "/site-packages/" in found["file"]:
            native.append(f"{_short(found['file'])} at {found['place']}")
    return (*native[:_NATIVE], *python)[:MOST]


def telling(text: str) -> str:
    """The line in which a dying process says why; empty if none of them does.

    That is the interpreter's last word, an assertion of C, or a C++ exception that nobody caught.
    """
    for line in text.splitlines():
        if re.search(r"Fatal Python error: (?!Aborted|Segmentation fault)", line) or re.search(
            r"terminate called|[Aa]ssertion .*failed|panicked at|what\(\):", line
        ):
            return line.strip()[:300]
    return ""


def _short(path: str) -> str:
    """A path below `site-packages`, or below the standard library's directory.

    >>> _short("/tmp/x/venv/lib/python3.14t/site-packages/numpy/__init__.py")
    'numpy/__init__.py'
    """
    return re.sub(r"^.*/(?:site-packages|lib/python3[^/]*)/", "", path)
