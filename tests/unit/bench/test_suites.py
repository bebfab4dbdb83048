from __future__ import annotations

import threading
from itertools import count

import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import SuiteRow
from ftbuild.bench.suites import One, take_turns
from ftbuild.errors import Interrupted
from ftbuild.model.events import Event, Measuring

ARMS = (Arm.GIL, Arm.FREE)


def rows(one: One, stop: threading.Event, events: list[Event]) -> tuple[SuiteRow, ...]:
    ticks = count()
    return take_turns(
        one,
        ("a", "b"),
        ARMS,
        rounds=2,
        suite="s",
        stop=stop,
        emit=events.append,
        clock=lambda: float(next(ticks)),
    )


def test_arms_take_turns_within_a_round_and_another_begins_each_time() -> None:
    order: list[tuple[str, Arm, int]] = []

    def one(name: str, arm: Arm, each: int) -> float:
        order.append((name, arm, each))
        return float(len(order))

    found = rows(one, threading.Event(), [])
    assert order == [
        ("a", Arm.GIL, 0),
        ("a", Arm.FREE, 0),
        ("b", Arm.FREE, 0),
        ("b", Arm.GIL, 0),
        ("a", Arm.FREE, 1),
        ("a", Arm.GIL, 1),
        ("b", Arm.GIL, 1),
        ("b", Arm.FREE, 1),
    ]
    assert found == (
        SuiteRow(name="a", values={"gil": (1.0, 6.0), "free-threaded": (2.0, 5.0)}),
        SuiteRow(name="b", values={"gil": (4.0, 7.0), "free-threaded": (3.0, 8.0)}),
    )


def test_a_failure_is_over_for_that_arm_alone() -> None:
    calls: list[tuple[str, Arm, int]] = []

    def one(name: str, arm: Arm, each: int) -> float | str:
        calls.append((name, arm, each))
        return "signal SIGSEGV" if (name, arm) == ("a", Arm.FREE) else 1.0

    first, second = rows(one, threading.Event(), [])
    assert first.values == {"gil": (1.0, 1.0)}
    assert first.failures == {"free-threaded": "signal SIGSEGV"}
    assert second.values == {"gil": (1.0, 1.0), "free-threaded": (1.0, 1.0)}
    assert ("a", Arm.FREE, 1) not in calls


@pytest.mark.parametrize("error", [Interrupted("stopped"), KeyboardInterrupt()])
def test_an_interrupt_keeps_what_was_measured(error: BaseException) -> None:
    def one(name: str, arm: Arm, _: int) -> float:
        if (name, arm) == ("a", Arm.FREE):
            raise error
        return 1.0

    stop = threading.Event()
    assert rows(one, stop, []) == (SuiteRow(name="a", values={"gil": (1.0,)}),)
    assert stop.is_set()


def test_nothing_begins_once_it_is_stopped() -> None:
    stop = threading.Event()

    def one(*_: object) -> float:
        stop.set()
        return 1.0

    events: list[Event] = []
    assert rows(one, stop, events) == (SuiteRow(name="a", values={"gil": (1.0,)}),)
    assert len(events) == 1


def test_progress_tells_the_time_left() -> None:
    events: list[Event] = []
    rows(lambda *_: 1.0, threading.Event(), events)
    assert events[0] == Measuring(task="bench", label="s a", done=0, total=8, left=None)
    # The clock ticks once a run.
    assert events[2] == Measuring(task="bench", label="s b", done=2, total=8, left=6.0)
    assert events[-1] == Measuring(task="bench", label="s", done=8, total=8, left=0.0)
