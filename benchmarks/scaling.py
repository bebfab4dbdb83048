"""What limits threads: ways of writing one program, each with one thread and with several.

    python benchmarks/scaling.py --gil PYTHON --free-threaded PYTHON --json FILE

The program is ftbuild's workload `logs`; each step (scaling_steps.py) changes one thing of it. A
sample is a process of its own, all take turns in each round, and a sample during which other
programs used more than a twentieth of the processors is taken again. The table has MB/s of one
thread, and how many times as fast several are, each by its best time. What the step `processes`
reaches is what the machine gives; no step can have more.

20 steps, two builds and 5 rounds of 64 MB take 6 minutes on two idle cores. Exit status: 1 if
something fails, 2 for bad input, 130 if interrupted; what was measured until then is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from interpreters import described, host, say
from ratios import table
from scaling_steps import STEPS

HERE = Path(__file__).parent
WEBLOG = HERE.parent / "src/ftbuild/bench/workloads/weblog.py"
SEED = 1
BUSY = 0.05
TRIES = 8
"""How often a sample is taken at most, with `PAUSE` seconds between."""
PAUSE = 0.5
UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One process: what it ran, and what its timed part took.

    Attributes:
        build: `gil` or `free-threaded`.
        seconds: Wall time.
        cpu: Processor time, of all threads or processes.
        others: Share of all processors that other programs used meanwhile, 0 to 1.
        taken: How many samples were taken until one was quiet.
    """

    step: str
    build: str
    workers: int
    seconds: float
    cpu: float
    others: float
    taken: int


def sample(python: str, build: str, step: str, workers: int, log: Path) -> Sample:
    """A sample that others did not disturb, if there is one."""
    script, size = HERE / "scaling_steps.py", log.stat().st_size
    argv = [python, "-I", "-B", str(script), step, str(workers), str(log), str(size)]
    taken = 0
    while True:
        found = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)
        taken += 1
        if found["others"] <= BUSY or taken == TRIES:
            return Sample(step=step, build=build, workers=workers, taken=taken, **found)
        time.sleep(PAUSE)


def best(samples: Sequence[Sample], **what: Any) -> float | None:
    """Shortest wall time of some samples that were not disturbed, in seconds; None if none was."""
    quiet = [each for each in samples if each.others <= BUSY]
    return min((s.seconds for s in quiet if what.items() <= asdict(s).items()), default=None)


def results(samples: Sequence[Sample], builds: Sequence[str], workers: int, size: int) -> str:
    """The table: a row for each step."""
    rows = [
        ("step", *(cell for each in builds for cell in (f"{each}, MB/s", f"times with {workers}")))
    ]
    rows[0] = (*rows[0], "what it is")
    for step, kind in STEPS.items():
        cells = []
        for build in builds:
            one = best(samples, step=step, build=build, workers=1)
            several = best(samples, step=step, build=build, workers=workers)
            cells.append(f"{size / one / 1e6:.1f}" if one and step != "arithmetic" else "-")
            cells.append(f"{one / several:.2f}" if one and several else "-")
        if any(cell != "-" for cell in cells):
            rows.append((step, *cells, kind.__doc__ or ""))
    return table(rows)


def size(text: str) -> int:
    """`64MB`, in bytes."""
    found = re.fullmatch(r"(\d+)\s*(|KB|MB|GB)", text, re.IGNORECASE)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"not a size: {text}")
    return int(found[1]) * UNITS[found[2].upper()]


def listed(text: str) -> list[str]:
    """Names of steps, separated by commas."""
    names = text.split(",")
    if unknown := [name for name in names if name not in STEPS]:
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)} among {', '.join(STEPS)}")
    return names


def arguments() -> argparse.Namespace:
    """The command line, checked."""
    about, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--gil", metavar="PYTHON")
    add("--free-threaded", metavar="PYTHON")
    add("--size", type=size, default=64 * 10**6, help="of the log; default: 64MB")
    add("--rounds", type=int, default=5, help="default: 5")
    add("--workers", type=int, default=len(os.sched_getaffinity(0)), help="default: all CPUs")
    add("--steps", metavar="A,B,…", type=listed, default=list(STEPS), help=", ".join(STEPS))
    add("--json", metavar="FILE", type=Path, help="write every sample here")
    asked = parser.parse_args()
    given = {"gil": asked.gil, "free-threaded": asked.free_threaded}
    asked.pythons = {build: python for build, python in given.items() if python}
    if not asked.pythons:
        parser.error("give --gil, --free-threaded or both")
    if asked.rounds < 1 or asked.workers < 1:
        parser.error("--rounds and --workers take 1 or more")
    return asked


def main() -> int:
    """Measure, print and write."""
    asked = arguments()
    samples: list[Sample] = []
    before, status = host(), 0
    facts: Any = {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "access.log"
        try:
            facts = described(asked.pythons)
            python = next(iter(asked.pythons.values()))
            made = [str(log), str(asked.size), str(SEED), f"{folder}/report.json"]
            subprocess.run(
                [python, "-I", "-B", str(WEBLOG), *made], check=True, stdout=subprocess.DEVNULL
            )
            for number in range(asked.rounds):
                for step in asked.steps:
                    for build, python in asked.pythons.items():
                        samples += [
                            sample(python, build, step, workers, log)
                            for workers in sorted({1, asked.workers})
                        ]
                say(f"round {number + 1} of {asked.rounds}")
        except KeyboardInterrupt:
            status = 130
        except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
            say(f"error: {error}")
            status = 1
    print(results(samples, list(asked.pythons), asked.workers, asked.size))
    disturbed = sum(each.others > BUSY for each in samples)
    print(
        f"\n{before['cpu']}, {before['cpus']} CPUs, {before['kernel']}; load average "
        f"{before['load'][0]:.1f} at the start, {host()['load'][0]:.1f} at the end; "
        f"{disturbed} of {len(samples)} samples disturbed by other programs."
    )
    if asked.json:
        found = {"host": before, "pythons": facts, "samples": list(map(asdict, samples))}
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
