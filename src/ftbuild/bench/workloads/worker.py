"""Runs a workload under the interpreter being measured, and writes down how long it took.

    python -I -B worker.py JOB.json REPORT.json ERRORS

The job names the workload and says how often, with how many threads or processes, on which CPUs.
The report is a file, because a workload may print what it likes; what it says on standard error
goes to the file ERRORS.

A workload is a module with

    prepare(options) -> job         before the clock runs; reads or makes the input
    shards(job, workers) -> list    the arguments of `work`, one for each worker
    work(shard) -> partial          what a worker does; processes get and return pickled data
    merge(job, partials) -> result  part of the time, as everyone has to do it; result fit for JSON
    check(job, result)              after the clock; raises AssertionError

and, where workers share something,

    shared(options, workers, mode)  a context manager around all runs, entered before the clock
                                    runs; gives what `work(shard, shared)` then gets as well.
                                    Processes inherit it: it may hold a lock, a queue, a socket
    drive(job, workers, shared)     what the main thread does while the workers work; what it
                                    returns becomes the last of the partials
"""

import concurrent.futures
import gc
import hashlib
import importlib
import importlib.machinery
import importlib.util
import json
import marshal
import multiprocessing
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

SCRIPT = "ftbuild_user_script"
"""The module name under which a user's script is imported."""

LEAST = 0.02
"""Seconds from which a run is long enough to tell what a longer one would take."""


_compiled = importlib.machinery.SourceFileLoader.source_to_code


def as_cached(
    loader: importlib.machinery.SourceFileLoader, data: Any, path: Any, **options: Any
) -> CodeType:
    """A module's code, compiled and then read back as if from a .pyc.

    The free-threaded builds make the constants of code immortal, but not those of code that
    `compile` made; and with it an import compiles what has no .pyc yet. Left so, every `2.0` in a
    loop is an object whose reference count all threads write: two of them run the Mandelbrot set
    slower than one. Scripts and modules from a .pyc, what people run, do not have that fault.
    """
    code: CodeType = marshal.loads(marshal.dumps(_compiled(loader, data, path, **options)))  # noqa: S302 - just made
    return code


def load(workload: str) -> ModuleType:
    """The module of a workload: one of ours by name, a user's by the path of its file."""
    # Here for all loaders: a user's script may import modules from beside it.
    importlib.machinery.SourceFileLoader.source_to_code = as_cached  # type: ignore[assignment,method-assign]
    if not workload.endswith(".py"):
        folder = str(Path(__file__).parents[1])
        if folder not in sys.path:
            sys.path.append(folder)  # last: it must hide nothing of the standard library
        return importlib.import_module(f"workloads.{workload}")
    if SCRIPT in sys.modules:
        return sys.modules[SCRIPT]
    sys.path.append(str(Path(workload).parent))
    spec = importlib.util.spec_from_file_location(SCRIPT, workload)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[SCRIPT] = module
    spec.loader.exec_module(module)
    return module


class Script:
    """A user's script, `work(shard, shards)` and perhaps `merge(partials)`, as a workload."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def prepare(self, options: dict[str, Any]) -> None:
        """Nothing is made before the clock runs but what importing the script makes."""

    def shards(self, _job: None, workers: int) -> list[tuple[int, int]]:
        """Shard i of n."""
        return [(shard, workers) for shard in range(workers)]

    def work(self, shard: tuple[int, int]) -> Any:
        """Call the user's function."""
        return self.module.work(*shard)

    def merge(self, _job: None, partials: list[Any]) -> Any:
        """One result for any number of shards, if the script can tell; else None."""
        merge = getattr(self.module, "merge", None)
        return merge(partials) if merge else None

    def check(self, _job: None, _result: Any) -> None:
        """The caller compares the results of the arms; more nobody can know."""


def workload(name: str) -> Any:
    """A workload by its name, or the path of a user's script."""
    module = load(name)
    return Script(module) if module.__name__ == SCRIPT else module


class Usage:
    """CPU seconds, context switches and peak memory of this process so far."""

    def __init__(self) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        self.pid = os.getpid()
        self.cpu = used.ru_utime + used.ru_stime
        self.voluntary = used.ru_nvcsw
        self.involuntary = used.ru_nivcsw
        # Not ru_maxrss on Linux: it counts what the parent had before this program began.
        self.rss = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.rss = int(line.split()[1]) * 1024


