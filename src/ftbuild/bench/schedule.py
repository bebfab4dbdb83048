"""Decides what is run, on which CPUs and in which order; reads the options that ask for it."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import TypeVar

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.errors import UsageError
from ftbuild.toolchain.kernel import cpu_list
from ftbuild.toolchain.machine import Machine

_MOST_WORKERS = 1024
"""More than this is taken for a slip: so many processes can bring a host down."""

_COUNTS_HINT = "Give numbers from 1 on, such as 1,2,4."

_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,18})?)\s*(b|[kmgt]i?b)?", re.ASCII | re.IGNORECASE)
_BYTES = {"b": 1} | {
    prefix + unit: base**power
    for unit, base in (("b", 1000), ("ib", 1024))
    for power, prefix in enumerate("kmgt", start=1)
}

T = TypeVar("T")


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What a process of its own measures in each round: a workload on an arm with so many workers.

    Attributes:
        workload: Its name.
        arm: The arm.
        workers: How many threads, or processes.
    """

    workload: str
    arm: Arm
    workers: int


def parse_counts(text: str) -> tuple[int, ...]:
    """The numbers of workers that an option names, as they stand there; none for empty text.

    Raises:
        UsageError: These are no whole numbers.
    """
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    for word in words:
        if not re.fullmatch(r"[+-]?\d{1,9}", word, re.ASCII):
            raise UsageError(f"{text!r} names no numbers of threads", hint=_COUNTS_HINT)
    return tuple(map(int, words))


def worker_counts(asked: Sequence[int], machine: Machine) -> tuple[int, ...]:
    """The numbers of workers to try, ascending; 1 is always among them, the base of all speed-ups.

    Args:
        asked: What the user wants; may exceed the CPUs. Empty: 1, 2, 4 … up to the CPUs this
            process may use, that number itself, and the number of physical cores.
        machine: The host.

    Raises:
        UsageError: A number is below 1, or so high that it must be a slip.
    """
    most = max(_MOST_WORKERS, machine.cpus)
    for count in asked:
        if count < 1:
            raise UsageError(f"{count} is no number of threads", hint=_COUNTS_HINT)
        if count > most:
            raise UsageError(
                f"{count} threads are more than the {most} that ftbuild starts at once",
                hint=f"This process may use {machine.cpus} CPUs.",
            )
    powers = (1 << power for power in range(machine.cpus.bit_length()))
    usual = (*powers, min(len(machine.cores), machine.cpus), machine.cpus)
    return tuple(sorted({1, *(asked or usual)}))


def parse_size(text: str) -> int:
    """The bytes that an option such as `12GB`, `1.5 GiB` or `4096` names, rounded down.

    kB, MB, GB and TB are powers of ten, KiB, MiB, GiB and TiB of 1024, in capitals or not.

    Raises:
        UsageError: This is no size, or less than a byte.
    """
    match = _SIZE.fullmatch(text.strip())
    size = int(Fraction(match[1]) * _BYTES[(match[2] or "b").lower()]) if match else 0
    if size < 1:
        raise UsageError(
            f"{text!r} is no size",
            hint="Give a number above 0 and a unit: 500MB, 12GB (powers of ten), 1.5GiB; or bytes.",
        )
    return size


def pinning(text: str, machine: Machine) -> tuple[int, ...] | None:
    """The CPUs that `--affinity` names, the first n of them for n workers; None for no pinning.

    Args:
        text: Empty or `auto` for all that this process may run on, physical cores before their
            second threads; `none`; or a list such as `0,2,4-7`, kept in its order.
        machine: The host. Only Linux can pin.

    Raises:
        UsageError: The list cannot be read, names a CPU twice or one that this process may not use.
    """
    usable = machine.cores + machine.siblings
    word = text.strip().lower()
    if word == "none":
        return None
    if word in {"", "auto"}:
        return usable if machine.system == "linux" else None
    try:
        cpus = cpu_list(word)
    except ValueError as error:
        raise UsageError(
            f"{text!r} names no CPUs: {error}", hint="Give auto, none or a list such as 0,2,4-7."
        ) from error
    if machine.system != "linux":
        raise UsageError(
            f"{machine.system} cannot pin threads to CPUs", hint="Leave --affinity away."
        )
    if foreign := sorted(set(cpus).difference(usable)):
        raise UsageError(
            f"this process may not run on CPU {_ranges(foreign)}",
            hint=f"It may use {_ranges(sorted(usable))}.",
        )
    if len(set(cpus)) < len(cpus):
        raise UsageError(f"{text!r} names a CPU twice", hint="Name each once.")
    return cpus


