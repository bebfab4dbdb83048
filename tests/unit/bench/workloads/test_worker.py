from __future__ import annotations

import concurrent.futures
import importlib.machinery
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftbuild.bench.workloads import worker


@pytest.fixture(autouse=True)
def _left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loading a workload changes the process, which here is that of all tests."""
    before = importlib.machinery.SourceFileLoader.source_to_code
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop(worker.SCRIPT, None)
    importlib.machinery.SourceFileLoader.source_to_code = before  # type: ignore[method-assign]


def script(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return str(path)


class Numbers:
    """A workload: squares, or what a test makes of it."""

    def __init__(self, *, failing: object = None) -> None:
        self.failing = failing

    def shards(self, job: int, workers: int) -> list[int]:
        return [job + n for n in range(workers)]

    def work(self, shard: int, *shared: Any) -> int:
        if shard == self.failing:
            raise KeyError("a shard")
        return shard * shard + sum(map(int, shared))


class Driven(Numbers):
    def drive(self, job: int, workers: int, *shared: Any) -> list[int]:
        if self.failing == "drive":
            raise ValueError("the main thread")
        return [job, workers, *shared]


def threads(module: Any, workers: int, *shared: Any) -> worker.Threads:
    crew = object.__new__(worker.Threads)
    crew.module, crew.workers, crew.shared, crew.cpus = module, workers, shared, ()
    return crew


def test_a_digest_tells_results_apart_and_not_their_order_of_keys() -> None:
    assert worker.digest({"a": 1, "b": [2]}) == worker.digest({"b": [2], "a": 1})
    assert worker.digest([1, 2]) != worker.digest([2, 1])
    assert worker.digest(None) is None


def test_partials_come_in_the_order_of_shards() -> None:
    assert threads(Numbers(), 3).run(2) == [4, 9, 16]


def test_what_is_shared_goes_to_each_shard_and_the_main_thread_adds_the_last_partial() -> None:
    assert threads(Driven(), 2, 100).run(1) == [101, 104, [1, 2, 100]]


def test_an_exception_in_a_thread_is_raised() -> None:
    with pytest.raises(KeyError, match="a shard"):
        threads(Numbers(failing=2), 3).run(1)


def test_an_exception_of_the_main_thread_is_raised_after_the_workers_ended() -> None:
    with pytest.raises(ValueError, match="the main thread"):
        threads(Driven(failing="drive"), 2).run(1)


def test_an_exception_in_a_process_is_raised(tmp_path: Path) -> None:
    name = script(tmp_path, "def work(shard, shards):\n    return {}[shard]\n")
    with worker.crew({"workload": name, "options": {}}, "processes", 1) as crew:
        with pytest.raises(KeyError):
            crew.run(None)
        assert crew.start > 0
        assert all(usage.rss > 0 for usage in crew.usage())


def test_what_is_shared_reaches_the_work_of_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "workload", lambda _: Numbers())
    monkeypatch.setattr(worker, "HELD", [])
    worker.HELD[:] = [1000]
    partial, usage = worker.call("numbers", 3)
    assert partial == 1009
    assert usage.pid
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(worker.ready, "numbers").result().rss > 0


@pytest.mark.parametrize("shards", [1, 3])
def test_a_users_script_gets_its_shards(tmp_path: Path, shards: int) -> None:
    text = "def work(shard, shards):\n    return [shard, shards]\n\nmerge = sorted\n"
    module = worker.workload(script(tmp_path, text))
    assert isinstance(module, worker.Script)
    module.prepare({})
    partials = [module.work(shard) for shard in module.shards(None, shards)]
    result = module.merge(None, partials)
    assert result == [[n, shards] for n in range(shards)]
    module.check(None, result)


def test_a_script_without_merge_has_no_result(tmp_path: Path) -> None:
    module = worker.workload(script(tmp_path, "def work(shard, shards):\n    return 1\n"))
    assert module.merge(None, [1, 1]) is None


def test_a_script_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "its_neighbour.py").write_text("HALF = 0.5\n")
    text = "import its_neighbour\n\ndef work(shard, shards):\n    return its_neighbour.HALF\n"
    try:
        assert worker.workload(script(tmp_path, text)).work((0, 1)) == 0.5
    finally:
        sys.modules.pop("its_neighbour", None)


def test_modules_are_read_as_from_a_cache(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text("def f():\n    return 1234.5\n")
    loader = importlib.machinery.SourceFileLoader("some", str(path))
    code = worker.as_cached(loader, path.read_bytes(), str(path))
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - just compiled from the text above
    assert names["f"]() == 1234.5
    assert code.co_filename == str(path)


def test_ours_are_loaded_by_name() -> None:
    assert worker.workload("mandelbrot").KNOWN == 14879
