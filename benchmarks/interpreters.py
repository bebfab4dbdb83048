"""How fast interpreters are beside one another, by benchmarks of the pyperformance suite.

    python benchmarks/interpreters.py --baseline NAME=PYTHON --against NAME=PYTHON … --json FILE

All take turns: each round runs every benchmark on every interpreter, one process each, with the
same number of loops (calibrated on the baseline), the same packages and the same hash seed, and
the interpreter that comes first rotates. A machine that drifts or is shared hurts all alike.
A ratio is the time of an interpreter divided by the baseline's: below 1 is faster. It goes by the
best time of all rounds; the geometric mean over the benchmarks is also given by medians, and for
each round on its own: differences smaller than these lie apart may be chance. (To see chance
alone, give the baseline once more under another name.) Start-up has rows and a mean of its own;
it is not in the mean of the benchmarks. Where other work runs on the machine, --cpu-time leaves
out most of what it does to the figures.

A process takes about a second of an idle core: 8 interpreters, 36 benchmarks and 3 rounds take 15
minutes, with --quick (12 benchmarks) 5; --startup adds less than one.

Packages come through pip, once for a --work directory. Exit status: 1 if nothing could be
measured, 2 for bad input, 3 if the packages cannot be had, 130 if interrupted; what was measured
until then is still printed and written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ratios import Measured, compare, means, ratios, readable
from suite import (
    BENCHMARKS,
    DEFAULT,
    QUICK,
    SCRIPTS,
    SUITE_VERSION,
    Bench,
    FailedError,
    environment,
    environments,
    fetched,
    output,
)

IMPORTS = "import argparse, asyncio, dataclasses, json, logging, pathlib, typing, urllib.request"
STARTUP: dict[str, tuple[str, ...]] = {
    "startup": ("-c", "pass"),
    "startup_no_site": ("-S", "-c", "pass"),
    "startup_imports": ("-I", "-c", IMPORTS),
}
STARTUP_RUNS = 40  # of each command on each interpreter, spread over the rounds
WORK = Path("~/.cache/ftbuild-benchmarks").expanduser()
FACTS = """
import json, os, sys, sysconfig
get = sysconfig.get_config_var
print(json.dumps({
    "executable": os.path.realpath(sys.executable),
    "version": sys.version,
    "version_info": list(sys.version_info),
    "free_threaded": bool(get("Py_GIL_DISABLED")),
    "debug": bool(get("Py_DEBUG")),
    "config_args": get("CONFIG_ARGS"),
    "compiler": get("CC"),
    "flags": get("PY_CORE_CFLAGS"),
}))
"""


def starts(
    pythons: Mapping[str, str], command: Sequence[str], runs: int, *, cpu_time: bool
) -> dict[str, list[float]]:
    """Seconds that interpreters take to start, run and end, in turn, after one to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in pythons}
    env, clock = environment(seed=0), children if cpu_time else time.perf_counter
    for run in range(runs + 1):
        for name in turned(pythons, run):
            started = clock()
            subprocess.run((pythons[name], *command), check=True, env=env)
            if run:
                taken[name].append(clock() - started)
    return taken


