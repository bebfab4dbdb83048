from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.bench.pyperformance import (
    BENCHMARKS,
    FEWEST,
    LEFT_OUT,
    MOST,
    QUICK,
    VALUE_SECONDS,
    Load,
    calibrated,
    decoded,
    left_out,
    run,
)
from ftbuild.bench.results import Suite, SuiteRow
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.events import Event, Measuring
from ftbuild.model.versions import Variant
from tests.builders import build, with_python

# Makes virtual environments, whose interpreter (SELF) is another such script; is pip, which brings
# what html5lib and chameleon need; and runs benchmarks: one takes a loop 10 ms, and that SLOWER
# times, in the median of three.
PYTHON = r"""
echo "$@" >> SCRATCH/calls
env | grep -E '^(PYTHON|PIP_|SSL_)' | sort >> SCRATCH/calls
case "$*" in
  *"-m venv"*)
    for folder; do :; done
    mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python"; exit;;
  *"-m pip"*)
    while [ "$1" != --target ]; do shift; done
    mkdir -p "$2"
    case "$*" in
      *bm_html5lib*) PIP_HTML5LIB;;
      *pyperf==*)
        for script in html5lib nbody float; do
          mkdir -p "$2/pyperformance/data-files/benchmarks/bm_$script"
        done
        touch "$2/pyperformance/data-files/benchmarks/bm_html5lib/requirements.txt"
        PIP_SUITE;;
    esac
    exit;;
esac
for report; do :; done
WORK
case "$*" in
  *--calibrate-loops*) runs='{"warmups": [[1, 0.02], [4, 0.01]]}';;
  *) runs='{"warmups": [[1, 9]], "values": [9, TAKES, 0.001]}';;
esac
echo '{"benchmarks": [{"runs": ['"$runs"']}], "metadata": {"name": "x"}}' > "$report"
"""


def measured(
    folder: Path,
    only: Sequence[str],
    *,
    rounds: int = 1,
    env: Mapping[str, str] | None = None,
    stop_at: int | None = None,
    **parts: str,
) -> Suite:
    """A run on interpreters that are shell scripts; stopped before run number `stop_at`."""
    scratch, stop = folder / "scratch", threading.Event()
    scratch.mkdir()

    def python(takes: str) -> str:
        text = PYTHON.replace("SCRATCH", str(scratch)).replace("TAKES", takes)
        for part in ("WORK", "PIP_HTML5LIB", "PIP_SUITE"):
            text = text.replace(part, parts.get(part.lower(), ":"))
        return text

    def emit(event: Event) -> None:
        if isinstance(event, Measuring) and event.done == stop_at:
            stop.set()

    return run(
        (
            with_python(build(folder / "gil", Variant.GIL), python("0.010")),
            with_python(build(folder / "free", Variant.FREE_THREADED), python("0.012")),
        ),
        rounds=rounds,
        scratch=scratch,
        env={**os.environ, **(env or {})},
        stop=stop,
        emit=emit,
        cpu=1,
        only=only,
    )


def calls(folder: Path) -> list[str]:
    return (folder / "scratch" / "calls").read_text().splitlines()


def test_what_is_left_out_is_not_hidden() -> None:
    rows = {each.name: each for each in left_out()}
    assert rows.keys() == LEFT_OUT.keys()
    assert not rows.keys() & BENCHMARKS.keys()
    assert rows["mako"].failures["free-threaded"].startswith("needs markupsafe, which is compiled")
    assert set(QUICK) <= BENCHMARKS.keys()


def report(loops: int, each: float, inner: int = 1) -> bytes:
    runs = [{"warmups": [[1, 9.0], [loops, each]]}]
    return msgspec.json.encode(
        {"benchmarks": [{"runs": runs}], "metadata": {"inner_loops": inner, "name": "x"}}
    )


def test_loads_are_chosen_by_what_a_loop_takes() -> None:
    assert calibrated(decoded(report(64, 0.001))) == Load(loops=130, values=5)
    assert calibrated(decoded(report(1, 0.3))) == Load(loops=1, values=2)
    assert calibrated(decoded(report(1, 60.0))) == Load(loops=1, values=FEWEST)
    # Pyperf divides by the inner loops.
    assert calibrated(decoded(report(8, 0.0001, inner=10))) == Load(loops=130, values=5)


@given(st.floats(min_value=1e-9, max_value=1e3))
def test_any_load_can_be_run(each: float) -> None:
    load = calibrated(decoded(report(1, each)))
    assert load.loops >= 1
    assert FEWEST <= load.values <= MOST
    assert load.loops * each <= max(each, 1.5 * VALUE_SECONDS)


