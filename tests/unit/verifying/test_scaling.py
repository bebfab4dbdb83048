from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.model.report import Status
from ftbuild.model.versions import Variant
from ftbuild.verifying.scaling import SECONDS, Count, judge, scaling

from .builds import build, context, with_python

# Answers as threads.py does, with made-up numbers: 100 for one thread, TWO for two threads; a
# process with one thread does 100, but LATER if it is not the first.
COUNTS = """
count() { echo "{\\"work\\": $1, \\"cpu\\": $2}"; }
if [ $# = 6 ]; then echo "[$(count 100 0.2), $(count TWO 0.2)]"; exit; fi
if mkdir "$TMPDIR/first" 2>/dev/null; then alone=100; else alone=LATER; fi
echo "[$(count $alone 1)]"
"""


@pytest.mark.parametrize(
    ("free_threaded", "rounds", "status"),
    [
        (True, [(100, 197)], Status.PASSED),
        (True, [(100, 100), (100, 110), (100, 140)], Status.PASSED),
        (True, [(100, 100), (100, 110), (100, 120)], Status.FAILED),
        (True, [(0, 0)], Status.FAILED),
        (False, [(100, 90), (100, 180), (100, 100)], Status.PASSED),
        (False, [(100, 180), (100, 180), (100, 100)], Status.FAILED),
        (False, [(100, 100), (100, 100)], Status.SKIPPED),
    ],
)
def test_the_verdict(free_threaded: bool, rounds: list[tuple[int, int]], status: Status) -> None:
    counts = [
        (Count(work=one, cpu=SECONDS), Count(work=two, cpu=2 * SECONDS)) for one, two in rounds
    ]
    assert judge(free_threaded=free_threaded, rounds=counts).status is status


def test_a_thread_that_had_to_share_its_cpu_makes_no_overlap() -> None:
    shared = (Count(work=75, cpu=SECONDS * 0.75), Count(work=100, cpu=SECONDS))
    check = judge(free_threaded=False, rounds=[shared] * 3)
    assert check.status is Status.PASSED
    assert check.found == "two threads do 1.00 times the work of one"


def test_where_one_thread_starves_nothing_is_proved() -> None:
    starved = (Count(work=30, cpu=SECONDS * 0.3), Count(work=60, cpu=SECONDS * 0.6))
    check = judge(free_threaded=False, rounds=[starved] * 8)
    assert check.status is Status.SKIPPED
    assert "machine too busy" in check.reason


@pytest.mark.parametrize(
    ("variant", "two", "later", "status"),
    [
        (Variant.FREE_THREADED, 190, 100, Status.PASSED),
        (Variant.FREE_THREADED, 100, 100, Status.FAILED),
        (Variant.FREE_THREADED, 100, 55, Status.SKIPPED),
        (Variant.GIL, 100, 100, Status.PASSED),
        (Variant.GIL, 190, 100, Status.FAILED),
    ],
)
def test_counts_of_real_processes(
    tmp_path: Path, variant: Variant, two: int, later: int, status: Status
) -> None:
    python = with_python(
        build(tmp_path, variant), COUNTS.replace("TWO", str(two)).replace("LATER", str(later))
    )
    (check,) = scaling(python, context(tmp_path))
    assert check.status is status
    if status is Status.SKIPPED:
        assert check.reason == "machine too busy: two processes do only 1.1 times as much"


def test_one_cpu_proves_nothing(tmp_path: Path) -> None:
    (check,) = scaling(build(tmp_path), context(tmp_path, cpus=1))
    assert check.status is Status.SKIPPED
    assert "one CPU" in check.reason


def test_a_sanitizer_proves_nothing(tmp_path: Path) -> None:
    (check,) = scaling(build(tmp_path, sanitizer="thread"), context(tmp_path))
    assert check.status is Status.SKIPPED


def test_a_crash_is_a_failure(tmp_path: Path) -> None:
    (check,) = scaling(with_python(build(tmp_path), "kill -SEGV $$"), context(tmp_path))
    assert check.status is Status.FAILED
    assert check.found == "signal SIGSEGV"
