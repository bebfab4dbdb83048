"""Door 1: the only module that starts processes.

Two ways through it. `capture` runs a short command and returns what it said. `stream` runs a long
one: in a session of its own, output line by line to a log and to a callback, stoppable from
another thread together with everything it started.

Every process gets an explicit environment, no standard input, and SIGINT at its default: a job in
the background of a non-interactive shell inherits SIGINT ignored, and CPython's profile-guided
training then fails in test_generators.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from ftbuild.errors import EnvironmentFault, Interrupted

MARK = "FTBUILD_WORK"
"""Variable that marks every process of a build with its work directory, so that processes which
left the session (test suites start their own) can still be found and ended."""

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL. Make needs well under one to end its children."""

PATIENCE = 20.0
"""Seconds that a command has to clear up when what it started was ended: to write a layer of an
image to its end takes some."""

_POLL = 0.05

_ASIDE = (
    "import os, signal, sys; "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """A finished process.

    Attributes:
        argv: What was run.
        returncode: Exit status; negative is the signal that ended it.
        stdout, stderr: Everything it wrote, decoded as UTF-8 with replacement.
        timed_out: Whether it was ended because it took too long.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it exited with status 0 in time."""
        return self.returncode == 0 and not self.timed_out

    @property
    def ending(self) -> str:
        """How it ended, for people: `exit status 2`, `signal SIGSEGV`, `timed out`."""
        return "timed out" if self.timed_out else ending(self.returncode)


def ending(returncode: int) -> str:
    """A return code for people: `exit status 2`, `signal SIGSEGV`."""
    if returncode >= 0:
        return f"exit status {returncode}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-returncode).name}"
    return f"signal {-returncode}"


def capture(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    timeout: float = 60.0,
    stdin: str = "",
    stop: threading.Event | None = None,
) -> Completed:
    """Run a short command and return what it said; a non-zero exit is not an error.

    Args:
        argv: The command. No shell is involved.
        env: Its whole environment.
        cwd: Where it runs; the current directory if None.
        timeout: Seconds after which it and its children are killed.
        stdin: Text for its standard input.
        stop: Ends it when set, from another thread.

    Raises:
        EnvironmentFault: It could not be started.
        Interrupted: `stop` was set.
    """
    words = tuple(str(word) for word in argv)
    with _started(words, env=env, cwd=cwd, stdin=subprocess.PIPE) as process:
        said = _said(process, stdin.encode(), timeout=timeout, stop=stop)
        late = said is None
        if said is None:
            _signal_group(process.pid, signal.SIGKILL)
            said = _rest(process)
    out, err = said
    return Completed(
        argv=words,
        returncode=process.returncode,
        stdout=out.decode(errors="replace"),
        stderr=err.decode(errors="replace"),
        timed_out=late,
    )


def stream(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    on_line: Callable[[str], None],
    stop: threading.Event,
    pass_fds: tuple[int, ...] = (),
    clears_up: bool = False,
) -> int:
    """Run a long command until it ends or `stop` is set; return its exit status.

    Args:
        argv: The command.
        env: Its whole environment. Put `MARK` in it to have stragglers found.
        cwd: Where it runs.
        log: File that receives its output, standard error included; appended to.
        on_line: Called with every line, from a thread of its own.
        stop: When set, the process and all it started are ended, politely at first.
        pass_fds: File descriptors it inherits.
        clears_up: Whether it clears up when what it started fails, but not when it is ended itself:
            then the former is ended first, where there is a `/proc` to find it.

    Raises:
        EnvironmentFault: It could not be started, or its log could not be written.
    """
    words = tuple(str(word) for word in argv)
    broken: list[Exception] = []
    patience = PATIENCE if clears_up and Path("/proc/self/stat").exists() else 0.0
    with _started(
        words, env=env, cwd=cwd, pass_fds=pass_fds, merge=True, patience=patience
    ) as process:
        assert process.stdout is not None  # noqa: S101 - merge=True makes it a pipe
        reader = threading.Thread(
            target=_drain, args=(process.stdout, log, on_line, broken), daemon=True
        )
        reader.start()
        while process.poll() is None:
            if stop.wait(_POLL) or broken:
                _end(process, env.get(MARK), patience)
        # Something that outlived the process may still hold the pipe; it must not hold us.
        reader.join(timeout=GRACE)
        if reader.is_alive():
            _end(process, env.get(MARK))
            reader.join(timeout=GRACE)
        if reader.is_alive():
            # Closing the pipe would wait for the reader, and that for whoever left the session.
            process.stdout = None
    if broken:
        raise broken[0]
    return process.returncode


def _drain(
    pipe: IO[bytes], log: Path, on_line: Callable[[str], None], broken: list[Exception]
) -> None:
    """Pass a process's output on, line by line, and close the pipe; an error goes to `broken`."""
    with pipe:
        try:
            with log.open("ab", buffering=0) as sink:
                for raw in pipe:
                    sink.write(raw)
                    on_line(raw.decode(errors="replace").rstrip("\n"))
        except OSError as error:
            fault = EnvironmentFault(
                f"the log {log} cannot be written: {error.strerror}",
                hint="Free some space on that file system, then run the same command again.",
            )
            fault.__cause__ = error
            broken.append(fault)
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            broken.append(error)


def replace(argv: Sequence[str | Path], *, env: Mapping[str, str]) -> None:
    """Become another program (`ftbuild run`): terminal, standard input and signals are its own.

    Raises:
        EnvironmentFault: It could not be started.
    """
    words = [str(word) for word in argv]
    try:
        os.execvpe(words[0], words, dict(env))  # noqa: S606 - no shell is the point
    except OSError as error:
        raise EnvironmentFault(f"{words[0]} cannot be run: {error.strerror}") from error


def end_marked(mark: str) -> int:
    """Kill every process marked with a directory or one below it; return how many there were.

    Reaches processes that left their session, and orphans of an ftbuild that was killed. Works
    where there is a `/proc`; elsewhere it finds none.
    """
    wanted = os.fsencode(f"{MARK}={mark}/")
    found = 0
    for entry in Path("/proc").glob("[0-9]*/environ"):
        pid = int(entry.parent.name)
        with contextlib.suppress(OSError):
            variables = entry.read_bytes().split(b"\0")
            if pid != os.getpid() and any((v + b"/").startswith(wanted) for v in variables):
                os.kill(pid, signal.SIGKILL)
                found += 1
    return found


def _said(
    process: subprocess.Popen[bytes],
    stdin: bytes | None,
    *,
    timeout: float,
    stop: threading.Event | None,
) -> tuple[bytes, bytes] | None:
    """What a process wrote until its end, or None if that did not come in time."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if stop is not None and stop.is_set():
            raise Interrupted(f"{process.args!r} was stopped")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(stdin, timeout=_POLL)
        stdin = None  # it is being written: said once is enough
    return None


def _rest(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a killed process wrote. One of its children may have left its session and live on."""
    try:
        return process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired as error:
        return error.stdout or b"", error.stderr or b""


@contextlib.contextmanager
def _started(
    argv: tuple[str, ...],
    *,
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: int = subprocess.DEVNULL,
    pass_fds: tuple[int, ...] = (),
    merge: bool = False,
    patience: float = 0.0,
) -> Iterator[subprocess.Popen[bytes]]:
    command = argv
    if signal.getsignal(signal.SIGINT) in {signal.SIG_IGN, None}:
        command = (sys.executable, "-I", "-c", _ASIDE, *argv)
    try:
        process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    except OSError as error:
        raise EnvironmentFault(
            f"{argv[0]} cannot be started: {error.strerror}",
            hint="`ftbuild doctor` shows which tools are missing and how to install them.",
        ) from error
    with process:
        try:
            yield process
        except BaseException:
            _end(process, env.get(MARK), patience)
            raise


def _end(process: subprocess.Popen[bytes], mark: str | None, patience: float = 0.0) -> None:
    """SIGTERM to the session, SIGKILL to what is left of it after `GRACE` seconds.

    With patience, what the process started is ended first, for so many seconds.
    """
    try:
        _end_below(process, patience)
    finally:  # also for those who press Ctrl-C once more
        _end_session(process, mark)


def _end_below(process: subprocess.Popen[bytes], patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        for pid in _below(process.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL)


def _below(top: int) -> list[int]:
    """The processes that one started, directly or not, but for those that run its own program."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of the program, in brackets, may have anything in it.
            parent = path.read_text(errors="replace").rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(path.parent.name))
    found, due = [], [top]
    while due:
        started = children.get(due.pop(), [])
        found += started
        due += started
    program = _program(top)
    return [pid for pid in found if program is None or _program(pid) != program]


def _program(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/exe").readlink()
    except OSError:
        return None


def _end_session(process: subprocess.Popen[bytes], mark: str | None) -> None:
    _signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(_POLL)
    _signal_group(process.pid, signal.SIGKILL)
    if mark is not None:
        end_marked(mark)


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
