"""What is under watch: real processes that do what they can to be overlooked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ftbuild import process
from ftbuild.errors import EnvironmentFault
from tests.unit.test_process import ENV, eventually, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux's")

HIDES = """
import os, sys, time
told = sys.argv[1]
if not os.fork():
    os.setsid()
    if not os.fork():
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        with open(told + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(told + ".new", told)
        os.execve("/bin/sleep", ["sleep", "600"], {})
    os._exit(0)
while not os.path.exists(told):
    time.sleep(0.01)
"""
"""Starts what leaves its parents, its session, its output and its environment; then goes on."""

ENDINGS = {"ends": "", "exits": "sys.exit(3)", "crashes": "os.abort()", "stays": "time.sleep(600)"}


def marked(folder: Path) -> dict[str, str]:
    return {**ENV, process.MARK: str(folder)}


def hidden(folder: Path) -> int:
    """The number of the process that hides."""
    told = folder / "told"
    assert eventually(told.exists, 30)
    return int(told.read_text())


def command(folder: Path, then: str = "") -> list[str]:
    return [sys.executable, "-I", "-S", "-c", f"{HIDES}\n{then}", str(folder / "told")]


@pytest.mark.parametrize(("how", "code"), [("ends", 0), ("exits", 3), ("crashes", -signal.SIGABRT)])
def test_nothing_outlives_a_command_that_ends(tmp_path: Path, how: str, code: int) -> None:
    done = process.capture(command(tmp_path, ENDINGS[how]), env=marked(tmp_path))
    assert (done.returncode, done.timed_out) == (code, False)
    assert not running(hidden(tmp_path))


def test_nothing_outlives_one_that_takes_too_long(tmp_path: Path) -> None:
    argv = command(tmp_path, ENDINGS["stays"])
    done = process.capture(argv, env=marked(tmp_path), timeout=3, exact=True)
    assert done.timed_out
    assert not running(hidden(tmp_path))


def test_nothing_outlives_one_that_is_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    code = process.stream(
        command(tmp_path, "print('ready', flush=True); time.sleep(600)"),
        env=marked(tmp_path),
        cwd=tmp_path,
        log=tmp_path / "log",
        on_line=lambda _: stop.set(),
        stop=stop,
    )
    assert code == -signal.SIGTERM
    assert not running(hidden(tmp_path))


def test_nothing_outlives_us(tmp_path: Path) -> None:
    """Killed with SIGKILL, nobody is left to tell what to end."""
    script = (
        "import sys; from ftbuild.process import capture\n"
        f"capture(sys.argv[1:], env={marked(tmp_path)!r})"
    )
    argv = [sys.executable, "-c", script, *command(tmp_path, ENDINGS["stays"])]
    env = {**ENV, "PYTHONPATH": str(Path(process.__file__).parents[1])}
    with subprocess.Popen(argv, env=env) as ours:
        pid = hidden(tmp_path)
        ours.kill()
    assert eventually(lambda: not running(pid), 30)


def test_a_command_ends_with_who_watches_it(tmp_path: Path) -> None:
    script = "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(600)"
    done = process.capture([sys.executable, "-c", script], env=marked(tmp_path))
    assert done.returncode == -signal.SIGKILL
    assert not done.timed_out, "it was over at once"


def test_one_that_stops_who_watches_it_is_ended_all_the_same(tmp_path: Path) -> None:
    script = "import os, signal, time; os.kill(os.getppid(), signal.SIGSTOP); time.sleep(600)"
    done = process.capture(
        [sys.executable, "-c", script], env=marked(tmp_path), timeout=2, exact=True
    )
    assert done.timed_out


def test_what_is_about_to_end_by_itself_may_do_so(tmp_path: Path) -> None:
    """The end of a pipeline in the background, which has something to write yet."""
    script = "(sleep 0.05; echo last) & echo first"
    assert process.capture(["sh", "-c", script], env=marked(tmp_path)).stdout == "first\nlast\n"


def test_its_environment_is_the_one_that_is_given(tmp_path: Path) -> None:
    odd = {"LINES": "a\nb", "EMPTY": "", "BYTES": os.fsdecode(b"\xff"), "EQUALS": "a=b"}
    env = {"PATH": ENV["PATH"], process.MARK: str(tmp_path), **odd}
    done = process.capture(["/usr/bin/env", "-0"], env=env)
    said = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)
    assert said == {**env, "BYTES": "\N{REPLACEMENT CHARACTER}"}


def test_its_signals_are_what_they_should_be(tmp_path: Path) -> None:
    ignored = "grep SigIgn /proc/self/status"
    plain = process.capture(["sh", "-c", ignored], env=ENV)
    assert process.capture(["sh", "-c", ignored], env=marked(tmp_path)).stdout == plain.stdout


@pytest.mark.parametrize("word", ["no-such-program", "/", "./no-program"])
def test_what_cannot_be_started(tmp_path: Path, word: str) -> None:
    (tmp_path / "no-program").write_bytes(b"\0")
    (tmp_path / "no-program").chmod(0o755)
    with pytest.raises(EnvironmentFault) as plain:
        process.capture([word], env=ENV, cwd=tmp_path)
    with pytest.raises(EnvironmentFault) as watched:
        process.capture([word], env=marked(tmp_path), cwd=tmp_path)
    assert watched.value.message == plain.value.message
