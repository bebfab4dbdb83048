"""What people see: a live table while builds run, dated lines where there is no terminal, tables.

Progress goes to standard error, results to standard output, so `--json` and pipes stay clean.
Whatever is shown is sanitised here: most of it holds words of others.
`Board` turns events into rows and knows nothing of terminals; the rest draws.
"""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from ftbuild.errors import EnvironmentFault, FtbuildError
from ftbuild.model.events import (
    BuildFinished,
    BuildQueued,
    Downloaded,
    Downloading,
    Emit,
    Event,
    Measuring,
    Noted,
    StageFinished,
    StageLine,
    StageProgress,
    StageStarted,
    Warned,
)
from ftbuild.model.report import Report, Status
from ftbuild.model.text import sanitise, sanitise_line

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer
    from rich.console import RenderableType
    from rich.table import Table

_DONE = {"installed": "installed", "present": "there already", "failed": "failed"}
_STYLES = {"installed": "green", "present": "green", "failed": "bold red", "stopped": "yellow"}
_BAR = 24
_EVERY = 10.0
"""Seconds between two lines on a measurement, where there is no terminal."""

_WAITING = "waiting"
"""The state of a build that has no job slot yet."""


class Row:
    """One line of the live table: a build, or a download."""

    def __init__(self, name: str, now: float, stages: tuple[str, ...] = ()) -> None:
        self.name = name
        self.began = now
        self.stages = stages
        self.expected: dict[str, float] = {}
        self.stage = _WAITING
        self.stage_began = now
        self.done = 0
        self.total = 0
        self.unit = ""
        self.spent: dict[str, float] = {}
        self.outcome = ""
        self.ended: float | None = None
        self.left: float | None = None

    def fraction(self, now: float) -> float | None:
        """How much of the current stage is done, 0 to 1, or None where nobody can tell."""
        if self.total:
            return min(1.0, self.done / self.total)
        expected = self.expected.get(self.stage)
        return min(0.99, (now - self.stage_began) / expected) if expected else None

    def remaining(self, now: float) -> float | None:
        """Seconds until it is done: as told, or judged by an earlier build; None without either."""
        if self.left is not None:
            return self.left
        if not self.expected or self.outcome or self.stage == _WAITING:
            return None
        later = (
            self.stages[self.stages.index(self.stage) + 1 :] if self.stage in self.stages else ()
        )
        current = self.expected.get(self.stage, 0.0)
        fraction = self.fraction(now)
        left = current * (1 - fraction) if fraction is not None else current
        return left + sum(self.expected.get(stage, 0.0) for stage in later)


class Board:
    """The state of a run, made of its events. Safe to feed from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rows: dict[str, Row] = {}
        self.notes: deque[str] = deque(maxlen=1)
        self._clock = clock
        self._lock = threading.Lock()

    def see(self, event: Event) -> None:
        """Take an event into account."""
        with self._lock:
            self._see(event)

    def _see(self, event: Event) -> None:  # noqa: C901 - one case a kind of event
        now = self._clock()
        match event:
            case Downloading(name=name, done=done, total=total):
                row = self.rows.setdefault(name, Row(name, now))
                row.stage, row.done, row.total, row.unit = "download", done, total or 0, "MB"
            case Downloaded(name=name):
                self.rows.pop(name, None)
            case BuildQueued(build=build, stages=stages, expected=expected):
                row = self.rows[build] = Row(build, now, stages)
                row.expected = dict(expected)
            case StageStarted(build=build, stage=stage):
                row = self._row(build, now)
                if row.stage == _WAITING:
                    row.began = now
                row.stage, row.stage_began, row.done, row.total = stage, now, 0, 0
                row.unit = "tests" if stage == "train" else "files"
            case StageProgress(build=build, done=done, total=total):
                row = self._row(build, now)
                row.done, row.total = done, total
            case StageFinished(build=build, stage=stage, seconds=seconds):
                self._row(build, now).spent[stage] = seconds
            case BuildFinished(build=build, outcome=outcome):
                row = self._row(build, now)
                row.stage = row.outcome = outcome
                row.ended, row.done, row.total = now, 0, 0
            case Measuring(task=task, label=label, done=done, total=total, left=left):
                row = self._row(task, now)
                row.stage, row.done, row.total, row.left, row.unit = label, done, total, left, "%"
            case Noted(text=text):
                self.notes.append(text)
            case _:
                pass

    def _row(self, build: str, now: float) -> Row:
        return self.rows.setdefault(build, Row(build, now))


def table(board: Board, now: float) -> Table:
    """The live table of a board."""
    from rich.progress_bar import ProgressBar  # noqa: PLC0415 - rich takes 60 ms to import
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = RichTable.grid(padding=(0, 2))
    for _ in range(3):
        drawn.add_column(no_wrap=True)
    drawn.add_column(justify="right", no_wrap=True)
    drawn.add_column(justify="right", no_wrap=True)
    drawn.add_column(style="dim", no_wrap=True)
    for row in tuple(board.rows.values()):
        fraction = row.fraction(now)
        bar: RenderableType = ""
        if fraction is not None and not row.outcome:
            bar = ProgressBar(total=1.0, completed=fraction, width=_BAR)
        left = row.remaining(now)
        drawn.add_row(
            Text(sanitise_line(row.name), style="bold"),
            Text(sanitise_line(row.stage), style=_STYLES.get(row.outcome, "cyan")),
            bar,
            _count(row),
            "" if row.stage == _WAITING else duration((row.ended or now) - row.began),
            f"about {duration(left)} left" if left is not None else "",
        )
    return drawn


def _count(row: Row) -> str:
    if not row.done:
        return ""
    if row.unit == "%":
        return f"{100 * row.done // row.total} %"
    if row.unit == "MB":
        total = f"/{row.total / 1e6:.1f}" if row.total else ""
        return f"{row.done / 1e6:.1f}{total} MB"
    return f"{row.done}/{row.total} {row.unit}" if row.total else f"{row.done} {row.unit}"


@contextmanager
def progress(*, quiet: bool = False, verbose: bool = False) -> Iterator[Emit]:
    """Show what happens on standard error while the block runs.

    A live table on a terminal, dated lines elsewhere or with `verbose`, which also passes on every
    line the stages print. `quiet` leaves only warnings.
    """
    if quiet:
        yield lambda event: _plain(event, sys.stderr) if isinstance(event, Warned) else None
    elif verbose or not sys.stderr.isatty():
        seldom = _Seldom()
        yield lambda event: None if seldom(event) else _plain(event, sys.stderr, verbose=verbose)
    else:
        yield from _live()


class _Seldom:
    """Tells which events come too soon after one of their kind to be worth another line."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, event: Event) -> bool:
        if not isinstance(event, Measuring):
            return False
        now = time.monotonic()
        soon = now < self._next and not _begins(event)
        if not soon:
            self._next = now + _EVERY
        return soon