@given(st.binary())
def test_a_report_that_is_none(data: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decoded(data)


@pytest.mark.parametrize(
    "text",
    [
        b'{"benchmarks": []}',
        b'{"benchmarks": [{"runs": []}]}',
        b'{"benchmarks": [{"runs": [{}]}]}',
        b'{"benchmarks": [{"runs": [{"values": ["1"]}]}]}',
    ],
)
def test_a_report_without_a_value(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(text)


def test_a_run(tmp_path: Path) -> None:
    found = measured(tmp_path, ("nbody", "html5lib"), rounds=2)
    both: dict[str, tuple[float, ...]] = {"gil": (0.01, 0.01), "free-threaded": (0.012, 0.012)}
    assert found.rows == (
        SuiteRow(name="nbody", values=both),
        SuiteRow(name="html5lib", values=both),
    )
    assert (found.figure, found.workers, found.version) == ("seconds", 1, "1.14.0")
    scratch = tmp_path / "scratch"
    nbody = [call for call in calls(tmp_path) if "bm_nbody" in call]
    script = scratch / "packages/pyperformance/data-files/benchmarks/bm_nbody/run_benchmark.py"
    start = f"{script} --worker --quiet --affinity=1"
    ask = "--calibrate-loops --warmups=0 --values=1 --min-time=0.1"
    work = "--loops=13 --values=5 --warmups=1"
    gil, free = scratch / "gil.json", scratch / "free-threaded.json"
    assert nbody == [
        f"-B {start} {ask} -o {gil}",
        f"-B {start} {work} -o {gil}",
        f"-B -Xgil=0 {start} {work} -o {free}",
        f"-B -Xgil=0 {start} {work} -o {free}",
        f"-B {start} {work} -o {gil}",
    ]


def test_every_benchmark_of_the_suite_has_a_row(tmp_path: Path) -> None:
    found = measured(tmp_path, (), work="exit 1")
    assert [each.name for each in found.rows] == [*BENCHMARKS, *LEFT_OUT]


def test_what_reaches_pip_and_the_benchmarks(tmp_path: Path) -> None:
    env = {"PYTHONPATH": "/x", "PYTHON_GIL": "1", "SSL_CERT_FILE": "/ca", "PIP_NO_INDEX": "0"}
    measured(tmp_path, ("html5lib",), env=env)
    said = calls(tmp_path)
    scratch = tmp_path / "scratch"
    assert "SSL_CERT_FILE=/ca" in said
    assert "PIP_NO_INDEX=0" in said
    assert {line for line in said if line.startswith("PYTHON")} == {
        "PYTHONHASHSEED=1",
        "PYTHONNOUSERSITE=1",
        f"PYTHONPATH={scratch / 'packages-html5lib'}:{scratch / 'packages'}",
    }


def test_the_suite_cannot_be_installed(tmp_path: Path) -> None:
    pip = "echo 'ERROR: a' >&2; echo 'ERROR: No matching distribution' >&2; exit 1"
    with pytest.raises(EnvironmentFault, match="cannot be installed: exit status 1") as caught:
        measured(tmp_path, ("nbody",), pip_suite=pip)
    assert caught.value.tail == ("ERROR: a", "ERROR: No matching distribution")


@pytest.mark.parametrize(
    ("pip", "why"),
    [
        (
            "echo 'ERROR: no six' >&2; exit 1",
            "what it needs cannot be installed: exit status 1: ERROR: no six",
        ),
        ('touch "$2/x.so"', "needs x.so, which is compiled"),
    ],
)
def test_what_a_benchmark_needs_cannot_be_had(tmp_path: Path, pip: str, why: str) -> None:
    html5lib, nbody = measured(tmp_path, ("html5lib", "nbody"), pip_html5lib=pip).rows
    assert html5lib.failures == {"gil": why, "free-threaded": why}
    assert html5lib.values == {}
    assert set(nbody.values) == {"gil", "free-threaded"}


@pytest.mark.parametrize(
    ("work", "gil", "free"),
    [
        (
            "echo 'ImportError: x' >&2; exit 1",
            "exit status 1: ImportError: x",
            "fails on the GIL build: exit status 1: ImportError: x",
        ),
        ('case "$*" in *gil=0*) kill -SEGV $$;; esac', None, "signal SIGSEGV"),
        ("exit 0", "a report that cannot be read", "fails on the GIL build: a report that"),
        ('echo "[]" > "$report"; exit', "a report that cannot be read", "fails on the GIL build"),
    ],
)
def test_a_benchmark_that_fails(tmp_path: Path, work: str, gil: str | None, free: str) -> None:
    (found,) = measured(tmp_path, ("nbody",), rounds=2, work=work).rows
    assert found.failures["free-threaded"].startswith(free)
    if gil is None:
        assert found.values == {"gil": (0.01, 0.01)}
    else:
        assert found.failures["gil"].startswith(gil)


def test_a_stop_keeps_what_was_measured(tmp_path: Path) -> None:
    found = measured(tmp_path, ("nbody", "float"), stop_at=3)
    assert [set(each.values) for each in found.rows] == [
        {"gil", "free-threaded"},
        {"free-threaded"},
    ]


def test_an_unknown_benchmark(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no nobody among"):
        measured(tmp_path, ("nobody",))
