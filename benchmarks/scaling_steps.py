"""One way of writing the `logs` workload, timed once; `scaling.py` runs it under both Pythons.

    python -I -B scaling_steps.py STEP WORKERS LOG BYTES

Prints JSON: the seconds, the processor time, and the share of all processors that other programs
used meanwhile. Each step is `logs` with one thing changed; STEPS says which.
"""

import gc
import importlib.machinery
import json
import marshal
import os
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

SOURCE = Path(__file__).parents[1] / "src/ftbuild/bench/workloads/logs.py"
SPINS = 8_000_000  # turns of the loop that does nothing but arithmetic
WARM = 4_000_000  # bytes

Worker = Callable[[Any], Any]


class Stored(importlib.machinery.SourceFileLoader):
    """Loads a module as from its stored bytecode, which makes its constants immortal."""

    def get_code(self, fullname: str) -> CodeType:
        """Its code, by way of the form in which bytecode is stored."""
        code: CodeType = marshal.loads(marshal.dumps(super().get_code(fullname)))  # noqa: S302
        return code


def loaded(loader: type[importlib.machinery.SourceFileLoader] = Stored) -> ModuleType:
    """The workload."""
    module = ModuleType("logs")
    code = loader("logs", str(SOURCE)).get_code("logs")
    assert code is not None  # noqa: S101
    exec(code, module.__dict__)  # noqa: S102
    return module


def threads(worker: Worker, shards: list[Any]) -> None:
    """Run a worker for each shard, each in a thread."""
    crew = [threading.Thread(target=worker, args=(shard,)) for shard in shards]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()


def processes(worker: Worker, shards: list[Any]) -> None:
    """Run a worker for each shard, each in a process; nothing comes back."""
    crew = []
    for shard in shards:
        pid = os.fork()
        if not pid:
            try:
                worker(shard)
            finally:
                os._exit(0)
        crew.append(pid)
    for pid in crew:
        os.waitpid(pid, 0)


class Step:
    """A way of doing it: the workload, changed, and how its workers are run."""

    def __init__(self, log: str, size: int) -> None:
        self.logs = loaded()
        self.log = log
        self.size = size
        self.variant = "own"

    def shards(self, workers: int) -> list[Any]:
        """What each worker gets."""
        job = {"path": self.log, "size": self.size, "variant": self.variant}
        shards: list[Any] = self.logs.shards(job, workers)
        return shards

    def work(self, shard: Any) -> Any:
        """What a worker does."""
        return self.logs.work(shard)

    def run(self, shards: list[Any]) -> None:
        """All of it."""
        threads(self.work, shards)


class Own(Step):
    """Recommended: pattern and tables for each, findall, blocks of 64 KiB."""


