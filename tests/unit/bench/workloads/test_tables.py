from __future__ import annotations

import itertools
import pickle
from typing import Any

import pytest

from ftbuild.bench.workloads import tables

UNITS = 6  # a kind and a half of all blocks


def result(workers: int) -> list[Any]:
    job = tables.prepare({"units": UNITS})
    shards = tables.shards(job, workers)
    assert list(itertools.chain(*shards)) == job
    return tables.merge(job, [tables.work(shard) for shard in shards])


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_any_number_of_workers_comes_to_the_same(workers: int) -> None:
    assert result(workers) == result(1)


def test_the_result_is_the_known_one_and_no_other_is() -> None:
    job = tables.prepare({"units": UNITS})
    found = result(2)
    tables.check(job, found)
    sums, groups = found
    for wrong in (
        [[sums[0] + 1, *sums[1:]], groups],
        [sums, groups[1:]],
        [sums, [[*groups[0][:4], groups[0][4] + 1], *groups[1:]]],
    ):
        with pytest.raises(AssertionError):
            tables.check(job, wrong)
    with pytest.raises(AssertionError):
        tables.check(job[1:], found)


def test_rows_share_no_strings_so_that_processes_really_get_them() -> None:
    rows = tables.block(0)
    texts = [row[column] for row in rows for column in (1, 2, 3)]
    assert len({id(text) for text in texts}) == len(texts)
    assert len(pickle.dumps(rows)) > 30 * len(rows)


def test_blocks_repeat_by_kind_but_for_their_numbers() -> None:
    first, again = tables.block(1), tables.block(1 + tables.KINDS)
    assert [row[1:] for row in first] == [row[1:] for row in again]
    assert first != again
    assert tables.block(2)[0][1:] != first[0][1:]
