from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.pyperf import pyperf_document
from ftbuild.bench.results import Build, Method, Pair, Results, Sample, Series, Workload
from ftbuild.toolchain.machine import Machine

MACHINE = Machine(
    cpu="A  CPU\n@ 3 GHz",
    system="linux",
    kernel="6.1.0",
    architecture="x86_64",
    cpus=2,
    cores=(0, 1),
    smt=False,
    governor=None,
    turbo=None,
    virtual=None,
    container=None,
    quota=None,
    memory=None,
    load=0.25,
)


def a_build(name: str) -> Build:
    return Build(
        name=name,
        version="3.14.7",
        digest="0" * 64,
        files_sha256="1" * 64,
        profile="optimized",
        compiler="gcc 12.2.0",
        pgo=True,
        lto=True,
        flags=(),
    )


def a_series(arm: Arm, workers: int, seconds: float, **other: Any) -> Series:
    samples = tuple(
        Sample(
            round=number,
            values=(seconds, seconds * 1.01, seconds * 1.02 + number / 1000),
            warmups=(seconds * 2,),
            start=0.0,
            cpu=seconds,
            rss=20_000_000,
            switches=(1.0, 2.0),
        )
        for number in range(3)
    )
    series = Series(workload="logs", arm=arm, workers=workers, samples=samples)
    return msgspec.structs.replace(series, **other)


def results(*series: Series) -> Results:
    return Results(
        created="2026-11-22T12:00:00+00:00",
        ftbuild="0.1.0",
        pair=Pair(gil=a_build("cpython-3.14.7"), free_threaded=a_build("cpython-3.14.7t")),
        machine=MACHINE,
        disturbance=0.01,
        method=Method(
            rounds=3, values=3, warmups=1, workers=(1, 2), cpus=None, seconds=1.0, timeout=60.0
        ),
        workloads=(
            Workload(name="logs", summary="logs", amount=1, unit="bytes", options={"seed": 1}),
        ),
        series=series,
    )


ONE, TWO = a_series(Arm.GIL, 1, 1.0), a_series(Arm.FREE, 2, 0.5)


def written(folder: Path, name: str, *series: Series) -> Path:
    """A results file that serves both."""
    found = results(*series)
    path = folder / name
    ours = msgspec.to_builtins(found)
    path.write_text(json.dumps({**ours, **pyperf_document(found)}))
    return path


def pyperf(*words: str | Path) -> str:
    """What one of pyperf's own tools prints; it must take the file without complaint."""
    if importlib.util.find_spec("pyperf") is None:
        pytest.skip("pyperf is not installed")
    command = (sys.executable, "-m", "pyperf", *map(str, words))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_the_keys_are_not_ours() -> None:
    found = results(ONE)
    assert not pyperf_document(found).keys() & msgspec.to_builtins(found).keys()


def test_one_file_is_still_ours(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", ONE, TWO)
    assert msgspec.json.decode(path.read_bytes(), type=Results) == results(ONE, TWO)


def test_a_series_is_a_benchmark_and_a_process_is_a_run() -> None:
    document = pyperf_document(results(ONE, TWO))
    assert document["metadata"]["cpu_model_name"] == "A CPU @ 3 GHz"
    assert document["metadata"]["load_avg_1min"] == 0.25
    _, two = document["benchmarks"]
    assert two["metadata"]["name"] == "logs free-threaded 2"
    assert two["metadata"]["python_version"] == "3.14.7"
    assert two["metadata"]["ftbuild_build"] == "cpython-3.14.7t"
    assert [run["metadata"]["ftbuild_round"] for run in two["runs"]] == [0, 1, 2]
    assert two["runs"][0]["warmups"] == [[1, 1.0]]
    assert two["runs"][0]["values"] == [0.5, 0.505, 0.51]


def test_what_failed_or_is_unknown_is_left_out() -> None:
    dead = a_series(Arm.FREE, 1, 1.0, samples=(), failure="signal SIGSEGV")
    silent = msgspec.structs.replace(ONE.samples[0], values=(), rss=0)
    brief = msgspec.structs.replace(ONE.samples[0], rss=0)
    found = results(dead, a_series(Arm.GIL, 1, 1.0, samples=(silent, brief)))
    unknown = msgspec.structs.replace(MACHINE, cpu="", load=None)
    document = pyperf_document(msgspec.structs.replace(found, machine=unknown))
    assert not document["metadata"].keys() & {"cpu_model_name", "load_avg_1min"}
    (benchmark,) = document["benchmarks"]
    (run,) = benchmark["runs"]
    assert "mem_max_rss" not in run["metadata"]


def test_pyperf_shows_it(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", ONE, TWO)
    shown = pyperf("show", path)
    assert "logs gil 1: Mean +- std dev: 1.01 sec" in shown
    assert "logs free-threaded 2: Mean +- std dev: 505 ms" in shown
    metadata = pyperf("metadata", path)
    assert "python_version: 3.14.7" in metadata
    assert "ftbuild_arm: gil" in metadata


def test_pyperf_computes_with_it(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", TWO)
    stats = pyperf("stats", path)
    assert "Start date: 2026-11-22 12:00:00+00:00" in stats
    assert "Number of warmup per run: 1" in stats
    assert "Number of value per run: 3" in stats
    assert "Total number of values: 9" in stats
    assert "Median +- MAD:" in stats
    assert "#" in pyperf("hist", path)


def test_pyperf_compares_two(tmp_path: Path) -> None:
    before = written(tmp_path, "a.json", ONE, TWO)
    after = written(tmp_path, "b.json", a_series(Arm.GIL, 1, 2.0), TWO)
    compared = pyperf("compare_to", before, after)
    assert "logs gil 1: Mean +- std dev: [a] 1.01 sec" in compared
    assert "2.00x slower" in compared
    assert "not significant (1): logs free-threaded 2" in compared
