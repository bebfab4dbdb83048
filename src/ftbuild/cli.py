"""The command line: each task reads its options, calls one function, renders what came of it.

The same functions serve as `ftbuild TASK` (through `program.Program`) and `inv TASK` in a checkout.
This is the only module that reads the environment and catches signals.
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import NoReturn

import msgspec
from invoke.collection import Collection
from invoke.context import Context
from platformdirs.unix import Unix

import ftbuild
from ftbuild import catalogue as catalogue_
from ftbuild import console, process, provision, render
from ftbuild import toolchain as toolchain_
from ftbuild.archive.stores import Archives
from ftbuild.build.given import NOTHING_GIVEN, Given, given_source
from ftbuild.errors import UsageError
from ftbuild.fetch.sources import Sources
from ftbuild.model.manifest import Installation
from ftbuild.model.recipes import Catalogue
from ftbuild.model.versions import Request, parse_requests
from ftbuild.program import Program, command
from ftbuild.provision import Options, World
from ftbuild.store import links, prefixes
from ftbuild.store.collect import collect
from ftbuild.store.layout import Layout, layout_of, open_root
from ftbuild.store.listing import find, installations, load_manifest
from ftbuild.verify import FULL
from ftbuild.verify import files as file_checks

_HELP = {
    "root": "where everything lives [FTBUILD_ROOT, else ~/.local/share/ftbuild]",
    "recipes": "a folder of recipes of your own, laid over ftbuild's; repeatable",
    "mirror": "base URL or directory asked for sources first; repeatable [FTBUILD_MIRROR]",
    "offline": "use the cache of sources and local archives alone",
    "toolchain": "the compiler: auto, gcc, clang, clang-19 or a path",
    "quiet": "show warnings only",
    "json": "machine-readable output",
    "versions": "installed builds; all if none is named",
}


@command(
    words="versions",
    help=_HELP
    | {
        "versions": "what to build: 3.14 (both), 3.14t, 3.14+gil, 3.14.7, 3.15.0rc1t",
        "profile": "optimized (the default), fast, debug, tsan, asan",
        "jobs": "parallel jobs over all builds [the CPUs this process may use]",
        "configure_arg": "a further argument for configure, such as --enable-shared; repeatable",
        "archive_store": "a directory or address of packed builds, taken instead of compiling; "
        "repeatable [FTBUILD_ARCHIVE_STORE]",
        "source": "build this tarball, which the catalogue need not know; needs --sha256",
        "sha256": "the hash --source must have",
        "from_": "repeat the build that an ftbuild.json describes",
        "force": "build again what is installed or packed already",
        "fail_fast": "stop the other builds when one fails",
        "pgo_fallback": "build without PGO where the training run fails, and record it",
        "profile_data": "a training profile to use, made elsewhere by the same build; repeatable",
        "retrain": "train even where a stored profile would do",
        "debug_info": "keep debug information (the default for debug, tsan and asan)",
        "dry_run": "print the commands and do nothing",
        "verbose": "show every line the compiler prints",
    },
)
def build(
    _c: Context,
    versions: Sequence[str] = (),
    profile: str = "",
    toolchain: str = "auto",
    jobs: int = 0,
    configure_arg: Sequence[str] = (),
    archive_store: Sequence[str] = (),
    source: str = "",
    sha256: str = "",
    from_: str = "",
    mirror: Sequence[str] = (),
    offline: bool = False,
    force: bool = False,
    fail_fast: bool = False,
    pgo_fallback: bool = False,
    profile_data: Sequence[str] = (),
    retrain: bool = False,
    debug_info: bool = False,
    dry_run: bool = False,
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    verbose: bool = False,
    json: bool = False,
) -> None:
    """Fetch, verify, build, install, prove and link: the main job.

    A series means its newest release that can be had, and both builds of it unless one is named.
    What is installed already with the same flags, compiler and libraries is left alone, and what
    was packed with the same ones is unpacked.
    """
    options = Options(
        profile=profile or None,
        compiler=toolchain,
        jobs=_positive(jobs, "--jobs"),
        configure_args=tuple(configure_arg),
        force=force,
        fail_fast=fail_fast,
        pgo_fallback=pgo_fallback,
        retrain=retrain,
        debug_info=debug_info,
    )
    requests = parse_requests(versions)
    given = given_source(requests, source, sha256)
    with _world(
        root,
        recipes,
        mirror,
        offline=offline,
        quiet=quiet,
        verbose=verbose,
        given=given,
        stores=archive_store,
        writes=not dry_run,
    ) as world:
        profiles = provision.given_profiles(map(Path, profile_data), world.emit)
        options = msgspec.structs.replace(options, profile_data=profiles)
        if from_:
            requests, options = provision.repeat(load_manifest(Path(from_)), options, world)
        asked = _some(requests or given.requests, "build 3.13,3.14")
        if dry_run:
            console.say(provision.rehearse(asked, options, world))
            return
        summary = provision.provide(asked, options, world)
    render.summary(summary, world.layout, json=json)


@command(words="versions", help=_HELP | {"versions": "releases or series"})
def fetch(
    _c: Context,
    versions: Sequence[str] = (),
    mirror: Sequence[str] = (),
    offline: bool = False,
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Download and verify sources only, for building offline later.

    Every build of a release needs the same tarball: `fetch 3.14t` brings what `build 3.14` needs.
    """
    asked = _some(parse_requests(versions), "fetch 3.13,3.14")
    with _world(root, recipes, mirror, offline=offline, quiet=quiet) as world:
        fetched = provision.fetch_sources(asked, world)
    render.fetched(fetched, json=json)