def _live() -> Iterator[Emit]:
    """A live table, drawn only once there is something to draw."""
    board = Board()
    shown: list[_Screen] = []
    lock = threading.Lock()

    def see(event: Event) -> None:
        board.see(event)
        if isinstance(event, StageLine | StageProgress) and shown:
            return
        with lock:
            if not shown:
                shown.append(_Screen(board))
            if isinstance(event, Warned):
                shown[0].say(f"[yellow]warning:[/] {_escape(event.text)}")
            elif isinstance(event, Noted):
                shown[0].say(_escape(event.text), style="dim")
            elif isinstance(event, Downloaded):
                shown[0].say(_escape(_line(event) or ""), style="dim")

    try:
        yield see
    finally:
        for screen in shown:
            screen.close()


class _Screen:
    """The terminal while a live table is on it."""

    def __init__(self, board: Board) -> None:
        from rich.console import Console as RichConsole  # noqa: PLC0415 - rich takes 60 ms
        from rich.live import Live  # noqa: PLC0415

        self._console = RichConsole(stderr=True, highlight=False)
        self._live = Live(
            get_renderable=lambda: table(board, time.monotonic()),
            console=self._console,
            refresh_per_second=5,
            transient=True,  # the summary that follows says it all
        )
        self._live.start()

    def say(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style)

    def close(self) -> None:
        self._live.stop()


def _escape(text: str) -> str:
    from rich.markup import escape  # noqa: PLC0415 - rich takes 60 ms to import

    return escape(sanitise(text))


def _plain(event: Event, sink: TextIO, *, verbose: bool = False) -> None:
    if isinstance(event, StageLine):
        text = f"{event.build} | {sanitise_line(event.line)}" if verbose else None
    else:
        text = _line(event)
    if text is not None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        sink.write(f"{stamp}  {sanitise(text)}\n")  # one write: threads report at the same time
        sink.flush()


def _begins(event: Measuring) -> bool:
    """Whether it tells only that a step begins, which has no measure of its own."""
    return event.done == 0 and event.total == 1


def _line(event: Event) -> str | None:  # noqa: PLR0911 - one a kind of event
    """An event as one line, or None if it is not worth one."""
    match event:
        case Noted(text=text):
            return text
        case Warned(text=text):
            return f"warning: {text}"
        case Downloaded(name=name, origin=origin, size=size, seconds=seconds):
            return f"{name}  {size / 1e6:.1f} MB from {origin} in {seconds:.1f} s, hash verified"
        case StageStarted(build=build, stage=stage, log=log):
            return f"{build:<22} {stage:<10} log: {log}"
        case StageFinished(build=build, stage=stage, seconds=seconds):
            return f"{build:<22} {stage:<10} done in {duration(seconds)}"
        case Measuring(label=label) if _begins(event):
            return label
        case Measuring(label=label, done=done, total=total, left=left):
            rest = f", about {duration(left)} left" if left is not None else ""
            return f"{label}  {100 * done // total} %{rest}"
        case BuildFinished(build=build, outcome=outcome, detail=detail):
            return f"{build:<22} {_DONE.get(outcome, outcome)}{': ' * bool(detail)}{detail}"
        case _:
            return None


