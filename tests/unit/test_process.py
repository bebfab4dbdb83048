from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ftbuild import process
from ftbuild.errors import EnvironmentFault

ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
SETSID = shutil.which("setsid")
LEAVER = "setsid sh -c 'echo $$; exec sleep 60'"
"""A command that leaves the session, says its number once it has, and stays for long."""

LEAVES = pytest.mark.skipif(
    SETSID is None or not Path("/proc/self/environ").exists(),
    reason="no setsid, or no /proc in which to find what left the session",
)


def running(pid: int) -> bool:
    """Whether a process exists and is no zombie that a distant parent has yet to reap."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def eventually(what: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.01)
    return what()


class Streamed:
    """A `stream` in a thread, whose lines can be waited for."""

    def __init__(self, script: str, folder: Path, **env: str) -> None:
        self.lines: list[str] = []
        self.stop = threading.Event()
        self.log = folder / "log"
        self.code: int | None = None
        self._script, self._folder, self._env = script, folder, {**ENV, **env}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.code = process.stream(
            ["sh", "-c", self._script],
            env=self._env,
            cwd=self._folder,
            log=self.log,
            on_line=self.lines.append,
            stop=self.stop,
        )

    def first_line(self) -> str:
        assert eventually(lambda: bool(self.lines))
        return self.lines[0]

    def stopped_after(self) -> float:
        """Seconds from the order to stop until it has ended."""
        started = time.monotonic()
        self.stop.set()
        self._thread.join()
        return time.monotonic() - started


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The politeness of a few seconds is not what these tests are about."""
    monkeypatch.setattr(process, "GRACE", 0.3)


def test_capture_returns_what_was_said(tmp_path: Path) -> None:
    script = "pwd; cat; echo ä >&2; exit 3"
    done = process.capture(["sh", "-c", script], env=ENV, cwd=tmp_path, stdin="given")
    assert done.stdout == f"{tmp_path}\ngiven"
    assert done.stderr == "ä\n"
    assert (done.returncode, done.ok, done.ending) == (3, False, "exit status 3")


def test_the_environment_is_what_was_given_and_no_more() -> None:
    done = process.capture([sys.executable, "-c", "import os; print(*os.environ)"], env={"A": "1"})
    assert {"A"} <= set(done.stdout.split()) <= {"A", "LC_CTYPE"}


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert process.capture(["printf", r"\377"], env=ENV).stdout == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("script", "ending"),
    [("kill -SEGV $$", "signal SIGSEGV"), ("exit 0", "exit status 0")],
)
def test_endings(script: str, ending: str) -> None:
    assert process.capture(["sh", "-c", script], env=ENV).ending == ending


def test_an_ending_by_a_signal_without_a_name() -> None:
    assert process.ending(-42) == "signal 42"


def test_a_missing_program() -> None:
    with pytest.raises(EnvironmentFault, match="no-such-program cannot be started") as caught:
        process.capture(["no-such-program"], env=ENV)
    assert "doctor" in caught.value.hint


def test_too_late_ends_the_whole_group() -> None:
    started = time.monotonic()
    done = process.capture(["sh", "-c", "sleep 60 & echo $!; wait"], env=ENV, timeout=0.3)
    assert time.monotonic() - started < 30, "half of what the command would take"
    assert (done.timed_out, done.ok) == (True, False)
    assert re.fullmatch(r"took longer than \d s; is the machine busy\?", done.ending)
    assert eventually(lambda: not running(int(done.stdout)))


@LEAVES
@pytest.mark.usefixtures("impatient")
def test_too_late_does_not_wait_for_who_left_the_group() -> None:
    script = f"{LEAVER} & wait"
    done = process.capture(["sh", "-c", script], env=ENV, timeout=0.3)
    assert done.timed_out
    os.kill(int(done.stdout), signal.SIGKILL)


def test_stream_tells_every_line_and_logs_it(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    lines: list[str] = []
    code = process.stream(
        ["sh", "-c", "echo one; echo two >&2; printf 'three\\377'; cat; exit 4"],
        env=ENV,
        cwd=tmp_path,
        log=tmp_path / "log",
        on_line=lines.append,
        stop=threading.Event(),
    )
    assert code == 4
    assert lines == ["one", "two", "three\N{REPLACEMENT CHARACTER}"]
    assert (tmp_path / "log").read_bytes() == b"before\none\ntwo\nthree\xff"


def test_stop_ends_the_children_too(tmp_path: Path) -> None:
    running_one = Streamed("sleep 60 & echo $!; wait", tmp_path)
    child = int(running_one.first_line())
    assert running_one.stopped_after() < 2
    assert running_one.code == -signal.SIGTERM
    assert eventually(lambda: not running(child))


@pytest.mark.usefixtures("impatient")
def test_stop_ends_who_will_not_listen(tmp_path: Path) -> None:
    deaf = Streamed("trap '' TERM; echo ready; while :; do sleep 60; done", tmp_path)
    deaf.first_line()
    assert deaf.stopped_after() < 3
    assert deaf.code == -signal.SIGKILL


@LEAVES
def test_stop_ends_who_left_the_session(tmp_path: Path) -> None:
    marked = Streamed(f"{LEAVER} & wait", tmp_path, **{process.MARK: str(tmp_path)})
    child = int(marked.first_line())
    assert marked.stopped_after() < 5
    assert eventually(lambda: not running(child))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_what_was_started_is_ended_before_who_clears_up_after_it(tmp_path: Path) -> None:
    stop = threading.Event()
    code = process.stream(
        ["sh", "-c", "setsid sleep 60 & echo started; wait $!; echo $? >cleared; exit 5"],
        env=ENV,
        cwd=tmp_path,
        log=tmp_path / "log",
        on_line=lambda _: stop.set(),
        stop=stop,
        clears_up=True,
    )
    assert code == 5
    assert (tmp_path / "cleared").read_text() == "137\n"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_who_does_not_end_by_that_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0.3)
    stop = threading.Event()
    code = process.stream(
        ["sh", "-c", "echo started; while :; do sleep 60; done"],
        env=ENV,
        cwd=tmp_path,
        log=tmp_path / "log",
        on_line=lambda _: stop.set(),
        stop=stop,
        clears_up=True,
    )
    assert code == -signal.SIGTERM


