"""Door 1: the only module that starts processes.

Two ways through it. `capture` runs a short command and returns what it said. `stream` runs a long
one: in a session of its own, output line by line to a log and to a callback, stoppable from
another thread together with everything it started.

A command whose environment has the variable `MARK` runs below `watch.py`, a process that stays
between it and us: nothing it starts outlives it, on Linux not even what left its session and has
another environment, and all of it ends when we are gone, by SIGKILL too. So is everything run that
somebody else wrote. What may leave something behind on purpose, a container engine, has no mark.

Every process gets an explicit environment, no standard input, and SIGINT at its default: a job in
the background of a non-interactive shell inherits SIGINT ignored, and CPython's profile-guided
training then fails in test_generators.
"""

from __future__ import annotations

import contextlib
import functools
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
"""Variable that marks every process of a run with its work directory. The next run finds by it
what a killed one left where `watch.py` could not end it."""

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL. Make needs well under one to end its children."""

PATIENCE = 20.0
"""Seconds that a command has to clear up when what it started was ended: to write a layer of an
image to its end takes some."""

_BUSIEST = 10.0
"""How much longer a command may take on a busy machine, at most; one that hangs has to end."""

_LAST = 15.0
"""Seconds for `watch.py` to kill all that is left; more than it takes for that at most."""

_POLL = 0.05

_WATCH = Path(__file__).with_name("watch.py")
_POLITE, _NOW = b"t", b"k"
"""What it is told: SIGTERM first, or SIGKILL at once."""

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
        allowed: Seconds that it had.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    timed_out: bool = False
    allowed: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it exited with status 0 in time."""
        return self.returncode == 0 and not self.timed_out

    @property
    def ending(self) -> str:
        """How it ended, for people: `exit status 2`, `signal SIGSEGV`, `took longer than 60 s…`."""
        if self.timed_out:
            return f"took longer than {self.allowed:.0f} s; is the machine busy?"
        return ending(self.returncode)


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
    exact: bool = False,
    stdin: str = "",
    stop: threading.Event | None = None,
) -> Completed:
    """Run a short command and return what it said; a non-zero exit is not an error.

    Args:
        argv: The command. No shell is involved.
        env: Its whole environment. With `MARK` in it nothing outlives the command.
        cwd: Where it runs; the current directory if None.
        timeout: Seconds after which it and its children are killed; as many more as there are
            processes for a CPU that want to run when it starts.
        exact: Whether it is no more than that, because a user said so.
        stdin: Text for its standard input.
        stop: Ends it when set, from another thread.

    Raises:
        EnvironmentFault: It could not be started.
        Interrupted: `stop` was set.
    """
    words = tuple(str(word) for word in argv)
    allowed = timeout if exact else timeout * load()
    with _started(words, env=env, cwd=cwd, stdin=subprocess.PIPE) as child:
        said = _said(child, stdin.encode(), timeout=allowed, stop=stop)
        late = said is None
        if said is None:
            child.kill()
            said = _rest(child.process)
    out, err = said
    return Completed(
        argv=words,
        returncode=child.process.returncode,
        stdout=out.decode(errors="replace"),
        stderr=err.decode(errors="replace"),
        timed_out=late,
        allowed=allowed,
    )


def load() -> float:
    """How many processes want to run for each CPU, at least 1 and at most `_BUSIEST`."""
    try:
        waiting = os.getloadavg()[0]
    except OSError:  # in some containers
        waiting = 0.0
    return min(_BUSIEST, max(1.0, waiting / (os.cpu_count() or 1)))


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
        env: Its whole environment. With `MARK` in it nothing outlives the command.
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
    ) as child:
        process = child.process
        assert process.stdout is not None  # noqa: S101 - merge=True makes it a pipe
        reader = threading.Thread(
            target=_drain, args=(process.stdout, log, on_line, broken), daemon=True
        )
        reader.start()
        while process.poll() is None:
            if stop.wait(_POLL) or broken:
                child.end()
        # Something that outlived the process may still hold the pipe; it must not hold us.
        reader.join(timeout=GRACE)
        if reader.is_alive():
            child.kill()
            reader.join(timeout=GRACE)
        if reader.is_alive():
            # Closing the pipe would wait for the reader, and that for whoever left the session.
            process.stdout = None
    if broken:
        raise broken[0]
    return process.returncode