def duration(seconds: float) -> str:
    """Seconds as people say them: `8 s`, `2:05`, `1:02:05`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds of a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: int) -> str:
    """Bytes as people say them: `23.9 MB`."""
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"  # noqa: PLR2004


def columns(rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> str:
    """Rows of text as aligned columns; a cell has one line."""
    everything = [[sanitise_line(c) for c in row] for row in (*([header] if header else []), *rows)]
    if not everything:
        return ""
    widths = [max(len(row[i]) for row in everything) for i in range(len(everything[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in everything
    )


def open_streams(encoding: str | None = None) -> None:
    """Make standard output and standard error fit for anything; for the command line alone.

    What their encoding lacks is escaped, as JSON would have it. Results that cannot be written end
    the run: with status 141 where nobody reads on (`ftbuild list | head -1`), as shells show it
    for a program that SIGPIPE ends, else with a fault. Progress and complaints that cannot be
    written, because a terminal is gone or a disk is full, are lost, and the run goes on.

    Args:
        encoding: Of both, where it is not what Python took it for.
    """
    codecs.register_error(_ESCAPED, _escaped)
    for number, kind in ((1, _Results), (2, _Progress)):
        name = ("stdin", "stdout", "stderr")[number]
        known = getattr(getattr(sys, name), "encoding", "utf-8")  # it is None where it was closed
        stream = io.TextIOWrapper(
            io.BufferedWriter(kind(number, "w", closefd=False)),
            encoding=encoding or known,
            errors=_ESCAPED,
            line_buffering=True,
        )
        setattr(sys, name, stream)


class _Results(io.FileIO):
    """Standard output: what cannot be written ends the run."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            # What is left in buffers would be tried, and complained of, when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if isinstance(error, BrokenPipeError):
                raise SystemExit(_UNREAD) from None
            raise EnvironmentFault(
                f"standard output cannot be written: {error.strerror}",
                hint="What was asked for may have been done all the same.",
            ) from error


class _Progress(io.FileIO):
    """Standard error: what cannot be written is lost."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


_UNREAD = 128 + signal.SIGPIPE
_ESCAPED = "ftbuild-escaped"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Characters that an encoding lacks as `\u20ac`, those beyond U+FFFF as two of that kind."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{text[i : i + 4]}" for i in range(0, len(text), 4)), error.end


def say(text: str) -> None:
    """A result, on standard output."""
    print(sanitise(text))  # noqa: T201 - this is the console


def note(text: str) -> None:
    """Say something while a task goes on, on standard error."""
    with progress() as emit:
        emit(Noted(text=text))


def pass_on(line: str) -> None:
    """A line of another program, on standard error."""
    print(sanitise(line), file=sys.stderr, flush=True)  # noqa: T201 - this is the console


def ask(question: str) -> bool:
    """Whether somebody at a terminal agrees, by return or y; without a terminal nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{question} [Y/n] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    return answer.strip().lower() in {"", "y", "yes"} and answer != ""


def complain(error: FtbuildError) -> None:
    """Show an error on standard error."""
    print(error_text(error), file=sys.stderr)  # noqa: T201 - this is the console


def error_text(error: FtbuildError) -> str:
    """An error as people read it: what happened, the log's last lines, what to do next."""
    lines = [f"ftbuild: {error.message}"]
    if error.tail:
        lines += ["", *(f"  | {sanitise_line(line)}" for line in error.tail), ""]
    if error.hint:
        lines.append(f"  {error.hint}")
    if error.log is not None:
        lines.append(f"  The whole log: {error.log}")
    return sanitise("\n".join(lines))


def report_text(report: Report, *, everything: bool) -> str:
    """A report as text: all but what passed without a word, or every check."""
    marks = {status: status.value[:4] for status in Status}
    marks |= {Status.PASSED: "ok  ", Status.FAILED: "FAIL"}
    counts = {status: sum(c.status is status for c in report.checks) for status in Status}
    head = f"{report.subject}: {counts[Status.PASSED]} passed"
    head += "".join(
        f", {counts[status]} {status.value}"
        for status in Status
        if counts[status] and status is not Status.PASSED
    )
    lines = [head]
    for check in report.checks:
        if check.status is Status.PASSED and not everything:
            continue
        detail = check.reason
        if check.status is Status.FAILED:
            detail = f"expected {check.expected}, found {check.found}. {check.reason}".rstrip()
        elif check.status is not Status.SKIPPED:
            detail = f"{check.found}. {check.reason}" if check.reason else check.found
        lines.append(f"  {marks[check.status]} {check.name:<28} {detail}")
    return "\n".join(sanitise_line(line).rstrip() for line in lines)
