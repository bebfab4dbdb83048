"""Bytecode that both builds of a pair can read, and that need be in an image only once.

From one source both compile equal code objects: what differs in their files is how marshal marks
references, which no reader minds. Tag and magic number are the same, and the file name in a code
object is put right by `import`. (docs/images.md has the measurement.)
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

_SUFFIX = ".pyc"
_MAGIC = 4
"""Bytes that a bytecode file begins with: they change whenever the bytecode does (PEP 552)."""


def twins(
    own: Mapping[str, str], other: Mapping[str, str], *, library: str, other_library: str
) -> dict[str, str]:
    """The bytecode files of a build, and those of another one that are of equal sources.

    Args:
        own: The hashes of the build's files.
        other: Those of the other one's.
        library: The directory of the build's standard library.
        other_library: That of the other one's.
    """
    found = {}
    for name in own:
        if not name.endswith(_SUFFIX) or not name.startswith(f"{library}/"):
            continue
        source = source_of(name)
        theirs = other_library + name.removeprefix(library)
        if (
            theirs in other
            and source in own
            and own[source] == other.get(other_library + source.removeprefix(library))
        ):
            found[name] = theirs
    return found


def source_of(name: str) -> str:
    """The source of a bytecode file.

    >>> source_of("lib/__pycache__/a.cpython-314.pyc")
    'lib/a.py'
    """
    folder, base = posixpath.split(name)
    return posixpath.join(posixpath.dirname(folder), base.partition(".")[0] + ".py")


def same_magic(first: bytes, second: bytes) -> bool:
    """Whether one interpreter reads what the other one compiled."""
    return len(first) >= _MAGIC and first[:_MAGIC] == second[:_MAGIC]
