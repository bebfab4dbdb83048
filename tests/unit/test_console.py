from __future__ import annotations

import contextlib
import io
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ftbuild import console
from ftbuild.console import (
    Board,
    columns,
    complain,
    duration,
    error_text,
    pass_on,
    report_text,
    say,
    size,
    table,
)
from ftbuild.errors import BuildFailed, FtbuildError
from ftbuild.model.events import (
    BuildFinished,
    BuildQueued,
    Downloaded,
    Downloading,
    Event,
    Measuring,
    Noted,
    StageFinished,
    StageLine,
    StageProgress,
    StageStarted,
    Warned,
)
from ftbuild.model.report import Report, expect, skipped
from tests.unit.model.test_text import ANYTHING, may_be_shown

NAME = "cpython-3.14.7t"
STAGES = ("configure", "compile", "install")
EXPECTED = {"configure": 20.0, "compile": 100.0, "install": 10.0}
DATE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ")
LOG = Path("/root/logs/01-configure.log")
QUEUED = BuildQueued(build=NAME, stages=STAGES, expected={})
STARTED = StageStarted(build=NAME, stage="compile", log=LOG)
PROGRESS = StageProgress(build=NAME, stage="compile", done=50, total=200)
INSTALLED = BuildFinished(build=NAME, outcome="installed")


def shown(*events: Event, after: float = 65.0) -> list[str]:
    """The lines of the live table on a terminal of 100 columns, some time after the events."""
    board = Board(clock=lambda: 1000.0)
    for event in events:
        board.see(event)
    drawn = Console(width=100, file=io.StringIO(), force_terminal=True, color_system=None)
    with drawn.capture() as captured:
        drawn.print(table(board, 1000.0 + after))
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_a_build_waits() -> None:
    assert shown(QUEUED) == [f"{NAME} waiting"]


def test_a_stage_shows_how_much_is_done() -> None:
    (line,) = shown(QUEUED, STARTED, PROGRESS)
    assert re.fullmatch(rf"{NAME} compile ━+\S* ?━* 50/200 files 1:05", line)


def test_a_training_counts_tests() -> None:
    done = StageProgress(build=NAME, stage="train", done=3, total=43)
    (line,) = shown(QUEUED, StageStarted(build=NAME, stage="train", log=LOG), done)
    assert "3/43 tests" in line


def test_where_the_total_is_unknown_there_is_no_bar() -> None:
    unknown = StageProgress(build=NAME, stage="compile", done=50, total=0)
    assert shown(QUEUED, STARTED, unknown) == [f"{NAME} compile 50 files 1:05"]


def test_an_earlier_build_tells_how_long_it_will_take() -> None:
    queued = BuildQueued(build=NAME, stages=STAGES, expected=EXPECTED)
    (line,) = shown(queued, STARTED, PROGRESS)
    assert line.endswith("50/200 files 1:05 about 1:25 left")
    # Without progress it goes by the clock: 65 of 100 seconds are over.
    (line,) = shown(queued, STARTED)
    assert line.endswith("1:05 about 45 s left")
    # And never runs past the end of a stage that takes longer than it did.
    (line,) = shown(queued, STARTED, after=5000.0)
    assert line.endswith("about 11 s left")


def test_a_build_that_ended_says_how_and_its_clock_stands() -> None:
    for outcome in ("installed", "failed", "stopped"):
        done = BuildFinished(build=NAME, outcome=outcome)
        assert shown(QUEUED, STARTED, PROGRESS, done) == [f"{NAME} {outcome} 0 s"]


def test_a_download_has_a_line_until_it_is_there() -> None:
    name = "Python-3.14.7.tar.xz"
    under_way = Downloading(name=name, origin="https://x", done=6_000_000, total=24_000_000)
    (line,) = shown(under_way)
    assert line.startswith(f"{name} download")
    assert "6.0/24.0 MB" in line
    assert "6.0 MB" in shown(Downloading(name=name, origin="x", done=6_000_000, total=None))[0]
    assert shown(under_way, Downloaded(name=name, origin="x", size=1, seconds=1.0)) == []


def test_a_measurement_shows_what_is_measured_and_what_is_left() -> None:
    (line,) = shown(
        Measuring(task="bench", label="round 1/5 logs gil 1", done=0, total=40, left=None),
        Measuring(task="bench", label="round 2/5 logs gil 2", done=10, total=40, left=90.0),
    )
    assert re.fullmatch(r"bench round 2/5 logs gil 2 ━+\S* ?━* 25 % 1:05 about 1:30 left", line)


def test_a_measurement_without_a_terminal_has_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with console.progress() as emit:
        for done in range(100):
            emit(Measuring(task="bench", label="logs", done=done, total=100, left=5.0))
    assert capsys.readouterr().err.count("logs  ") == 1


def test_each_step_without_a_measure_has_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with console.progress() as emit:
        for label in ("resolving", "installing"):
            emit(Measuring(task="audit", label=label, done=0, total=1, left=None))
            emit(Measuring(task="audit", label="more", done=1, total=2, left=None))
    lines = [DATE.sub("", line) for line in capsys.readouterr().err.splitlines()]
    assert lines == ["resolving", "installing"]


def test_a_pair_fits_a_terminal_of_100_columns() -> None:
    queued = BuildQueued(build="cpython-3.15.0rc2t+optimized", stages=STAGES, expected=EXPECTED)
    lines = shown(QUEUED, STARTED, PROGRESS, queued)
    assert len(lines) == 2


