"""Whole measurements, small ones, on real builds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ftbuild.bench.document import load
from ftbuild.bench.offers import OFFERS

from .conftest import Pair, ftbuild

pytestmark = pytest.mark.real

ARMS = ["gil", "free-threaded", "gil-forced", "processes"]


def bench(root: Path, *words: str, code: int = 0) -> Any:
    """The document of a short measurement of the 3.14 pair."""
    done = ftbuild("bench", "3.14", "--json", "--quick", "--rounds", "1", *words, root=root)
    assert done.returncode == code, done.stdout
    return json.loads(done.stdout)


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_every_workload_runs_on_every_arm_with_one_result(root: Path, pair_314: Pair) -> None:
    names = [*(name for name, offer in OFFERS.items() if name != "logs"), "logs"]
    found = bench(root, "--size", "2MB", "--threads", "1,2", "--workload", ",".join(names))
    for name, offer in OFFERS.items():
        mine = [series for series in found["series"] if series["workload"] == name]
        assert [(s["arm"], s["workers"]) for s in mine] == [
            (arm.value, workers) for arm in offer.arms for workers in (1, 2)
        ]
        assert [s["failure"] for s in mine] == [None] * len(mine)
        assert all(s["samples"][0]["values"] for s in mine)
    assert all(workload["result"] for workload in found["workloads"])
    assert found["pair"]["gil"]["digest"] == pair_314[0].manifest.digest
    assert found["pair"]["unlike"] == []


def test_a_document_is_kept_drawn_and_compared(root: Path, pair_314: Pair, tmp_path: Path) -> None:
    assert pair_314
    for name in ("a", "b"):
        bench(
            root,
            *("--workload", "hashes", "--threads", "1", "--output", str(tmp_path / f"{name}.json")),
            *("--plots", str(tmp_path / name), "--html", str(tmp_path / f"{name}.html")),
        )
    assert len(load(tmp_path / "a.json").series) == 4
    assert (tmp_path / "a/cost.png").read_bytes()[:4] == b"\x89PNG"
    assert "</html>" in (tmp_path / "a.html").read_text()
    done = ftbuild(
        "bench", "compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"), root=root
    )
    assert done.returncode == 0
    assert "hashes free-threaded 1" in done.stdout


def test_logs_of_a_users_own(root: Path, pair_314: Pair, tmp_path: Path) -> None:
    assert pair_314
    line = '1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "GET /a?b=c HTTP/1.1" 200 23 "-" "curl/8"\n'
    log = write(tmp_path / "access.log", line * 5000 + "not a line of a log\n")
    found = bench(root, "--input", log, "--threads", "2", "--arm", "free-threaded,processes")
    assert {series["failure"] for series in found["series"]} == {None}
    for wrong in ("\0" * 10_000, "Nov 22 10:00:00 host daemon[1]: started\n" * 100):
        other = write(tmp_path / "other.log", wrong)
        done = ftbuild("bench", "--input", other, root=root)
        assert done.returncode == 2


def test_a_crash_on_one_arm_leaves_the_others(root: Path, pair_314: Pair, tmp_path: Path) -> None:
    assert pair_314
    script = write(
        tmp_path / "mine.py",
        "import os, signal, sys\n"
        "def work(shard, shards):\n"
        "    if not sys._is_gil_enabled() and shards == 2:\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    return sum(range(100_000 * shard // shards, 100_000 * (shard + 1) // shards))\n"
        "merge = sum\n",
    )
    found = bench(root, "--script", script, "--threads", "1,2", code=1)
    failures = {
        (series["arm"], series["workers"]): series["failure"]
        for series in found["series"]
        if series["failure"]
    }
    assert list(failures) == [("free-threaded", 2)]
    assert "SIGSEGV" in failures["free-threaded", 2]


def test_results_that_differ_are_a_failure(root: Path, pair_314: Pair, tmp_path: Path) -> None:
    assert pair_314
    script = write(
        tmp_path / "mine.py",
        "import sys\n"
        "def work(shard, shards):\n"
        "    return sys._is_gil_enabled()\n"
        "def merge(partials):\n"
        "    return all(partials)\n",
    )
    found = bench(root, "--script", script, "--threads", "1", code=1)
    failures = {series["arm"]: series["failure"] for series in found["series"]}
    assert failures["gil"] is None
    assert "not that of the other series" in failures["free-threaded"]


def test_ctrl_c_keeps_what_is_measured(root: Path, pair_314: Pair, tmp_path: Path) -> None:
    assert pair_314
    output = tmp_path / "stopped.json"
    command = ("bench", "3.14", "--workload", "mandelbrot", "--rounds", "99", "--quick")
    with subprocess.Popen(
        [sys.executable, "-m", "ftbuild", *command, "--output", str(output)],
        env={**os.environ, "FTBUILD_ROOT": str(root)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        deadline = time.monotonic() + 120
        while not output.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert str(output) in complaint
    assert "mandelbrot" in said
    kept = load(output)
    assert kept.interrupted
    assert all(series.samples for series in kept.series)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("3.14", "--size", "900TB"), 3, "do not fit"),
        (("3.14", "--threads", "0"), 2, "0"),
        (("3.14", "--threads", "-1"), 2, "-1"),
        (("3.14", "--affinity", "4096"), 2, "4096"),
        (("3.13,3.14",), 2, "bench takes one pair"),
        (("3.14t",), 2, "bench takes one pair"),
        (("3.14+gil,3.13t",), 1, "differ in more than the GIL"),
        (("3.13", "--suite", "ftscalingbench"), 2, "from 3.14 on"),
        (("compare", "nowhere.json"), 2, "two documents"),
    ],
)
def test_what_cannot_be_measured_is_said(
    root: Path, pair_313: Pair, pair_314: Pair, words: tuple[str, ...], code: int, said: str
) -> None:
    assert pair_313
    assert pair_314
    done = subprocess.run(
        [sys.executable, "-m", "ftbuild", "bench", *words],
        env={**os.environ, "FTBUILD_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert said in done.stderr


def test_an_unlike_pair_is_measured_where_asked_and_says_so(
    root: Path, pair_313: Pair, pair_314: Pair
) -> None:
    assert pair_313
    assert pair_314
    done = ftbuild(
        *("bench", "3.14+gil,3.13t", "--unlike", "--quick", "--rounds", "1", "--threads", "1"),
        *("--workload", "mandelbrot", "--arm", "free-threaded"),
        root=root,
    )
    assert done.returncode == 0
    assert "NO MATCHED PAIR" in done.stdout


def test_cpythons_own_benchmark(root: Path, pair_314: Pair) -> None:
    assert pair_314
    found = bench(root, "--suite", "ftscalingbench", "--threads", "2")
    (suite,) = found["suites"]
    assert len(suite["rows"]) > 10
    assert all(set(row["values"]) == set(ARMS[:3]) for row in suite["rows"])
