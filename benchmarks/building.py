"""How long a pair takes: built naively, by ftbuild in each of its ways, and not at all.

    python benchmarks/building.py VERSION --work DIR --tarball Python-VERSION.tar.xz
        [--toolchain gcc clang] [--sides naive cold stored archive present]

The naive side is what most instructions on the web come to: `--enable-optimizations --with-lto`,
`make -j`, one build after the other, with gcc. The other sides are ftbuild's, each from a state of
its own: `cold` has the tarball and nothing else, `stored` has training profiles and answers of
configure, `archive` has both builds packed, `present` has them installed. For all of them one run
takes about two hours on two cores; the naive side is measured once and kept in DIR.

Printed are wall times in seconds, ratios to the naive side, the processor time that the whole
machine spent meanwhile, the share of idle processors between first compile and last link, and the
load averages: on a shared machine a wall time means little without them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")
VARIANTS = {"gil": (), "free-threaded": ("--disable-gil",)}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What one side took, in seconds; `idle` is a share, None where nothing was compiled."""

    side: str
    wall: float
    busy: float
    idle: float | None
    load: tuple[float, float]


class Sampler:
    """Reads once a second how long the machine's processors were busy and idle."""

    def __init__(self) -> None:
        self._samples = [self._read()]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._done.set()
        self._thread.join()
        self._samples.append(self._read())

    def busy(self) -> float:
        """Processor seconds spent by the whole machine."""
        return self._samples[-1][1] - self._samples[0][1]

    def idle_share(self, begin: float, end: float) -> float:
        """The share of processor time that was idle between two times since the epoch."""
        inside = [sample for sample in self._samples if begin <= sample[0] <= end]
        busy, idle = (inside[-1][i] - inside[0][i] for i in (1, 2))
        return idle / (busy + idle)

    def _sample(self) -> None:
        while not self._done.wait(1):
            self._samples.append(self._read())

    @staticmethod
    def _read() -> tuple[float, float, float]:
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        ticks = [int(word) / TICKS for word in words]
        idle = ticks[3] + ticks[4]
        return time.time(), sum(ticks) - idle, idle


def run(argv: Sequence[str | Path], *, cwd: Path, log: Path, **env: str) -> None:
    """Run a command that must succeed, its output in a log."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("a") as sink:
        subprocess.run(
            argv, cwd=cwd, env={**kept, "LC_ALL": "C.UTF-8", **env}, stdout=sink, stderr=sink,
            stdin=subprocess.DEVNULL, check=True,
        )  # fmt: skip


def timed(side: str, work: Callable[[], T], logs: Path | None = None) -> Timing:
    """Do something and say what it took; with ftbuild's logs, how much was idle meanwhile."""
    before = set(logs.iterdir()) if logs and logs.is_dir() else set()
    load = os.getloadavg()[0]
    started = time.time()
    with Sampler() as sampler:
        work()
        wall = time.time() - started
    idle = None
    made = [] if logs is None else [d for d in logs.iterdir() if d not in before]
    compiled = [log for folder in made for log in folder.glob("*-compile.log")]
    if compiled:
        # The stage before the first compile ends where that begins.
        begins = [next(log.parent.glob("*-configure.log")).stat().st_mtime for log in compiled]
        idle = sampler.idle_share(min(begins), max(log.stat().st_mtime for log in compiled))
    timing = Timing(
        side=side, wall=wall, busy=sampler.busy(), idle=idle, load=(load, os.getloadavg()[0])
    )
    print(f"{side}: {wall:.1f} s", file=sys.stderr, flush=True)
    return timing


def naive(tarball: Path, work: Path) -> None:
    """Both builds, one after the other, as upstream's README has it."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    log = work / "log"
    run(["tar", "-xf", tarball, "-C", work], cwd=work, log=log)
    (source,) = (path for path in work.iterdir() if path.is_dir())
    for variant, flags in VARIANTS.items():
        tree = work / f"build-{variant}"
        tree.mkdir()
        options = ("--enable-optimizations", "--with-lto", f"--prefix={work / variant}", *flags)
        run([source / "configure", *options], cwd=tree, log=log, CC="gcc")
        run(["make", f"-j{len(os.sched_getaffinity(0))}"], cwd=tree, log=log)
        run(["make", "install"], cwd=tree, log=log)
        shutil.rmtree(tree)


def sides(toolchain: str, version: str, tarball: Path, root: Path) -> dict[str, Callable[[], None]]:
    """The sides of ftbuild, in an order in which each leaves what the next begins with."""
    ftbuild = (sys.executable, "-m", "ftbuild")
    build = (*ftbuild, "build", version, "--toolchain", toolchain, "--offline", "--root", str(root))

    def do(*argv: str) -> None:
        run(argv, cwd=root, log=root / "benchmark.log", PYTHONPATH=os.pathsep.join(sys.path))

    def cold() -> None:
        do(*build, "--force", "--retrain")

    def stored() -> None:
        do(*build, "--force")

    def archive() -> None:
        do(*build)

    shutil.rmtree(root / "configure", ignore_errors=True)
    (root / "sources").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tarball, root / "sources" / f"Python-{version}.tar.xz")
    return {"cold": cold, "stored": stored, "archive": archive, "present": archive}


def table(timings: Sequence[Timing]) -> str:
    """The timings as a table in Markdown, with ratios to the naive side."""
    reference = next((t.wall for t in timings if t.side == "naive gcc"), None)
    rows = ["| side | wall | / naive | processors | idle | load |", "|---|--:|--:|--:|--:|---|"]
    for t in timings:
        ratio = "" if reference is None else f"{t.wall / reference:.3f}"
        idle = "" if t.idle is None else f"{t.idle:.1%}"
        load = f"{t.load[0]:.1f} to {t.load[1]:.1f}"
        rows.append(f"| {t.side} | {t.wall:.1f} s | {ratio} | {t.busy:.0f} s | {idle} | {load} |")
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("version")
    parser.add_argument("--tarball", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--toolchain", nargs="+", default=["gcc", "clang"])
    known = ["naive", "cold", "stored", "archive", "present"]
    parser.add_argument("--sides", nargs="+", choices=known, default=known)
    asked = parser.parse_args()
    # Started in the background of a script, SIGINT is ignored, and CPython's training fails.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked.work.mkdir(parents=True, exist_ok=True)
    kept = asked.work / "naive.json"
    timings = []
    if "naive" in asked.sides and not kept.exists():
        one = timed("naive gcc", lambda: naive(asked.tarball, asked.work / "naive"))
        kept.write_text(json.dumps(asdict(one)))
    if kept.exists():
        timings.append(Timing(**json.loads(kept.read_text())))
    for toolchain in asked.toolchain:
        root = asked.work / toolchain
        for side, work in sides(toolchain, asked.version, asked.tarball, root).items():
            if side not in asked.sides:
                continue
            if side == "archive":  # pack what is installed, and have nothing else
                tool = (sys.executable, "-m", "ftbuild")
                environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
                for task in ("pack", "remove"):
                    run(
                        [*tool, task, asked.version, "--root", str(root)],
                        cwd=root,
                        log=root / "benchmark.log",
                        **environment,
                    )
            timings.append(timed(f"{toolchain} {side}", work, root / "logs"))
    print(table(timings))


if __name__ == "__main__":
    main()
