"""What proves how an interpreter was made: the final stage's commands and the profile's hash.

Flags that a Makefile hands to a sub-make (`-fprofile-use`, and the linker's) never reach sysconfig,
so an installed Python cannot say whether it was profile-guided. The commands that ran can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from ftbuild.building.progress import compiles

_LINKS = re.compile(r"^\S+ .*-o python(?:\.exe)? ")


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The commands of the final compile, as make printed them; empty where none was seen."""

    compile_command: str
    link_command: str


def read_evidence(lines: Iterable[str]) -> Evidence:
    """One compile command of the interpreter's core and its link command, out of a compile log."""
    compiled = linked = ""
    for line in lines:
        if compiles(line) and (not compiled or "Objects/listobject.o" in line):
            compiled = line
        elif _LINKS.match(line):
            linked = line
    return Evidence(compile_command=compiled.strip(), link_command=linked.strip())
