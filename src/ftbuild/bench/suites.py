"""Taking turns: the benchmarks of somebody else's suite on several arms, round after round.

Within a round every benchmark runs on all arms one after the other, another one first each time, so
that a machine that drifts or is shared hurts all alike. What was measured is never lost: a failure
ends one benchmark on one arm, and an interrupt ends the measurement, but not the program.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import SuiteRow
from ftbuild.errors import Interrupted
from ftbuild.model.events import Emit, Measuring

One = Callable[[str, Arm, int], float | str]
"""Runs a benchmark on an arm in a round; returns its figure, or why there is none."""


def take_turns(
    one: One,
    names: Sequence[str],
    arms: Sequence[Arm],
    *,
    rounds: int,
    suite: str,
    stop: threading.Event,
    emit: Emit,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[SuiteRow, ...]:
    """Run every benchmark on every arm, once a round.

    Args:
        one: Runs one. After a failure it is not called again for that benchmark on that arm, so
            that the n-th values of two arms always come from one round.
        names: The benchmarks.
        arms: The arms.
        rounds: How often.
        suite: Name of the suite, for the events.
        stop: Ends the measurement early. Set here if that happens through Ctrl-C.
        emit: Receives a `Measuring` before each run and one at the end.
        clock: Tells the time in seconds.

    Returns:
        A row for each benchmark that has a figure or a failure, in their order. Where it was
        stopped, that is what had been measured until then.
    """
    values: dict[str, dict[str, tuple[float, ...]]] = {name: {} for name in names}
    failures: dict[str, dict[str, str]] = {name: {} for name in names}
    due = [
        (name, arm, each)
        for each in range(rounds)
        for number, name in enumerate(names)
        for arm in turned(arms, each + number)
    ]
    began = clock()
    try:
        for done, (name, arm, each) in enumerate(due):
            if stop.is_set():
                break
            if arm in failures[name]:
                continue
            left = (clock() - began) / done * (len(due) - done) if done else None
            emit(
                Measuring(
                    task="bench", label=f"{suite} {name}", done=done, total=len(due), left=left
                )
            )
            figure = one(name, arm, each)
            if isinstance(figure, str):
                failures[name][arm.value] = figure
            else:
                values[name][arm.value] = (*values[name].get(arm.value, ()), figure)
        else:
            emit(Measuring(task="bench", label=suite, done=len(due), total=len(due), left=0.0))
    except (Interrupted, KeyboardInterrupt):
        stop.set()
    return tuple(
        SuiteRow(name=name, values=values[name], failures=failures[name])
        for name in names
        if values[name] or failures[name]
    )


def turned(arms: Sequence[Arm], by: int) -> tuple[Arm, ...]:
    """The arms, beginning with another one."""
    first = by % len(arms)
    return (*arms[first:], *arms[:first])
