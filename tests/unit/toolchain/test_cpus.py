from __future__ import annotations

import os

import pytest

from ftbuild.toolchain.cpus import allowed_cpus, usable_cpus, within


def test_this_process() -> None:
    assert 1 <= usable_cpus() <= len(allowed_cpus()) <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_affinity_counts() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {max(before)})
        assert usable_cpus() == 1
        assert allowed_cpus() == {max(before)}
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("allowed", "quota", "cpus"),
    [(8, None, 8), (8, 1.5, 2), (8, 0.1, 1), (2, 6.0, 2), (8, 3.0, 3)],
)
def test_quota_counts(allowed: int, quota: float | None, cpus: int) -> None:
    assert within(allowed, quota) == cpus
