from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ftbuild.bench.workloads import logs, weblog

MEGABYTE = "2c038cc1a45aafbcd429e1086db819b6a95ffe76ecf9aad2d5ce67bf6e380b5b"


def written(path: Path, size: int, seed: int = 1) -> dict[str, object]:
    report = weblog.write(path, size, seed, lambda _: None).report()
    assert path.stat().st_size == size
    loaded: dict[str, object] = json.loads(json.dumps(report))
    return loaded


@pytest.mark.parametrize("size", [0, 1, 100, 30_000, 65_535, 65_536, 65_537, 1_000_000])
def test_what_it_reports_is_found(tmp_path: Path, size: int) -> None:
    path = tmp_path / "log"
    report = written(path, size, seed=3)
    job = logs.prepare({"path": str(path), "expected": report})
    found = logs.merge(job, [logs.work(shard) for shard in logs.shards(job, 3)])
    logs.check(job, found)
    assert found.keys() - report.keys() == {"sha256"}


def test_wherever_the_last_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "log"
    written(path, 3000)
    end = path.read_bytes().index(b"\n", 2000)
    for size in (*range(end - 4, end + 5), end + 80, end + 120):
        report = written(path, size)
        job = logs.prepare({"path": str(path), "expected": report})
        logs.check(job, logs.merge(job, [logs.work(shard) for shard in logs.shards(job, 1)]))


def test_the_bytes_are_the_same_everywhere(tmp_path: Path) -> None:
    """Pinned: results of different hosts and versions of Python are compared by them."""
    written(tmp_path / "log", 1_000_000)
    assert hashlib.sha256((tmp_path / "log").read_bytes()).hexdigest() == MEGABYTE


def test_another_seed_gives_other_lines(tmp_path: Path) -> None:
    for seed in (1, 2):
        written(tmp_path / str(seed), 100_000, seed)
    one, other = ((tmp_path / seed).read_bytes().splitlines() for seed in "12")
    assert not {line for line in one if len(line) > 100} & set(other)


def test_a_larger_log_begins_like_a_smaller_one(tmp_path: Path) -> None:
    written(tmp_path / "small", 150_000)
    written(tmp_path / "large", 300_000)
    small, large = (tmp_path / "small").read_bytes(), (tmp_path / "large").read_bytes()
    assert large.startswith(small[: 2 * 65_000])


def test_it_looks_like_traffic(tmp_path: Path) -> None:
    report = weblog.write(tmp_path / "log", 1_000_000, 1, lambda _: None)
    tables = report.tables
    assert 0.001 < report.broken / report.lines < 0.005
    assert {"200", "301", "304", "404", "500"} <= tables["statuses"].keys()
    assert tables["hours"].keys() == {"23", "00"}
    assert tables["agents"].keys() == {name for _, name in logs.FAMILIES} | {"other"}
    assert any(":" in host for host in tables["hosts"])
    assert tables["hosts"].most_common(1)[0][1] > report.lines / 20
    data = (tmp_path / "log").read_text("latin-1")
    for part in ('\\"', "?", " - - [28/Feb/2026:23:59:59 +0000] ", "[01/Mar/2026:00:00:00 +0000]"):
        assert part in data


def test_times_advance_over_months_and_leap_years() -> None:
    assert weblog.stamp(0) == "28/Feb/2026:23:59:50 +0000"
    assert weblog.stamp(10) == "01/Mar/2026:00:00:00 +0000"
    assert weblog.stamp(10 + 731 * 86400 - 1) == "29/Feb/2028:23:59:59 +0000"
    assert len(weblog.stamp(10**8)) == len(weblog.STAMP)


def test_progress(tmp_path: Path) -> None:
    seen: list[int] = []
    weblog.write(tmp_path / "log", 200_000, 1, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 200_000


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", "-B", weblog.__file__, *map(str, arguments)]
    return subprocess.run(argv, check=False, capture_output=True, text=True)


def test_the_command(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = command(tmp_path / "log", 5000, 7, report)
    assert (done.returncode, done.stdout, done.stderr) == (0, "5000\n", "")
    assert json.loads(report.read_text()) == {
        "size": 5000,
        "seed": 7,
        "expected": written(tmp_path / "other", 5000, 7),
    }
    assert (tmp_path / "log").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    done = command(small_disk / "log", 1_000_000, 1, tmp_path / "report.json")
    assert (done.returncode, done.stderr) == (1, f"{small_disk}/log: No space left on device\n")
    assert not (tmp_path / "report.json").exists()


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    done = command(tmp_path / "no" / "log", 1000, 1, tmp_path / "report.json")
    assert (done.returncode, done.stderr) == (1, f"{tmp_path}/no/log: No such file or directory\n")


@pytest.mark.parametrize("wrong", [("-1", "1"), ("1", "-1"), ("1GB", "1")])
def test_a_command_line_that_makes_no_sense(tmp_path: Path, wrong: tuple[str, str]) -> None:
    done = command(tmp_path / "log", *wrong, tmp_path / "report.json")
    assert done.returncode == 2
    assert not (tmp_path / "log").exists()
