"""Which installed modules have no bytecode that this interpreter takes, as one JSON object.

Argument: the prefix, whose list of hashes says what was installed.
"""

import importlib.util
import json
import pathlib
import re
import sys

SHOWN = 10
CHECKED = 0b11
"""The flags of bytecode that is compared with its source by hash (PEP 552)."""

# Tests are not imported by name, and some are no Python; `config-3.14` is no package.
LEFT_OUT = re.compile(r".*/(test|tests|idle_test|config-[^/]+)/")


def counts(source: pathlib.Path) -> bool:
    """Whether the import system would take a source's bytecode."""
    try:
        data = pathlib.Path(importlib.util.cache_from_source(str(source))).read_bytes()[:16]
    except OSError:
        return False
    if len(data) < 16 or data[:4] != importlib.util.MAGIC_NUMBER:  # noqa: PLR2004 - the header
        return False
    flags = int.from_bytes(data[4:8], "little")
    if flags == CHECKED:
        return data[8:] == importlib.util.source_hash(source.read_bytes())
    if flags:
        return True
    there = source.stat()
    stamps = (int(there.st_mtime) & 0xFFFFFFFF, there.st_size & 0xFFFFFFFF)
    return data[8:] == b"".join(stamp.to_bytes(4, "little") for stamp in stamps)


prefix = pathlib.Path(sys.argv[1])
lines = (prefix / "ftbuild.sha256").read_text("utf-8").splitlines()
# `0123…cdef  lib/python3.14/abc.py`: 64 digits and two spaces come first.
names = [name for line in lines if (name := line[66:]).startswith("lib/") and name.endswith(".py")]
# What is missing is not this probe's to tell.
modules = [name for name in names if not LEFT_OUT.match(name) and (prefix / name).exists()]
wanting = [name for name in modules if not counts(prefix / name)]
print(json.dumps({"sources": len(modules), "wanting": wanting[:SHOWN], "count": len(wanting)}))
