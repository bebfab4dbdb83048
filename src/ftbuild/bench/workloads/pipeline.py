"""A producer and its consumers, joined by a bounded queue.

It stands for the usual shape of threaded programs: one thread reads, a crew works on what comes.
The main thread produces; each worker takes an item, does some 100 microseconds of string work on
it, and takes the next. Threads share a `queue.Queue`, whose lock is held for a microsecond an item;
each wait for an item or a place wakes a thread. Processes share a `multiprocessing.Queue`, which
pickles each item in a thread of the producer.

A unit is an item: a text of 300 words.
"""

import multiprocessing
import queue
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from string import ascii_lowercase
from typing import Any

SUMMARY = "a producer and consumers on a bounded queue, 0.1 ms of string work an item"
UNIT = "items"
REVISION = 1

WORDS = 300
"""Words of a text."""

KINDS = 4
"""Texts after which the same come again."""

PLACES = 64
"""Items that the queue holds."""

PATIENCE = 60.0
"""Seconds after which the producer does not wait for a place any longer: nobody consumes."""

KNOWN = (38063, 37906, 38112, 37680)
"""The `weight` of each kind of text."""


def prepare(options: dict[str, Any]) -> list[str]:
    """The texts, each an object of its own, as reading them would give."""
    texts = [text(kind) for kind in range(KINDS)]
    return [f"{texts[n % KINDS]} #{n}" for n in range(int(options["units"]))]


def text(kind: int) -> str:
    """The words of a kind of text."""
    chances = ((kind * WORDS + n) * 1103515245 + 12345 >> 8 for n in range(WORDS))
    return " ".join(f"{'Word' if c % 3 else 'other'}{c % 97}," for c in chances)


@contextmanager
def shared(_options: dict[str, Any], _workers: int, mode: str) -> Iterator[Any]:
    """The queue. None in it tells one worker that no more will come."""
    if mode == "threads":
        yield queue.Queue(PLACES)
        return
    items: Any = multiprocessing.Queue(PLACES)
    try:
        yield items
    finally:
        items.cancel_join_thread()
        items.close()


def shards(_job: list[str], workers: int) -> list[None]:
    """Nothing: workers take what comes."""
    return [None] * workers


def work(_shard: None, items: Any) -> tuple[int, int]:
    """How many items this worker got, and the sum of their weights."""
    count = total = 0
    while (item := items.get()) is not None:
        count += 1
        total += weight(item)
    return count, total


def weight(item: str) -> int:
    """A sum over a text: of its numbers, and of how often words come times where they rank."""
    head, _, _ = item.partition("#")
    words = [word.strip(",").casefold() for word in head.split()]
    numbers = sum(int(word.lstrip(ascii_lowercase)) for word in words)
    counts = Counter(words)
    ranking = sorted(counts, key=lambda word: (-counts[word], word))
    titles = [word.title().replace("Other", "Else") for word in ranking]
    return numbers + len("/".join(titles)) + sum(n * counts[w] for n, w in enumerate(ranking))


def drive(job: list[str], workers: int, items: Any) -> None:
    """Produce: put all items, then tell each worker that there are no more."""
    for item in job:
        items.put(item, timeout=PATIENCE)
    for _ in range(workers):
        items.put(None, timeout=PATIENCE)


def merge(_job: list[str], partials: list[Any]) -> list[int]:
    """How many items were consumed, and the sum of their weights."""
    *consumed, _ = partials
    return [sum(column) for column in zip(*consumed, strict=True)]


def check(job: list[str], result: list[int]) -> None:
    """Each item was consumed once."""
    assert result == [len(job), sum(islice(cycle(KNOWN), len(job)))], result
