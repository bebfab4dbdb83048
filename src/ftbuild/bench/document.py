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
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.files import write_atomically


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
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written: {error.strerror}") from error


def load(path: Path) -> Results:
    """Read a measurement.

    Raises:
        UsageError: It is not there, or no document that this ftbuild understands.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Results)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{path} is no measurement that this ftbuild understands: {error}",
            hint="`ftbuild bench --output FILE` writes one.",
        ) from error
    if (found.kind, found.format) != ("bench", FORMAT):
        raise UsageError(f"{path} is of format {found.format}; this ftbuild reads {FORMAT}")
    return found
