from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.model.report import Status
from ftbuild.model.versions import Variant
from ftbuild.verify.scaling import Round, judge, scaling

from .builds import build, context, with_python

# Counts as threads.py does, with made-up numbers: 100 for one thread, $2 for two; a process that
# is not the first to run alone does $3.
COUNTS = """
if [ $# = 6 ]; then echo "[100, {two}]"; exit; fi
if mkdir "$TMPDIR/first" 2>/dev/null; then echo "[100]"; else echo "[{later}]"; fi
"""


@pytest.mark.parametrize(
    ("free_threaded", "rounds", "status"),
    [
        (True, [(100, 197)], Status.PASSED),
        (True, [(100, 100), (100, 110), (100, 140)], Status.PASSED),
        (True, [(100, 100), (100, 110), (100, 120)], Status.FAILED),
        (True, [(0, 0)], Status.FAILED),
        (False, [(100, 90), (50, 100), (60, 100)], Status.PASSED),
        (False, [(100, 180), (100, 90), (100, 100)], Status.FAILED),
    ],
)
def test_the_verdict(free_threaded: bool, rounds: list[Round], status: Status) -> None:
    assert judge(free_threaded=free_threaded, rounds=rounds).status is status


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
    python = with_python(build(tmp_path, variant), COUNTS.format(two=two, later=later))
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
