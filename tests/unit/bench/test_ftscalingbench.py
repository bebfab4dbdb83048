from __future__ import annotations

import io
import os
import tarfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.bench.ftscalingbench import PATH, benchmarks, bound, figure, parse, run, script
from ftbuild.bench.results import Suite, SuiteRow
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.events import Event, Measuring
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant
from ftbuild.process import Completed
from tests.builders import build, with_python

# The least of it: two benchmarks, the function that chooses CPUs, the call at its end.
SCRIPT = b"""
def determine_num_threads_and_affinity():
    return [7]

ALL_BENCHMARKS = {"one": None, "two": None}

if __name__ == "__main__":
    print(determine_num_threads_and_affinity())
"""

# Lists its benchmarks for `-c`; says its figure for the benchmark named last, as the script does.
ANSWERS = """
case "$*" in
  *ALL_BENCHMARKS*) echo one two; exit;;
esac
echo "$@" >> calls
for name; do :; done
echo "Running benchmarks with 2 threads"
echo "expected to be run with the  GIL disabled" >&2
"""


def tarball(folder: Path, path: str = PATH, content: bytes = SCRIPT) -> Path:
    made = folder / "Python-3.14.7.tgz"
    with tarfile.open(made, "w:gz") as archive:
        for name, data in (("README.rst", b"x"), (path, content)):
            info = tarfile.TarInfo(f"Python-3.14.7/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made


def ended(stdout: str = "", stderr: str = "", returncode: int = 0) -> Completed:
    return Completed(argv=(), returncode=returncode, stdout=stdout, stderr=stderr)


def measured(
    folder: Path, gil: str, free: str, *, stop: threading.Event | None = None, **asked: object
) -> Suite:
    """A run on interpreters that are shell scripts; with `stop`, stopped as the second begins."""
    scratch = folder / "scratch"
    scratch.mkdir()
    pair: tuple[Installation, Installation] = (
        with_python(build(folder / "gil", Variant.GIL), ANSWERS + gil),
        with_python(build(folder / "free", Variant.FREE_THREADED), ANSWERS + free),
    )
    halt = stop or threading.Event()

    def emit(event: Event) -> None:
        if stop is not None and isinstance(event, Measuring) and event.done == 1:
            stop.set()

    options: dict[str, object] = {"workers": 2, "rounds": 2, **asked}
    return run(
        pair,
        tarball(folder),
        scratch=scratch,
        env=os.environ,
        stop=halt,
        emit=emit,
        **options,  # type: ignore[arg-type]
    )


def test_the_script_comes_out_of_the_source(tmp_path: Path) -> None:
    assert script(tarball(tmp_path)) == SCRIPT


def test_a_release_without_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no Tools/.*ftscalingbench\.py") as caught:
        script(tarball(tmp_path, "Tools/other.py"))
    assert "3.14" in caught.value.hint


def test_the_scripts_threads_are_bound_to_the_cpus_asked_for() -> None:
    said: list[object] = []
    exec(bound(SCRIPT, [1, 3, 1]), {"__name__": "__main__", "print": said.append})  # noqa: S102
    assert said == [[1, 3, 1]]


@pytest.mark.parametrize("text", [b"", SCRIPT.replace(b"def determine", b"def choose"), b"\x00"])
def test_a_script_whose_threads_cannot_be_bound(text: bytes) -> None:
    with pytest.raises(EnvironmentFault, match="does not know"):
        bound(text, [0])


def test_parsing() -> None:
    output = (
        "Running benchmarks with 2 threads\n"
        "\x1b[31mobject_cfunction           1.1x faster\x1b[0m\n"
        "cmodule_function            2.0x slower\n"
        "super_call                 12.5x faster\n"
        "nonsense 1.x faster\n"
        "zero 0.0x slower\n"
        "pymethod           3.2 ms\n"
    )
    assert parse(output) == {"object_cfunction": 1.1, "cmodule_function": 0.5, "super_call": 12.5}


@given(
    st.dictionaries(
        st.text("abz_09", min_size=1, max_size=30),
        st.floats(min_value=0.01, max_value=1000),
        max_size=5,
    )
)
def test_parsing_what_the_script_prints(speedups: dict[str, float]) -> None:
    lines = []
    for name, speedup in speedups.items():
        factor, direction = (speedup, "faster") if speedup >= 1 else (1 / speedup, "slower")
        lines.append(f"\x1b[33m{name:<25} {round(factor, 1):>4}x {direction}\x1b[0m")
    found = parse("\n".join(lines))
    assert list(found) == list(speedups)
    for name, speedup in speedups.items():
        factor, read = max(speedup, 1 / speedup), max(found[name], 1 / found[name])
        assert read == pytest.approx(factor, abs=0.051)
        assert (found[name] >= 1) == (speedup >= 1) or read == 1.0


@given(st.text())
def test_parsing_anything(output: str) -> None:
    assert all(speedup > 0 for speedup in parse(output).values())


def test_why_there_is_no_figure() -> None:
    notice = "expected to be run with the  GIL disabled\n"
    assert figure(ended("one 1.9x faster\n", notice), "one") == 1.9
    assert figure(ended("one 1.9x faster\n", returncode=-11), "one") == "signal SIGSEGV"
    assert figure(ended("", notice, -11), "one") == "signal SIGSEGV"
    assert figure(ended("", f"{notice}OSError: no\n", 1), "one") == "exit status 1: OSError: no"
    assert figure(ended("two 1.9x faster\n"), "one") == (
        "no figure in its output: 'two 1.9x faster\\n'"
    )


def test_the_benchmarks_are_asked_of_the_script() -> None:
    assert benchmarks(ended("one two\n"), "cpython-3.14.7") == ("one", "two")
    for done in (ended(), ended("one", "NameError: x\n", 1)):
        with pytest.raises(EnvironmentFault, match=r"cannot be run by cpython-3\.14\.7"):
            benchmarks(done, "cpython-3.14.7")


def test_a_run(tmp_path: Path) -> None:
    suite = measured(
        tmp_path,
        'echo "$name 1.0x slower"',
        'case "$*" in *gil=1*) echo "$name 1.1x slower";; *) echo "$name 1.9x faster";; esac',
    )
    values: dict[str, tuple[float, ...]] = {
        "gil": (1.0, 1.0),
        "free-threaded": (1.9, 1.9),
        "gil-forced": (1 / 1.1, 1 / 1.1),
    }
    assert suite == Suite(
        name="ftscalingbench",
        version="3.14.7",
        figure="speed-up",
        workers=2,
        rows=(SuiteRow(name="one", values=values), SuiteRow(name="two", values=values)),
    )
    calls = (tmp_path / "scratch" / "calls").read_text().splitlines()
    path = tmp_path / "scratch" / "ftscalingbench.py"
    assert calls[:2] == [
        f"-I -B {path} --threads=2 --scale=100 one",
        f"-I -B -Xgil=0 {path} --threads=2 --scale=100 one",
    ]
    assert len(calls) == 12
    assert path.read_bytes() == SCRIPT


def test_threads_are_bound_to_cpus_in_turn(tmp_path: Path) -> None:
    measured(tmp_path, "", "", cpus=(4, 5), workers=3, rounds=1, only=("two",), scale=7)
    calls = (tmp_path / "scratch" / "calls").read_text().splitlines()
    assert len(calls) == 3
    assert all(call.endswith("ftscalingbench.py --scale=7 two") for call in calls)
    path = tmp_path / "scratch" / "ftscalingbench.py"
    assert path.read_bytes() == bound(SCRIPT, [4, 5, 4])


def test_a_crash_costs_one_arm_of_one_benchmark(tmp_path: Path) -> None:
    suite = measured(
        tmp_path,
        'echo "$name 1.0x faster"',
        'case "$*" in *gil=0*one) kill -SEGV $$;; esac; echo "$name 1.9x faster"',
    )
    one, two = suite.rows
    assert one.failures == {"free-threaded": "signal SIGSEGV"}
    assert set(one.values) == {"gil", "gil-forced"}
    assert two.failures == {}


def test_a_stop_keeps_what_was_measured(tmp_path: Path) -> None:
    suite = measured(tmp_path, 'echo "$name 1.0x faster"', "sleep 60", stop=threading.Event())
    assert suite.rows == (SuiteRow(name="one", values={"gil": (1.0,)}),)


def test_an_unknown_benchmark(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no three in ftscalingbench") as caught:
        measured(tmp_path, "", "", only=("one", "three"))
    assert caught.value.hint == "There are: one, two."
