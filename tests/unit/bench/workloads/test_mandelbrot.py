from __future__ import annotations

import pytest

from ftbuild.bench.workloads import mandelbrot


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_any_number_of_workers_comes_to_what_is_known(workers: int) -> None:
    job = mandelbrot.prepare({"units": 5})
    partials = [mandelbrot.work(shard) for shard in mandelbrot.shards(job, workers)]
    assert len(partials) == workers
    result = mandelbrot.merge(job, partials)
    assert result == [5, mandelbrot.KNOWN]
    mandelbrot.check(job, result)


def test_work_is_cut_evenly() -> None:
    assert sorted(mandelbrot.shards(11, 4)) == [2, 3, 3, 3]


@pytest.mark.parametrize(
    "result", [[4, mandelbrot.KNOWN], [5, mandelbrot.KNOWN + 1], [5, 0, mandelbrot.KNOWN], [5]]
)
def test_a_wrong_result_is_refused(result: list[int]) -> None:
    with pytest.raises(AssertionError):
        mandelbrot.check(5, result)
