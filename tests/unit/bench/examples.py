"""Measurements made up for tests and for looking at plots: a model of how workloads scale."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Build, Method, Pair, Results, Sample, Series, Workload
from ftbuild.model.report import Check, Status
from ftbuild.toolchain.machine import Machine

GIL = Build(
    name="cpython-3.14.7",
    version="3.14.7",
    digest="1a" * 32,
    files_sha256="2b" * 32,
    profile="optimized",
    compiler="gcc 12.2.0 x86_64-linux-gnu",
    pgo=True,
    lto=True,
    flags=("--enable-optimizations", "--with-lto"),
)
FREE = msgspec.structs.replace(
    GIL,
    name="cpython-3.14.7t",
    digest="3c" * 32,
    files_sha256="4d" * 32,
    flags=("--disable-gil", *GIL.flags),
)
UNLIKE = Check(
    name="pair.achieved",
    status=Status.FAILED,
    expected="GIL build: pgo=True trained=True",
    found="free-threaded build: pgo=False trained=False",
    reason="Numbers measured on this pair would compare more than the GIL: build both again.",
)
SMALL = Machine(
    cpu="Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz",
    system="linux",
    kernel="6.1.0-37-amd64",
    architecture="x86_64",
    cpus=2,
    cores=(0, 1),
    smt=False,
    governor=None,
    turbo=None,
    virtual=None,
    container=None,
    quota=None,
    memory=16 * 10**9,
    load=0.1,
)
BIG = msgspec.structs.replace(
    SMALL,
    cpu="AMD Ryzen 9 9950X 16-Core Processor",
    cpus=16,
    cores=(0, 1, 2, 3, 4, 5, 6, 7),
    siblings=(8, 9, 10, 11, 12, 13, 14, 15),
    smt=True,
    governor="performance",
    turbo=True,
)

SHAPES: dict[str, tuple[float, float, float]] = {
    "logs": (1.09, 0.01, 0.01),
    "mandelbrot": (1.03, 0.002, 0.002),
    "trees": (1.18, 0.05, 0.01),
    "tables": (1.11, 0.03, 0.25),
    "json": (1.05, 0.02, 0.12),
    "hashes": (1.00, 0.002, 0.05),
    "counter": (1.15, 3.2, 5.0),
    "pipeline": (1.20, 0.4, 0.6),
    "http": (1.09, 0.1, 0.05),
}
"""For each workload: what one thread costs on the free-threaded build, and how much of its work
cannot be shared out among threads, and among processes."""


def model(workload: str, arm: Arm, workers: int) -> float:
    """Seconds by Amdahl's law; above 1, the serial part means that workers wait for each other."""
    cost, threads, processes = SHAPES.get(workload, (1.05, 0.02, 0.05))
    serial = processes if arm is Arm.PROCESSES else threads
    seconds = {Arm.FREE: cost, Arm.FORCED: cost * 1.01}.get(arm, 1.0)
    if arm in {Arm.GIL, Arm.FORCED} and workload != "hashes":
        return seconds * (1 + 0.02 * (workers > 1))
    return seconds * (serial + (1 - serial) / workers if serial < 1 else 1 + serial * (workers > 1))


def results(
    workloads: Sequence[str] = ("logs",),
    workers: Sequence[int] = (1, 2),
    *,
    arms: Sequence[Arm] = tuple(Arm),
    rounds: int = 5,
    seconds: Callable[[str, Arm, int], float] = model,
    noise: float = 0.005,
    failures: Mapping[tuple[str, Arm, int], str] | None = None,
    **changes: Any,
) -> Results:
    """A measurement; `seconds` tells what a run of a workload takes on an arm with some workers."""
    chance = random.Random(1)  # noqa: S311 - the same noise every time
    broken = failures or {}

    def sample(number: int, middle: float, arm: Arm, count: int) -> Sample:
        values = tuple(middle * (1 + noise * (2 * chance.random() - 1)) for _ in range(3))
        return Sample(
            round=number,
            values=values,
            warmups=(middle * 1.1,),
            start=0.05 * count if arm is Arm.PROCESSES else 0.0,
            cpu=middle * (count if arm in {Arm.FREE, Arm.PROCESSES} else 1),
            rss=20_000_000 * (count + 1 if arm is Arm.PROCESSES else 1),
            switches=(12.0 * count, 3.0),
        )

    def one(name: str, arm: Arm, count: int) -> Series:
        failure = broken.get((name, arm, count))
        middle = seconds(name, arm, count)
        samples = tuple(sample(number, middle, arm, count) for number in range(rounds))
        return Series(
            workload=name,
            arm=arm,
            workers=count,
            samples=() if failure else samples,
            failure=failure,
        )

    default = Results(
        created="2026-10-09T12:00:00+00:00",
        ftbuild="0.4.0",
        pair=Pair(gil=GIL, free_threaded=FREE),
        machine=BIG if max(workers, default=1) > SMALL.cpus else SMALL,
        disturbance=0.004,
        method=Method(
            rounds=rounds,
            values=3,
            warmups=1,
            workers=tuple(workers),
            cpus=tuple(range(max(workers, default=1))),
            seconds=1.0,
            timeout=300.0,
        ),
        workloads=tuple(
            Workload(
                name=name,
                summary=f"what {name} stands for",
                amount=1000,
                unit="rows",
                options={"revision": 1},
                result="5e" * 32,
            )
            for name in workloads
        ),
        series=tuple(
            one(name, arm, count) for name in workloads for arm in arms for count in workers
        ),
    )
    return msgspec.structs.replace(default, **changes)
