from __future__ import annotations

import queue
from typing import Any

import pytest

from ftbuild.bench.workloads import pipeline
from ftbuild.bench.workloads.worker import crew

UNITS = 150  # more than the queue holds


@pytest.mark.parametrize(("mode", "workers"), [("threads", 1), ("threads", 3), ("processes", 2)])
def test_each_item_is_consumed_once(mode: str, workers: int) -> None:
    options = {"units": UNITS}
    job = pipeline.prepare(options)
    with crew({"workload": "pipeline", "options": options}, mode, workers) as running:
        for _ in range(2):
            partials = running.run(job)
            assert len(partials) == workers + 1
            pipeline.check(job, pipeline.merge(job, partials))


@pytest.mark.parametrize("change", [(1, 0), (0, 1)])
def test_a_wrong_result_is_refused(change: tuple[int, int]) -> None:
    job = pipeline.prepare({"units": 5})
    items: Any = queue.Queue()
    pipeline.drive(job, 1, items)
    count, total = pipeline.work(None, items)
    result = pipeline.merge(job, [(count, total), None])
    pipeline.check(job, result)
    with pytest.raises(AssertionError):
        pipeline.check(job, [result[0] + change[0], result[1] + change[1]])


def test_a_producer_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "PATIENCE", 0.01)
    with pytest.raises(queue.Full):
        pipeline.drive(["a", "b"], 1, queue.Queue(1))


def test_items_are_texts_of_their_own() -> None:
    job = pipeline.prepare({"units": 20})
    assert len(set(job)) == 20
    assert [pipeline.weight(item) for item in job[:4]] == list(pipeline.KNOWN)
    assert pipeline.weight(job[4]) == pipeline.KNOWN[0]
