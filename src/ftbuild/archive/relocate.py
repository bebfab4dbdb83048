"""What ties files to the prefix they were made for, and how they are tied to another.

Three things do. Text files name the prefix: `_sysconfigdata*`, the Makefile, `build-details.json`,
`*.pc`, `python*-config`, the first lines of scripts. Bytecode carries the time of its source, and
is stale when that time changes. And executables name it in three ways, two of which are harmless:
the `PREFIX` compiled into CPython is only what it falls back on, because it finds its own place
from the path of the executable and the landmarks beside it (Modules/getpath.py); the file names in
debug information and in bytecode are for people, and `import` puts the latter right. The third,
the path at which the loader looks for `libpython`, is `ftbuild.archive.elf`'s business.

Pure functions.
"""

from __future__ import annotations

import json
import os
import re

import msgspec

from ftbuild.errors import Refused
from ftbuild.model.manifest import Manifest
from ftbuild.store.listing import MANIFEST

STAMP = 315_619_200
"""The time of every file in an archive: 2 January 1980, in UTC. It must not depend on when a build
was made, or equal builds would not make equal archives; and it must be one that zip files can
hold, which in no time zone begin before 1980, because people make wheels and zip applications of
what is installed."""

HEAD = 8192
"""Bytes from the beginning of a file that tell whether it is a text: as many as git looks at."""

_PLAIN = re.compile(r"[\w/.+@~=-]+")
_BINARY = b"\0"
_LONGEST = 127
"""Bytes of a script's first line that Linux before 5.1 reads; later ones read 255."""

HEADER = 16
"""Bytes before the code in a `.pyc` (PEP 552): magic number, flags, time of source, its size."""

_CHECKED = 0b11
"""The flags of one that has the hash of its source instead, and is compared with it."""


def require_plain(prefix: str) -> None:
    """Make sure that a prefix can stand unquoted wherever the one before it stood.

    Raises:
        Refused: It has a character that shells, make or Python would take for another thing.
    """
    if _PLAIN.fullmatch(prefix) is None:
        raise Refused(
            f"{prefix!r} cannot be written into scripts and makefiles as it is",
            hint="Choose a --root of letters, digits and the characters / . _ + @ ~ = -",
        )


def is_text(content: bytes) -> bool:
    """Whether a file is one for people, by the beginning of it: the rule of git, too."""
    return _BINARY not in content[:HEAD]


def names(content: bytes, prefix: str) -> bool:
    """Whether a text names a prefix, as it is or with its letters escaped as in JSON."""
    return os.fsencode(prefix) in content or _escaped(prefix) in content


def repointed(name: str, content: bytes, old: str, new: str) -> bytes:
    """A text that names another prefix wherever it named the old one.

    The first line of a script may thereby become too long for the system. It then starts the
    interpreter by way of the shell, as the scripts that pip writes for such a prefix do.

    Args:
        name: The file's name; CPython writes JSON with letters beyond ASCII escaped.
        content: The text.
        old: The prefix it names.
        new: The prefix it is to name, which `require_plain` let pass.
    """
    after = _escaped(new) if name.endswith(".json") else os.fsencode(new)
    for before in (os.fsencode(old), _escaped(old)):
        content = content.replace(before, after)
        if old.isascii():
            break  # both are the same; the new prefix may hold the old one
    line, mark, rest = content.partition(b"\n")
    if not line.startswith(b"#!") or len(line) <= _LONGEST:
        return content
    return b"#!/bin/sh\n'''exec' " + line[2:].strip() + b' "$0" "$@"\n' + b"' '''" + mark + rest


def moved(manifest: Manifest, old: str, new: str) -> Manifest:
    """A manifest as a build at another prefix would have it."""
    document = repointed(MANIFEST, msgspec.json.encode(manifest), old, new)
    return msgspec.json.decode(document, type=Manifest)


def stamped(bytecode: bytes) -> bytes:
    """The content of a `.pyc` that is valid for a source whose time is `STAMP`.

    One that is validated by hash, or not at all, is valid already.
    """
    if len(bytecode) < HEADER or bytecode[4:8] != bytes(4):
        return bytecode
    return bytecode[:8] + STAMP.to_bytes(4, "little") + bytecode[12:]


def checked(bytecode: bytes, source: bytes) -> bytes:
    """The content of a `.pyc` that is valid for a source of a certain content, whatever its time.

    One that is validated by hash, or not at all, stays as it is.

    Args:
        bytecode: The content.
        source: The hash of its source, of eight bytes: `importlib.util.source_hash`.
    """
    if len(bytecode) < HEADER or bytecode[4:8] != bytes(4):
        return bytecode
    return bytecode[:4] + _CHECKED.to_bytes(4, "little") + source + bytecode[HEADER:]


def _escaped(prefix: str) -> bytes:
    return json.dumps(prefix)[1:-1].encode()
