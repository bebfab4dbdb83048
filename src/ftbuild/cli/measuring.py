"""Tasks that measure a pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context

from ftbuild import render
from ftbuild.cli.surroundings import (
    HELP,
    default_profile,
    installed,
    world_of,
)
from ftbuild.errors import UsageError
from ftbuild.files import expand_home
from ftbuild.program import command


@command(
    name="run",
    words="versions",
    help=HELP
    | {
        "versions": "the pair: 3.14, 3.14.7; the newest installed one if none is named",
        "workload": "what to run: logs, mandelbrot, trees, …; comma-separated or repeated [all]",
        "suite": "ftscalingbench (CPython's own) or pyperformance; repeatable",
        "script": "a file of yours with a function work(shard, shards), to be measured",
        "arm": "gil, free-threaded, gil-forced, processes; comma-separated or repeated [all]",
        "size": "how much log the workload logs reads, generated: 64MB, 12GB",
        "input": "a log file of yours for the workload logs (Combined Log Format)",
        "seed": "what generated logs are made from",
        "threads": "numbers of threads: 1,2,4 [1, 2, 4 … up to the CPUs this process may use]",
        "rounds": "processes for each figure [5, or 3 where a round takes over ten minutes]",
        "quick": "fewer and shorter runs: an impression in a few minutes",
        "affinity": "CPUs to pin n threads to, the first n of: auto (distinct cores), none, 0,2,4",
        "unlike": "measure a pair that differs in more than the GIL, and say so on every output",
        "timeout": "seconds one process may take [10 minutes, more for large logs]",
        "output": "file for the JSON document [a new one in <root>/bench]",
        "plots": "folder for plots, as PNG and SVG",
        "html": "file for a page with everything",
    },
)
def bench(
    _c: Context,
    versions: Sequence[str] = (),
    workload: Sequence[str] = (),
    suite: Sequence[str] = (),
    script: str = "",
    arm: Sequence[str] = (),
    size: str = "",
    input: str = "",  # noqa: A002 - the option's name
    seed: int = 1,
    threads: str = "",
    rounds: int = 0,
    quick: bool = False,
    affinity: str = "auto",
    unlike: bool = False,
    timeout: int = 0,
    output: str = "",
    plots: str = "",
    html: str = "",
    root: str = "",
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Measure how threads scale on a pair, and what free threading costs one thread.

    Every workload runs on four arms: threads on the GIL build, threads on the free-threaded build,
    the same with the GIL forced on, and processes on the GIL build. Ctrl-C keeps what is measured.
    Exits 1 if something could not be measured.
    """
    from ftbuild import bench as bench_  # noqa: PLC0415 - 30 ms that other tasks need not wait

    asked = bench_.asked(
        workload=workload,
        suite=suite,
        script=script,
        arm=arm,
        size=size,
        input=input,
        seed=seed,
        threads=threads,
        rounds=rounds,
        quick=quick,
        affinity=affinity,
        timeout=timeout,
    )
    with world_of(root, quiet=quiet, writes=False) as world:
        files = bench_.outputs(world.layout, output=output, folder=plots, html=html)
        found = installed(versions, world.layout)
        builds = (
            bench_.exactly_one_pair(found)
            if versions
            else bench_.newest_pair(found, world.layout, default_profile=default_profile())
        )
        pair = bench_.judged(builds, unlike=unlike)
        results = bench_.measure(asked, builds, pair, world, files.keep)
    render.measured(results, files, json=json)


@command(
    words="documents",
    help=HELP | {"documents": "two JSON documents that `ftbuild bench` wrote"},
)
def compare(_c: Context, documents: Sequence[str] = (), json: bool = False) -> None:
    """Set two measurements beside each other, and say in what they differ."""
    from ftbuild import bench as bench_  # noqa: PLC0415 - see `bench`

    if len(documents) != 2:  # noqa: PLR2004 - this one and that one
        raise UsageError(
            f"bench compare takes two documents, not {len(documents)}",
            hint="For instance: ftbuild bench compare A.json B.json",
        )
    first, second = (bench_.load(expand_home(Path(name))) for name in documents)
    render.compared(bench_.compare(first, second), json=json)
