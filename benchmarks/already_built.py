"""How long `ftbuild build` takes to say that there is nothing to do, beside Python's own start.

    python benchmarks/already_built.py --root ROOT VERSION [--profile PROFILE] [--runs N]

Both sides are run in turn, so that a drifting machine hurts them alike; medians in seconds.
The build must be installed in ROOT already.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence


def seconds(argv: Sequence[str]) -> float:
    """Wall time of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("version")
    parser.add_argument("--root", required=True)
    parser.add_argument("--profile", default="optimized")
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    where = ("--root", asked.root, "--profile", asked.profile)
    build = (sys.executable, "-m", "ftbuild", "build", asked.version, *where)
    sides = {"ftbuild build (nothing to do)": build, "python -c pass": (sys.executable, "-c", "")}
    seconds(build)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(asked.runs):
        for name, argv in sides.items():
            times[name].append(seconds(argv))
    print(f"load average at the end: {os.getloadavg()[0]:.1f}; {asked.runs} runs of each")
    for name, taken in times.items():
        print(f"{name:32} median {statistics.median(taken):.3f} s   best {min(taken):.3f} s")


if __name__ == "__main__":
    main()
