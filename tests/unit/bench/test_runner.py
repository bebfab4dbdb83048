"""One process of a measurement, with the Python that runs the tests in the place of a built one."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.runner import Bench, Failed, Job, Rate, Timed
from ftbuild.errors import EnvironmentFault, Interrupted
from ftbuild.toolchain import snapshot


def user(tmp_path: Path, text: str) -> str:
    script = tmp_path / "mine.py"
    script.write_text(f"import os, signal, subprocess, sys, time\n{text}\n")
    return str(script)


WORK = "def work(shard, shards):\n    "


@pytest.mark.parametrize("mode", ["threads", "processes"])
def test_values_and_what_they_took(bench: Bench, mode: str) -> None:
    job = Job(
        workload="mandelbrot", options={"units": 4}, mode=mode, workers=2, values=3, budget=60.0
    )
    found = bench.measure(Arm.GIL, job)
    assert isinstance(found, Timed), found
    assert len(found.values) == 3
    assert len(found.warmups) == 1
    assert found.result is not None
    assert found.rss > 1_000_000
    sample = found.sample(4)
    assert (sample.round, sample.values) == (4, found.values)


def test_threads_and_processes_have_the_same_result(bench: Bench) -> None:
    found = [
        bench.measure(
            Arm.GIL, Job(workload="mandelbrot", options={"units": 3}, mode=mode, workers=n)
        )
        for mode in ("threads", "processes")
        for n in (1, 3)
    ]
    assert len({item.result for item in found if isinstance(item, Timed)}) == 1
    assert not any(isinstance(item, Failed) for item in found)


def test_no_run_begins_once_the_budget_is_spent(bench: Bench) -> None:
    found = bench.measure(Arm.GIL, Job(workload="mandelbrot", options={"units": 1}, values=9))
    assert isinstance(found, Timed)
    assert len(found.values) == 1


def test_a_calibration_tells_the_rate(bench: Bench) -> None:
    found = bench.calibrate(Job(workload="mandelbrot", options={"units": 1}, calibrate=True))
    assert isinstance(found, Rate)
    assert found.rate > 0


@pytest.mark.parametrize("mode", ["threads", "processes"])
def test_a_script_with_merge_has_one_result(bench: Bench, tmp_path: Path, mode: str) -> None:
    text = (
        f"{WORK}return [n * n for n in range(shard, 100, shards)]\n"
        "def merge(partials):\n    return sum(map(sum, partials))\n"
    )
    script = user(tmp_path, text)
    found = [
        bench.measure(Arm.GIL, Job(workload=script, options={}, mode=mode, workers=n))
        for n in (1, 3)
    ]
    assert not any(isinstance(item, Failed) for item in found), found
    assert len({item.result for item in found if isinstance(item, Timed)}) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{WORK}raise LookupError('no such thing')", "LookupError: no such thing"),
        (f"{WORK}os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
        (f"{WORK}os.abort()", "signal SIGABRT"),
        (f"{WORK}os._exit(0)", "it ended without a report"),
        (f"{WORK}os._exit(7)", "exit status 7"),
        (f"{WORK}sys.exit('enough')", "SystemExit: enough"),
        ("wrok = 1", "has no attribute 'work'"),
        ("def work(shard:", "SyntaxError"),
        ("import nowhere", "No module named 'nowhere'"),
    ],
)
def test_a_script_that_fails_says_how(bench: Bench, tmp_path: Path, text: str, said: str) -> None:
    found = bench.measure(Arm.GIL, Job(workload=user(tmp_path, text), options={}))
    assert isinstance(found, Failed)
    assert said in found.error


@pytest.mark.parametrize(
    "text",
    [
        f"{WORK}print('garbage ' * 9, flush=True)",
        f"{WORK}os.fork()",
        f"{WORK}os.write(1, bytes(range(256)))",
        f"{WORK}subprocess.Popen(['/bin/sleep', '60'], start_new_session=True)",
        f"{WORK}sys.stdout.close()",
    ],
    ids=["prints", "forks", "binary", "leaves", "closes"],
)
def test_a_script_may_do_what_it_likes(bench: Bench, tmp_path: Path, text: str) -> None:
    began = time.monotonic()
    found = bench.measure(Arm.GIL, Job(workload=user(tmp_path, text), options={}))
    assert isinstance(found, Timed), found
    assert time.monotonic() - began < bench.timeout


def test_a_script_that_hangs_is_ended(bench: Bench, tmp_path: Path) -> None:
    script = user(tmp_path, f"{WORK}time.sleep(600)")
    hasty = Bench(pair=bench.pair, env=bench.env, scratch=tmp_path, timeout=1.0, stop=bench.stop)
    found = hasty.measure(Arm.GIL, Job(workload=script, options={}))
    assert isinstance(found, Failed)
    assert "--timeout" in found.error


def test_the_gil_must_be_as_the_arm_says(bench: Bench) -> None:
    # The Python that runs the tests has a GIL and does not know the option.
    found = bench.measure(Arm.FREE, Job(workload="mandelbrot", options={"units": 1}))
    assert isinstance(found, Failed)


def test_a_run_that_is_stopped_is_interrupted(bench: Bench, tmp_path: Path) -> None:
    script = user(tmp_path, f"{WORK}time.sleep(600)")
    threading.Timer(0.5, bench.stop.set).start()
    with pytest.raises(Interrupted):
        bench.measure(Arm.GIL, Job(workload=script, options={}))


def test_variables_of_python_do_not_reach_the_process(bench: Bench, tmp_path: Path) -> None:
    script = user(tmp_path, f"{WORK}assert 'PYTHONPATH' not in os.environ")
    env = {**bench.env, "PYTHONPATH": "/nowhere"}
    given = Bench(
        pair=bench.pair, env=env, scratch=tmp_path, timeout=bench.timeout, stop=bench.stop
    )
    assert isinstance(given.measure(Arm.GIL, Job(workload=script, options={})), Timed)


@pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux's")
def test_nothing_outlives_a_script(bench: Bench, tmp_path: Path) -> None:
    """Not even what has left its parents, its session and its environment."""
    told = tmp_path / "told"
    hide = (
        "if not os.fork():\n        os.setsid()\n        if not os.fork():\n"
        f"            open({str(told)!r}, 'w').write(str(os.getpid()))\n"
        "            os.execve('/bin/sleep', ['sleep', '600'], {})\n        os._exit(0)\n"
        f"    while not os.path.exists({str(told)!r}): time.sleep(0.01)\n    return 1"
    )
    bench.measure(Arm.GIL, Job(workload=user(tmp_path, WORK + hide), options={}))
    assert not Path("/proc", told.read_text()).exists()


@pytest.mark.parametrize("how", ["raise OSError(28, os.strerror(28))", "os.kill(os.getpid(), 9)"])
def test_a_full_disk_is_no_failure_of_what_is_measured(
    bench: Bench, tmp_path: Path, small_disk: Path, how: str
) -> None:
    full = f"open({str(small_disk / 'fill')!r}, 'wb', 0).write(bytes(1 << 20))\n    {how}"
    here = msgspec.structs.replace(bench, scratch=small_disk)
    with pytest.raises(EnvironmentFault, match="no space left"):
        here.measure(Arm.GIL, Job(workload=user(tmp_path, WORK + full), options={}))


@pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux's")
def test_what_processes_used_is_heard_although_they_end_after_who_started_them(
    bench: Bench, tmp_path: Path
) -> None:
    """The disturbance by others is what is not ours."""
    text = "def work(shard, shards):\n    if not os.fork():\n"
    text += "        os.setsid()\n        if not os.fork():\n"
    text += "            while time.process_time() < 0.1: pass\n        os._exit(0)\n    return 1"
    before = snapshot()
    bench.measure(Arm.GIL, Job(workload=user(tmp_path, text), options={}, warmups=0))
    after = snapshot()
    assert before is not None
    assert after is not None
    assert after.own - before.own > 0.1
