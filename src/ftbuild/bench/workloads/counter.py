"""One counter under one lock, which all workers increment and do nothing else.

It stands for the worst case: no part of the work can be done at the same time, and every step
takes a lock that another worker may hold. More workers can only make it slower; by how much is what
waiting for a lock and moving the cache lines it guards cost. It need not be much: a thread that has
just released a lock mostly takes it again before the one that waits is awake. Threads share a
`threading.Lock`, processes a `multiprocessing.Value` and its lock.

A unit is 1000 increments.
"""

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

SUMMARY = "one counter under one lock: the worst case"
UNIT = "thousands of increments"
REVISION = 1

STEPS = 1000
"""Increments in a unit."""


def prepare(options: dict[str, Any]) -> int:
    """The number of units."""
    return int(options["units"])


@contextmanager
def shared(_options: dict[str, Any], _workers: int, mode: str) -> Iterator[tuple[Any, Any]]:
    """The lock and the counter, which goes on from run to run."""
    if mode == "threads":
        yield threading.Lock(), SimpleNamespace(value=0)
    else:
        counter = multiprocessing.Value("q")
        yield counter.get_lock(), counter


def shards(job: int, workers: int) -> list[int]:
    """As many units for each worker, or one more."""
    return [job * (n + 1) // workers - job * n // workers for n in range(workers)]


def work(shard: int, given: tuple[Any, Any]) -> tuple[int, int]:
    """The counter before the first and after the last of so many thousands of increments."""
    lock, counter = given
    with lock:
        last = first = counter.value
    for _ in range(shard * STEPS):
        with lock:
            counter.value = last = counter.value + 1
    return first, last


def merge(_job: int, partials: list[tuple[int, int]]) -> int:
    """By how much all workers together moved the counter."""
    return max(last for _, last in partials) - min(first for first, _ in partials)


def check(job: int, result: int) -> None:
    """No increment was lost."""
    assert result == job * STEPS, result
