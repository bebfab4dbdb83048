"""What is run, with the Python that runs the tests in the place of the GIL build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.asked import asked
from ftbuild.bench.results import Method
from ftbuild.bench.runner import Bench
from ftbuild.bench.tasks import WARM_BYTES, Task, tasks
from ftbuild.errors import UsageError
from ftbuild.model.versions import Variant

METHOD = Method(
    rounds=1,
    values=1,
    warmups=1,
    workers=(1, 2, 3),
    cpus=None,
    seconds=0.05,
    timeout=60.0,
)


def found(bench: Bench, **options: Any) -> dict[str, Task]:
    made = tasks(asked(**options), METHOD, bench, lambda _: None)
    return {task.workload.name: task for task in made}


def test_the_amount_is_what_takes_the_time_and_can_be_shared_out(bench: Bench) -> None:
    task = found(bench, workload=("hashes",))["hashes"]
    assert task.failure is None
    assert task.workload.amount == task.options["units"]
    assert task.workload.amount % 6 == 0
    assert task.arms == tuple(Arm)


def test_all_variants_of_logs_read_one_file(bench: Bench) -> None:
    names = ("logs", "logs-shared-pattern", "logs-shared-dict")
    made = found(bench, workload=names, size="1MB")
    assert len({task.options["path"] for task in made.values()}) == 1
    assert [task.options["variant"] for task in made.values()] == [
        "own",
        "shared-pattern",
        "shared-dict",
    ]
    assert all(task.options["expected"] for task in made.values())
    assert all(task.warm == {} for task in made.values())


def test_a_large_log_is_not_read_as_a_whole_to_warm_up(bench: Bench) -> None:
    task = found(bench, size=f"{WARM_BYTES + 1_000_000}")["logs"]
    assert task.warm == {"size": WARM_BYTES, "expected": None}


def test_nothing_of_this_host_is_in_what_describes_the_work(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "mine.log"
    log.write_text(
        '::1 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 23 "-" "curl/8"\n' * 9
    )
    made = found(bench, workload=("logs", "http"), input=str(log))
    assert str(tmp_path) not in str([task.workload for task in made.values()])


def test_a_users_script_is_a_workload(bench: Bench, tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.touch()
    task = found(bench, script=str(script))["mine"]
    assert task.module == str(script)
    assert task.workload.unit == "run"


def test_a_workload_that_cannot_be_calibrated_has_failed(bench: Bench) -> None:
    python = bench.pair[Variant.GIL].python
    python.unlink()
    python.symlink_to("/bin/false")
    assert found(bench, workload=("hashes",))["hashes"].failure == "exit status 1"


def test_a_file_that_is_no_log_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="is no log file"):
        found(bench, input=__file__)
