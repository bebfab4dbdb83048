from __future__ import annotations

import hashlib
import zlib
from typing import Any

import pytest

from ftbuild.bench.workloads import hashes


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_any_number_of_workers_comes_to_what_is_known(workers: int) -> None:
    job = hashes.prepare({"units": 5})
    result = hashes.merge(job, [hashes.work(shard) for shard in hashes.shards(job, workers)])
    assert result == [10, hashes.KNOWN]
    hashes.check(job, result)


@pytest.mark.parametrize("result", [[9, hashes.KNOWN], [10, "0"], [10, "0", hashes.KNOWN], [10]])
def test_a_wrong_result_is_refused(result: list[Any]) -> None:
    with pytest.raises(AssertionError):
        hashes.check((b"", 5), result)


def test_the_buffer_is_large_and_compresses_like_text() -> None:
    data, _ = hashes.prepare({"units": 1})
    assert hashlib.sha256(data).hexdigest() == hashes.KNOWN
    assert len(data) == hashes.SIZE
    assert 0.3 < len(zlib.compress(data, 1)) / len(data) < 0.7
