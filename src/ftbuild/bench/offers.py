"""What can be measured: the names of our workloads, and what each is run with."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.errors import UsageError
from ftbuild.model.versions import nearest

THREADS = (Arm.GIL, Arm.FREE, Arm.FORCED)
"""The arms of what processes cannot do."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A workload of ours.

    Attributes:
        name: What users call it.
        module: Its script in `workloads/`.
        options: What is fixed about its options.
        arms: On what it can be run.
        usual: Whether it is run where none is named.
    """

    name: str
    module: str
    options: dict[str, Any] = {}
    arms: tuple[Arm, ...] = tuple(Arm)
    usual: bool = True

    @property
    def script(self) -> ModuleType:
        """The module itself, for what it says about itself; it runs under the built Pythons."""
        return import_module(f"ftbuild.bench.workloads.{self.module}")


OFFERS = {
    offer.name: offer
    for offer in (
        Offer(name="logs", module="logs", options={"variant": "own"}),
        Offer(name="logs-match", module="logs", options={"variant": "match"}, usual=False),
        Offer(
            name="logs-shared-pattern",
            module="logs",
            options={"variant": "shared-pattern"},
            arms=THREADS,
            usual=False,
        ),
        Offer(
            name="logs-shared-dict",
            module="logs",
            options={"variant": "shared-dict"},
            arms=THREADS,
            usual=False,
        ),
        Offer(name="mandelbrot", module="mandelbrot"),
        Offer(name="trees", module="trees"),
        Offer(name="tables", module="tables"),
        Offer(name="json", module="documents"),
        Offer(name="hashes", module="hashes"),
        Offer(name="counter", module="counter"),
        Offer(name="queue", module="pipeline"),
        Offer(name="http", module="service"),
    )
}
"""Our workloads by name, in the order in which they are run."""

SUITES = ("ftscalingbench", "pyperformance")
"""Suites of others that can be run."""


def offers(names: tuple[str, ...]) -> tuple[Offer, ...]:
    """The workloads of these names.

    Raises:
        UsageError: There is no such workload.
    """
    for name in names:
        if name not in OFFERS:
            raise unknown("workload", name, tuple(OFFERS))
    return tuple(offer for name, offer in OFFERS.items() if name in names)


def unknown(what: str, name: str, known: tuple[str, ...]) -> UsageError:
    """The complaint on a name that nothing has."""
    near = nearest(name, known, 1)
    guess = f"Did you mean {near[0]}? " if near else ""
    return UsageError(f"there is no {what} {name!r}", hint=f"{guess}There are: {', '.join(known)}.")
