"""Random rounds: two of them at a time, each on a stage of its own."""

from __future__ import annotations

import os
import random
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.stage import Stage

ENOUGH = 5
"""Failed rounds after which no further ones are begun."""

Round = Callable[[Stage, random.Random], None]


def play(
    seeds: Iterable[int],
    one: Round,
    folder: Path,
    *,
    repeat: str,
    make: Callable[[Path, ExitStack], Stage] = lambda folder, _: Stage(folder),
) -> None:
    """Play a round for each seed.

    Args:
        seeds: What the rounds draw from.
        one: Plays a round on a stage that has just been restored.
        folder: Where the stages may be.
        repeat: The test, as pytest is to be told to repeat a round.
        make: Makes a stage.
    """
    waiting = iter(seeds)
    lock = threading.Lock()
    failed: list[str] = []
    ended = threading.Event()
    log = folder / "rounds.log"

    def drawn() -> Iterator[int]:
        while True:
            with lock:
                seed = next(waiting, None)
            if seed is None or len(failed) >= ENOUGH or ended.is_set():
                return
            yield seed

    def lane(number: int) -> None:
        with ExitStack() as stack:
            stage = stack.enter_context(make(folder / f"lane-{number}", stack))
            for seed in drawn():
                try:
                    stage.restore()
                    one(stage, random.Random(seed))  # noqa: S311 - to be repeated
                except Exception:  # noqa: BLE001 - told below, with the seed
                    again = f"pytest '{repeat}' --faults-rounds 1 --faults-seed {seed}"
                    failed.append(f"{traceback.format_exc(limit=-4)}\nseed {seed}; again: {again}")
                    with lock, log.open("a") as told:  # for who waits for a thousand rounds
                        told.write(failed[-1])
                    stage.user.end()
                with lock, log.open("a") as told:
                    told.write(f"{seed} played, {len(failed)} failed\n")

    lanes = min(2, len(os.sched_getaffinity(0)))
    with ThreadPoolExecutor(lanes) as pool:
        try:
            for done in [pool.submit(lane, number) for number in range(lanes)]:
                done.result()
        except BaseException:
            ended.set()  # after Ctrl-C, too, the lanes come to an end
            raise
    if failed:
        pytest.fail("\n\n".join(failed), pytrace=False)