def order(cells: Sequence[T], round: int) -> tuple[T, ...]:  # noqa: A002 - the field's own term
    """The order in which a round visits all cells: the same for the same round.

    Each odd round goes backwards through the one before, so that a drift that is steady over the
    two adds the same to every cell. Rounds 0, 2, 4 … are the rows of a Williams design (Australian
    Journal of Scientific Research A 2, 1949): after n rounds of an even number n of cells, or 2n of
    an odd one, each cell has stood in each place, and followed each other cell, equally often.
    Cells beside each other in `cells` are never more than two places apart: those that will be
    compared are measured close together.

    Args:
        cells: What to visit; those to be compared side by side.
        round: Its number, from 0.
    """
    count = len(cells)
    if count == 0:
        return ()
    period = count if count % 2 else count // 2
    # Near the golden section, so that the rows of the first few rounds begin far from each other.
    near = int(0.618 * period) + 1
    stride = next(step for step in range(near, period + 2) if math.gcd(step, period) == 1)
    first = round // 2 * stride
    # 0, 1, n-1, 2, n-2 …: all differences between neighbours are different.
    zigzag = ((place + 1) // 2 * (1 if place % 2 else -1) for place in range(count))
    row = tuple(cells[(first + step) % count] for step in zigzag)
    return row[::-1] if round % 2 else row


def balanced(amount: float, counts: Sequence[int]) -> int:
    """An amount of work near another that the workers can divide without a rest.

    Args:
        amount: About how much one run should do, in units that cannot be divided.
        counts: The numbers of workers that will share it.

    Returns:
        The nearest multiple, above 0, of all the counts. Where that is more than twice what is
        needed, of the largest count alone: then others leave some worker idle for a unit's time.
    """
    even, most = math.lcm(*counts), max(counts)
    if even > 2 * max(amount, most):
        even = most
    return even * max(1, math.floor(amount / even + 0.5))


def steady(amount: float) -> float:
    """The power of two nearest to an amount, by ratio: the same for two calibrations that differ.

    A calibration is never twice the same. With amounts so coarse two runs on a host nearly always
    do the same work, and their times can be compared as they are.
    """
    return 2.0 ** round(math.log2(max(amount, 1.0)))


def time_left(
    done: Mapping[Cell, float], todo: Iterable[Cell], *, cpus: int, guess: float
) -> float:
    """The seconds that the rest of a measurement will take.

    A cell that has been visited takes as long again. Another is judged by its workload: what the
    same arm (else any arm) would take with one worker, shared among as many as run at once. Failing
    that, it takes the mean of all others.

    Args:
        done: How long a process took that measured a cell, in seconds.
        todo: The cells still to visit, each as often as it will be.
        cpus: CPUs that workers can use at once.
        guess: Seconds for a cell before anything is known.
    """
    mean = statistics.fmean(done.values()) if done else guess

    def expected(cell: Cell) -> float:
        if cell in done:
            return done[cell]
        kin = [other for other in done if other.workload == cell.workload]
        kin = [other for other in kin if other.arm is cell.arm] or kin
        if not kin:
            return mean
        alone = statistics.median(done[other] * _abreast(other, cpus) for other in kin)
        return alone / _abreast(cell, cpus)

    return math.fsum(map(expected, todo))


def _abreast(cell: Cell, cpus: int) -> int:
    """How many workers of a cell run at once."""
    turns = cell.arm.gil and cell.arm.mode == "threads"
    return 1 if turns else min(cell.workers, cpus)


def _ranges(cpus: Sequence[int]) -> str:
    """Ascending CPUs as the kernel lists them: `0-3,8`."""
    words: list[str] = []
    for _, run in groupby(enumerate(cpus), key=lambda pair: pair[1] - pair[0]):
        first, *rest = (cpu for _, cpu in run)
        words.append(f"{first}-{rest[-1]}" if rest else f"{first}")
    return ",".join(words)
