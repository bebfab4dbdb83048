"""What a user asks to have measured, and how, out of the words of the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.bench.offers import OFFERS, SUITES, Offer, offers, unknown
from ftbuild.bench.schedule import parse_counts, parse_size
from ftbuild.errors import UsageError
from ftbuild.files import expand_home

SIZE = "64MB"
"""How much `logs` reads where nobody says: about a second's work for one thread."""

SECONDS, QUICK_SECONDS = 0.3, 0.1
"""What a run takes on one thread of the GIL build: long against the microseconds that starting a
thread takes and against the GIL's switch interval (5 ms)."""

ROUNDS, QUICK_ROUNDS = 5, 3
"""Processes a series gets. From five on, one that was disturbed does not move the median."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure and how.

    Attributes:
        offers: Workloads of ours.
        script: A user's script, or None.
        suites: Suites of others.
        arms: The arms to run them on.
        size: Bytes of logs to generate.
        input: A user's log file, in place of generated ones.
        seed: What generated logs are made from.
        counts: Numbers of workers; empty: chosen by the machine.
        rounds: Processes for each series, or None for the usual number.
        quick: Whether fewer and shorter runs will do.
        affinity: What to pin to: `auto`, `none`, or a list of CPUs.
        timeout: Seconds for one process, or None for what the amount of work suggests.
    """

    offers: tuple[Offer, ...]
    script: Path | None
    suites: tuple[str, ...]
    arms: tuple[Arm, ...]
    size: int
    input: Path | None
    seed: int
    counts: tuple[int, ...]
    rounds: int | None
    quick: bool
    affinity: str
    timeout: float | None

    @property
    def bytes(self) -> int:
        """Bytes of logs that are read; 0 where none are."""
        if not any(offer.module == "logs" for offer in self.offers):
            return 0
        return self.input.stat().st_size if self.input else self.size

    @property
    def seconds(self) -> float:
        """What a run is to take on one thread of the GIL build."""
        return QUICK_SECONDS if self.quick else SECONDS


def asked(
    *,
    workload: Sequence[str] = (),
    suite: Sequence[str] = (),
    script: str = "",
    arm: Sequence[str] = (),
    size: str = "",
    input: str = "",  # noqa: A002 - the option's name
    seed: int = 1,
    threads: str = "",
    rounds: int = 0,
    quick: bool = False,
    affinity: str = "auto",
    timeout: int = 0,
) -> Asked:
    """Read the options of `bench`. Without any, all usual workloads are measured on all arms.

    Raises:
        UsageError: An option is wrong, or two of them contradict each other.
    """
    names = _words(workload)
    about_logs = bool(size or input)
    if not names and about_logs:
        names = ("logs",)
    if not names and not suite and not script:
        names = tuple(name for name, offer in OFFERS.items() if offer.usual)
    chosen = offers(names)
    if about_logs and not any(offer.module == "logs" for offer in chosen):
        raise UsageError("--size and --input are for the workload logs, which is not among these")
    if size and input:
        raise UsageError("--size generates logs, and --input names some: give one of them")
    for name in suite:
        if name not in SUITES:
            raise unknown("suite", name, SUITES)
    for option, number in (("--rounds", rounds), ("--timeout", timeout)):
        if number < 0:
            raise UsageError(f"{option} must not be negative: {number}")
    return Asked(
        offers=chosen,
        script=_script(script, {offer.name for offer in chosen}) if script else None,
        suites=tuple(suite),
        arms=_arms(_words(arm)),
        size=parse_size(size or SIZE),
        input=_readable(input) if input else None,
        seed=seed,
        counts=parse_counts(threads) if threads else (),
        rounds=rounds or (QUICK_ROUNDS if quick else None),
        quick=quick,
        affinity=affinity,
        timeout=timeout or None,
    )


def _words(given: Sequence[str]) -> tuple[str, ...]:
    """Words given one by one, or several in one with commas between."""
    return tuple(word for text in given for word in text.split(",") if word)


def _arms(names: tuple[str, ...]) -> tuple[Arm, ...]:
    for name in names:
        if name not in tuple(Arm):
            raise unknown("arm", name, tuple(arm.value for arm in Arm))
    # One thread of the GIL build is what everything is compared with.
    return tuple(arm for arm in Arm if not names or arm.value in names or arm is Arm.GIL)


def _script(text: str, taken: set[str]) -> Path:
    path = expand_home(Path(text)).absolute()
    if not path.is_file():
        raise UsageError(f"there is no script {text}")
    if path.suffix != ".py" or path.stem in taken:
        raise UsageError(
            f"{text} cannot be measured under this name",
            hint="A script's name ends in .py, and is not that of a workload measured with it.",
        )
    return path


def _readable(text: str) -> Path:
    """A log file that can be read, or UsageError with the reason why not."""
    path = expand_home(Path(text)).absolute()
    if not path.exists():
        raise UsageError(f"there is no file {text}")
    if not path.is_file():
        raise UsageError(f"{text} is not a regular file: threads read ranges of it")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{text} cannot be read: permission denied")
    if not path.stat().st_size:
        raise UsageError(f"{text} is empty: there is nothing to measure")
    return path