class Arithmetic(Step):
    """The machine's limit: threads that only add small numbers."""

    def shards(self, workers: int) -> list[Any]:
        """How often to add."""
        return [SPINS // workers] * workers

    def work(self, shard: Any) -> Any:
        """Add."""
        total = 0
        for number in range(shard):
            total += number & 7
        return total


class Processes(Own):
    """The machine's limit for this work: forked processes, results not sent back."""

    def run(self, shards: list[Any]) -> None:
        """All of it."""
        processes(self.work, shards)


class Match(Step):
    """Match objects: match(line).groups(), a pattern for each."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.variant = "match"


class SharedPattern(Step):
    """Match objects of one shared pattern: the obvious way."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.variant = "shared-pattern"


class FindallShared(Step):
    """Findall of one shared pattern."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.logs.pattern = lambda _: self.logs.PATTERN


class SharedString(Match):
    """Match objects, and all workers' lines from one shared string, by position."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.text = Path(log).read_bytes()[:size].decode("latin-1")

    def work(self, shard: Any) -> Any:
        """Parse a part of the string; the odd line at either end is left out."""
        logs, text = self.logs, self.text
        fields = logs.re.compile(logs.LINE.replace(r"\A", "") + f"(?#{shard.pattern})").match
        tally, place = logs.Tally(), text.find("\n", shard.start) + 1

        def at(_: str) -> Any:
            found = fields(text, place, end)
            return (found.groups(),) if found else ()

        while place and place < shard.end:
            end = text.find("\n", place)
            tally.add(logs.parse("", at))
            place = end + 1
        return tally


class NoBytecode(Own):
    """Module compiled on import (-B, PYTHONDONTWRITEBYTECODE): constants are mortal."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.logs = loaded(importlib.machinery.SourceFileLoader)


class MutableGlobal(Own):
    """One module-level table made at run time, read for each line."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.logs.FAMILIES = (*self.logs.FAMILIES,)


class Progress(Own):
    """A count of lines shared by all, one more for each line."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.done = 0
        parse = self.logs.parse

        def counted(line: str, fields: Any) -> Any:
            self.done += 1  # may lose some; even so it is in everybody's way
            return parse(line, fields)

        self.logs.parse = counted


class LockLine(Step):
    """One set of tables, locked for each line."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.variant = "shared-dict"


class LockBlock(LockLine):
    """One set of tables, locked for each block of lines."""

    def work(self, shard: Any) -> Any:
        """Parse a block, then count it."""
        logs = self.logs
        fields = logs.pattern(shard.pattern).findall
        for lines in logs.batches(Path(shard.path), shard.start, shard.end):
            records = [logs.parse(line, fields) for line in lines]
            with shard.shared.lock:
                for record in records:
                    shard.shared.tally.add(record)


class Reader(Own):
    """One more thread reads and hands blocks to the workers through a queue."""

    def work(self, shard: Any) -> Any:
        """Parse what comes."""
        logs, tally, (number, waiting) = self.logs, self.logs.Tally(), shard
        fields = logs.pattern(number).findall
        while lines := waiting.get():
            for line in lines:
                tally.add(logs.parse(line, fields))
        return tally

    def run(self, shards: list[Any]) -> None:
        """All of it."""
        waiting: queue.Queue[list[str]] = queue.Queue(4 * len(shards))

        def read(_: Any) -> None:
            for lines in self.logs.batches(Path(self.log), 0, self.size):
                waiting.put(lines)
            for _ in shards:
                waiting.put([])

        feeder = threading.Thread(target=read, args=(None,))
        feeder.start()
        threads(self.work, [(number, waiting) for number in range(len(shards))])
        feeder.join()


class Counters(Own):
    """Tables that are collections.Counter."""

    def __init__(self, log: str, size: int) -> None:
        super().__init__(log, size)
        self.logs.defaultdict = lambda _: Counter()


class GcOff(Own):
    """Without the cyclic garbage collector."""

    def run(self, shards: list[Any]) -> None:
        """All of it."""
        gc.disable()
        super().run(shards)


def blocks(kib: int) -> type[Step]:
    """A step that reads blocks of another size."""

    class Blocks(Own):
        def __init__(self, log: str, size: int) -> None:
            super().__init__(log, size)
            self.logs.BLOCK = kib * 1024

    Blocks.__doc__ = f"Blocks of {kib} KiB."
    return Blocks


STEPS: dict[str, type[Step]] = {
    "arithmetic": Arithmetic,
    "processes": Processes,
    "own": Own,
    "match": Match,
    "shared-pattern": SharedPattern,
    "findall-shared": FindallShared,
    "shared-string": SharedString,
    "no-bytecode": NoBytecode,
    "mutable-global": MutableGlobal,
    "progress": Progress,
    "lock-line": LockLine,
    "lock-block": LockBlock,
    "reader": Reader,
    "counters": Counters,
    "gc-off": GcOff,
    **{f"blocks-{kib}": blocks(kib) for kib in (16, 128, 256, 1024, 4096)},
}


def busy() -> float:
    """Seconds that all processors together were busy, with whatever, since the start; Linux."""
    first = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, first.split()[1:])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run a step once for warm-up, on little, and once timed."""
    name, workers, log, size = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    step = STEPS[name](log, size)
    step.size = min(WARM, size)
    step.run(step.shards(workers))
    step.size = size
    shards = step.shards(workers)
    gc.collect()
    before, used, began = busy(), sum(os.times()[:4]), time.perf_counter()
    step.run(shards)
    seconds = time.perf_counter() - began
    cpu = sum(os.times()[:4]) - used
    others = max(0.0, busy() - before - cpu) / seconds / (os.cpu_count() or 1)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "others": others}))


if __name__ == "__main__":
    main()
