"""How many CPUs this process may use: affinity and control-group quotas, not just the count."""

from __future__ import annotations

import math
import os
from pathlib import Path


def usable_cpus() -> int:
    """The CPUs this process may use, at least 1.

    The smaller of the CPUs it may run on and the quota of its control groups, rounded up: 1.5
    CPUs are kept busy by two jobs, not by one. macOS has neither; there it is the count of logical
    CPUs.
    """
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota = cgroup_quota(Path("/proc/self"))
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def cgroup_quota(process: Path) -> float | None:
    """The tightest CPU quota of a process's control groups, in CPUs; None where there is none.

    Args:
        process: Its folder in /proc.
    """
    try:
        groups = (process / "cgroup").read_text()
        mounts = (process / "mountinfo").read_text()
    except OSError:
        return None
    limits = map(_quota_of, group_folders(groups, mounts))
    return min((limit for limit in limits if limit is not None), default=None)


def group_folders(groups: str, mounts: str) -> tuple[Path, ...]:
    """The folders that may hold a CPU quota: each own group and every group above it.

    Args:
        groups: Text of /proc/PID/cgroup.
        mounts: Text of /proc/PID/mountinfo.
    """
    found: list[Path] = []
    own = _own_groups(groups)
    for line in mounts.splitlines():
        left, separator, right = line.partition(" - ")
        fields, kind = left.split(), right.split()
        if not separator or len(fields) < 5 or len(kind) < 3:  # noqa: PLR2004 - see proc(5)
            continue
        if kind[0] == "cgroup2":
            path = own.get("")
        elif kind[0] == "cgroup" and "cpu" in kind[2].split(","):
            path = own.get("cpu")
        else:
            continue
        if path is not None:
            found += _upwards(mount=Path(fields[4]), root=fields[3], path=path)
    return tuple(dict.fromkeys(found))


def _own_groups(groups: str) -> dict[str, str]:
    """The path of the process's group by controller; version 2 has one group, under ""."""
    paths: dict[str, str] = {}
    for line in groups.splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if hierarchy.isdigit() and path.startswith("/"):
            paths |= dict.fromkeys(controllers.split(","), path)
    return paths


def _upwards(*, mount: Path, root: str, path: str) -> tuple[Path, ...]:
    """The group's folder and those above it, up to the mount point.

    In a container the mount shows only a part of the hierarchy, `root` and below; a group that
    lies elsewhere is then invisible, and the mount point itself is the nearest to it.
    """
    inside = Path(root)
    below = Path(path).relative_to(inside) if Path(path).is_relative_to(inside) else Path()
    if ".." in below.parts:
        below = Path()
    folders = (mount / below, *(mount / parent for parent in below.parents))
    return tuple(dict.fromkeys(folders))


def _quota_of(folder: Path) -> float | None:
    """The quota set on one group itself, in CPUs."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        cpus = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None  # no such file, `max`: no limit is set here
    return cpus if cpus > 0 else None  # version 1 says -1 for no limit
