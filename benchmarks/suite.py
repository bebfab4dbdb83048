"""Benchmarks of the pyperformance suite: fetching them, and running one process of one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratios import Measured

# The suite is fixed, so that two results can be compared.
SUITE_VERSION = "1.14.0"
# As the suite pins them. All pure Python: every interpreter runs the same code.
PACKAGES = (
    "pyperf==2.10.0",
    "html5lib==1.1",
    "six==1.16.0",
    "webencodings==0.5.1",
    "pyaes==1.6.1",
    "sqlglot==4.6.0",
    "tomli==2.0.1",
)
# What can be run: the script (`bm_<script>/run_benchmark.py`) and its own options.
BENCHMARKS: dict[str, tuple[str, ...]] = {
    "async_tree": ("async_tree", "none"),
    "chaos": ("chaos",),
    "comprehensions": ("comprehensions",),
    "coroutines": ("coroutines",),
    "deepcopy": ("deepcopy", "--worker-task=0"),
    "deltablue": ("deltablue",),
    "fannkuch": ("fannkuch",),
    "float": ("float",),
    "gc_traversal": ("gc_traversal",),
    "generators": ("generators",),
    "go": ("go",),
    "hexiom": ("hexiom",),
    "html5lib": ("html5lib",),
    "json_dumps": ("json_dumps",),
    "json_loads": ("json_loads",),
    "logging_format": ("logging", "format"),
    "nbody": ("nbody",),
    "nqueens": ("nqueens",),
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
    # From here on only when named: slow, jumpy, or much like one above.
    "async_generators": ("async_generators",),
    "async_tree_memoization": ("async_tree", "memoization"),
    "crypto_pyaes": ("crypto_pyaes",),
    "logging_simple": ("logging", "simple"),
    "meteor_contest": ("meteor_contest",),
    "regex_dna": ("regex_dna",),
    "richards_super": ("richards_super",),
    "scimark_lu": ("scimark", "lu"),
    "tomli_loads": ("tomli_loads",),
    "unpack_sequence": ("unpack_sequence",),
    "unpickle_pure_python": ("pickle", "--pure-python", "unpickle"),
}
DEFAULT = tuple(BENCHMARKS)[:36]
# Chosen for its mean to be near the whole's; a full run prints both.
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
VALUE_SECONDS = 0.13  # what one value should take, on the baseline
PROCESS_SECONDS = 0.65  # what the values of one process should take together
FEWEST_VALUES, MOST_VALUES = 2, 5
TIMEOUT = 300.0  # seconds, for one process
SCRIPTS = Path("pyperformance", "data-files", "benchmarks")


class FailedError(Exception):
    """A process did not do what it was started for: why, in the last thing that it said."""


def environment(seed: int) -> dict[str, str]:
    """Ours without what would change how Python runs; with a hash seed that all share."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {"PYTHONHASHSEED": str(seed)}


def output(*argv: str | Path, seed: int = 0) -> str:
    """The standard output of a command that must succeed."""
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT,
            env=environment(seed),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FailedError(str(error)) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise FailedError(f"exit status {done.returncode}: {said}")
    return done.stdout


def fetched(work: Path) -> Path:
    """The folder with the suite and what it needs; filled by pip if it is not there."""
    wanted = (f"pyperformance=={SUITE_VERSION}", *PACKAGES)
    packages = work / f"packages-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:8]}"
    if packages.is_dir():
        return packages
    with tempfile.TemporaryDirectory(dir=work) as temporary:
        tools, new = Path(temporary, "tools"), Path(temporary, "packages")
        output(sys.executable, "-m", "venv", tools)
        pip = (tools / "bin" / "python", "-m", "pip", "install", "--no-deps", "--no-compile")
        output(*pip, "--target", new, *wanted)
        if compiled := sorted(path.name for path in new.rglob("*.so")):
            raise FailedError(f"not pure Python: {', '.join(compiled)}")
        new.rename(packages)
    return packages


def environments(
    folder: Path, pythons: Mapping[str, str], packages: Path, *, cpu_time: bool
) -> dict[str, Path]:
    """A new virtual environment for each interpreter, all with the same packages.

    Where processor time is wanted, it stands in for the clock that all benchmarks read.
    """
    found = {}
    clock = "import time; time.perf_counter = time.process_time\n" if cpu_time else ""
    for number, (name, python) in enumerate(pythons.items()):
        prefix = folder / str(number)
        output(python, "-m", "venv", "--without-pip", prefix)
        found[name] = prefix / "bin" / "python"
        ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = Path(output(found[name], "-c", ask).strip())
        (site / "benchmarks.pth").write_text(f"{packages}\n{clock}")
    return found


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Runs the scripts of the suite."""

    scripts: Path
    venvs: Mapping[str, Path]
    affinity: int | None

    def worker(self, name: str, measured: Measured, options: Sequence[str], seed: int) -> Any:
        """What a worker process of pyperf reports.

        Raises:
            FailedError: it failed; the message names the interpreter.
        """
        script, *own = measured.command
        pin = () if self.affinity is None else (f"--affinity={self.affinity}",)
        with tempfile.TemporaryDirectory() as temporary:
            report = Path(temporary, "report.json")
            start = (self.venvs[name], self.scripts / f"bm_{script}" / "run_benchmark.py")
            words = (*own, "--worker", "--quiet", *pin, *options)
            try:
                output(*start, *words, "-o", report, seed=seed)
            except FailedError as error:
                raise FailedError(f"{name}: {error}") from error
            return json.loads(report.read_text())

    def calibrate(self, name: str, measured: Measured) -> None:
        """Choose the loops of a value, and the values of a process, by what one loop takes."""
        options = ("--calibrate-loops", "--warmups=0", "--values=1", "--min-time=0.1")
        report = self.worker(name, measured, options, seed=1)
        _, each = report["benchmarks"][0]["runs"][0]["warmups"][-1]
        each *= report["metadata"].get("inner_loops", 1)
        measured.loops = max(1, round(VALUE_SECONDS / each))
        values = round(PROCESS_SECONDS / (each * measured.loops))
        measured.values = min(max(values, FEWEST_VALUES), MOST_VALUES)

    def values(self, name: str, measured: Measured, seed: int) -> list[float]:
        """Seconds a loop: the values of one process, after one to warm up."""
        options = (f"--loops={measured.loops}", f"--values={measured.values}", "--warmups=1")
        report = self.worker(name, measured, options, seed)
        values: list[float] = report["benchmarks"][0]["runs"][0]["values"]
        return values
