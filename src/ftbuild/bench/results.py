"""What a measurement found, as data: everything that a table, a plot or a comparison needs.

One document, written as JSON. It holds every value that was measured and the facts that decide
whether two documents may be compared; what follows from them is computed anew (`summary`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ftbuild.bench.arms import Arm
from ftbuild.model.report import Check
from ftbuild.model.text import BuildName, Count, Seconds, Sha256, VersionText, Word
from ftbuild.toolchain.machine import Machine

FORMAT = 1
"""Version of the document's shape. A reader refuses what it does not know."""

Amount = Annotated[int, Meta(gt=0, le=1 << 53)]
Workers = Annotated[int, Meta(gt=0, le=1 << 16)]
Number = Annotated[float, Meta(ge=0, le=1e15)]
Measured = Annotated[float, Meta(ge=1e-12, le=1e10)]
"""A figure by which others are divided: shorter or longer than that nothing is."""


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """The fingerprint of a build that was measured.

    Attributes:
        name: Friendly name, `cpython-3.14.7t`.
        version: Its release.
        digest: That of its specification: equal digests are the same build.
        files_sha256: Hash over the hashes of its files.
        profile: How it was built.
        compiler: With what.
        pgo, lto: What the final compile really used.
        flags: Its configure options.
    """

    name: BuildName
    version: VersionText
    digest: Sha256
    files_sha256: Sha256
    profile: Word
    compiler: str
    pgo: bool
    lto: bool
    flags: tuple[str, ...]


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The two builds, and in what beside the GIL they differ (nothing, for a matched pair)."""

    gil: Build
    free_threaded: Build
    unlike: tuple[Check, ...] = ()


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """How it was measured.

    Attributes:
        rounds: Processes started for each series, one a round.
        values: Timed runs in each process.
        warmups: Runs before them.
        workers: The numbers of threads (or processes) tried, ascending, 1 first.
        cpus: CPUs the workers were pinned to, the first n of them for n workers; None if not.
        seconds: What a value should take on one thread of the GIL build, where that can be chosen.
        timeout: Seconds after which a process was ended.
    """

    rounds: Count
    values: Count
    warmups: Count
    workers: tuple[Workers, ...]
    cpus: tuple[Count, ...] | None
    seconds: Seconds
    timeout: Seconds


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What was run.

    Attributes:
        name: Its name: `logs`, `mandelbrot`, the name of a user's script.
        summary: What it does, in a line.
        amount: How much of it one run does, in `unit`.
        unit: What is counted: `bytes`, `rows`; `run` where nothing can be.
        options: What else decides about the work: seed, variant, revision of the workload.
        result: SHA-256 of the result, which every series had to reach; None before there is one,
            or where a user's script gives none that can be compared.
    """

    name: str
    summary: str
    amount: Amount
    unit: str
    options: dict[str, Any]
    result: str | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What one process measured.

    Attributes:
        round: The round it belongs to, from 0.
        values: Wall time of each timed run, in seconds.
        warmups: Wall time of the runs before, in seconds.
        start: Seconds that starting the worker processes took; not part of any value. 0 for
            threads, which each value starts anew.
        cpu: CPU seconds of all its processes for a value, the mean.
        rss: Peak resident memory in bytes; of processes, their sum.
        switches: Voluntary and involuntary context switches for a value, the means.
    """

    round: Count
    values: Annotated[tuple[Measured, ...], Meta(min_length=1)]
    warmups: tuple[Seconds, ...]
    start: Seconds
    cpu: Seconds
    rss: Count
    switches: tuple[Number, Number]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One workload on one arm with so many workers.

    Attributes:
        workload: Name of the workload.
        arm: The arm.
        workers: How many threads, or processes.
        samples: One a round.
        failure: Why there are no more samples (`signal SIGSEGV`), or None.
    """

    workload: str
    arm: Arm
    workers: Workers
    samples: tuple[Sample, ...] = ()
    failure: str | None = None

    @property
    def name(self) -> str:
        """`logs free-threaded 2`."""
        return f"{self.workload} {self.arm} {self.workers}"


class SuiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark of somebody else's suite, in the median of the rounds.

    Attributes:
        name: Its name there.
        values: The figure for each arm, by arm, one a round: seconds for `pyperformance`, a
            speed-up for `ftscalingbench`.
        failures: Why an arm has none, by arm.
    """

    name: str
    values: dict[str, tuple[Measured, ...]]
    failures: dict[str, str] = {}


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody else's suite of benchmarks gave.

    Attributes:
        name: `ftscalingbench` or `pyperformance`.
        version: The release it came with, or its own.
        figure: `speed-up` or `seconds`: what its values are.
        workers: Threads it ran with.
        rows: Its benchmarks.
    """

    name: str
    version: str
    figure: str
    workers: Workers
    rows: tuple[SuiteRow, ...]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A whole measurement.

    Attributes:
        kind: `bench`.
        created: UTC time it began, ISO 8601.
        ftbuild: Version of ftbuild.
        pair: The builds.
        machine: The host, at the start.
        disturbance: Share of the CPUs' time, 0 to 1, that others used while it ran, other guests
            of the host included; None where nobody can tell.
        method: How it was measured.
        workloads: What was run.
        series: What came out.
        suites: What suites of others gave.
        interrupted: Whether it was stopped early.
        format: `FORMAT`.
    """

    kind: Literal["bench"] = "bench"
    created: str
    ftbuild: str
    pair: Pair
    machine: Machine
    disturbance: Annotated[float, Meta(ge=0, le=1)] | None
    method: Method
    workloads: tuple[Workload, ...]
    series: tuple[Series, ...]
    suites: tuple[Suite, ...] = ()
    interrupted: bool = False
    format: int = FORMAT