@LEAVES
@pytest.mark.parametrize("below", ["", "/cpython-3.14.7t-12345678"])
def test_the_mark_is_a_directory_and_what_lies_below(tmp_path: Path, below: str) -> None:
    env = {**ENV, process.MARK: f"{tmp_path}{below}"}
    with subprocess.Popen(["/bin/sleep", "60"], env=env) as one:
        assert eventually(lambda: os.fsencode(tmp_path) in environ(one.pid))
        assert process.end_marked(str(tmp_path)[:-1]) == 0
        assert process.end_marked(f"{tmp_path}/other") == 0
        assert process.end_marked(str(tmp_path)) == 1
        assert one.wait() == -signal.SIGKILL


def environ(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.usefixtures("impatient")
def test_a_child_left_behind_with_the_pipe_does_not_hold_us(tmp_path: Path) -> None:
    left = Streamed("sleep 60 & echo $!", tmp_path)
    child = int(left.first_line())
    assert left.stopped_after() < 3
    assert left.code == 0
    assert eventually(lambda: not running(child))


@LEAVES
@pytest.mark.usefixtures("impatient")
def test_nor_does_one_that_nobody_can_find(tmp_path: Path) -> None:
    left = Streamed(f"{LEAVER} &", tmp_path)
    child = int(left.first_line())
    assert left.stopped_after() < 3
    assert left.code == 0
    os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_under_the_log_is_an_error_and_no_hang(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be written: No space left") as caught:
        process.stream(
            ["sh", "-c", "while :; do echo a line to fill a pipe with; done"],
            env=ENV,
            cwd=tmp_path,
            log=Path("/dev/full"),
            on_line=lambda _: None,
            stop=threading.Event(),
        )
    assert "Free some space" in caught.value.hint


def test_an_error_of_the_reader_reaches_the_caller(tmp_path: Path) -> None:
    def fail(line: str) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError, match="a line"):
        process.stream(
            ["sh", "-c", "while :; do echo a line; done"],
            env=ENV,
            cwd=tmp_path,
            log=tmp_path / "log",
            on_line=fail,
            stop=threading.Event(),
        )


def test_descriptors_are_passed_on(tmp_path: Path) -> None:
    read, write = os.pipe()
    with os.fdopen(read) as told, os.fdopen(write, "w"):
        process.stream(
            [sys.executable, "-c", f"import os; os.write({write}, b'hello\\n')"],
            env=ENV,
            cwd=tmp_path,
            log=tmp_path / "log",
            on_line=lambda _: None,
            stop=threading.Event(),
            pass_fds=(write,),
        )
        assert told.readline() == "hello\n"


def python(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a Python that finds ftbuild and has SIGINT ignored from the start."""
    source = Path(process.__file__).parents[1]
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", script, *words]
    return subprocess.run(
        command, env={**ENV, "PYTHONPATH": str(source)}, check=True, capture_output=True, text=True
    )


ASKS = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


@pytest.mark.parametrize(
    "script",
    [
        f"""
import sys
from ftbuild.process import capture
print(capture([sys.executable, "-c", {ASKS!r}], env={{}}).stdout, end="")
""",
        f"""
import sys, threading
from pathlib import Path
from ftbuild.process import stream
stream([sys.executable, "-c", {ASKS!r}], env={{}}, cwd=Path("/"), log=Path("/dev/null"),
       on_line=print, stop=threading.Event())
""",
    ],
)
def test_children_have_sigint_at_its_default_even_where_we_ignore_it(script: str) -> None:
    assert python(ASKS).stdout == "False\n"
    assert python(script).stdout == "True\n"


def test_replace_becomes_the_program() -> None:
    script = (
        "import sys; from ftbuild.process import replace; replace(sys.argv[1:], env={'A': 'b'})"
    )
    assert python(script, "/bin/sh", "-c", 'echo "$A" "$1"', "sh", "c d").stdout == "b c d\n"


def test_replace_by_what_is_not_there() -> None:
    with pytest.raises(EnvironmentFault, match="/no/such/python cannot be run"):
        process.replace(["/no/such/python"], env={})


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    threads = threading.active_count()
    yield
    assert eventually(lambda: threading.active_count() <= threads)
