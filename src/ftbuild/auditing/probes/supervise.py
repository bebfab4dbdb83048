"""Runs imports, each in a process of its own, so many at a time; tells what came of each.

    python -I -S -B supervise.py PLAN.json

The plan says what to import and within which limits (see `auditing/probing`, which writes it). For
each module a line of JSON is printed as soon as it is done. The order is that of the plan, but for
modules of a group that have to be tried again alone.

A process gets a session, a home and a temporary directory of its own, no standard input, and no
output but a pipe whose end is kept: it may print gigabytes. When it is over, so is everything else
that it started, in its session or marked by its environment; what hides from that ends with the
run, for which ftbuild's `watch.py` sees. One that takes too long is sent
SIGABRT first, for the faulthandler to tell where it is.
"""

import ast
import collections
import contextlib
import fcntl
import json
import os
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

KEPT = 8192
"""Bytes of standard error that are kept: its end."""

LONGEST = 1 << 16
"""Bytes of a report, or of the faulthandler's words, that are read."""

LAST_WORDS = 1.0
"""Seconds for the faulthandler to tell where a process hangs; it needs milliseconds."""

POLL = 0.02

MODULE_IN_GROUP = 10.0
"""Seconds for a module of a group, at most: what it needs is imported already."""

stopped: list[int] = []


def limits(given: dict[str, int]) -> None:
    """Set resource limits, no higher than what may be set."""
    for name, wanted in given.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            # macOS refuses some of them.
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, (value, value))


def content(path: Path) -> str:
    """What a file says, at most `LONGEST` bytes of it; nothing if there is none."""
    try:
        # Somebody else's code could have put a pipe there, which never ends.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        return os.read(number, LONGEST).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(number)


def answered(path: Path) -> dict[str, Any] | None:
    """A report; None if there is none that can be read."""
    try:
        found = ast.literal_eval(content(path))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, dict) else None


def end_marked(name: str, mark: str) -> None:
    """Kill what carries a mark in its environment, where there is a `/proc` to see it."""
    wanted = os.fsencode(f"{name}={mark}")
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in entry.read_bytes().split(b"\0"):
                os.kill(int(entry.parent.name), signal.SIGKILL)


