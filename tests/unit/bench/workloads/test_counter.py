from __future__ import annotations

import pytest

from ftbuild.bench.workloads import counter
from ftbuild.bench.workloads.worker import crew


@pytest.mark.parametrize(("mode", "workers"), [("threads", 1), ("threads", 3), ("processes", 2)])
def test_no_increment_is_lost(mode: str, workers: int) -> None:
    options = {"units": 4}
    job = counter.prepare(options)
    with crew({"workload": "counter", "options": options}, mode, workers) as running:
        for _ in range(2):
            result = counter.merge(job, running.run(job))
            counter.check(job, result)
            assert result == 4000


def test_a_lost_increment_is_noticed() -> None:
    with pytest.raises(AssertionError):
        counter.check(4, 3999)


def test_the_result_counts_this_run_only() -> None:
    assert counter.merge(2, [(1200, 2900), (1000, 3000)]) == 2000


def test_work_is_cut_evenly() -> None:
    assert sorted(counter.shards(11, 4)) == [2, 3, 3, 3]
