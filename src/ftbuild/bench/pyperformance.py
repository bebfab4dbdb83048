"""What free threading costs one thread, by the benchmarks of the pyperformance suite.

Pip installs the suite into a virtual environment of its own. Its scripts are then run one process
at a time, as pyperf's workers: the builds take turns, both do the same number of loops (calibrated
on the GIL build), and both import the same files. So there is no benchmark here whose packages are
compiled: two builds would not run the same code, and some have no wheel for the free-threaded one.
`LEFT_OUT` names them, and the results list them as failures.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Suite, SuiteRow
from ftbuild.bench.suites import take_turns
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.files import require_room
from ftbuild.model.events import Emit, Noted
from ftbuild.model.manifest import Installation
from ftbuild.process import Completed, capture
from ftbuild.verifying.probing import complaint

NAME = "pyperformance"
VERSION = "1.14.0"
PACKAGES = (f"{NAME}=={VERSION}", "pyperf==2.10.0")
"""Fixed, so that two results can be compared. The suite pins what single benchmarks need."""

ARMS = (Arm.GIL, Arm.FREE)

BENCHMARKS: dict[str, tuple[str, ...]] = {
    "async_tree": ("async_tree", "none"),
    "chameleon": ("chameleon",),
    "chaos": ("chaos",),
    "comprehensions": ("comprehensions",),
    "coroutines": ("coroutines",),
    "deepcopy": ("deepcopy", "--worker-task=0"),
    "deltablue": ("deltablue",),
    "fannkuch": ("fannkuch",),
    "float": ("float",),
    "gc_traversal": ("gc_traversal",),
    "generators": ("generators",),
    "genshi_xml": ("genshi", "xml"),
    "go": ("go",),
    "hexiom": ("hexiom",),
    "html5lib": ("html5lib",),
    "json_dumps": ("json_dumps",),
    "json_loads": ("json_loads",),
    "logging_format": ("logging", "format"),
    "nbody": ("nbody",),
    "nqueens": ("nqueens",),
    "pathlib": ("pathlib",),
    "pickle": ("pickle", "pickle"),
    "pickle_pure_python": ("pickle", "--pure-python", "pickle"),
    "pidigits": ("pidigits",),
    "pprint_safe_repr": ("pprint", "--worker-task=0"),
    "pyflate": ("pyflate",),
    "raytrace": ("raytrace",),
    "regex_compile": ("regex_compile",),
    "regex_effbot": ("regex_effbot",),
    "regex_v8": ("regex_v8",),
    "richards": ("richards",),
    "scimark_fft": ("scimark", "fft"),
    "spectral_norm": ("spectral_norm",),
    "sqlglot_transpile": ("sqlglot_v2", "transpile"),
    "sqlite_synth": ("sqlite_synth",),
    "telco": ("telco",),
    "typing_runtime_protocols": ("typing_runtime_protocols",),
    "unpickle": ("pickle", "unpickle"),
    "xml_etree_process": ("xml_etree", "process"),
}
"""What is run: each script (`bm_<script>/run_benchmark.py`) and its own options. Of benchmarks that
are much alike there is one; there are none of start-up, sockets or other processes."""

QUICK = (
    "async_tree",
    "chaos",
    "deltablue",
    "float",
    "generators",
    "pickle_pure_python",
    "pidigits",
    "regex_v8",
    "richards",
    "sqlglot_transpile",
    "unpickle",
    "xml_etree_process",
)
"""Chosen for their mean to be near the whole's."""

_COMPILED = "needs {}, which is compiled: the builds would not run the same code"
_DISTUTILS = "needs distutils, which Python has no more"
LEFT_OUT = {
    "asyncio_websockets": _COMPILED.format("websockets"),
    "coverage": _COMPILED.format("coverage"),
    "dask": _COMPILED.format("msgpack"),
    "django_template": _DISTUTILS,
    "dulwich_log": _COMPILED.format("dulwich"),
    "fastapi": _COMPILED.format("pydantic-core"),
    "mako": _COMPILED.format("markupsafe"),
    "sqlalchemy_declarative": _COMPILED.format("greenlet"),
    "sqlalchemy_imperative": _COMPILED.format("greenlet"),
    "sympy": _DISTUTILS,
    "tornado_http": _COMPILED.format("tornado"),
}
"""Benchmarks that cannot be compared, and why."""

VALUE_SECONDS = 0.13
"""What one value should take on the GIL build."""

PROCESS_SECONDS = 0.65
"""What the values of one process should take together."""

FEWEST, MOST = 2, 5
"""Values of a process, whatever the time."""

TIMEOUT = 300.0
"""Seconds for one process; on an idle machine each takes one or two."""

_PIP_TIMEOUT = 900.0
_TAIL = 8