class Task:
    """A process that is running: for one module, or for a group of them.

    Attributes:
        names: The modules.
        package: What a group imports first.
    """

    def __init__(self, plan: dict[str, Any], number: int, asked: dict[str, Any]) -> None:
        self.plan = plan
        self.names: list[str] = asked["modules"]
        self.package: str | None = asked.get("package")
        self.stress: bool = asked.get("stress", False)
        self.folder = Path(plan["folder"], str(number))
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(parents=True)
        self.mark = str(self.folder)
        self.said = b""
        self.late = False
        self.seen = 0
        self.began = self.heard = time.monotonic()
        self.process = subprocess.Popen(
            self.words(),
            env=plan["env"]
            | {
                "HOME": str(self.folder / "home"),
                "TMPDIR": str(self.folder / "tmp"),
                plan["mark"]: self.mark,
            },
            cwd=self.folder / "home",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # There are no threads here that this could be dangerous for.
            preexec_fn=lambda: limits(plan["limits"]),  # noqa: PLW1509
        )
        assert self.process.stderr is not None  # noqa: S101 - asked for above
        self.pipe = self.process.stderr
        fcntl.fcntl(self.pipe, fcntl.F_SETFL, os.O_NONBLOCK)

    def words(self) -> list[str]:
        """The command."""
        plan = self.plan
        start = [plan["python"], "-I", "-B"]
        if self.stress:
            seconds, threads = str(plan["seconds"]), str(plan["threads"])
            return [*start, plan["stressing"], str(self.folder), seconds, threads, *self.names]
        start += [plan["importing"], str(self.folder)]
        if self.package is None:
            return [*start, "alone", *self.names]
        seconds = str(min(MODULE_IN_GROUP, plan["timeout"]))
        return [*start, "group", seconds, self.package, *self.names]

    def hear(self) -> bool:
        """Read what was said on standard error; tell whether there may be more."""
        try:
            piece = os.read(self.pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return True
        self.said = (self.said + piece)[-KEPT:]
        return bool(piece)

    def over(self) -> bool:
        """Whether it has ended; it is ended if it is late."""
        if self.process.poll() is not None:
            return True
        now = time.monotonic()
        if now - self.heard < self.plan["timeout"]:
            return False
        if self.package is not None:
            done = sum(1 for _ in self.folder.iterdir())
            if done > self.seen:
                self.seen, self.heard = done, now
                return False
        self.late = True
        self.process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(LAST_WORDS)
        return True

    def end(self) -> None:
        """End it with all that it started, and hear the last of it."""
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        end_marked(self.plan["mark"], self.mark)
        with contextlib.suppress(OSError):
            # No longer than the pipe is: somebody unseen may still write to it.
            for _ in range(16):
                if not self.hear():
                    break
        self.pipe.close()

    def lines(self) -> tuple[list[dict[str, Any]], list[str], bool]:
        """What came of its modules, those to be tried alone, and whether the package hangs."""
        found, again = [], []
        for number, name in enumerate(self.names[:1] if self.stress else self.names):
            report = answered(self.folder / str(number))
            if self.package is not None and (report is None or report.get("error")):
                again.append(name)
                continue
            found.append(self.line(name, report))
        hangs = self.late and self.package is not None and not (self.folder / "ready").exists()
        return found, again, hangs

    def line(self, name: str, report: dict[str, Any] | None) -> dict[str, Any]:
        """What came of one module."""
        return {
            "module": name,
            "report": report,
            "code": self.process.returncode,
            "late": self.late,
            "seconds": time.monotonic() - self.began,
            "fault": content(self.folder / "fault"),
            "said": self.said.decode(errors="replace"),
        }


class Supervisor:
    """Works through a plan."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.waiting = collections.deque(plan["tasks"])
        self.running: list[Task] = []
        self.hanging: dict[str, dict[str, Any]] = {}
        self.selector = selectors.DefaultSelector()
        self.started = 0
        self.parent = os.getppid()

    def run(self) -> None:
        """Until all is done, or somebody wants it to end."""
        try:
            while (self.waiting or self.running) and not stopped and os.getppid() == self.parent:
                while self.waiting and len(self.running) < self.plan["jobs"]:
                    self.begin(self.waiting.popleft())
                for key, _ in self.selector.select(POLL):
                    if not key.data.hear():
                        self.selector.unregister(key.fileobj)
                        # That was its end, or nearly so.
                        with contextlib.suppress(subprocess.TimeoutExpired):
                            key.data.process.wait(POLL)
                for task in [task for task in self.running if task.over()]:
                    self.finish(task)
        finally:
            for task in self.running:
                task.end()

    def begin(self, asked: dict[str, Any]) -> None:
        """Start a task, unless a package hangs that has to be imported for it."""
        name = asked["package"] or asked["modules"][0]
        parts = name.split(".")
        for count in range(1, len(parts) + bool(asked["package"])):
            line = self.hanging.get(".".join(parts[:count]))
            if line is not None and not asked["stress"]:
                for module in asked["modules"]:
                    tell(line | {"module": module, "within": line["module"]})
                return
        self.started += 1
        task = Task(self.plan, self.started, asked)
        self.running.append(task)
        self.selector.register(task.pipe, selectors.EVENT_READ, task)

    def finish(self, task: Task) -> None:
        """Tell what came of a task."""
        self.running.remove(task)
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(task.pipe)
        task.end()
        lines, again, hangs = task.lines()
        for line in lines:
            if line["late"] and line["report"] is None:
                self.hanging[line["module"]] = line
            tell(line)
        if hangs and task.package is not None:
            self.hanging[task.package] = task.line(task.package, None)
        self.waiting.extend({"package": None, "modules": [name], "stress": False} for name in again)
        shutil.rmtree(task.folder, ignore_errors=True)


def tell(line: dict[str, Any]) -> None:
    """Print what came of a module."""
    print(json.dumps(line), flush=True)


def main() -> None:
    """Work through the plan named on the command line."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, _frame: stopped.append(caught))
    Supervisor(json.loads(Path(sys.argv[1]).read_text())).run()


if __name__ == "__main__":
    main()