def children() -> float:
    """Seconds of processor time that finished child processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def turned(names: Iterable[str], by: int) -> list[str]:
    """The names, beginning with another one."""
    listed = list(names)
    first = by % len(listed)
    return listed[first:] + listed[:first]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is to be measured; filled round by round, so that an interrupted one has its results."""

    pythons: Mapping[str, Any]
    suite: dict[str, Measured]
    startup: dict[str, Measured]
    dropped: dict[str, str] = field(default_factory=dict)

    def measure(self, bench: Bench, rounds: int, *, cpu_time: bool) -> None:
        """Run everything; a benchmark that fails anywhere is dropped for all."""
        began, of = time.monotonic(), len(self.suite)
        for each in range(rounds):
            for number, title in enumerate(self.suite):
                if title not in self.dropped:
                    self.benchmark(bench, title, each, number)
                spent, done = (time.monotonic() - began) / 60, each * of + number + 1
                left = spent / done * (rounds * of - done)
                say(f"round {each + 1}, {number + 1}/{of} {self.line(title)}; {left:.0f} min left")
            executables = {name: facts["executable"] for name, facts in self.pythons.items()}
            for measured in self.startup.values():
                runs = -(-STARTUP_RUNS // rounds)
                measured.add(starts(executables, measured.command, runs, cpu_time=cpu_time))

    def benchmark(self, bench: Bench, title: str, each: int, number: int) -> None:
        """One round of one benchmark on all the interpreters."""
        measured, names = self.suite[title], list(self.pythons)
        order = turned(names, each + number)
        try:
            if not each:
                bench.calibrate(names[0], measured)
            measured.add({name: bench.values(name, measured, seed=each + 1) for name in order})
        except FailedError as error:
            self.dropped[title] = str(error)

    def line(self, title: str) -> str:
        """What is known of a benchmark so far."""
        if title in self.dropped:
            return f"{title}: dropped for all, fails on {self.dropped[title]}"
        base, *others = map(self.suite[title].best, self.pythons)
        return f"{title}: {readable(base)}{''.join(f' {each / base:.3f}' for each in others)}"

    def groups(self) -> dict[str, dict[str, Measured]]:
        """What geometric means are taken of: only what has a round on all interpreters."""
        suite = {
            title: measured
            for title, measured in self.suite.items()
            if measured.rounds and title not in self.dropped
        }
        quick = {title: suite[title] for title in QUICK if title in suite}
        startup = {title: each for title, each in self.startup.items() if each.rounds}
        found = {f"{len(suite)} benchmarks": suite}
        if len(quick) < len(suite):
            found[f"the {len(quick)} quick ones of them"] = quick
        found["start-up"] = startup
        return {title: group for title, group in found.items() if group}


def described(pythons: Mapping[str, str]) -> dict[str, Any]:
    """What the interpreters say of themselves."""
    found = {}
    for name, python in pythons.items():
        try:
            found[name] = json.loads(output(python, "-c", FACTS))
        except (FailedError, ValueError) as error:
            raise FailedError(f"{name} ({python}): {error}") from error
    return found


def differences(pythons: Mapping[str, Any]) -> list[str]:
    """What sets the interpreters apart that is not how they were built for speed."""
    notes = [f"{name} is a debug build" for name, facts in pythons.items() if facts["debug"]]
    versions = {name: facts["version"].split()[0] for name, facts in pythons.items()}
    if len({tuple(facts["version_info"]) for facts in pythons.values()}) > 1:
        found = ", ".join(f"{name} {version}" for name, version in versions.items())
        notes.append(f"these are not one version: {found}")
    return notes


def host() -> dict[str, Any]:
    """What machine this is, and how busy."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cpus": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "load": os.getloadavg(),
        "clock": time.time(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def say(text: str) -> None:
    """Progress, beside the result."""
    print(text, file=sys.stderr, flush=True)


def named(text: str) -> tuple[str, str]:
    """`NAME=PYTHON`, the second made absolute."""
    name, _, python = text.partition("=")
    if not name or not python or "/" in name:
        raise argparse.ArgumentTypeError(f"not NAME=PYTHON: {text}")
    return name, str(Path(python).expanduser().absolute())


def paired(text: str) -> tuple[str, str]:
    """`A/B`."""
    one, _, other = text.partition("/")
    return one, other


def listed(text: str) -> list[str]:
    """Benchmarks' names, separated by commas."""
    names = text.split(",")
    if unknown := [name for name in names if name not in BENCHMARKS]:
        known = ", ".join(BENCHMARKS)
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)} among {known}")
    return names


