"""The log file that `logs` reads: generated for the run, or the user's own."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from ftbuild import process
from ftbuild.bench.offers import OFFERS
from ftbuild.bench.runner import WORKLOADS, Bench
from ftbuild.errors import EnvironmentFault, Interrupted, UsageError
from ftbuild.model.events import Emit, Measuring
from ftbuild.model.versions import Variant

_SPARE = 64 * 1024 * 1024
"""Bytes that must stay free beside the generated file."""

_LOOKED_AT = 1024 * 1024
"""Bytes of a user's file that are looked at before anything is measured."""

_READABLE = 0.5
"""The share of lines that must be in the Combined Log Format for a file to be taken for a log."""


class LogData(msgspec.Struct, frozen=True, kw_only=True):
    """A log file.

    Attributes:
        path: Where it is.
        size: Its bytes.
        seed: What it was generated from; None for a user's file.
        expected: The totals that the generator knows; None for a user's file.
    """

    path: Path
    size: int
    seed: int | None
    expected: dict[str, Any] | None


def generated(bench: Bench, size: int, seed: int, emit: Emit) -> LogData:
    """Write a log file of exactly that many bytes into the scratch directory.

    Raises:
        EnvironmentFault: The disk is too small, which is said before a byte is written.
        Interrupted: The run was stopped.
    """
    free = shutil.disk_usage(bench.scratch).free
    if free < size + _SPARE:
        raise EnvironmentFault(
            f"{size / 1e9:.1f} GB of logs do not fit: {bench.scratch} has {free / 1e9:.1f} GB free",
            hint="Give a smaller --size, or a --root on a larger disk.",
        )
    path, report = bench.scratch / "access.log", bench.scratch / "access.json"
    began = time.monotonic()

    def tell(line: str) -> None:
        if line.isdigit() and int(line) > 0:
            done = int(line)
            left = (time.monotonic() - began) * (size - done) / done
            label = f"writing {size / 1e6:,.0f} MB of logs"
            emit(Measuring(task="bench", label=label, done=done, total=size, left=left))

    log = bench.scratch / "weblog.log"
    status = process.stream(
        (
            bench.pair[Variant.GIL].python,
            *("-I", "-B", WORKLOADS / "weblog.py", path, str(size), str(seed), report),
        ),
        env={process.MARK: str(bench.scratch)},
        cwd=bench.scratch,
        log=log,
        on_line=tell,
        stop=bench.stop,
    )
    if bench.stop.is_set():
        raise Interrupted("stopped while logs were written")
    if status:
        said = log.read_text(errors="replace").strip().rpartition("\n")[2]
        raise EnvironmentFault(f"the logs could not be written: {said}")
    expected = msgspec.json.decode(report.read_bytes(), type=dict[str, Any])["expected"]
    return LogData(path=path, size=path.stat().st_size, seed=seed, expected=expected)


def given(path: Path) -> LogData:
    """A user's log file, if it looks like one.

    Raises:
        UsageError: Its beginning is hardly in the Combined Log Format.
    """
    script = OFFERS["logs"].script
    options = {"path": str(path), "size": _LOOKED_AT, "variant": "own", "expected": None}
    job = script.prepare(options)
    found = script.merge(job, [script.work(shard) for shard in script.shards(job, 1)])
    lines, broken = found["lines"], found["broken"]
    if lines - broken < _READABLE * lines:
        raise UsageError(
            f"{path} is no log file that can be measured: of its first {lines} lines, {broken} are "
            "not in the Combined Log Format",
            hint="That is what Apache and nginx write as `combined`: "
            '1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 2326 "-" "Mozilla/5.0"',
        )
    return LogData(path=path, size=path.stat().st_size, seed=None, expected=None)
