"""How many CPUs this process may use: affinity and control-group quotas, not just the count."""

from __future__ import annotations

import math
import os

from ftbuild.toolchain.cgroups import cpu_quota


def usable_cpus() -> int:
    """The CPUs this process may use, at least 1.

    The smaller of the CPUs it may run on and the quota of its control groups. macOS has neither;
    there it is the count of logical CPUs.
    """
    return within(len(allowed_cpus()), cpu_quota())


def allowed_cpus() -> frozenset[int]:
    """The logical CPUs this process may run on, by the system's numbers."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def within(allowed: int, quota: float | None) -> int:
    """How many of some CPUs a quota lets work at once, at least 1.

    Rounded up: 1.5 CPUs are kept busy by two jobs, not by one.
    """
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))
