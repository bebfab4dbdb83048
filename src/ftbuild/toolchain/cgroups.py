"""What control groups allow a process: CPUs and memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ftbuild.toolchain.kernel import told

_UNLIMITED = 1 << 60
"""Bytes from which a limit is none: version 1 says "no limit" with the largest number it has."""


def cpu_quota(*, root: Path = Path("/")) -> float | None:
    """The tightest CPU quota of this process's control groups, in CPUs; None where there is none.

    Args:
        root: Where /proc and /sys are.
    """
    limits = map(_quota_of, _folders(root, "cpu"))
    return min((limit for limit in limits if limit is not None), default=None)


def memory_limit(*, root: Path = Path("/")) -> int | None:
    """The tightest limit of this process's control groups, in bytes; None where there is none.

    Args:
        root: Where /proc and /sys are.
    """
    limits = map(_memory_of, _folders(root, "memory"))
    return min((limit for limit in limits if limit is not None), default=None)


def group_folders(groups: str, mounts: str, controller: str) -> tuple[Path, ...]:
    """The folders that may hold a limit: each own group and every group above it.

    Args:
        groups: Text of /proc/PID/cgroup.
        mounts: Text of /proc/PID/mountinfo.
        controller: What limits, by its name in version 1: `cpu`, `memory`.
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
        elif kind[0] == "cgroup" and controller in kind[2].split(","):
            path = own.get(controller)
        else:
            continue
        if path is not None:
            found += _upwards(mount=Path(fields[4]), root=fields[3], path=path)
    return tuple(dict.fromkeys(found))


def _folders(root: Path, controller: str) -> Iterator[Path]:
    process = root / "proc/self"
    groups, mounts = told(process / "cgroup"), told(process / "mountinfo")
    for folder in group_folders(groups, mounts, controller):
        yield root / str(folder).lstrip("/")


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
    text = told(folder / "cpu.max") or " ".join(
        told(folder / name) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    )
    try:
        quota, period = text.split()
        cpus = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None  # no such file, `max`: no limit is set here
    return cpus if cpus > 0 else None  # version 1 says -1 for no limit


def _memory_of(folder: Path) -> int | None:
    """The limit set on one group itself, in bytes."""
    text = told(folder / "memory.max") or told(folder / "memory.limit_in_bytes")
    try:
        limit = int(text)
    except ValueError:
        return None  # no such file, `max`: no limit is set here
    return limit if 0 < limit < _UNLIMITED else None
