"""Runs one process of a measurement and reads its report.

The interpreter may crash, hang or print nonsense, and a user's script may do worse. None of that is
an exception here: it is a `Failed`, which becomes the failure of one series; the others go on.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ftbuild import process
from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Sample
from ftbuild.files import read_file, require_room
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant

WORKLOADS = Path(__file__).with_name("workloads")
"""Scripts for the built Pythons, which never import ftbuild."""

_TOLD = 8192
"""Bytes of standard error that are looked at for the reason of a failure."""

T = TypeVar("T")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What one process is to do: the input of `workloads/worker.py`, as JSON.

    Attributes:
        workload: Module of the workload, or the path of a user's script.
        options: What the workload's `prepare` is given.
        mode: `threads` or `processes`.
        workers: How many of them.
        warmups: Runs before the timed ones.
        warm: What is different about the options of those.
        values: Timed runs at most.
        budget: Seconds after which no further timed run begins.
        cpus: CPUs to run on; None: wherever the system likes.
        calibrate: Find out how much a second's work is, instead.
    """

    workload: str
    options: dict[str, Any]
    mode: str = "threads"
    workers: int = 1
    warmups: int = 1
    warm: dict[str, Any] = {}
    values: int = 1
    budget: float = 0.0
    cpus: tuple[int, ...] | None = None
    calibrate: bool = False


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """The report on a measurement; see `Sample` for the meaning of the figures."""

    values: tuple[float, ...]
    warmups: tuple[float, ...]
    start: float
    result: str | None
    cpu: float
    rss: int
    switches: tuple[float, float]
    gil: bool

    def sample(self, number: int) -> Sample:
        """The sample that this makes of a round."""
        return Sample(
            round=number,
            values=self.values,
            warmups=self.warmups,
            start=self.start,
            cpu=self.cpu,
            rss=self.rss,
            switches=self.switches,
        )


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """The report on a calibration: units a second on one thread."""

    rate: float


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """A process that measured nothing, and why, in a line: `signal SIGSEGV`."""

    error: str


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """Where processes of a measurement run.

    Attributes:
        pair: The builds, by variant.
        env: The caller's environment.
        scratch: A directory of this run's own; whatever is started carries it as its mark.
        timeout: Seconds after which a process is ended with all it started.
        stop: Ends the run when set.
    """

    pair: Mapping[Variant, Installation]
    env: Mapping[str, str]
    scratch: Path
    timeout: float
    stop: threading.Event

    def measure(self, arm: Arm, job: Job) -> Timed | Failed:
        """Run a job on an arm.

        Raises:
            EnvironmentFault: There is no space left in the scratch directory.
            Interrupted: `stop` was set.
        """
        found = self._run(arm, job, Timed)
        if isinstance(found, Timed) and found.gil != arm.gil:
            return Failed(error=f"the GIL was {'on' if found.gil else 'off'} when it ended")
        return found

    def calibrate(self, job: Job) -> Rate | Failed:
        """How much of a workload one thread of the GIL build does in a second."""
        return self._run(Arm.GIL, job, Rate)

    def _run(self, arm: Arm, job: Job, kind: type[T]) -> T | Failed:
        build = self.pair[arm.variant]
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            task, report, errors = (Path(folder, name) for name in ("job", "report", "errors"))
            task.write_bytes(msgspec.json.encode(job))
            done = process.capture(
                (
                    build.python,
                    "-I",
                    "-B",
                    *arm.flags,
                    WORKLOADS / "worker.py",
                    task,
                    report,
                    errors,
                ),
                env=self._environment(build, folder),
                # A user's script may read files beside it; ours get their paths.
                cwd=None if job.workload.endswith(".py") else Path(folder),
                timeout=self.timeout,
                exact=True,
                stop=self.stop,
            )
            said = _end(errors) + done.stderr
            answer = read_report(done, report, said, kind)
            if isinstance(answer, Failed):
                require_room(self.scratch, said + answer.error)
            return answer

    def _environment(self, build: Installation, folder: str) -> dict[str, str]:
        """The caller's, but for what would change how Python runs."""
        kept = {k: v for k, v in self.env.items() if not k.startswith("PYTHON")}
        return {**build.environment(kept), "TMPDIR": folder, process.MARK: folder}


def read_report(done: process.Completed, path: Path, said: str, kind: type[T]) -> T | Failed:
    """The report that a process left, or what kept it from leaving one.

    Args:
        done: How the process ended.
        path: The report.
        said: The last of what it said on standard error.
        kind: What the report should be.
    """
    if done.timed_out:
        return Failed(error="not done in time; --timeout allows more")
    if not done.ok:
        return Failed(error=" ".join(filter(None, (done.ending, _last(said)))))
    try:
        report = msgspec.json.decode(read_file(path), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return Failed(error="it ended without a report")
    if "error" in report:
        return Failed(error=str(report["error"]))
    try:
        return msgspec.convert(report, type=kind)
    except msgspec.ValidationError as error:
        return Failed(error=f"its report cannot be read: {error}")


def _end(path: Path) -> str:
    """The last few kilobytes of a file; nothing if it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TOLD))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _last(text: str) -> str:
    """The line that tells most of what a dying interpreter said."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = next((line for line in lines if line.startswith("Fatal Python error")), "")
    return f"({fatal or lines[-1]})" if lines else ""
