"""Runs plans: each build in a thread of its own, all within one job budget, told through events."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

import msgspec

from ftbuild import process
from ftbuild.build.diagnose import likely_cause
from ftbuild.build.jobs import JobBudget
from ftbuild.build.plan import Plan, Stage
from ftbuild.build.progress import compiles, trained, units_in
from ftbuild.errors import BuildFailed, EnvironmentFault, Interrupted
from ftbuild.model.events import (
    Emit,
    StageFinished,
    StageLine,
    StageProgress,
    StageStarted,
    Warned,
)
from ftbuild.model.manifest import StageRecord

TAIL = 20
"""Lines of a failed stage's log that are shown."""

_SEARCHED = 400
"""Lines of a log in which the cause of a failure is sought: a parallel make prints on a while."""

T = TypeVar("T")


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A plan carried out, up to the staged installation.

    Attributes:
        stages: What was run, with times.
        tree: The build directory that holds the objects and profile data.
        pgo: Whether the training took place and shaped the result.
        compile_log: The log of the final compile.
    """

    stages: tuple[StageRecord, ...]
    tree: Path
    pgo: bool
    compile_log: Path


class Runner:
    """Runs the stages of builds. Holds what they share: the budget, the log folder, the events."""

    def __init__(self, *, budget: JobBudget, emit: Emit, stop: threading.Event) -> None:
        self.budget = budget
        self.emit = emit
        self.stop = stop

    def build(self, plan: Plan, *, logs: Path, pgo_fallback: bool) -> Built:
        """Run a plan's stages in order; a slot of the budget must be held.

        Args:
            plan: What to run.
            logs: An existing folder for its logs, one file a stage.
            pgo_fallback: Whether a failed training run leads to a build without PGO.

        Raises:
            BuildFailed: A stage failed: which, the last lines, the log, the likely cause.
            Interrupted: The run was stopped.
        """
        try:
            return self._all(plan, plan.stages, logs, pgo=plan.spec.pgo)
        except BuildFailed as error:
            trained_badly = isinstance(error, _TrainingFailed)
            if not (pgo_fallback and trained_badly and plan.fallback):
                raise
            self.emit(Warned(text=f"{plan.name}: the training run failed; building without PGO"))
            return self._all(plan, plan.fallback, logs, pgo=False)

    def stage(self, plan: Plan, stage: Stage, *, logs: Path) -> StageRecord:
        """Run one stage, its output in `logs` and in events.

        Raises:
            BuildFailed: It ended with an error.
            Interrupted: The run was stopped.
        """
        log = _fresh(logs, stage.name)
        self.emit(StageStarted(build=plan.name, stage=stage.name, log=log))
        environment = plan.environment
        if stage.parallel:
            environment = environment | {"MAKEFLAGS": self.budget.makeflags}
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
            kind = _TrainingFailed if stage.name == "train" else BuildFailed
            raise kind(
                f"{plan.name}: {stage.name} failed ({process.ending(code)})",
                hint=likely_cause(meter.lines),
                log=log,
                tail=tuple(meter.lines)[-TAIL:],
            )
        self.emit(StageFinished(build=plan.name, stage=stage.name, seconds=seconds))
        return StageRecord(name=stage.name, seconds=round(seconds, 2), units=meter.done)

    def _all(self, plan: Plan, stages: tuple[Stage, ...], logs: Path, *, pgo: bool) -> Built:
        records: list[StageRecord] = []
        for stage in stages:
            try:
                stage.cwd.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise EnvironmentFault(
                    f"{plan.name}: {stage.cwd} cannot be made: {error.strerror}"
                ) from error
            records.append(self.stage(plan, stage, logs=logs))
        compiled = sorted(logs.glob("*-compile.log"))
        return Built(stages=tuple(records), tree=stages[0].cwd, pgo=pgo, compile_log=compiled[-1])


class _TrainingFailed(BuildFailed):
    """The one failure that `--pgo-fallback` knows a way around."""


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
    tasks: Sequence[Callable[[], T]], *, stop: threading.Event, fail_fast: bool
) -> tuple[T | BaseException, ...]:
    """Run tasks at once, a thread each, and return what each returned or raised, in order.

    Args:
        tasks: What to run. Each must end soon after `stop` is set.
        stop: Set here when a task failed and `fail_fast` is on, or when this thread is
            interrupted (KeyboardInterrupt, SIGTERM turned into an exception): the exception then
            goes on its way once every task has ended.
        fail_fast: Whether the first failure stops the others.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(tasks))) as pool:
        futures: list[Future[T]] = [pool.submit(task) for task in tasks]
        waiting: set[Future[T]] = set(futures)
        try:
            while waiting:
                # With a timeout, so that signals reach this thread on every platform.
                done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                if fail_fast and any(future.exception() for future in done):
                    stop.set()
        except BaseException:
            stop.set()
            raise
    return tuple(future.exception() or future.result() for future in futures)


def _fresh(logs: Path, stage: str) -> Path:
    """The next log file of a build: `01-configure.log`, and a number on for each that follows."""
    number = len(list(logs.glob("*.log"))) + 1
    return logs / f"{number:02}-{stage}.log"
