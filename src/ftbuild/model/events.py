"""What happens while ftbuild works, as data. Emitted by fetch and the engine, drawn by console."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth a line."""

    text: str


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """Something the user should know although the work goes on."""

    text: str


class Downloading(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of a download that have arrived.

    Attributes:
        name: File name of the tarball.
        origin: Where from, fit to print.
        done: Bytes so far.
        total: Bytes expected, or None when nobody knows.
    """

    name: str
    origin: str
    done: int
    total: int | None


class Downloaded(msgspec.Struct, frozen=True, kw_only=True):
    """A download that is complete and verified."""

    name: str
    origin: str
    size: int
    seconds: float


class BuildQueued(msgspec.Struct, frozen=True, kw_only=True):
    """A build that this run will make.

    Attributes:
        build: Friendly name; the key of every later event of this build.
        stages: The names of its stages, in order.
        expected: Seconds each stage took in an earlier build of the same kind, by stage name.
    """

    build: str
    stages: tuple[str, ...]
    expected: dict[str, float]


class StageStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A stage begins; its log is being written to `log`."""

    build: str
    stage: str
    log: Path


class StageProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Work done within a stage: files compiled, tests trained; total 0 where it is unknown."""

    build: str
    stage: str
    done: int
    total: int


class StageLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line that a stage printed."""

    build: str
    stage: str
    line: str


class StageFinished(msgspec.Struct, frozen=True, kw_only=True):
    """A stage ended well, after so many seconds."""

    build: str
    stage: str
    seconds: float


class BuildFinished(msgspec.Struct, frozen=True, kw_only=True):
    """A build ended.

    Attributes:
        build: Friendly name.
        outcome: `installed`, `failed`, `stopped` (interrupted, or another build failed).
        detail: A line more, such as the failing stage.
    """

    build: str
    outcome: str
    detail: str = ""


class Measuring(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement or an audit goes on.

    Attributes:
        task: Which task: `bench`, `audit`.
        label: What it does now.
        done: How much has been done, of `total`, in any unit.
        total: How much there is to do.
        left: Seconds that the rest will take, or None while nobody can tell.
    """

    task: str
    label: str
    done: int
    total: int
    left: float | None


Event = (
    Noted
    | Warned
    | Downloading
    | Downloaded
    | BuildQueued
    | StageStarted
    | StageProgress
    | StageLine
    | StageFinished
    | BuildFinished
    | Measuring
)
Emit = Callable[[Event], None]
"""Receives events, from any thread."""
