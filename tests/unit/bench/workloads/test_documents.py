from __future__ import annotations

import itertools
import json

import pytest

from ftbuild.bench.workloads import documents

UNITS = 6


def result(workers: int) -> list[int]:
    job = documents.prepare({"units": UNITS})
    shards = documents.shards(job, workers)
    assert list(itertools.chain(*shards)) == job
    return documents.merge(job, [documents.work(shard) for shard in shards])


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_any_number_of_workers_comes_to_the_same(workers: int) -> None:
    assert result(workers) == result(1)


def test_the_result_is_the_known_one_and_no_other_is() -> None:
    job = documents.prepare({"units": UNITS})
    found = result(2)
    documents.check(job, found)
    for column in range(3):
        wrong = [value + (n == column) for n, value in enumerate(found)]
        with pytest.raises(AssertionError):
            documents.check(job, wrong)
    with pytest.raises(AssertionError):
        documents.check(job[1:], found)


def test_texts_are_documents_with_their_numbers() -> None:
    texts = documents.prepare({"units": documents.KINDS + 1})
    assert [json.loads(text)["number"] for text in texts] == list(range(documents.KINDS + 1))
    first, last = json.loads(texts[0]), json.loads(texts[-1])
    assert first["lines"] == last["lines"] != json.loads(texts[1])["lines"]