def test_a_board_is_fed_by_many_threads() -> None:
    board = Board()

    def feed(number: int) -> None:
        for done in range(200):
            board.see(StageProgress(build=str(number), stage="compile", done=done, total=200))

    threads = [threading.Thread(target=feed, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row.done for row in board.rows.values()} == {199}


EVENTS: tuple[Event, ...] = (
    Noted(text="unpacking Python-3.14.7.tar.xz"),
    Warned(text="without tkinter: libraries were not found"),
    QUEUED,
    STARTED,
    StageLine(build=NAME, stage="compile", line="gcc -c -o a.o a.c"),
    PROGRESS,
    StageFinished(build=NAME, stage="compile", seconds=125.0),
    Downloaded(name="Python-3.14.7.tar.xz", origin="https://x", size=24_053_924, seconds=2.5),
    INSTALLED,
    BuildFinished(build=NAME, outcome="failed", detail="compile failed"),
)


def said(capsys: pytest.CaptureFixture[str], *, quiet: bool, verbose: bool) -> list[str]:
    """What goes to standard error where that is no terminal, without the time of day."""
    with console.progress(quiet=quiet, verbose=verbose) as emit:
        for event in EVENTS:
            emit(event)
    output = capsys.readouterr()
    assert not output.out
    lines = output.err.splitlines()
    assert all(DATE.match(line) for line in lines)
    return [" ".join(DATE.sub("", line).split()) for line in lines]


PLAIN = [
    "unpacking Python-3.14.7.tar.xz",
    "warning: without tkinter: libraries were not found",
    f"{NAME} compile log: {LOG}",
    f"{NAME} compile done in 2:05",
    "Python-3.14.7.tar.xz 24.1 MB from https://x in 2.5 s, hash verified",
    f"{NAME} installed",
    f"{NAME} failed: compile failed",
]


def test_dated_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, quiet=False, verbose=False) == PLAIN


def test_verbose_passes_on_what_the_compiler_prints(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, quiet=False, verbose=True)
    assert [line for line in lines if line not in PLAIN] == [f"{NAME} | gcc -c -o a.o a.c"]


def test_quiet_leaves_the_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, quiet=True, verbose=False) == [PLAIN[1]]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (125.0, "2:05"), (3725.0, "1:02:05")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0.0 MB"), (23_912_345, "23.9 MB"), (1_500_000_000, "1.50 GB")]
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_columns_line_up() -> None:
    assert columns([("a", "bb", ""), ("ccc", "d", "e")], ("x", "y", "z")) == (
        "x    y   z\na    bb\nccc  d   e"
    )
    assert columns([]) == ""


@given(st.lists(st.tuples(st.text("abc "), st.text("abc ")), min_size=1))
def test_columns_keep_every_cell_at_its_place(rows: list[Sequence[str]]) -> None:
    width = max(len(first) for first, _ in rows)
    for (first, second), line in zip(rows, columns(rows).split("\n"), strict=True):
        assert line == f"{first:<{width}}  {second}".rstrip()


def test_an_error_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    complain(
        BuildFailed(
            "cpython-3.14.7t: compile failed (exit status 2)",
            hint="The disk is full.",
            log=LOG,
            tail=("cc1: error", "make: *** Error 1"),
        )
    )
    complain(FtbuildError("it broke"))
    assert (
        capsys.readouterr().err
        == f"""\
ftbuild: cpython-3.14.7t: compile failed (exit status 2)

  | cc1: error
  | make: *** Error 1

  The disk is full.
  The whole log: {LOG}
ftbuild: it broke
"""
    )


def test_a_report_for_people() -> None:
    report = Report(
        kind="verify",
        subject=NAME,
        checks=(
            expect("identity.version", "3.14.7", "3.14.7"),
            expect("identity.abiflags", "t", "", "The wrong build was run."),
            skipped("headers", "no compiler here"),
        ),
    )
    brief = report_text(report, everything=False).splitlines()
    assert brief[0] == f"{NAME}: 1 passed, 1 failed, 1 skipped"
    assert [" ".join(line.split()) for line in brief[1:]] == [
        "FAIL identity.abiflags expected t, found . The wrong build was run.",
        "skip headers no compiler here",
    ]
    everything = report_text(report, everything=True).splitlines()
    assert " ".join(everything[1].split()) == "ok identity.version 3.14.7"


@given(ANYTHING)
def test_whatever_others_say_commands_no_terminal(words: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        say(words)
        pass_on(words)
        complain(FtbuildError(words, hint=words, log=Path("/") / "log", tail=(words,)))
        with console.progress(verbose=True) as emit:
            emit(Noted(text=words))
            emit(Warned(text=words))
            emit(StageLine(build=words, stage=words, line=words))
            emit(BuildFinished(build=words, outcome="failed", detail=words))
    assert may_be_shown(out.getvalue() + err.getvalue())
    row = columns([(words, "b"), ("c", words)], (words, words))
    assert len(row.split("\n")) == 3
    report = Report(kind="verify", subject=words, checks=(expect(words, "", words, words),))
    assert len(report_text(report, everything=True).split("\n")) == 2
    table(Board(), 0.0)
    shown(Downloading(name=words, origin=words, done=1, total=2))
    assert may_be_shown(error_text(FtbuildError(words)))


def test_a_line_of_a_log_is_no_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    complain(FtbuildError("it failed", tail=("\x1b[2Jcompiling\r", "a\n::error::b")))
    assert capsys.readouterr().err.splitlines()[2:4] == ["  | �[2Jcompiling", "  | a ::error::b"]
