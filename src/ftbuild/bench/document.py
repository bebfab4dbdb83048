"""The JSON document of a measurement: written while it runs, read by `bench compare`.

It carries pyperf's keys beside ours, so that pyperf's own tools read the same file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ftbuild.bench.pyperf import pyperf_document
from ftbuild.bench.results import FORMAT, Results
from ftbuild.bench.summary import rows
from ftbuild.bench.verdict import verdict
from ftbuild.errors import EnvironmentFault, Refused, UsageError
from ftbuild.files import make_directory, read_file, write_atomically
from ftbuild.model.text import decode_document


def document(results: Results) -> dict[str, Any]:
    """Everything measured, what follows from it, and the same once more for pyperf."""
    return {
        **msgspec.to_builtins(results),
        "summary": msgspec.to_builtins(rows(results)),
        "verdict": verdict(results),
        **pyperf_document(results),
    }


def save(results: Results, path: Path) -> None:
    """Write a measurement.

    Raises:
        EnvironmentFault: The file cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(document(results)), indent=1)
    try:
        make_directory(path.parent)
        write_atomically(path, text)
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written: {error.strerror}") from error


def load(path: Path) -> Results:
    """Read a measurement.

    Raises:
        UsageError: It is not there, or no document that this ftbuild understands.
    """
    try:
        return decode_document(read_file(path), Results, format=FORMAT, what="it")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except Refused as error:
        raise UsageError(
            f"{path} is no measurement that this ftbuild understands: {error.message}",
            hint="`ftbuild bench --output FILE` writes one.",
        ) from error