def _not_for_others(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def _drain(
    pipe: IO[bytes], log: Path, on_line: Callable[[str], None], broken: list[Exception]
) -> None:
    """Pass a process's output on, line by line, and close the pipe; an error goes to `broken`."""
    with pipe:
        try:
            with open(log, "ab", buffering=0, opener=_not_for_others) as sink:
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
    child: _Child, stdin: bytes | None, *, timeout: float, stop: threading.Event | None
) -> tuple[bytes, bytes] | None:
    """What a process wrote until its end, or None if that did not come in time."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if stop is not None and stop.is_set():
            raise Interrupted(f"{child.argv!r} was stopped")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.process.communicate(stdin, timeout=_POLL)
        stdin = None  # it is being written: said once is enough
    return None


def _rest(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a killed process wrote. One of its children may have left its session and live on."""
    try:
        return process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired as error:
        return error.stdout or b"", error.stderr or b""


class _Child:
    """A process that was started, and how it is ended with all that it started.

    Attributes:
        argv: The command.
        process: It; or, where it is watched, the process of `watch.py` that started it.
        line: The pipe to that one, which ends the command when it closes; None if there is none.
        mark: The directory that it is marked with, if any.
        patience: Seconds for it to clear up, before it is told to end.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        process: subprocess.Popen[bytes],
        *,
        line: int | None,
        mark: str | None,
        patience: float,
    ) -> None:
        self.argv = argv
        self.process = process
        self.line = line
        self.mark = mark
        self.patience = patience

    def end(self) -> None:
        """SIGTERM, and SIGKILL to what is left after `GRACE` seconds."""
        try:
            if self.line is None:
                _signal_group(self.process.pid, signal.SIGTERM)
                self._wait(GRACE)
            else:
                self._tell(_POLITE)
                self._wait(self.patience + GRACE + _LAST)
        finally:  # also for those who press Ctrl-C once more
            self.kill()

    def kill(self) -> None:
        """SIGKILL to all of it."""
        if self.line is not None:
            self._tell(_NOW)
            self._wait(_LAST)
        _signal_group(self.process.pid, signal.SIGKILL)
        if self.mark is not None:
            end_marked(self.mark)

    def _tell(self, word: bytes) -> None:
        assert self.line is not None  # noqa: S101 - the callers have looked
        _signal_group(self.process.pid, signal.SIGCONT)  # in case that somebody stopped it
        with contextlib.suppress(OSError):
            os.write(self.line, word)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL)

    def close(self) -> None:
        """Let go of it: what is left of it under watch ends."""
        if self.line is not None:
            os.close(self.line)
            self.line = None


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
) -> Iterator[_Child]:
    start: Callable[..., subprocess.Popen[bytes]] = functools.partial(  # type: ignore[assignment]
        subprocess.Popen,  # of bytes, unless it is told otherwise
        cwd=cwd,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        start_new_session=True,
    )
    mark = env.get(MARK)
    command = argv
    if signal.getsignal(signal.SIGINT) in {signal.SIG_IGN, None}:
        command = (sys.executable, "-I", "-c", _ASIDE, *argv)
    try:
        if mark is not None or patience:
            line, process = _watched(start, argv, env, pass_fds, patience)
        else:
            line, process = None, start(command, env=dict(env), pass_fds=pass_fds)
    except OSError as error:
        raise EnvironmentFault(
            f"{argv[0]} cannot be started: {error.strerror}",
            hint="`ftbuild doctor` shows which tools are missing and how to install them.",
        ) from error
    child = _Child(argv, process, line=line, mark=mark, patience=patience)
    with process:
        try:
            yield child
        except BaseException:
            child.end()
            raise
        finally:
            child.close()


def _watched(
    start: Callable[..., subprocess.Popen[bytes]],
    argv: tuple[str, ...],
    env: Mapping[str, str],
    pass_fds: tuple[int, ...],
    patience: float,
) -> tuple[int, subprocess.Popen[bytes]]:
    """Start a command by way of `watch.py`; the pipe to that, and its process."""
    entries = (os.fsencode(f"{name}={value}") + b"\0" for name, value in env.items())
    (read, line), (failed, report) = os.pipe(), os.pipe()
    limits = (str(GRACE), str(patience))
    try:
        try:
            process = start(
                (sys.executable, "-I", "-S", "-B", _WATCH, str(read), str(report), *limits, *argv),
                pass_fds=(*pass_fds, read, report),
            )
        finally:
            os.close(read)
            os.close(report)
        with os.fdopen(line, "wb", closefd=False) as pipe:
            pipe.write(b"".join(entries) + b"\0")
        number = os.read(failed, 16)
        if number:
            process.communicate()
            raise OSError(int(number), os.strerror(int(number)))  # noqa: TRY301
    except BaseException:
        os.close(line)
        raise
    finally:
        os.close(failed)
    return line, process


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
