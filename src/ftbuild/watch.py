"""Runs one command for ftbuild, and ends all that is left of it, whoever ends first.

    python -I -S -B watch.py LINE REPORT GRACE PATIENCE COMMAND [WORD …]

A script of the standard library, started by `process` between ftbuild and a command whose work is
marked. LINE is a pipe: the environment of the command comes through it, then words from ftbuild,
and its end when ftbuild ends, by SIGKILL too. REPORT is another, for the number of the error if the
command cannot be started; it closes when it is started.

On Linux this process is a subreaper: who loses its parent becomes its child, whatever it did to its
session and its environment, and so none is overlooked. Elsewhere what left the session of the
command is not found.

One is started for each of dozens of checks, so it imports next to nothing.
"""

from __future__ import annotations

# The module in front of it takes enum along: half of the time to start.
import _signal as signal  # type: ignore[import-not-found]
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

POLITE, NOW = b"t", b"k"
"""What ftbuild says: SIGTERM first, or SIGKILL for all. Whatever follows is the latter, too."""

MOMENT = 0.25
"""Seconds for what outlives the command by itself: the end of a pipeline that it wrote to."""

LONGEST = 10.0
"""Seconds after which what cannot be killed is left: another user's, or stuck in the kernel."""

_POLL = 0.02
_SUBREAPER, _DEATH_SIGNAL = 36, 1
"""From `<sys/prctl.h>`: PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG."""


def control(option: int, value: int) -> None:
    """Call `prctl`, where there is one."""
    try:
        import ctypes  # noqa: PLC0415 - not every Python has it

        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def environment(line: int) -> dict[bytes, bytes]:
    """The environment that comes through the pipe: entries that end in NUL, the last one empty."""
    read = b""
    while not (read == b"\0" or read.endswith(b"\0\0")):
        piece = os.read(line, 1 << 16)
        if not piece:
            sys.exit(1)  # ftbuild is gone before anything began
        read += piece
    entries = (entry.partition(b"=") for entry in read.split(b"\0") if entry)
    return {name: value for name, _, value in entries}


def become(command: list[str], env: dict[bytes, bytes], report: int, parent: int) -> None:
    """Become the command, in a session of its own; it ends when this process is killed."""
    try:
        os.setsid()
        for number in ("SIGINT", "SIGTERM", "SIGCHLD", "SIGPIPE", "SIGXFSZ"):
            signal.signal(getattr(signal, number), signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        control(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() == parent:
            os.execvpe(command[0], command, env)  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(report, str(error.errno).encode())
    finally:
        os._exit(127)


def program(pid: int) -> str:
    """The file that a process runs; empty if that is not to be seen."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def below(top: int) -> list[int]:
    """The processes that one started, directly or not; none where there is no `/proc`."""
    children: dict[int, list[int]] = {}
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                said = file.read()
        except OSError:
            continue
        # The name of the program, in brackets, may have anything in it.
        children.setdefault(int(said.rpartition(b")")[2].split()[1]), []).append(pid)
    found, due = [], [top]
    while due:
        started = children.get(due.pop(), [])
        found += started
        due += started
    return found


def kill(pids: list[int]) -> None:
    """Kill processes, those that are still there."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


class Watch:
    """The command under watch.

    Attributes:
        command: Its process, which leads a group of that number.
        status: How it ended; None while it runs.
        ending: Whether it is to end.
        at_once: Whether without delay.
    """

    def __init__(self, command: int, line: int, wake: int) -> None:
        self.command = command
        self.line = line
        self.wake = wake
        self.listened = [line, wake]
        self.status: int | None = None
        self.ending = self.at_once = False

    def left(self) -> bool:
        """Take note of who has ended; whether anybody is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            if pid == self.command:
                self.status = status

    def pause(self, seconds: float | None) -> None:
        """Wait until somebody ends, ftbuild says something, or time is over."""
        for number in select.select(self.listened, [], [], seconds)[0]:
            word = os.read(number, 1 if number == self.line else 512)
            if number == self.line:
                self.at_once = self.ending or word == NOW
                self.ending = True
                if not word:
                    self.listened.remove(number)

    def run(self, grace: float, patience: float) -> None:
        """Until the command has ended, or has to, and nothing that it started is left."""
        while self.left() and self.status is None and not self.ending:
            self.pause(None)
        if self.status is None:
            own = program(self.command)
            self.wait(patience, lambda: kill([p for p in below(self.command) if program(p) != own]))
            self.signal_group(signal.SIGTERM)
            self.wait(grace)
        until = time.monotonic() + MOMENT
        while self.left() and not self.ending and time.monotonic() < until:
            self.pause(_POLL)
        self.signal_group(signal.SIGKILL)
        until = time.monotonic() + LONGEST
        while self.left() and time.monotonic() < until:
            kill(below(os.getpid()))
            self.pause(_POLL)

    def wait(self, seconds: float, act: Callable[[], None] = lambda: None) -> None:
        """Wait for the command to end, and do something meanwhile."""
        until = time.monotonic() + seconds
        while self.left() and time.monotonic() < until:
            if self.status is not None or self.at_once:
                return
            act()
            self.pause(_POLL)

    def signal_group(self, number: int) -> None:
        """Send a signal to what is in the group of the command."""
        try:
            os.killpg(self.command, number)
        except (ProcessLookupError, PermissionError):
            pass


def leave(status: int | None) -> None:
    """End as the command did."""
    code = -signal.SIGKILL if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        import resource  # noqa: PLC0415 - seldom needed

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one is enough
        try:
            signal.signal(-code, signal.SIG_DFL)
        except OSError:
            pass
        os.kill(os.getpid(), -code)
    os._exit(code)


def main() -> None:
    """Do what the arguments say."""
    line, report = int(sys.argv[1]), int(sys.argv[2])
    for number in (line, report):
        os.set_inheritable(number, False)
    env = environment(line)
    control(_SUBREAPER, 1)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for name in ("SIGCHLD", "SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: None)
    own = os.getpid()
    command = os.fork()
    if not command:
        become(sys.argv[5:], env, report, own)
    os.close(report)
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    watch = Watch(command, line, wake)
    watch.run(float(sys.argv[3]), float(sys.argv[4]))
    leave(watch.status)


if __name__ == "__main__":
    main()
