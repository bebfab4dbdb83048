"""Names in a build: those that say which of the pair it is, and those that packages list."""

from __future__ import annotations

import csv
import io
import posixpath
import re
from collections.abc import Mapping

from ftbuild.model.versions import Variant
from ftbuild.store.tree import spelt

RECORD = ".dist-info/RECORD"
"""How the names end of lists of an installed package's files."""


def library(series: str, variant: Variant) -> str:
    """The directory of the standard library.

    >>> library("3.14", Variant.FREE_THREADED)
    'lib/python3.14t'
    """
    return f"lib/python{series}{variant.suffix}"


def own_program(name: str, series: str, variant: Variant) -> str:
    """The name of a program that belongs to a build of the pair alone.

    A free-threaded build is installed with the names of the other one, too: CPython makes a
    `python3.14` for both, and pip its `pip3.14`.

    >>> own_program("idle3.14", "3.14", Variant.FREE_THREADED)
    'idle3.14t'
    """
    # Not of `python3.14td`, and not of `x3.140` or `x13.14`.
    return re.sub(rf"(?<![\d.]){re.escape(series)}(?![\dt])", series + variant.suffix, name)


def own_name(name: str, series: str, variant: Variant) -> str:
    """The name of a file of a build, with that of a program made the build's own."""
    folder, mark, program = name.partition("bin/")
    return name if folder or not mark else mark + own_program(program, series, variant)


def recorded(
    content: bytes,
    record: str,
    *,
    names: Mapping[str, str],
    digests: Mapping[str, str],
    sizes: Mapping[str, int],
) -> bytes:
    """The list of an installed package's files (RECORD), made true of what is there.

    Args:
        content: The list. Its line ends stay: uv writes others than pip.
        record: Its name: `lib/python3.14/site-packages/pip-26.1.dist-info/RECORD`.
        names: By names in the build, those there; what it lacks is not there.
        digests: SHA-256 in hexadecimal digits, by the names there.
        sizes: Bytes, by the names there.
    """
    folder = posixpath.dirname(posixpath.dirname(record))
    sink = io.StringIO(newline="")
    text = content.decode("utf-8", "surrogateescape")
    writer = csv.writer(sink, lineterminator="\r\n" if "\r\n" in text else "\n")
    for row in csv.reader(io.StringIO(text, newline="")):
        if not row:
            continue
        name = names.get(posixpath.normpath(posixpath.join(folder, row[0])))
        if name is None:
            continue
        path = posixpath.relpath(name, folder)
        hashed = bool(row[1:2] and row[1])
        writer.writerow((path, spelt(digests[name]), sizes[name]) if hashed else (path, "", ""))
    return sink.getvalue().encode("utf-8", "surrogateescape")
