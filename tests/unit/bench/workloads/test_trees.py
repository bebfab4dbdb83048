from __future__ import annotations

import pytest

from ftbuild.bench.workloads import trees


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_any_number_of_workers_comes_to_what_is_known(workers: int) -> None:
    job = trees.prepare({"units": 5})
    partials = [trees.work(shard) for shard in trees.shards(job, workers)]
    assert len(partials) == workers
    result = trees.merge(job, partials)
    assert result == [5, trees.KNOWN]
    trees.check(job, result)


def test_work_is_cut_evenly() -> None:
    assert sorted(trees.shards(11, 4)) == [2, 3, 3, 3]


@pytest.mark.parametrize(
    "result", [[4, trees.KNOWN], [5, trees.KNOWN + 1], [5, 0, trees.KNOWN], [5]]
)
def test_a_wrong_result_is_refused(result: list[int]) -> None:
    with pytest.raises(AssertionError):
        trees.check(5, result)


def test_a_tree_that_loses_its_order_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "mirrored", lambda node: node)
    assert trees.tree() == -1