@command(help=_HELP | {"install": "run the command that installs what is missing"})
def doctor(
    _c: Context,
    toolchain: str = "auto",
    install: bool = False,
    recipes: Sequence[str] = (),
    json: bool = False,
) -> None:
    """Compiler, make, libraries: what is there, what is missing, the command that installs it.

    Exits 1 if something without which nothing can be built is missing.
    """
    recipes_ = _catalogue(recipes)
    found = toolchain_.examine(recipes_, want=toolchain, env=os.environ)
    if install and found.commands:
        toolchain_.install(found, env=os.environ, on_line=console.pass_on)
        found = toolchain_.examine(recipes_, want=toolchain, env=os.environ)
    render.diagnosis(found, json=json)


@command(help=_HELP)
def catalogue(
    _c: Context,
    recipes: Sequence[str] = (),
    mirror: Sequence[str] = (),
    root: str = "",
    json: bool = False,
) -> None:
    """What can be built, in which profiles, and from where."""
    with _world(root, recipes, mirror, writes=False) as world:
        render.catalogue(world.catalogue, world.sources, installations(world.layout), json=json)


@command(name="list", help=_HELP)
def list_(_c: Context, root: str = "", json: bool = False) -> None:
    """The installed builds."""
    layout = layout_of(_root(root))
    render.listing(installations(layout), layout, json=json)


@command(words="versions", help=_HELP)
def show(_c: Context, versions: Sequence[str] = (), root: str = "", json: bool = False) -> None:
    """Everything recorded about installed builds: what was asked, used, and came out."""
    layout = layout_of(_root(root))
    render.details(_installed(versions, layout), json=json)


@command(words="versions", help=_HELP | {"output": "a folder to copy them to"})
def profiles(
    _c: Context,
    versions: Sequence[str] = (),
    output: str = "",
    root: str = "",
    json: bool = False,
) -> None:
    """The stored training profiles of installed builds, for builds of the same kind elsewhere.

    `ftbuild build --profile-data FILE` uses one: a team trains once.
    """
    layout = layout_of(_root(root))
    found = provision.stored_profiles(_installed(versions, layout), layout, _default_profile())
    if output:
        found = provision.copied(found, Path(output))
    render.profiles(found, json=json)


@command(words="versions", help=_HELP | {"versions": "one installed build"})
def which(_c: Context, versions: Sequence[str] = (), root: str = "") -> None:
    """The path of an installed interpreter; of a pair, that of the GIL build."""
    console.say(str(_one(versions, layout_of(_root(root)), "which").python))


@command(words="versions", help=_HELP)
def run(c: Context, versions: Sequence[str] = (), root: str = "") -> None:
    """Run an installed interpreter: `ftbuild run 3.14t -- script.py --option`.

    Sanitizer builds get the options and the suppression list that belong to them.
    """
    chosen = _one(versions, layout_of(_root(root)), "run")
    process.replace(
        [chosen.python, *shlex.split(c.remainder)],
        env=chosen.environment(os.environ),
    )


