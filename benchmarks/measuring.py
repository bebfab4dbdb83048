"""How good `ftbuild bench` itself is: its generator, its own overhead, its memory, its steadiness.

    python benchmarks/measuring.py --root ROOT [--part generator --part overhead …] [--json FILE]

Parts, each on the newest pair below the root:

    generator   bytes a second that the log generator writes to /dev/null, to memory (/dev/shm) and
                below the root, on one core; and whether both builds, and the Python that runs this,
                write the same bytes for the same seed
    overhead    the time `ftbuild bench` reports for a function that takes a second, divided by the
                time the same function takes in a bare process that measures itself; both by turns
    memory      peak resident memory of `logs`, free-threaded, by the size of the log
    steadiness  the medians of one measurement beside those of the same one run again

Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ratios import table

import ftbuild.bench.runner

GENERATOR = ftbuild.bench.runner.WORKLOADS / "weblog.py"
PARTS = ("generator", "overhead", "memory", "steadiness")

BUSY = """
def work(shard, shards):
    value = 1
    for step in range(ROUNDS):
        value = (value * 31 + step) & 0xFFFF
    return value
"""
ALONE = """
import time
began = time.perf_counter(); work(0, 1)
times = []
for _ in range(3):
    began = time.perf_counter(); work(0, 1); times.append(time.perf_counter() - began)
print(sorted(times)[1])
"""


def ftbuild_json(root: str, *words: str) -> Any:
    """The JSON document of an ftbuild command; one that did not do its work ends this program."""
    command = [sys.executable, "-m", "ftbuild", *words, "--root", root, "--json"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {done.returncode}")
    return json.loads(done.stdout)


def pythons(root: str) -> dict[str, str]:
    """The interpreters of the newest pair, by name."""
    builds = ftbuild_json(root, "list")["builds"]
    linked = [build for build in builds if build["linked"]]
    version = linked[0]["version"]
    return {build["name"]: build["python"] for build in linked if build["version"] == version}


def generator(root: str, *, size: int, rounds: int) -> Any:
    """Bytes a second of each destination, and the hashes of a smaller file."""
    found = pythons(root)
    writer = next(iter(found.values()))
    rates: dict[str, list[float]] = {}
    shared = Path("/dev/shm")  # noqa: S108 - a file system in memory
    with (
        tempfile.TemporaryDirectory(dir=root) as disk,
        tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as memory,
    ):
        for _ in range(rounds):
            for name, path in (
                ("/dev/null", Path("/dev/null")),
                ("memory", Path(memory, "log")),
                ("below the root", Path(disk, "log")),
            ):
                seconds = written(writer, path, size, Path(disk, "report"))
                rates.setdefault(name, []).append(size / seconds / 1e6)
                if path.is_relative_to(memory) or path.is_relative_to(disk):
                    path.unlink()
        hashes = {}
        for name, python in {**found, "this Python": sys.executable}.items():
            path = Path(disk, "log")
            written(python, path, 50_000_000, Path(disk, "report"))
            hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    rows = [("to", "MB/s", "all rounds")]
    for name, values in rates.items():
        spread = f"{min(values):.0f} to {max(values):.0f}"
        rows.append((name, f"{statistics.median(values):.0f}", spread))
    print(table(rows))
    print(f"the same 50 MB from {', '.join(hashes)}: {len(set(hashes.values())) == 1}")
    return {"megabytes_a_second": rates, "sha256": hashes}


def written(python: str, path: Path, size: int, report: Path) -> float:
    """Seconds that the generator takes for a file, its start included."""
    began = time.perf_counter()
    command = [python, "-I", "-B", GENERATOR, path, str(size), "1", report]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def overhead(root: str, *, rounds: int) -> Any:
    """What `ftbuild bench` adds to a function that takes a second."""
    python = next(iter(pythons(root).values()))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "busy.py")
        count = 1_000_000
        text = BUSY.replace("ROUNDS", str(count))
        count = round(count / alone(python, text))
        text = BUSY.replace("ROUNDS", str(count))
        script.write_text(text)
        ratios, outer = [], []
        for _ in range(rounds):
            bare = alone(python, text)
            began = time.perf_counter()
            found = ftbuild_json(
                root, "bench", "--script", str(script), "--threads", "1", "--rounds", "1",
                "--arm", "gil", "--quiet",
            )  # fmt: skip
            wall = time.perf_counter() - began
            sample = found["series"][0]["samples"][0]
            ratios.append(statistics.median(sample["values"]) / bare)
            outer.append(wall - sum(sample["values"]) - sum(sample["warmups"]))
    print(
        f"a function that takes a second: reported {statistics.median(ratios):.4f} of what it "
        f"takes alone ({min(ratios):.4f} to {max(ratios):.4f}); beside the runs themselves the "
        f"command takes {statistics.median(outer):.2f} s"
    )
    return {"ratios": ratios, "beside_seconds": outer}


def alone(python: str, text: str) -> float:
    """Seconds that the function takes in a process that measures itself."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(text + ALONE)
        script.flush()
        command = [python, "-I", "-B", script.name]
        if hasattr(os, "sched_getaffinity"):  # as `ftbuild bench` pins one thread
            command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), *command]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def memory(root: str, *, sizes: list[str]) -> Any:
    """Peak memory by the size of the log."""
    rows = [("logs", "threads", "peak memory", "seconds")]
    found = {}
    for size in sizes:
        document = ftbuild_json(
            root, "bench", "--workload", "logs", "--size", size, "--arm", "free-threaded",
            "--rounds", "1", "--quiet",
        )  # fmt: skip
        for row in document["summary"]:
            if row["arm"] == "free-threaded":
                found[f"{size} {row['workers']}"] = row["rss"]
                figures = (f"{row['rss'] / 1e6:.1f} MB", f"{row['seconds']:.1f}")
                rows.append((size, str(row["workers"]), *figures))
    print(table(rows))
    return found


