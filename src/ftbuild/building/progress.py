"""How far a stage has come, read from what it prints."""

from __future__ import annotations

import re

_OBJECT = re.compile(r"(?<![\w/.-])[\w/.-]+\.o\b")
_COMPILES = re.compile(r"^\S+ (?:.* )?-c (?:.* )?-o \S+\.o\b|^\S+ (?:.* )?-o \S+\.o -c ")
_TRAINED = re.compile(r"\[\s*(\d+)/(\d+)")


def units_in(makefile: str) -> int:
    """How many object files a generated Makefile speaks of, which is what there is to compile.

    An estimate, good to a few per cent: 314 for 306 compile commands in 3.14.7, 293 for 287 in
    3.13.15 (without test modules).
    """
    return len({match for match in _OBJECT.findall(makefile) if "$" not in match})


def compiles(line: str) -> bool:
    """Whether a line of make's output is a command that makes one object file."""
    return _COMPILES.match(line) is not None


def trained(line: str) -> tuple[int, int] | None:
    """Tests done and to do, where a line of a training run says so.

    >>> trained("0:00:05 load avg: 1.20 [12/43] test_bytes")
    (12, 43)
    """
    match = _TRAINED.search(line)
    return (int(match[1]), int(match[2])) if match else None
