"""A whole measurement, with the Python that runs the tests in the place of the GIL build."""

from __future__ import annotations

import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from ftbuild.archive.stores import Archives
from ftbuild.bench.arms import Arm
from ftbuild.bench.asked import asked
from ftbuild.bench.measure import measure
from ftbuild.bench.pair import exactly_one_pair, judged
from ftbuild.bench.results import Results
from ftbuild.catalogue import load
from ftbuild.errors import EnvironmentFault
from ftbuild.fetch.sources import Sources
from ftbuild.model.events import Event, Measuring, Warned
from ftbuild.model.versions import Variant
from ftbuild.provision import World
from ftbuild.store.layout import Layout
from tests.builders import build


class Measurement:
    """Measures, and keeps what was told meanwhile."""

    def __init__(self, layout: Layout) -> None:
        self.events: list[Event] = []
        self.kept: list[Results] = []
        stop = threading.Event()
        known = load([])
        self.world = World(
            catalogue=known,
            layout=layout,
            env=os.environ,
            emit=self.events.append,
            stop=stop,
            sources=Sources(
                catalogue=known,
                cache=layout.sources,
                mirrors=(),
                given={},
                env=os.environ,
                emit=self.events.append,
                stop=stop,
                offline=True,
            ),
            checks=(),
            archives=Archives((), env=os.environ, emit=self.events.append, stop=stop, offline=True),
        )
        items = [build(layout.store / variant, variant) for variant in Variant]
        for item in items:
            item.python.parent.mkdir(parents=True)
            item.python.symlink_to(sys.executable)
        self.builds = exactly_one_pair(items)

    def __call__(self, **options: Any) -> Results:
        pair = judged(self.builds, unlike=False)
        wanted = asked(**{"quick": True, "threads": "1,2", **options})
        return measure(wanted, self.builds, pair, self.world, self.kept.append)


@pytest.fixture
def measurement(layout: Layout) -> Measurement:
    return Measurement(layout)


def script(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text(f"import os, time\ndef work(shard, shards):\n    {text}\n")
    return str(path)


def test_every_series_has_a_sample_of_every_round(measurement: Measurement, tmp_path: Path) -> None:
    text = "return 1 / shards\n\ndef merge(partials):\n    return sum(partials)"
    found = measurement(script=script(tmp_path, text), arm=("processes",), rounds=2)
    assert [(s.arm, s.workers) for s in found.series] == [
        (arm, workers) for arm in (Arm.GIL, Arm.PROCESSES) for workers in (1, 2)
    ]
    assert [[sample.round for sample in s.samples] for s in found.series] == [[0, 1]] * 4
    assert found.workloads[0].result is not None
    assert not found.interrupted
    assert [len(kept.series[0].samples) for kept in measurement.kept] == [1, 2]
    told = [event for event in measurement.events if isinstance(event, Measuring)]
    assert [event.done for event in told] == list(range(8))
    assert {event.total for event in told} == {8}


def test_a_series_that_fails_is_over_and_the_others_go_on(
    measurement: Measurement, tmp_path: Path
) -> None:
    # This Python has a GIL on every arm, so that the one without fails.
    found = measurement(script=script(tmp_path, "return shard"), arm=("free-threaded",), rounds=2)
    failures = {series.arm: series.failure for series in found.series}
    assert failures[Arm.GIL] is None
    # From 3.13 on it ends at once instead of beginning with a GIL.
    assert re.search("GIL was on|Disabling the GIL is not supported", str(failures[Arm.FREE]))
    assert [len(s.samples) for s in found.series if s.arm is Arm.GIL] == [2, 2]
    warned = [event.text for event in measurement.events if isinstance(event, Warned)]
    assert len(warned) == 2


def test_what_is_stopped_keeps_what_was_measured(measurement: Measurement, tmp_path: Path) -> None:
    text = "time.sleep(600 if os.path.exists('/nowhere') else 0.01); return shard"
    stop = measurement.world.stop

    def kept(_: Results) -> None:
        stop.set()

    wanted = asked(quick=True, threads="1", script=script(tmp_path, text), arm=("gil",), rounds=9)
    pair = judged(measurement.builds, unlike=False)
    found = measure(wanted, measurement.builds, pair, measurement.world, kept)
    assert found.interrupted
    assert [len(series.samples) for series in found.series] == [1]


def test_what_cannot_be_kept_is_measured_all_the_same(
    measurement: Measurement, tmp_path: Path
) -> None:
    def full(_: Results) -> None:
        raise EnvironmentFault("no space left")

    wanted = asked(quick=True, threads="1", script=script(tmp_path, "return 1"), arm=("gil",))
    pair = judged(measurement.builds, unlike=False)
    found = measure(wanted, measurement.builds, pair, measurement.world, full)
    assert [len(series.samples) for series in found.series] == [3]
    warned = [event.text for event in measurement.events if isinstance(event, Warned)]
    assert warned == ["no space left"] * 3


def test_what_is_impossible_is_said_before_anything_is_measured(
    measurement: Measurement, tmp_path: Path
) -> None:
    wanted = {"script": script(tmp_path, "return 1"), "suite": ("ftscalingbench",)}
    with pytest.raises(EnvironmentFault, match="ftbuild is offline"):
        measurement(**wanted)
    assert measurement.kept == []


def test_a_root_that_cannot_be_written_is_measured_all_the_same(
    measurement: Measurement, tmp_path: Path
) -> None:
    layout = measurement.world.layout
    layout.work.rmdir()
    found = measurement(script=script(tmp_path, "return shard"), arm=("gil",), rounds=1)
    assert [len(series.samples) for series in found.series] == [1, 1]


def test_nothing_is_left_behind(measurement: Measurement) -> None:
    measurement(workload=("logs",), size="1MB", arm=("gil",), rounds=1)
    assert list(measurement.world.layout.work.iterdir()) == []
