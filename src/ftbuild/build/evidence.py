"""What proves how an interpreter was made: the final stage's commands and the profile's hash.

Flags that a Makefile hands to a sub-make (`-fprofile-use`, and the linker's) never reach sysconfig,
so an installed Python cannot say whether it was profile-guided. The commands that ran can.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ftbuild.build.progress import compiles

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


def profile_digest(tree: Path) -> str | None:
    """SHA-256 over the profile data of a build tree, or None where there is none.

    gcc leaves a `.gcda` file beside each object; clang's are merged into `code.profclangd`. Hashed
    are the relative names and the contents, sorted by name.
    """
    files = sorted(
        (path.relative_to(tree).as_posix(), path)
        for pattern in ("*.gcda", "code.profclangd")
        for path in tree.rglob(pattern)
    )
    if not files:
        return None
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