@command(
    words="versions",
    help=_HELP
    | {
        "files": "compare every file with its recorded hash instead",
        "verbose": "show the checks that passed, too",
    },
)
def verify(
    _c: Context,
    versions: Sequence[str] = (),
    files: bool = False,
    verbose: bool = False,
    root: str = "",
    json: bool = False,
) -> None:
    """Prove again that installed builds are what they say, and that pairs match.

    Exits 1 if a check fails.
    """
    with _world(root, writes=False) as world:
        found = _installed(versions, world.layout)
        reports = provision.check(found, world, checks=(file_checks,) if files else FULL)
        pairs = () if files else provision.judge_pairs(found, world.layout, again=True)
    render.reports((*reports, *pairs), json=json, everything=verbose)


@command(
    words="versions",
    help=_HELP
    | {"versions": "builds to pack", "output": "directory for the archives [<root>/archives]"},
)
def pack(
    _c: Context,
    versions: Sequence[str] = (),
    output: str = "",
    root: str = "",
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Make archives of installed builds, to be installed in any root on this kind of machine.

    What was added to a build since (packages that pip installed) is left out.
    """
    _some(parse_requests(versions), "pack 3.14")
    with _world(root, quiet=quiet, writes=False) as world:
        found = _installed(versions, world.layout)
        packed = provision.pack(found, world, into=Path(output).expanduser() if output else None)
    render.packed(packed, json=json)


@command(
    words="archives", help=_HELP | {"archives": "files, addresses, or directories of archives"}
)
def install(
    _c: Context,
    archives: Sequence[str] = (),
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Install packed builds: unpack, re-point, verify and link them.

    Of a directory, all archives for this system and machine. Exits 1 if one is refused.
    """
    if not archives:
        raise UsageError("no archive was named", hint="For instance: ftbuild install FILE")
    with _world(root, recipes, quiet=quiet) as world:
        summary = provision.install(archives, world)
    render.summary(summary, world.layout, json=json)


@command(words="versions", help=_HELP | {"versions": "series; all installed ones if none is named"})
def upgrade(
    _c: Context,
    versions: Sequence[str] = (),
    mirror: Sequence[str] = (),
    offline: bool = False,
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Build the newest release of every installed series, with the same profile.

    The older releases stay until `remove` or `gc` takes them: virtual environments point there.
    """
    with _world(root, recipes, mirror, offline=offline, quiet=quiet) as world:
        summary = provision.upgrade(parse_requests(versions), world)
    render.summary(summary, world.layout, json=json)


@command(words="versions", help=_HELP | {"versions": "builds to remove"})
def remove(_c: Context, versions: Sequence[str] = (), root: str = "", json: bool = False) -> None:
    """Remove installed builds, and the names that point to them."""
    layout = open_root(_root(root))
    _some(parse_requests(versions), "remove 3.14.6t")
    found = _installed(versions, layout)
    for installation in found:
        prefixes.remove(layout, installation)
    links.refresh(layout, default_profile=_default_profile())
    render.removed(found, json=json)


@command(
    help=_HELP
    | {
        "days": "spare what was replaced within so many days",
        "dry_run": "say what would be removed",
    }
)
def gc(
    _c: Context, days: int = 30, dry_run: bool = False, root: str = "", json: bool = False
) -> None:
    """Remove builds that were replaced a while ago, and what killed or failed runs left.

    A linked build is never touched, nor one replaced lately: virtual environments point there.
    """
    layout = open_root(_root(root))
    collected = collect(layout, days=_positive(days, "--days") or 0, dry_run=dry_run)
    render.collected(collected, dry_run=dry_run, json=json)


@command(
    name="run",
    words="versions",
    help=_HELP
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
    with _world(root, quiet=quiet, writes=False) as world:
        files = bench_.outputs(world.layout, output=output, folder=plots, html=html)
        found = _installed(versions, world.layout)
        builds = (
            bench_.exactly_one_pair(found)
            if versions
            else bench_.newest_pair(found, world.layout, default_profile=_default_profile())
        )
        pair = bench_.judged(builds, unlike=unlike)
        results = bench_.measure(asked, builds, pair, world, files.keep)
    render.measured(results, files, json=json)


@command(
    words="documents",
    help=_HELP | {"documents": "two JSON documents that `ftbuild bench` wrote"},
)
def compare(_c: Context, documents: Sequence[str] = (), json: bool = False) -> None:
    """Set two measurements beside each other, and say in what they differ."""
    from ftbuild import bench as bench_  # noqa: PLC0415 - see `bench`

    if len(documents) != 2:  # noqa: PLR2004 - this one and that one
        raise UsageError(
            f"bench compare takes two documents, not {len(documents)}",
            hint="For instance: ftbuild bench compare A.json B.json",
        )
    first, second = (bench_.load(Path(name).expanduser()) for name in documents)
    render.compared(bench_.compare(first, second), json=json)


@command(
    words="inputs",
    help=_HELP
    | {
        "inputs": "a project, a requirements or lock file, a virtual environment, or requirements "
        "themselves ('numpy<3'); the current directory if none is named",
        "python": "the free-threaded build: 3.14t [the newest installed one]",
        "compare": "several of them beside each other: 3.13t,3.14t,3.15t",
        "extra": "an extra of the project; repeatable",
        "group": "a dependency group of the project; repeatable",
        "probe": "install and import (the default), or not: then no code of the packages runs",
        "build": "compile what has no wheel, and import that too",
        "stress": "also import and call from many threads at once",
        "tests": "a command that runs the project's tests in the same environment",
        "timeout": "seconds one module may take to be imported",
        "jobs": "processes at a time [the CPUs this process may use]",
        "fail_on": "what makes it exit 1: missing, gil, crash, unknown, none; comma-separated "
        "[missing,gil,crash]",
        "baseline": "a file of what is known already: only news fails",
        "update_baseline": "write that file",
        "format": "text, json, markdown, sarif or github (annotations) [text]",
        "verbose": "a row for every package, also for those that are fine",
        "offline": "use what uv and ftbuild have cached, alone",
    },
)
def audit(
    _c: Context,
    inputs: Sequence[str] = (),
    python: str = "",
    compare: str = "",
    extra: Sequence[str] = (),
    group: Sequence[str] = (),
    probe: bool = True,
    build: bool = False,
    stress: bool = False,
    tests: str = "",
    timeout: int = 30,
    jobs: int = 0,
    fail_on: Sequence[str] = (),
    baseline: str = "",
    update_baseline: bool = False,
    format: str = "",  # noqa: A002 - the option's name
    verbose: bool = False,
    offline: bool = False,
    root: str = "",
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Audit a project's dependencies for free threading.

    They are resolved for a free-threaded build, what each ships for it is graded, and every
    extension module is imported in a process of its own: does it crash, hang, or switch the GIL
    on? That runs code of the packages; --no-probe does not. Exits 1 if something blocks.
    """
    from ftbuild import audit as audit_  # noqa: PLC0415 - 75 ms that other tasks need not wait

    cwd = Path.cwd()
    reporting = audit_.reporting(
        format=format,
        json=json,
        everything=verbose,
        fail=fail_on,
        baseline=baseline,
        update=update_baseline,
        cwd=cwd,
    )
    how = audit_.How(
        probe=probe,
        build=build,
        stress=stress,
        tests=tests,
        timeout=_positive(timeout, "--timeout") or 30,
        jobs=_positive(jobs, "--jobs") or toolchain_.usable_cpus(),
        offline=offline,
    )
    with _world(root, quiet=quiet, writes=False) as world:
        targets = [
            audit_.target_of(build, os.environ)
            for build in audit_.builds(
                parse_requests((python, compare)),
                world.layout,
                default_profile=_default_profile(),
            )
        ]
        asked = audit_.read_inputs(inputs, extras=extra, groups=group, cwd=cwd)
        found = audit_.audit(asked, targets, how, world)
    render.audited(found, reporting)


namespace = Collection(
    build,
    fetch,
    doctor,
    catalogue,
    list_,
    show,
    profiles,
    which,
    run,
    verify,
    pack,
    install,
    upgrade,
    remove,
    gc,
)
_measuring = Collection("bench")
_measuring.add_task(bench, default=True)
_measuring.add_task(compare)
namespace.add_collection(_measuring)
namespace.add_task(audit)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the `ftbuild` command and exit."""
    signal.signal(signal.SIGTERM, _terminated)
    program = Program(
        name="ftbuild",
        binary="ftbuild",
        version=ftbuild.__version__,
        namespace=_checkout_tasks() or namespace,
    )
    program.run(None if argv is None else ["ftbuild", *argv])
    raise SystemExit(0)


def _terminated(_number: int, _frame: object) -> NoReturn:
    """SIGTERM ends a run the way Ctrl-C does: children stopped, nothing half-made left."""
    raise KeyboardInterrupt


def _checkout_tasks() -> Collection | None:
    """In a checkout, the namespace of `tasks.py`: ours and the contributors' tasks."""
    path = Path(ftbuild.__file__).parents[2] / "tasks.py"
    if not (path.is_file() and path.with_name("recipes").is_dir()):
        return None
    spec = spec_from_file_location("tasks", path)
    assert spec is not None  # noqa: S101 - it is for a path that ends in .py
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Collection = module.namespace
    return found


@contextmanager
def _world(
    root: str,
    recipes: Sequence[str] = (),
    mirror: Sequence[str] = (),
    *,
    offline: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    given: Given = NOTHING_GIVEN,
    stores: Sequence[str] = (),
    writes: bool = True,
) -> Iterator[World]:
    """What a task works with, made of the options and the environment; shows progress meanwhile."""
    layout = open_root(_root(root)) if writes else layout_of(_root(root))
    known = given.added_to(_catalogue(recipes))
    stop = threading.Event()
    mirrors = (*mirror, *_listed("FTBUILD_MIRROR"))
    places = (str(layout.archives), *stores, *_listed("FTBUILD_ARCHIVE_STORE"))
    with console.progress(quiet=quiet, verbose=verbose) as emit:
        sources = Sources(
            catalogue=known,
            cache=layout.sources,
            mirrors=mirrors,
            given=given.tarballs,
            env=os.environ,
            emit=emit,
            stop=stop,
            offline=offline,
        )
        yield World(
            catalogue=known,
            layout=layout,
            env=os.environ,
            emit=emit,
            stop=stop,
            sources=sources,
            checks=FULL,
            archives=Archives(places, env=os.environ, emit=emit, stop=stop, offline=offline),
        )


def _listed(variable: str) -> tuple[str, ...]:
    """The words of a comma-separated environment variable."""
    return tuple(filter(None, os.environ.get(variable, "").split(",")))


def _root(root: str) -> Path:
    # The same place on macOS: its own data directory has a space in its name.
    default = Unix("ftbuild").user_data_dir
    return Path(root or os.environ.get("FTBUILD_ROOT") or default)


def _catalogue(recipes: Sequence[str]) -> Catalogue:
    own = Unix("ftbuild").user_config_path / "recipes"
    folders = [own] if own.is_dir() else []
    return catalogue_.load([*folders, *(Path(folder).expanduser() for folder in recipes)])


def _default_profile() -> str:
    return _catalogue(()).default_profile


def _installed(versions: Sequence[str], layout: Layout) -> tuple[Installation, ...]:
    """The installed builds that words mean; all of them without a word."""
    requests = parse_requests(versions)
    if not requests:
        return installations(layout)
    default = _default_profile()
    found = (find(layout, request, default_profile=default) for request in requests)
    return tuple({item.prefix: item for items in found for item in items}.values())


def _one(versions: Sequence[str], layout: Layout, name: str) -> Installation:
    requests = parse_requests(versions)
    if len(requests) != 1:
        raise UsageError(f"{name} takes one version", hint=f"For instance: ftbuild {name} 3.14t")
    return find(layout, requests[0], default_profile=_default_profile())[0]


def _some(requests: tuple[Request, ...], example: str) -> tuple[Request, ...]:
    if not requests:
        raise UsageError("no version was named", hint=f"For instance: ftbuild {example}")
    return requests


def _positive(number: int, option: str) -> int | None:
    if number < 0:
        raise UsageError(f"{option} must not be negative: {number}")
    return number or None
