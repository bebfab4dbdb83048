"""What `--march native` means: a name that says the same on every host, and so fits in a digest."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from ftbuild.errors import UsageError

_LEVELS = {
    "x86-64-v4": "avx512f avx512bw avx512cd avx512dq avx512vl",
    "x86-64-v3": "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave",
    "x86-64-v2": "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3",
}
"""The levels of the x86-64 psABI, each with what it adds to the one below, as Linux names it."""

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


def processor(want: str, *, cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The value for `-march` that a user's word stands for.

    Args:
        want: A value of `-march`, or `native`: the highest x86-64 level that this processor has.
            The compiler's own `native` would make another interpreter on every host under one name.
        cpuinfo: Where Linux describes the processor.

    Raises:
        UsageError: It is no such name, or there is no level to tell.
    """
    if not _NAME.fullmatch(want):
        raise UsageError(f"--march {want} names no processor", hint="For instance: x86-64-v3.")
    if want != "native":
        return want
    if platform.machine() != "x86_64" or not cpuinfo.is_file():
        raise UsageError(
            "--march native is for x86-64 on Linux only",
            hint="Give the compiler's own name of the processor, such as armv8.2-a.",
        )
    return highest_level(cpuinfo.read_text())


def highest_level(cpuinfo: str) -> str:
    """The highest x86-64 level that a text of /proc/cpuinfo lists everything for."""
    found = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    highest = "x86-64"
    for level, needed in reversed(_LEVELS.items()):
        if not flags.issuperset(needed.split()):
            break
        highest = level
    return highest
