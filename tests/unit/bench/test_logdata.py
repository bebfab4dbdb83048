from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.bench.logdata import generated, given
from ftbuild.bench.runner import Bench
from ftbuild.errors import EnvironmentFault, Interrupted, UsageError
from ftbuild.model.events import Event, Measuring

LINE = '1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "GET /a?b=c HTTP/1.1" 200 23 "-" "curl/8"\n'


def test_logs_are_generated_with_what_is_known_of_them(bench: Bench) -> None:
    seen: list[Event] = []
    data = generated(bench, 1_000_000, 7, seen.append)
    assert data.size == data.path.stat().st_size <= 1_000_000
    assert data.seed == 7
    assert data.expected
    assert data.expected["lines"] == data.path.read_bytes().count(b"\n") + (
        not data.path.read_bytes().endswith(b"\n")
    )
    assert all(isinstance(event, Measuring) for event in seen)


def test_logs_larger_than_the_disk_are_refused_before_a_byte_is_written(bench: Bench) -> None:
    with pytest.raises(EnvironmentFault, match="do not fit"):
        generated(bench, 10**18, 1, lambda _: None)
    assert not (bench.scratch / "access.log").exists()


def test_a_run_that_is_stopped_writes_no_logs(bench: Bench) -> None:
    bench.stop.set()
    with pytest.raises(Interrupted):
        generated(bench, 10**9, 1, lambda _: None)


def test_a_full_disk_is_told_in_the_generators_words(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "access.log").mkdir()
    with pytest.raises(EnvironmentFault, match="could not be written"):
        generated(bench, 1_000_000, 1, lambda _: None)


def test_a_users_log_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(LINE * 100 + "one broken line\n")
    data = given(path)
    assert (data.size, data.seed, data.expected) == (path.stat().st_size, None, None)


@pytest.mark.parametrize(
    "text",
    ["\0" * 3_000_000, "Nov 22 10:00:00 host daemon[1]: started\n" * 9, "\n\n\n"],
    ids=["binary", "syslog", "blank"],
)
def test_what_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.log"
    path.write_text(text)
    with pytest.raises(UsageError, match="is no log file"):
        given(path)