class Metadata(msgspec.Struct, frozen=True):
    """Of pyperf's metadata, what counts here: how often a loop does its work in itself."""

    inner_loops: int = 1


class Run(msgspec.Struct, frozen=True):
    """What one process measured: seconds for a loop; warm-ups with their number of loops."""

    values: tuple[float, ...] = ()
    warmups: tuple[tuple[int, float], ...] = ()
    metadata: Metadata = Metadata()


class Benchmark(msgspec.Struct, frozen=True):
    """A benchmark in a file of pyperf's."""

    runs: tuple[Run, ...]


class Document(msgspec.Struct, frozen=True):
    """A file of pyperf's, as a worker writes it: one benchmark, one run."""

    benchmarks: tuple[Benchmark, ...]
    metadata: Metadata = Metadata()


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How much a process is to do: loops for a value, values, one of them more to warm up."""

    loops: int
    values: int


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """Where the suite is, and how its processes are run.

    Attributes:
        packages: Directory with the suite and pyperf.
        needs: Directories with what single scripts need beside these, by script.
        broken: Why a script's needs could not be installed, by script.
        scratch: An existing directory to write in.
        env: The environment, PYTHON* removed.
        cpu: The CPU to run on, or None.
        stop: Ends a process when set.
    """

    packages: Path
    needs: Mapping[str, Path]
    broken: Mapping[str, str]
    scratch: Path
    env: Mapping[str, str]
    cpu: int | None
    stop: threading.Event


def run(
    pair: tuple[Installation, Installation],
    *,
    rounds: int,
    scratch: Path,
    env: Mapping[str, str],
    stop: threading.Event,
    emit: Emit,
    cpu: int | None = None,
    only: Sequence[str] = (),
) -> Suite:
    """Run it on both builds, the rounds interleaved.

    Args:
        pair: The GIL build and the free-threaded one.
        rounds: Processes for each benchmark and build.
        scratch: An existing directory to write in. The packages take up to 150 MB there.
        env: The caller's environment: pip gets its settings and certificates; PYTHON* does not
            count.
        stop: Ends it early; what was measured is returned. Set here if that happens through Ctrl-C.
        emit: Receives the progress.
        cpu: The CPU to run everything on, or None.
        only: Benchmarks to run, such as `QUICK`; all, if none are named.

    Raises:
        UsageError: There is no such benchmark.
        EnvironmentFault: Pip cannot install the suite.
        Interrupted: `stop` was set before anything was measured.
    """
    if unknown := [name for name in only if name not in BENCHMARKS]:
        raise UsageError(
            f"no {', '.join(unknown)} among the benchmarks that can be run",
            hint=f"There are: {', '.join(BENCHMARKS)}.",
        )
    names = tuple(only or BENCHMARKS)
    gil, free = pair
    clean = {key: value for key, value in env.items() if not key.startswith("PYTHON")}
    emit(Noted(text=f"installing {NAME} {VERSION} and what its benchmarks need"))
    room = furnish(gil, names, scratch=scratch, env=clean, cpu=cpu, stop=stop)
    loads: dict[str, Load | str] = {}

    def one(name: str, arm: Arm, each: int) -> float | str:
        build = free if arm is Arm.FREE else gil
        script = BENCHMARKS[name][0]
        if script in room.broken:
            return room.broken[script]
        if name not in loads:
            found = worker(room, gil, Arm.GIL, name, CALIBRATE, seed=1)
            loads[name] = found if isinstance(found, str) else calibrated(found)
        load = loads[name]
        if isinstance(load, str):
            return load if arm is Arm.GIL else f"fails on the GIL build: {load}"
        options = (f"--loops={load.loops}", f"--values={load.values}", "--warmups=1")
        document = worker(room, build, arm, name, options, seed=each + 1)
        if isinstance(document, str):
            return document
        return statistics.median(document.benchmarks[0].runs[0].values)

    rows = take_turns(one, names, ARMS, rounds=rounds, suite=NAME, stop=stop, emit=emit)
    return Suite(
        name=NAME,
        version=VERSION,
        figure="seconds",
        workers=1,
        rows=rows if only else (*rows, *left_out()),
    )


def left_out() -> Iterator[SuiteRow]:
    """Rows for the benchmarks that cannot be compared."""
    for name, why in LEFT_OUT.items():
        yield SuiteRow(name=name, values={}, failures={arm.value: why for arm in ARMS})


CALIBRATE = ("--calibrate-loops", "--warmups=0", "--values=1", "--min-time=0.1")
"""Options with which a worker doubles its loops until they take so long."""


def calibrated(document: Document) -> Load:
    """The loops of a value, and the values of a process, by what one loop took."""
    run = document.benchmarks[0].runs[0]
    _, each = run.warmups[-1]
    each *= max(run.metadata.inner_loops, document.metadata.inner_loops)
    loops = max(1, round(VALUE_SECONDS / each))
    values = round(PROCESS_SECONDS / (each * loops))
    return Load(loops=loops, values=min(max(values, FEWEST), MOST))


def furnish(
    gil: Installation,
    names: Sequence[str],
    *,
    scratch: Path,
    env: Mapping[str, str],
    cpu: int | None,
    stop: threading.Event,
) -> Room:
    """Install the suite and what these benchmarks need.

    Args:
        gil: The build whose pip installs them.
        names: The benchmarks.
        scratch: An existing directory to install below.
        env: The caller's environment, PYTHON* removed.
        cpu: For `Room`.
        stop: Ends it when set.

    Raises:
        EnvironmentFault: The suite itself cannot be installed.
        Interrupted: `stop` was set.
    """
    tools = scratch / "tools"
    packages = scratch / "packages"

    def python(*words: str | Path) -> Completed:
        return capture(words, env=env, cwd=scratch, timeout=_PIP_TIMEOUT, stop=stop)

    def pip(*words: str | Path) -> Completed:
        # Without dependencies: they are all pinned, and psutil, which pyperf likes, is compiled.
        # With byte code, which both builds read: else each process would compile what it imports.
        quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--compile")
        return python(tools / "bin" / "python", "-I", "-B", "-m", "pip", "install", *quiet, *words)

    made = python(gil.python, "-I", "-B", "-m", "venv", tools)
    installed = pip("--target", packages, *PACKAGES) if made.ok else made
    if not installed.ok:
        raise EnvironmentFault(
            f"{' and '.join(PACKAGES)} cannot be installed: {complaint(installed)}",
            hint="Pip needs a package index: its configuration, PIP_INDEX_URL, HTTPS_PROXY and "
            "SSL_CERT_FILE count.",
            tail=tuple(f"{made.stderr}{installed.stderr}".splitlines()[-_TAIL:]),
        )
    needs: dict[str, Path] = {}
    broken: dict[str, str] = {}
    for script in dict.fromkeys(BENCHMARKS[name][0] for name in names):
        asked = scripts(packages) / f"bm_{script}" / "requirements.txt"
        if not asked.is_file():
            continue
        needs[script] = scratch / f"packages-{script}"
        done = pip("--target", needs[script], "--requirement", asked)
        if not done.ok:
            broken[script] = f"what it needs cannot be installed: {complaint(done)}"
        elif compiled := sorted(path.name for path in needs[script].rglob("*.so")):
            broken[script] = f"needs {compiled[0]}, which is compiled"
    return Room(
        packages=packages,
        needs=needs,
        broken=broken,
        scratch=scratch,
        env=env,
        cpu=cpu,
        stop=stop,
    )


def scripts(packages: Path) -> Path:
    """Where the suite keeps its benchmarks, below the directory it was installed into."""
    return packages / NAME / "data-files" / "benchmarks"


def worker(
    room: Room, build: Installation, arm: Arm, name: str, options: Sequence[str], *, seed: int
) -> Document | str:
    """What one of pyperf's worker processes measured, or why it did not.

    Args:
        room: Where the suite is.
        build: The build that runs it.
        arm: The arm.
        name: The benchmark.
        options: Pyperf's: how often.
        seed: The hash seed, which the builds share.

    Raises:
        Interrupted: The room's `stop` was set.
    """
    script, *own = BENCHMARKS[name]
    report = room.scratch / f"{arm.value}.json"
    report.unlink(missing_ok=True)
    path = [room.needs[script]] if script in room.needs else []
    env = build.environment(room.env) | {
        "PYTHONPATH": ":".join(map(str, (*path, room.packages))),
        "PYTHONHASHSEED": str(seed),
        "PYTHONNOUSERSITE": "1",
    }
    pin = () if room.cpu is None else (f"--affinity={room.cpu}",)
    start: tuple[str | Path, ...] = (
        build.python,
        "-B",
        *arm.flags,
        scripts(room.packages) / f"bm_{script}" / "run_benchmark.py",
    )
    done = capture(
        (*start, *own, "--worker", "--quiet", *pin, *options, "-o", report),
        env=env,
        cwd=room.scratch,
        timeout=TIMEOUT,
        stop=room.stop,
    )
    if not done.ok:
        require_room(room.scratch, done.stderr)
        return complaint(done)
    try:
        return decoded(report.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        return f"a report that cannot be read: {error}"


def decoded(report: bytes) -> Document:
    """A worker's report.

    Raises:
        msgspec.MsgspecError: It is something else.
    """
    document = msgspec.json.decode(report, type=Document)
    if not document.benchmarks or not document.benchmarks[0].runs:
        raise msgspec.ValidationError("it holds no run")
    run = document.benchmarks[0].runs[0]
    if not run.values and not run.warmups:
        raise msgspec.ValidationError("it holds no value")
    return document