def arguments() -> argparse.Namespace:
    """The command line, checked."""
    about, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--baseline", metavar="NAME=PYTHON", type=named, required=True)
    add("--against", metavar="NAME=PYTHON", type=named, nargs="+", action="extend", required=True)
    add(
        "--pair",
        metavar="A/B",
        type=paired,
        nargs="+",
        action="extend",
        default=[],
        help="more to compare",
    )
    add("--rounds", type=int, default=3, help="default: 3")
    add("--benchmarks", metavar="A,B,…", type=listed, default=DEFAULT, help=", ".join(BENCHMARKS))
    add("--quick", dest="benchmarks", action="store_const", const=QUICK, help=", ".join(QUICK))
    add("--startup", action="store_true", help="time how long the interpreters take to start, too")
    add("--cpu-time", action="store_true", help="processor time, for a machine that is not idle")
    add("--affinity", metavar="CPU", type=int, help="keep to one CPU, by its number (Linux)")
    add("--work", metavar="DIR", type=Path, default=WORK, help=f"kept; default: {WORK}")
    add("--json", metavar="FILE", type=Path, help="write everything here, with each value")
    asked = parser.parse_args()
    asked.pythons = dict([asked.baseline, *asked.against])
    if len(asked.pythons) <= len(asked.against):
        parser.error("two interpreters have one name")
    if not asked.pythons.keys() >= {name for pair in asked.pair for name in pair}:
        parser.error(f"--pair takes A/B, both of: {', '.join(asked.pythons)}")
    if asked.rounds < 1:
        parser.error("--rounds takes 1 or more")
    if asked.affinity is not None:
        try:
            os.sched_setaffinity(0, {asked.affinity})
        except (AttributeError, OSError) as error:
            parser.error(f"--affinity {asked.affinity}: {error}")
    return asked


def result(asked: argparse.Namespace, run: Run, before: Any, notes: Sequence[str]) -> Any:
    """All that was found, for programs; with the tables, for people, as its `text`."""
    after, groups = host(), run.groups()
    base, *others = run.pythons
    pairs = [*((name, base) for name in others), *asked.pair]
    compared = {
        title: [compare(list(group.values()), *pair) for pair in pairs]
        for title, group in groups.items()
    }
    every = {title: each for group in groups.values() for title, each in group.items()}
    minutes = (after["clock"] - before["clock"]) / 60
    machine = (
        f"Python {run.pythons[base]['version'].split()[0]}; {before['cpu']}, {before['cpus']} "
        f"CPUs, {before['kernel']}; load average {before['load'][0]:.1f} at the start, "
        f"{after['load'][0]:.1f} at the end; took {minutes:.0f} minutes; "
        f"{'processor' if asked.cpu_time else 'wall-clock'} time."
    )
    text = [
        *([ratios(every, list(run.pythons))] if every else []),
        *(f"{title}:\n\n{means(comparisons)}" for title, comparisons in compared.items()),
        *(f"Note: {note}." for note in notes),
        machine,
    ]
    return {
        "format": 1,
        "suite": f"pyperformance {SUITE_VERSION}",
        "before": before,
        "after": after,
        "affinity": asked.affinity,
        "clock": "processor" if asked.cpu_time else "wall",
        "interpreters": run.pythons,
        "baseline": base,
        "benchmarks": {title: asdict(each) for title, each in every.items()},
        "means": {title: list(map(asdict, each)) for title, each in compared.items()},
        "notes": notes,
        "text": "\n\n".join(text),
    }


def main() -> int:
    """Measure, print and write."""
    asked = arguments()
    try:
        pythons = described(asked.pythons)
    except FailedError as error:
        say(f"error: {error}")
        return 2
    run = Run(
        pythons=pythons,
        suite={title: Measured(command=BENCHMARKS[title]) for title in asked.benchmarks},
        startup={title: Measured(command=STARTUP[title]) for title in STARTUP if asked.startup},
    )
    before, notes, status = host(), differences(pythons), 0
    try:
        asked.work.mkdir(parents=True, exist_ok=True)
        packages = fetched(asked.work)
        with tempfile.TemporaryDirectory(dir=asked.work) as folder:
            venvs = environments(Path(folder), asked.pythons, packages, cpu_time=asked.cpu_time)
            bench = Bench(scripts=packages / SCRIPTS, venvs=venvs, affinity=asked.affinity)
            run.measure(bench, asked.rounds, cpu_time=asked.cpu_time)
    except (FailedError, OSError, subprocess.SubprocessError) as error:
        say(f"error: {error}")
        status = 3
    except KeyboardInterrupt:
        notes.append("interrupted")
        status = 130
    notes += [f"{title} is left out: it fails on {why}" for title, why in run.dropped.items()]
    found = result(asked, run, before, notes)
    print(found["text"])
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    return status or (0 if found["benchmarks"] else 1)


if __name__ == "__main__":
    sys.exit(main())