HELD: list[Any] = []
"""In a process of a pool: what its workload shares; empty where it shares nothing."""


def hold(shared: tuple[Any, ...]) -> None:
    """Begin a process of a pool with what it inherits, and end it with the process it works for."""
    HELD[:] = shared
    threading.Thread(target=follow, daemon=True).start()


def follow() -> None:
    """Wait for the parent's end, which a pool's processes do not notice if it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def call(name: str, shard: Any) -> tuple[Any, Usage]:
    """One shard's work in a process of a pool, and what that process has used so far."""
    partial = workload(name).work(shard, *HELD)
    return partial, Usage()


def ready(name: str) -> Usage:
    """Import the workload in a process of a pool, and stay long enough for all others to start."""
    workload(name)
    usage = Usage()
    time.sleep(STAY)
    return usage


STAY = 0.1


def bind(pid: int, slot: int, cpus: Sequence[int]) -> None:
    """Have a thread or process run on the CPU of its slot, if there are CPUs to be bound to."""
    if cpus:
        os.sched_setaffinity(pid, {cpus[slot % len(cpus)]})


def driven(module: Any, job: Any, workers: int, shared: tuple[Any, ...]) -> list[Any]:
    """What the main thread contributes while the workers work: one partial result, or none."""
    drive = getattr(module, "drive", None)
    return [drive(job, workers, *shared)] if drive else []


class Threads:
    """Runs shards in threads, started anew for each run; `shared` is empty or one object.

    Each is bound to a CPU of its own, if there are CPUs to be bound to: Linux starts threads on the
    CPU of the one that made them, and for 10 ms and more leaves them there.
    """

    def __init__(
        self,
        name: str,
        workers: int,
        shared: tuple[Any, ...] = (),
        cpus: Sequence[int] = (),
    ) -> None:
        self.module = workload(name)
        self.workers = workers
        self.cpus = cpus
        self.shared = shared

    def run(self, job: Any) -> list[Any]:
        """The partial results of all shards."""
        shards = self.module.shards(job, self.workers)
        partials: list[Any] = [None] * len(shards)
        errors: list[BaseException] = []

        def run(slot: int) -> None:
            try:
                bind(0, slot, self.cpus)  # 0: this thread
                partials[slot] = self.module.work(shards[slot], *self.shared)
            except BaseException as error:  # noqa: BLE001 - raised again below
                errors.append(error)

        crew = [threading.Thread(target=run, args=(slot,)) for slot in range(len(shards))]
        for thread in crew:
            thread.start()
        try:
            partials += driven(self.module, job, self.workers, self.shared)
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)
        for thread in crew:
            thread.join()
        if errors:
            raise errors[0]
        return partials

    def usage(self) -> list[Usage]:
        """What all processes have used so far."""
        return [Usage()]


