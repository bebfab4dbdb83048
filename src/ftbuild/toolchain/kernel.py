"""Reading what Linux tells in the files of /proc and /sys."""

from __future__ import annotations

from pathlib import Path

_MOST_CPUS = 1 << 16
"""Far more CPUs than any kernel counts: a list that goes beyond is a mistake, and long."""


def told(path: Path) -> str:
    """The text of a file, without the white space around it; empty where it cannot be read."""
    try:
        # A device tree ends its texts with a zero byte.
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \t\n")
    except OSError:
        return ""


def cpu_list(text: str) -> tuple[int, ...]:
    """The CPUs of a list as the kernel writes it, in the order given.

    >>> cpu_list("0,4-6")
    (0, 4, 5, 6)

    Raises:
        ValueError: It is no such list.
    """
    found: list[int] = []
    for part in text.split(",") if text else ():
        first, dash, last = (word.strip() for word in part.partition("-"))
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdigit() for end in ends):
            raise ValueError(f"{part!r} is neither a CPU nor a range of CPUs")
        low, high = map(int, ends)
        if not low <= high < _MOST_CPUS:
            raise ValueError(f"{part!r} is no range of CPUs")
        found += range(low, high + 1)
    return tuple(found)
