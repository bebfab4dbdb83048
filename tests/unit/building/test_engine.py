from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ftbuild import process
from ftbuild.building.engine import TAIL, Runner, together
from ftbuild.building.jobs import JobBudget
from ftbuild.errors import BuildFailed, EnvironmentFault, Interrupted, TrainingFailed
from ftbuild.model.events import (
    Event,
    StageFinished,
    StageLine,
    StageProgress,
    StageStarted,
    Warned,
)
from tests.builders import MAKE

from .plans import of_shell


class Bench:
    """A runner whose events are kept."""

    def __init__(self, folder: Path, budget: JobBudget) -> None:
        self.events: list[Event] = []
        self.stop = threading.Event()
        self.logs = folder / "logs"
        self.logs.mkdir()
        self._folder = folder
        self._runner = Runner(budget=budget, emit=self.events.append, stop=self.stop)

    def build(self, **scripts: str) -> list[tuple[str, int]]:
        """Run a plan of shell scripts; the names of its stages and how much each has done."""
        plan = of_shell(self._folder / "work", **scripts)
        built = self._runner.build(plan, logs=self.logs)
        assert built.compile_log.name.endswith("-compile.log")
        return [(record.name, record.units) for record in built.stages]

    def progress(self) -> list[tuple[int, int]]:
        return [(e.done, e.total) for e in self.events if isinstance(e, StageProgress)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with JobBudget(2, directory=tmp_path, make=MAKE) as budget:
        yield Bench(tmp_path, budget)


def test_stages_run_in_order_with_a_log_each(bench: Bench) -> None:
    assert bench.build(configure="echo one", compile="echo two") == [
        ("configure", 0),
        ("compile", 0),
    ]
    assert (bench.logs / "01-configure.log").read_text() == "one\n"
    assert (bench.logs / "02-compile.log").read_text() == "two\n"
    assert [type(event) for event in bench.events] == [StageStarted, StageLine, StageFinished] * 2
    assert isinstance(bench.events[0], StageStarted)
    assert bench.events[0].log == bench.logs / "01-configure.log"


def test_only_what_is_parallel_draws_on_the_budget(bench: Bench) -> None:
    script = 'echo "${MAKEFLAGS-none}"'
    bench.build(configure=script, compile=script)
    assert (bench.logs / "01-configure.log").read_text() == "none\n"
    assert "--jobserver-auth=" in (bench.logs / "02-compile.log").read_text()


def test_every_process_is_marked_with_its_build_s_directory(bench: Bench, tmp_path: Path) -> None:
    bench.build(compile=f'echo "${process.MARK}"')
    assert (bench.logs / "01-compile.log").read_text() == f"{tmp_path}/work\n"


def test_progress_of_a_compile_is_measured_by_the_makefile(bench: Bench) -> None:
    units = bench.build(
        configure="echo 'OBJS = a.o b.o' > Makefile",
        compile="for n in a b c; do echo gcc -c -o $n.o $n.c; echo ok; done",
    )
    assert units == [("configure", 0), ("compile", 3)]
    assert bench.progress() == [(1, 2), (2, 2), (3, 3)]


def test_progress_of_a_training_is_what_it_says(bench: Bench) -> None:
    bench.build(train="echo '0:00:01 [ 1/43] test_a'; echo '[ 2/43] test_b'", compile=":")
    assert bench.progress() == [(1, 43), (2, 43)]


def test_a_failure_tells_stage_end_lines_cause_and_log(bench: Bench) -> None:
    script = "seq 30; echo 'cc1: error: No space left on device'; exit 2"
    with pytest.raises(BuildFailed, match=r"cpython-3\.14\.7t: compile failed") as caught:
        bench.build(configure="true", compile=script, install="echo never")
    error = caught.value
    assert "exit status 2" in error.message
    assert "The disk is full" in error.hint
    assert error.log == bench.logs / "02-compile.log"
    assert len(error.tail) == TAIL
    assert error.tail[-2:] == ("30", "cc1: error: No space left on device")
    assert not list(bench.logs.glob("*install*"))
    assert not isinstance(error, TrainingFailed)


def test_a_cause_is_found_far_above_the_last_lines(bench: Bench) -> None:
    with pytest.raises(BuildFailed) as caught:
        bench.build(compile="echo 'virtual memory exhausted'; seq 300; exit 1")
    assert "out of memory" in caught.value.hint


def test_options_that_configure_passes_over_are_told_once(bench: Bench) -> None:
    said = "echo 'configure: WARNING: unrecognized options: --enable-speed, --with-luck'"
    bench.build(configure=f"{said} >&2; echo checking; {said}", compile=":")
    (warned,) = [event.text for event in bench.events if isinstance(event, Warned)]
    assert warned == "cpython-3.14.7t: unrecognized options: --enable-speed, --with-luck"


UNIMPORTABLE = """\
echo "gcc -shared -L{lib} Modules/_ssl.o -lssl -o Modules/_ssl.cpython-314.so"
echo "[ERROR] _ssl failed to import: libssl.so.33: cannot open shared object file: No such file"
echo "Following modules built successfully but were removed because they could not be imported:"
echo "_ssl         "; echo
"""


@pytest.mark.parametrize("stage", ["compile", "instrument"])
def test_a_module_that_cannot_be_imported_ends_the_build(
    bench: Bench, tmp_path: Path, stage: str
) -> None:
    (tmp_path / "libssl.so.33").touch()
    scripts = {stage: UNIMPORTABLE.format(lib=tmp_path), "install": "echo never"}
    with pytest.raises(BuildFailed, match=f"{stage} made modules that cannot be") as caught:
        bench.build(**scripts)
    error = caught.value
    assert f"  _ssl: libssl.so.33 is in {tmp_path}, where the loader does not" in error.message
    assert f"LDFLAGS=-Wl,-rpath,{tmp_path}" in error.hint
    assert error.log == bench.logs / f"01-{stage}.log"
    assert error.tail[0].startswith("_ssl failed to import: libssl.so.33: cannot open")
    assert not list(bench.logs.glob("*install*"))


def test_a_training_that_fails_is_told_apart(bench: Bench) -> None:
    with pytest.raises(TrainingFailed, match=r"train failed \(signal SIGSEGV\)"):
        bench.build(train="kill -SEGV $$", compile=":")


def test_a_stop_is_no_failure(bench: Bench) -> None:
    threading.Timer(0.1, bench.stop.set).start()
    with pytest.raises(Interrupted, match="stopped during compile"):
        bench.build(compile="sleep 60")


def test_a_build_directory_that_cannot_be_made(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    plan = of_shell(tmp_path / "work")
    (tmp_path / "work" / "build").rmdir()
    (tmp_path / "work").rmdir()
    (tmp_path / "work").touch()
    with pytest.raises(EnvironmentFault, match="cannot be made"):
        bench._runner.build(plan, logs=bench.logs)


def wait_for(event: threading.Event) -> str:
    assert event.wait(5)
    return "stopped"


def no(_: object) -> bool:
    return False


def test_together_keeps_the_order() -> None:
    def after(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    tasks = [partial(after, seconds) for seconds in (0.06, 0.0, 0.03)]
    assert together(tasks, stop=threading.Event(), enough=no) == (0.06, 0.0, 0.03)


def test_together_runs_all_at_once() -> None:
    barrier = threading.Barrier(5, timeout=5)
    assert len(together([barrier.wait] * 5, stop=threading.Event(), enough=no)) == 5


def test_together_without_tasks() -> None:
    assert together((), stop=threading.Event(), enough=no) == ()


def test_one_result_can_be_enough() -> None:
    stop = threading.Event()
    tasks: list[Callable[[], str]] = [partial(wait_for, stop), lambda: "failed"]
    found = together(tasks, stop=stop, enough=lambda result: result == "failed")
    assert found == ("stopped", "failed")


def test_an_exception_ends_the_others() -> None:
    stop = threading.Event()
    ended: list[str] = []

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        together([lambda: ended.append(wait_for(stop)), fail], stop=stop, enough=no)
    assert ended == ["stopped"]