class Processes:
    """Runs shards in a pool of processes, each input and partial result pickled.

    The processes of the pool began by `hold(shared)`.
    """

    def __init__(
        self,
        name: str,
        workers: int,
        pool: concurrent.futures.Executor,
        shared: tuple[Any, ...] = (),
        cpus: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.module = workload(name)
        self.workers = workers
        self.pool = pool
        self.shared = shared
        self.seen: dict[int, Usage] = {}
        began = time.perf_counter()
        for slot, future in enumerate([pool.submit(ready, name) for _ in range(workers)]):
            usage = future.result()
            self.seen[usage.pid] = usage
            bind(usage.pid, slot, cpus)
        self.start = max(0.0, time.perf_counter() - began - STAY)

    def run(self, job: Any) -> list[Any]:
        """The partial results of all shards."""
        shards = self.module.shards(job, self.workers)
        futures = [self.pool.submit(call, self.name, shard) for shard in shards]
        errors = []
        last = []
        try:
            last = driven(self.module, job, self.workers, self.shared)
        except Exception as error:  # noqa: BLE001 - raised again below, unless a worker's tells more
            errors.append(error)
        partials = []
        for future in futures:
            partial, usage = future.result()
            self.seen[usage.pid] = usage
            partials.append(partial)
        if errors:
            raise errors[0]
        return partials + last

    def usage(self) -> list[Usage]:
        """What all processes have used so far, by what each said when it last answered."""
        return [Usage(), *self.seen.values()]


@contextmanager
def crew(job: dict[str, Any], mode: str, workers: int) -> Iterator[Any]:
    """So many threads or processes for a job, and what its workload shares."""
    name, cpus = job["workload"], job.get("cpus") or ()
    share = getattr(workload(name), "shared", None)
    with share(job["options"], workers, mode) if share else nullcontext() as given:
        shared = (given,) if share else ()
        if mode == "threads":
            yield Threads(name, workers, shared, cpus)
            return
        with concurrent.futures.ProcessPoolExecutor(
            workers, initializer=hold, initargs=(shared,)
        ) as pool:
            yield Processes(name, workers, pool, shared, cpus)


def timed(run: Callable[[Any], list[Any]], module: Any, job: Any) -> tuple[float, Any]:
    """The wall time of one run, in seconds, and its result, checked."""
    gc.collect()
    began = time.perf_counter()
    result = module.merge(job, run(job))
    seconds = time.perf_counter() - began
    module.check(job, result)
    return seconds, result


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """What a job asks for: warm-ups, then timed values."""
    with crew(job, job["mode"], job["workers"]) as workers:
        module = workers.module
        options = job["options"]
        first = module.prepare({**options, **job["warm"]})
        warmups = [timed(workers.run, module, first)[0] for _ in range(job["warmups"])]
        prepared = module.prepare(options) if job["warm"] else first
        before = workers.usage()
        measured = [timed(workers.run, module, prepared)]
        while len(measured) < job["values"] and sum(s for s, _ in measured) < job["budget"]:
            measured.append(timed(workers.run, module, prepared))
        after = workers.usage()
    digests = {digest(result) for _, result in measured}
    if len(digests) > 1:
        raise AssertionError("two runs in one process had different results")
    count = len(measured)
    return {
        "values": [seconds for seconds, _ in measured],
        "warmups": warmups,
        "start": getattr(workers, "start", 0.0),
        "result": digests.pop(),
        "cpu": (sum(u.cpu for u in after) - sum(u.cpu for u in before)) / count,
        "rss": sum(u.rss for u in after),
        "switches": [
            (sum(getattr(u, kind) for u in after) - sum(getattr(u, kind) for u in before)) / count
            for kind in ("voluntary", "involuntary")
        ],
    }


def calibrate(job: dict[str, Any]) -> dict[str, Any]:
    """How many units of a workload one thread does in a second, by runs long enough to tell."""
    units = job["options"]["units"]
    with crew(job, "threads", 1) as workers:
        module = workers.module
        while True:
            prepared = module.prepare({**job["options"], "units": units})
            seconds, _ = timed(workers.run, module, prepared)
            if seconds >= LEAST:
                break
            units *= 4
        # Once more, warm: the first run of a size also specialises the byte code.
        again, _ = timed(workers.run, module, prepared)
    return {"rate": units / min(seconds, again)}


def digest(result: Any) -> str | None:
    """SHA-256 of a result, equal for equal results in every version and build; None for none."""
    if result is None:
        return None
    text = json.dumps(result, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """The report on a job: what was measured, or what went wrong in a line."""
    if job["cpus"]:
        os.sched_setaffinity(0, job["cpus"])
    try:
        report = calibrate(job) if job["calibrate"] else measure(job)
    except BaseException as error:  # noqa: BLE001 - a user's script may raise anything
        traceback.print_exc()
        report = {"error": traceback.format_exception_only(error)[-1].strip()}
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)  # from 3.13
    return {**report, "gil": enabled()}


def main() -> None:
    """Do the job; the process that was started writes the report, whoever else gets here."""
    pid = os.getpid()
    job = json.loads(Path(sys.argv[1]).read_text())
    # Neither output is the caller's: a script may print gigabytes, or leave children that hold it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    report = answer(job)
    if os.getpid() == pid:
        Path(sys.argv[2]).write_text(json.dumps(report))


if __name__ == "__main__":
    main()
