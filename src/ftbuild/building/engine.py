"""Runs plans: each build in a thread of its own, all within one job budget, told through events."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

import msgspec

from ftbuild import process
from ftbuild.building.diagnose import likely_cause, read_unimportable
from ftbuild.building.jobs import JobBudget
from ftbuild.building.plan import Plan
from ftbuild.building.progress import compiles, trained, units_in
from ftbuild.building.stages import Stage
from ftbuild.errors import BuildFailed, EnvironmentFault, Interrupted, TrainingFailed
from ftbuild.model.events import (
    Emit,
    StageFinished,
    StageLine,
    StageProgress,
    StageStarted,
    Warned,
)
from ftbuild.model.manifest import StageRecord
from ftbuild.toolchain import explain_unloaded

TAIL = 20
"""Lines of a failed stage's log that are shown."""

_SEARCHED = 400
"""Lines of a log in which the cause of a failure is sought: a parallel make prints on a while."""

_UNKNOWN = re.compile(r"^configure: WARNING: unrecognized options: ")
"""What configure says of options that it passes over; a misspelt one changes nothing."""

T = TypeVar("T")


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A plan carried out, up to the staged installation.

    Attributes:
        stages: What was run, with times.
        compile_log: The log of the final compile.
    """

    stages: tuple[StageRecord, ...]
    compile_log: Path


class Runner:
    """Runs the stages of builds. Holds what they share: the budget, the log folder, the events."""

    def __init__(self, *, budget: JobBudget, emit: Emit, stop: threading.Event) -> None:
        self.budget = budget
        self.emit = emit
        self.stop = stop

    def build(self, plan: Plan, *, logs: Path) -> Built:
        """Run a plan's stages in order; a slot of the budget must be held.

        Args:
            plan: What to run.
            logs: An existing folder for its logs, one file a stage.

        Raises:
            TrainingFailed: The training run failed.
            BuildFailed: Another stage did: which, the last lines, the log, the likely cause.
            Interrupted: The run was stopped.
        """
        try:
            plan.tree.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(f"{plan.tree} cannot be made: {error.strerror}") from error
        records = tuple(self.stage(plan, stage, logs=logs) for stage in plan.stages)
        (compiled,) = logs.glob("*-compile.log")
        return Built(stages=records, compile_log=compiled)

    def stage(self, plan: Plan, stage: Stage, *, logs: Path) -> StageRecord:
        """Run one stage, its output in `logs` and in events.

        Raises:
            BuildFailed: It ended with an error.
            Interrupted: The run was stopped.
        """
        log = _fresh(logs, stage.name)
        self.emit(StageStarted(build=plan.name, stage=stage.name, log=log))
        environment = plan.environment | {process.MARK: str(plan.tree.parent)}
        if stage.parallel:
            environment |= {"MAKEFLAGS": self.budget.makeflags}
        meter = _Meter(plan, stage, self.emit)
        started = time.monotonic()
        code = process.stream(
            stage.argv,
            env=environment,
            cwd=stage.cwd,
            log=log,
            on_line=meter.see,
            stop=self.stop,
            pass_fds=self.budget.inherited if stage.parallel else (),
        )
        seconds = time.monotonic() - started
        if self.stop.is_set():
            raise Interrupted(f"{plan.name}: stopped during {stage.name}")
        if code != 0:
            kind = TrainingFailed if stage.name == "train" else BuildFailed
            raise kind(
                f"{plan.name}: {stage.name} failed ({process.ending(code)})",
                hint=likely_cause(meter.lines),
                log=log,
                tail=tuple(meter.lines)[-TAIL:],
            )
        if stage.name in {"instrument", "compile"}:
            _require_importable(plan, stage, log)
        for line in filter(_UNKNOWN.search, dict.fromkeys(meter.lines)):
            self.emit(Warned(text=f"{plan.name}: {line.partition('WARNING: ')[2]}"))
        self.emit(StageFinished(build=plan.name, stage=stage.name, seconds=seconds))
        return StageRecord(name=stage.name, seconds=round(seconds, 2), units=meter.done)


class _Meter:
    """Counts what a stage has done and keeps its last lines."""

    def __init__(self, plan: Plan, stage: Stage, emit: Emit) -> None:
        self.done = 0
        self.lines: deque[str] = deque(maxlen=_SEARCHED)
        self._build = plan.name
        self._stage = stage.name
        self._emit = emit
        makefile = stage.cwd / "Makefile"
        counts = stage.name in {"instrument", "compile"} and makefile.is_file()
        self._total = units_in(makefile.read_text(errors="replace")) if counts else 0

    def see(self, line: str) -> None:
        self.lines.append(line)
        self._emit(StageLine(build=self._build, stage=self._stage, line=line))
        if self._stage == "train":
            seen = trained(line)
            if seen is None:
                return
            self.done, self._total = seen
        elif compiles(line):
            self.done += 1
        else:
            return
        self._emit(
            StageProgress(
                build=self._build,
                stage=self._stage,
                done=self.done,
                total=max(self._total, self.done) if self._total else 0,
            )
        )


def together(
    tasks: Sequence[Callable[[], T]], *, stop: threading.Event, enough: Callable[[T], bool]
) -> tuple[T, ...]:
    """Run tasks at once, a thread each, and return what each returned, in order.

    Args:
        tasks: What to run. Each must end soon after `stop` is set.
        stop: Set here when a result is `enough`, when a task raises, and when this thread is
            interrupted (KeyboardInterrupt, or SIGTERM turned into an exception); an exception goes
            on its way once every task has ended.
        enough: Whether a result ends the run for all.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(tasks))) as pool:
        futures = [pool.submit(task) for task in tasks]
        waiting = set(futures)
        try:
            while waiting:
                # With a timeout, so that signals reach this thread on every platform.
                done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                if any(enough(future.result()) for future in done):
                    stop.set()
        except BaseException:
            stop.set()
            raise
    return tuple(future.result() for future in futures)


def _require_importable(plan: Plan, stage: Stage, log: Path) -> None:
    """End a build here that would end in `make install`, saying nothing of why."""
    modules = read_unimportable(log.read_text(errors="replace"))
    if not modules:
        return
    told = {
        module: explain_unloaded(said, folders, plan.environment)
        for module, (said, folders) in modules.items()
    }
    lines = (f"  {module}: {why}" for module, (why, _) in told.items())
    raise BuildFailed(
        "\n".join((f"{plan.name}: {stage.name} made modules that cannot be imported", *lines)),
        hint="\n".join(dict.fromkeys(way for _, way in told.values() if way)),
        log=log,
        tail=tuple(f"{module} failed to import: {said}" for module, (said, _) in modules.items()),
    )


def _fresh(logs: Path, stage: str) -> Path:
    """The next log file of a build: `01-configure.log`, and a number on for each that follows."""
    number = len(list(logs.glob("*.log"))) + 1
    return logs / f"{number:02}-{stage}.log"
