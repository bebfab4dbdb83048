from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.bench.workloads import logs

GOOD = (
    b'198.18.0.1 - - [01/Mar/2026:07:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 12 "-" "curl/8"',
    b'198.18.0.2 - ann [01/Mar/2026:08:00:00 +0000] "GET /b HTTP/2.0" 404 - "/a" "A \\"b\\" Bot"',
    b'2001:db8::1 - - [01/Mar/2026:08:59:59 +0000] "POST /a HTTP/1.1" 500 0 "" "Edg/1" 0.003 "x"',
)
BROKEN = (
    b"",
    b"no log at all",
    GOOD[0][:-1],
    b'198.18.0.1 - - [01/Mar/2026:07:00:00 +0000] "-" 408 - "-" "-"',
    b'198.18.0.1 - - [01/Mar/2026:07:00:00 +0000] "\\x16\\x03 a b" 400 1 "-" "-"',
    b'198.18.0.1 - - [01/Mar/2026:07:00:00 +0000] "GET /a b HTTP/1.1" 400 1 "-" "-"',
    b'198.18.0.1 - - [01/Mar/2026:07:00:00 +0000] "GET /a HTTP/1.1" 20 1 "-" "-"',
    b'198.18.0.1 - - [01/Mar/2026:07:00:00 +0000] "GET / HTTP/1.1" 200 ' + 5000 * b"9" + b' "-" ""',
    b"\x00\x0b\x0c\x1c\x85\xa0\xff\r\r",
)
LINES = st.lists(st.sampled_from((*GOOD, *BROKEN)) | st.binary(max_size=40))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "access.log"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Sets the sizes of a block and of the longest line."""

    def set_(block: int, longest: int) -> None:
        monkeypatch.setattr(logs, "BLOCK", block)
        monkeypatch.setattr(logs, "LONGEST", longest)

    return set_


def counted(path: Path, workers: int = 1, **options: Any) -> dict[str, Any]:
    job = logs.prepare({"path": str(path), **options})
    return logs.merge(job, [logs.work(shard) for shard in logs.shards(job, workers)])


def test_what_is_counted(path: Path) -> None:
    path.write_bytes(b"\n".join([*GOOD, *BROKEN, GOOD[0]]))
    found = counted(path)
    assert found.pop("sha256")
    assert found == {
        "lines": len(GOOD) + len(BROKEN) + 1,
        "broken": len(BROKEN),
        "bytes": 24,
        "statuses": {"200": 2, "404": 1, "500": 1},
        "hours": {"07": 2, "08": 2},
        "methods": {"GET": 3, "POST": 1},
        "hosts": [["198.18.0.1", 2], ["198.18.0.2", 1], ["2001:db8::1", 1]],
        "paths": [["/a", 3], ["/b", 1]],
        "agents": [["tool", 2], ["bot", 1], ["edge", 1]],
        "missing": [["/b", 1]],
        "different": {"hosts": 3, "paths": 2, "agents": 3, "missing": 1},
    }


def test_the_hash_is_over_all_of_a_table(path: Path) -> None:
    lines = [GOOD[0].replace(b"/a", b"/%02d" % n) for n in range(30)]
    path.write_bytes(b"\n".join(lines))
    one = counted(path)
    path.write_bytes(b"\n".join(lines).replace(b"/29", b"/30"))
    other = counted(path)
    assert one.pop("sha256") != other.pop("sha256")
    assert one == other
    assert len(one["paths"]) == logs.TOP


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line(path: Path, line: bytes) -> None:
    path.write_bytes(line + b"\n")
    found = counted(path)
    assert (found["lines"], found["broken"], found["hosts"]) == (1, 1, [])


@given(
    lines=LINES,
    end=st.sampled_from([b"\n", b"\r\n"]),
    last=st.booleans(),
    workers=st.integers(1, 9),
    block=st.integers(1, 300),
    longest=st.sampled_from([1, 5, 90, 200]),
)
def test_any_cutting_gives_the_same(
    path: Path, lines: list[bytes], end: bytes, last: bool, workers: int, block: int, longest: int
) -> None:
    data = end.join(lines) + (end if last else b"")
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "LONGEST", longest)
        whole = counted(path)
        patch.setattr(logs, "BLOCK", block)
        assert counted(path, workers) == whole
    pieces = data.split(b"\n")
    assert whole["lines"] == len(pieces) - (not pieces[-1])
    assert whole["broken"] >= sum(len(each) > longest for each in pieces)


@given(st.lists(st.sampled_from(GOOD)), st.integers(1, 5))
def test_line_ends_of_windows(path: Path, lines: list[bytes], workers: int) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    unix = counted(path)
    path.write_bytes(b"".join(line + b"\r\n" for line in lines))
    assert counted(path, workers) == unix
    assert unix["broken"] == 0


def test_a_line_may_be_as_long_as_the_longest(
    path: Path, small: Callable[[int, int], None]
) -> None:
    small(16, len(GOOD[0]))
    path.write_bytes(GOOD[0] + b"\n" + GOOD[0] + b" \n" + GOOD[0])
    assert (counted(path)["lines"], counted(path)["broken"]) == (3, 1)


def test_a_file_without_lines_is_not_kept_in_memory(
    path: Path, small: Callable[[int, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    small(64, 100)
    path.write_bytes(bytes(10_000))
    seen = [line for part in logs.batches(path, 0, 10_000) for line in part]
    assert seen == [""]
    assert not list(logs.batches(path, 5000, 6000))[1:]
    assert counted(path, 4)["lines"] == 1


def test_only_the_lines_that_start_in_the_first_bytes(path: Path) -> None:
    path.write_bytes(GOOD[0] + b"\n" + GOOD[1] + b"\n")
    first = len(GOOD[0]) + 1
    assert counted(path, size=0)["lines"] == 0
    assert counted(path, size=first)["lines"] == 1
    assert counted(path, 3, size=first + 1)["lines"] == 2
    assert counted(path, size=10**9)["lines"] == 2


@pytest.mark.parametrize("variant", ["own", "match", "shared-pattern", "shared-dict"])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_variants_and_threads_agree(path: Path, variant: str, workers: int) -> None:
    path.write_bytes(b"\n".join([*GOOD, *BROKEN] * 50))
    whole = counted(path)
    job = logs.prepare({"path": str(path), "variant": variant, "expected": whole})
    shards = logs.shards(job, workers)
    partials: list[Any] = [None] * workers

    def run(slot: int) -> None:
        partials[slot] = logs.work(shards[slot])

    crew = [threading.Thread(target=run, args=(slot,)) for slot in range(workers)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    found = logs.merge(job, partials)
    logs.check(job, found)
    assert found == whole


def test_what_is_shared_and_what_is_not(path: Path) -> None:
    path.write_bytes(b"")
    patterns = {
        variant: {
            id(logs.pattern(shard.pattern))
            for shard in logs.shards(logs.prepare({"path": str(path), "variant": variant}), 4)
        }
        for variant in ("own", "match", "shared-pattern", "shared-dict")
    }
    assert {name: len(found) for name, found in patterns.items()} == {
        "own": 4,
        "match": 4,
        "shared-pattern": 1,
        "shared-dict": 4,
    }


def test_processes_get_and_return_it(path: Path) -> None:
    path.write_bytes(b"\n".join(GOOD))
    job = logs.prepare({"path": str(path)})
    (shard,) = pickle.loads(pickle.dumps(logs.shards(job, 1)))  # noqa: S301
    tally = pickle.loads(pickle.dumps(logs.work(shard)))  # noqa: S301
    assert logs.merge(job, [tally]) == counted(path)


def test_a_wrong_result(path: Path) -> None:
    path.write_bytes(GOOD[0])
    job = logs.prepare({"path": str(path), "expected": {"lines": 2}})
    with pytest.raises(ValueError, match="lines: found 1, not 2"):
        logs.check(job, counted(path))


def test_a_log_that_is_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        logs.prepare({"path": f"{path}.1"})
