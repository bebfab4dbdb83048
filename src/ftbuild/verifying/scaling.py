"""Do two threads run at the same time where they should, and take turns where they must?

Judged by work done in a fixed wall time: two threads against one. On idle CPUs the free-threaded
build reaches 1.9 to 2.0 and the GIL build 0.9 to 1.0; the limits leave room for a busy machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, skipped
from ftbuild.verifying.probing import Context, NoAnswer, ask

_NAME = "behaviour.threads"

_OVERLAP = 1.3
"""The ratio from which two threads did run at the same time."""

_TURNS = 1.2
"""The ratio up to which two threads took turns."""

_IDLE = 1.5
"""The ratio that two processes must reach for the machine to be idle enough to blame a build."""

_FAIR = 0.7
"""The part of a CPU that one thread must be given for its round to count on the GIL build."""

_ROUNDS = 8
_LEAST = 3
"""Rounds that are made at most, and that must have been fair for a verdict on the GIL build."""

SECONDS = 0.2
"""Wall time of one count: 40 of the GIL's switch intervals (5 ms)."""

_PROCESS_SECONDS = 1.0
"""Wall time of one count in a process, long against the difference between two start-ups."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """Work done in a fixed wall time, in rounds of a loop, and the CPU seconds given for it."""

    work: int
    cpu: float


Round = tuple[Count, Count]
"""What one thread did, and what two did, in `SECONDS` each."""


def scaling(installation: Installation, context: Context) -> tuple[Check, ...]:
    """Two CPU-bound threads overlap on the free-threaded build and do not on the GIL build.

    Skipped, with the reason, on one CPU, for sanitizer builds, and where not even two processes
    overlap. Should run alone.
    """
    free_threaded = installation.free_threaded
    if context.cpus < 2:  # noqa: PLR2004 - two threads
        return (skipped(_NAME, "one CPU: nothing can run at the same time"),)
    if installation.spec.sanitizer is not None:
        return (skipped(_NAME, "a sanitizer's own locks decide how its threads scale"),)
    rounds: list[Round] = []
    for _ in range(_ROUNDS):
        counts = _count(installation, context, SECONDS, 1, 2)
        if isinstance(counts, NoAnswer):
            return (counts.failed(_NAME, _expected(free_threaded)),)
        rounds.append((counts[0], counts[1]))
        verdict = judge(free_threaded=free_threaded, rounds=rounds)
        if verdict.status is Status.PASSED:
            return (verdict,)
    if free_threaded and (processes := _processes(installation, context)) < _IDLE:
        reason = f"machine too busy: two processes do only {processes:.1f} times as much"
        return (skipped(_NAME, reason),)
    return (judge(free_threaded=free_threaded, rounds=rounds),)


def judge(*, free_threaded: bool, rounds: Sequence[Round]) -> Check:
    """The verdict on some rounds.

    One round in which threads overlap proves that they can. That they cannot is judged in the
    median, and against what one thread does with a CPU to itself: on a busy machine Linux gives
    two threads that take turns more of the CPUs than one thread that never sleeps.

    Args:
        free_threaded: Which build it was.
        rounds: What was counted.
    """
    if free_threaded:
        ratio = max(two.work / max(one.work, 1) for one, two in rounds)
        right = ratio >= _OVERLAP
    else:
        fair = [(one, two) for one, two in rounds if one.cpu >= _FAIR * SECONDS]
        if len(fair) < _LEAST:
            return skipped(_NAME, "machine too busy: not even one thread had a CPU to itself")
        ratio = statistics.median(
            two.work / max(one.work, 1) * one.cpu / SECONDS for one, two in fair
        )
        right = ratio <= _TURNS
    return Check(
        name=_NAME,
        status=Status.PASSED if right else Status.FAILED,
        expected=_expected(free_threaded),
        found=f"two threads do {ratio:.2f} times the work of one",
    )


def _expected(free_threaded: bool) -> str:
    limit = f"at least {_OVERLAP} times" if free_threaded else f"at most {_TURNS} times"
    return f"two threads do {limit} the work of one"


def _processes(installation: Installation, context: Context) -> float:
    """What two processes reach on this machine now, in the work of one with a CPU to itself."""

    def one(_: int) -> Count:
        counts = _count(installation, context, _PROCESS_SECONDS, 1)
        return Count(work=0, cpu=0) if isinstance(counts, NoAnswer) else counts[0]

    alone = one(0)
    with ThreadPoolExecutor(2) as pool:
        together = sum(count.work for count in pool.map(one, range(2)))
    return together / max(alone.work, 1) * alone.cpu / _PROCESS_SECONDS


def _count(
    installation: Installation, context: Context, seconds: float, *threads: int
) -> tuple[Count, ...] | NoAnswer:
    words = (str(seconds), *map(str, threads))
    return ask(installation, context, "threads.py", *words, kind=tuple[Count, ...])
