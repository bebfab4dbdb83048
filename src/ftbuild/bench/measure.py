"""A whole measurement, round by round.

Each round starts one process for every series (workload, arm, number of workers), in another order,
so that a machine that drifts hurts all alike, and what has been measured when somebody stops the
run is a fair sample of everything.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import msgspec

import ftbuild
from ftbuild import process
from ftbuild.bench import ftscalingbench, pyperformance
from ftbuild.bench.asked import ROUNDS, Asked
from ftbuild.bench.pair import Builds
from ftbuild.bench.results import Method, Pair, Results, Series, Suite
from ftbuild.bench.runner import Bench, Failed, Job
from ftbuild.bench.schedule import Cell, order, pinning, time_left, worker_counts
from ftbuild.bench.tasks import Task, tasks
from ftbuild.errors import EnvironmentFault, Interrupted
from ftbuild.model.events import Measuring, Warned
from ftbuild.model.versions import Variant
from ftbuild.provision import World
from ftbuild.store import work
from ftbuild.toolchain import others, read_machine, snapshot

VALUES, WARMUPS = 3, 1
"""Timed runs in a process, and runs before them. The first run of a process is slower: byte code is
not specialised yet, memory not mapped."""

LONG, LONG_ROUNDS = 600.0, 3
"""Seconds from which a round is long, and how many rounds are usual then."""

SCALE = 300
"""Times what ftscalingbench does by default: its threads start on one CPU each only after some
milliseconds, and its shortest loops take two."""

_GUESS = 2.0
"""Seconds a process takes, before the first has ended."""

TIMEOUT = 600.0
"""Seconds a process may take, beside what reading a large log takes."""

SLOWEST = 2e6
"""Bytes of logs a second that any machine gets through, warm-up and all values counted."""


def measure(
    asked: Asked,
    builds: Builds,
    pair: Pair,
    world: World,
    keep: Callable[[Results], None],
) -> Results:
    """Measure all that is asked for; what Ctrl-C leaves undone is missing from the results.

    Args:
        asked: What to measure, and how.
        builds: The two builds.
        pair: Their fingerprints.
        world: The root, the environment, where events go.
        keep: Given what there is after each round.

    Raises:
        UsageError: Something asked for cannot be measured: CPUs that are not there, a file that is
            no log.
        EnvironmentFault: The disk is too small for the logs.
    """
    with work.scratch_or_temporary(world.layout) as scratch:
        bench = Bench(
            pair=builds,
            env=world.env,
            scratch=scratch,
            timeout=asked.timeout or TIMEOUT + asked.bytes / SLOWEST,
            stop=world.stop,
        )
        return Run(asked, pair=pair, bench=bench, world=world).measure(keep)


class Run:
    """A measurement under way: what has been found, and how long it took."""

    def __init__(self, asked: Asked, *, pair: Pair, bench: Bench, world: World) -> None:
        """Prepare; nothing is started yet."""
        self._asked, self._pair, self._bench, self._world = asked, pair, bench, world
        self._emit = world.emit
        self._machine = machine = read_machine()
        self._created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._before = snapshot()
        self._method = Method(
            rounds=asked.rounds or ROUNDS,
            values=VALUES,
            warmups=WARMUPS,
            workers=worker_counts(asked.counts, machine),
            cpus=pinning(asked.affinity, machine),
            seconds=asked.seconds,
            timeout=bench.timeout,
        )
        self._tasks: dict[str, Task] = {}
        self._series: dict[Cell, Series] = {}
        self._suites: dict[str, Suite] = {}
        self._took: dict[Cell, float] = {}

    def results(self, *, interrupted: bool = False) -> Results:
        """What has been measured so far."""
        return Results(
            created=self._created,
            ftbuild=ftbuild.__version__,
            pair=self._pair,
            machine=self._machine,
            disturbance=others(self._before, snapshot()),
            method=self._method,
            workloads=tuple(task.workload for task in self._tasks.values()),
            series=tuple(self._series.values()),
            suites=tuple(self._suites.values()),
            interrupted=interrupted,
        )

    def measure(self, keep: Callable[[Results], None]) -> Results:
        """Measure everything; what Ctrl-C leaves undone is missing from the results.

        Args:
            keep: Given what there is after each round.
        """
        try:
            # First what may turn out impossible: a release without the script, no package index.
            for name in self._asked.suites:
                self._suite(name)
                self._keep(keep)
            for task in tasks(self._asked, self._method, self._bench, self._emit):
                self._add(task)
            if self._tasks:
                self._rounds(keep)
        except (KeyboardInterrupt, Interrupted):
            self._bench.stop.set()
            return self.results(interrupted=True)
        return self.results()

    def _keep(self, keep: Callable[[Results], None]) -> None:
        """Keep what there is; where that cannot be done (a full disk), measuring goes on."""
        try:
            keep(self.results())
        except EnvironmentFault as fault:
            self._emit(Warned(text=fault.message))

    def _add(self, task: Task) -> None:
        name = task.workload.name
        self._tasks[name] = task
        for arm in task.arms:
            for workers in self._method.workers:
                cell = Cell(workload=name, arm=arm, workers=workers)
                self._series[cell] = Series(
                    workload=name, arm=arm, workers=workers, failure=task.failure
                )

    def _rounds(self, keep: Callable[[Results], None]) -> None:
        number = 0
        while number < self._method.rounds:
            began = time.monotonic()
            for name in self._tasks:
                mine = [cell for cell in self._series if cell.workload == name]
                for cell in order(mine, number):
                    if self._series[cell].failure is None:
                        self._emit(self._progress(cell, number))
                        self._once(cell, number)
            self._keep(keep)
            number += 1
            if time.monotonic() - began > LONG and self._asked.rounds is None:
                rounds = max(number, LONG_ROUNDS)
                self._method = msgspec.structs.replace(self._method, rounds=rounds)

    def _once(self, cell: Cell, number: int) -> None:
        """One process for a series."""
        task, series, method = self._tasks[cell.workload], self._series[cell], self._method
        began = time.monotonic()
        found = self._bench.measure(
            cell.arm,
            Job(
                workload=task.module,
                options=task.options,
                mode=cell.arm.mode,
                workers=cell.workers,
                warmups=method.warmups,
                warm=task.warm,
                values=method.values,
                budget=method.values * method.seconds,
                cpus=method.cpus and method.cpus[: cell.workers],
            ),
        )
        self._took[cell] = time.monotonic() - began
        if not isinstance(found, Failed):
            found = self._agreed(task, found.result) or found
        if isinstance(found, Failed):
            self._emit(Warned(text=f"{series.name}: {found.error}"))
            changed = msgspec.structs.replace(series, failure=found.error)
        else:
            samples = (*series.samples, found.sample(number))
            changed = msgspec.structs.replace(series, samples=samples)
        self._series[cell] = changed

    def _agreed(self, task: Task, result: str | None) -> Failed | None:
        """Nothing, if a result is the one that all other series had; the first sets it."""
        known = task.workload.result
        if known is None:
            workload = msgspec.structs.replace(task.workload, result=result)
            self._tasks[workload.name] = msgspec.structs.replace(task, workload=workload)
        elif result != known:
            return Failed(error="its result is not that of the other series")
        return None

    def _progress(self, cell: Cell, number: int) -> Measuring:
        going = [k for k, series in self._series.items() if series.failure is None]
        done = sum(len(self._series[k].samples) for k in going)
        total = len(going) * self._method.rounds
        todo = [k for k in going for _ in range(self._method.rounds - len(self._series[k].samples))]
        label = f"round {number + 1}/{self._method.rounds}  {self._series[cell].name}"
        left = time_left(self._took, todo, cpus=self._machine.cpus, guess=_GUESS)
        return Measuring(task="bench", label=label, done=done, total=total, left=left)

    def _suite(self, name: str) -> None:
        """One of the suites of others."""
        asked, method, world = self._asked, self._method, self._world
        pair = (self._bench.pair[Variant.GIL], self._bench.pair[Variant.FREE_THREADED])
        if name == ftscalingbench.NAME:
            suite = ftscalingbench.run(
                pair,
                world.sources.fetch(self._pair.gil.version).path,
                workers=method.workers[-1],
                rounds=method.rounds,
                scratch=self._bench.scratch,
                env={**world.env, process.MARK: str(self._bench.scratch)},
                stop=world.stop,
                emit=world.emit,
                cpus=method.cpus or (),
                scale=SCALE,
            )
        else:
            suite = pyperformance.run(
                pair,
                rounds=method.rounds,
                scratch=self._bench.scratch,
                env={**world.env, process.MARK: str(self._bench.scratch)},
                stop=world.stop,
                emit=world.emit,
                cpu=method.cpus[0] if method.cpus else None,
                only=pyperformance.QUICK if asked.quick else (),
            )
        self._suites[name] = suite
        if world.stop.is_set():
            raise Interrupted(f"{name} was stopped")