def steadiness(root: str, *, words: list[str]) -> Any:
    """The medians of a measurement, and how far those of another one lie from them."""
    first, second = (per_unit(ftbuild_json(root, "bench", "--quiet", *words)) for _ in range(2))
    rows = [("series", "ms a unit", "again", "change")]
    changes = {}
    for key, seconds in first.items():
        change = second[key] / seconds - 1
        name = " ".join(map(str, key))
        changes[name] = change
        rows.append((name, f"{seconds * 1e3:.4g}", f"{second[key] * 1e3:.4g}", f"{change:+.1%}"))
    print(table(rows))
    sizes = sorted(map(abs, changes.values()))
    within = sum(size <= 0.03 for size in sizes)  # noqa: PLR2004 - what the documentation names
    print(
        f"median change {statistics.median(sizes):.1%}, largest {sizes[-1]:.1%}; "
        f"{within} of {len(sizes)} within 3 %"
    )
    return changes


def per_unit(document: Any) -> dict[tuple[str, str, int], float]:
    """The median seconds of each series for a unit of its workload."""
    amounts = {each["name"]: each["amount"] for each in document["workloads"]}
    return {
        (row["workload"], row["arm"], row["workers"]): row["seconds"] / amounts[row["workload"]]
        for row in document["summary"]
    }


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", required=True, help="an ftbuild root with a pair")
    parser.add_argument("--part", action="append", choices=PARTS, help="repeatable; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=float, default=2e9, help="bytes for the generator")
    parser.add_argument("--logs", action="append", help="sizes of logs for memory [1GB, 12GB]")
    parser.add_argument("--bench", default="", help="options of `ftbuild bench` for steadiness")
    parser.add_argument("--json", type=Path, help="file for the figures")
    asked = parser.parse_args()
    parts: dict[str, Callable[[], Any]] = {
        "generator": lambda: generator(asked.root, size=int(asked.size), rounds=asked.rounds),
        "overhead": lambda: overhead(asked.root, rounds=asked.rounds),
        "memory": lambda: memory(asked.root, sizes=asked.logs or ["1GB", "12GB"]),
        "steadiness": lambda: steadiness(asked.root, words=asked.bench.split()),
    }
    print(f"load at the start: {os.getloadavg()[0]:.2f}")
    found = {}
    for name in asked.part or PARTS:
        print(f"\n{name}", flush=True)
        found[name] = parts[name]()
        if asked.json:
            asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
