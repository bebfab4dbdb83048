"""Numeric work: the Mandelbrot set in plain Python floats.

It stands for loops over numbers that nobody has moved to an array library. Nothing is shared and
nothing outlives a step, so only the interpreter and the CPUs limit it: what it reaches is what any
pure Python can reach here.

One thing would be shared if the code were compiled without a .pyc: the literals, see
`worker.as_cached`.

A unit is one picture of 32 by 32 points; each is checked against the sum known for it.
"""

from typing import Any

SUMMARY = "Mandelbrot set in plain floats: loops over numbers, nothing shared"
UNIT = "pictures"
REVISION = 1

SIDE = 32
"""Points in a row, and rows."""

LIMIT = 50
"""Iterations after which a point counts as part of the set."""

KNOWN = 14879
"""The sum of the iteration counts of a picture."""


def prepare(options: dict[str, Any]) -> int:
    """The number of pictures."""
    return int(options["units"])


def shards(job: int, workers: int) -> list[int]:
    """As many pictures for each worker, or one more."""
    return [job * (n + 1) // workers - job * n // workers for n in range(workers)]


def work(shard: int) -> list[int]:
    """The sums of so many pictures."""
    return [picture() for _ in range(shard)]


def picture() -> int:
    """The sum of all points' iteration counts."""
    total = 0
    for row in range(SIDE):
        y = row * 2.5 / SIDE - 1.25
        for column in range(SIDE):
            x = column * 3.0 / SIDE - 2.0
            a = b = 0.0
            count = 0
            while count < LIMIT and a * a + b * b <= 4.0:
                a, b = a * a - b * b + x, 2.0 * a * b + y
                count += 1
            total += count
    return total


def merge(_job: int, partials: list[list[int]]) -> list[int]:
    """How many pictures there are, and their different sums."""
    sums = [total for partial in partials for total in partial]
    return [len(sums), *sorted(set(sums))]


def check(job: int, result: list[int]) -> None:
    """All pictures are there, and right."""
    assert result == [job, KNOWN], result
