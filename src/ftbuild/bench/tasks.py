"""From what is asked to what is run: workloads with their input and the amount of work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ftbuild.bench.arms import Arm
from ftbuild.bench.asked import Asked
from ftbuild.bench.logdata import LogData, generated, given
from ftbuild.bench.offers import Offer
from ftbuild.bench.results import Method, Workload
from ftbuild.bench.runner import Bench, Failed, Job
from ftbuild.bench.schedule import balanced, steady
from ftbuild.model.events import Emit, Measuring
from ftbuild.model.versions import Variant
from ftbuild.toolchain import allowed_cpus

WARM_BYTES = 16_000_000
"""Bytes of a log that are read to warm up, however long it is."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A workload that is to be measured.

    Attributes:
        workload: What it is.
        module: Its module, or the path of a user's script.
        options: What its `prepare` is given.
        warm: What is different about them to warm up.
        arms: On what it is run.
        failure: Why it cannot be measured at all, or None.
    """

    workload: Workload
    module: str
    options: dict[str, Any]
    warm: dict[str, Any] = {}
    arms: tuple[Arm, ...]
    failure: str | None = None


def tasks(asked: Asked, method: Method, bench: Bench, emit: Emit) -> Iterator[Task]:
    """Make the input of every workload, and find out how much of it is a run's work.

    Raises:
        EnvironmentFault: The input cannot be written.
        UsageError: A user's log file is none.
    """
    data: LogData | None = None
    for offer in asked.offers:
        if offer.module != "logs":
            yield _sized(offer, asked, method, bench, emit)
            continue
        if data is None:
            data = (
                given(asked.input)
                if asked.input
                else generated(bench, asked.size, asked.seed, emit)
            )
        yield _logs(offer, asked, data)
    if asked.script is not None:
        yield _script(asked.script, asked)


def _logs(offer: Offer, asked: Asked, data: LogData) -> Task:
    said = {"seed": data.seed} if data.seed is not None else {"input": data.path.name}
    return Task(
        workload=_described(offer, data.size, **offer.options, **said),
        module=offer.module,
        options={
            **offer.options,
            "path": str(data.path),
            "size": None,
            "expected": data.expected,
        },
        warm={"size": WARM_BYTES, "expected": None} if data.size > WARM_BYTES else {},
        arms=_common(offer.arms, asked),
    )


def _script(path: Path, asked: Asked) -> Task:
    return Task(
        workload=Workload(
            name=path.stem,
            summary=f"work(shard, shards) of {path.name}",
            amount=1,
            unit="run",
            options={},
        ),
        module=str(path),
        options={},
        arms=asked.arms,
    )


def _sized(offer: Offer, asked: Asked, method: Method, bench: Bench, emit: Emit) -> Task:
    """A workload in units, as many as one thread of the GIL build does in the seconds asked for."""
    label = f"finding out how much {offer.name} takes {method.seconds:g} s"
    emit(Measuring(task="bench", label=label, done=0, total=1, left=None))
    fixed = {**offer.options, **_client(offer, method, bench)}
    found = bench.calibrate(
        Job(
            workload=offer.module,
            options={**fixed, "units": 1},
            cpus=method.cpus and method.cpus[:1],
            calibrate=True,
        )
    )
    amount = (
        1
        if isinstance(found, Failed)
        else balanced(steady(found.rate * method.seconds), method.workers)
    )
    return Task(
        workload=_described(offer, amount, **offer.options),
        module=offer.module,
        options={**fixed, "units": amount},
        arms=_common(offer.arms, asked),
        failure=found.error if isinstance(found, Failed) else None,
    )


def _described(offer: Offer, amount: int, **options: Any) -> Workload:
    script = offer.script
    return Workload(
        name=offer.name,
        summary=script.SUMMARY,
        amount=amount,
        unit=script.UNIT,
        options={"revision": script.REVISION, **options},
    )


def _client(offer: Offer, method: Method, bench: Bench) -> dict[str, Any]:
    """The client of the HTTP service: the same interpreter on every arm, on any CPU."""
    if offer.module != "service":
        return {}
    # Where the server's threads are pinned, the client must not be pinned with them.
    cpus = sorted(allowed_cpus()) if method.cpus else None
    return {"client": str(bench.pair[Variant.GIL].python), "client_cpus": cpus}


def _common(arms: tuple[Arm, ...], asked: Asked) -> tuple[Arm, ...]:
    return tuple(arm for arm in arms if arm in asked.arms)
