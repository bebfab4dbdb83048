"""How busy the CPUs were, and how much of that was not us (Linux)."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import msgspec

from ftbuild.toolchain.cpus import allowed_cpus
from ftbuild.toolchain.kernel import told

_IDLE = (3, 4)
"""Places of idle and iowait among the times of a CPU, proc_stat(5)."""

_TIMES = 8
"""Times that add up: user, nice, system, idle, iowait, irq, softirq, steal. The two of guests that
follow are part of user and nice already."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """CPU time so far, in seconds; only the difference between two snapshots means anything.

    Attributes:
        busy: Of the CPUs this process may run on, whoever used it: the kernel, and other guests of
            the same host (steal), too.
        total: The same and the time they were idle.
        own: What this process has used, with those of its children that it has waited for.
    """

    busy: float
    total: float
    own: float


def snapshot(*, root: Path = Path("/"), allowed: Collection[int] | None = None) -> Snapshot | None:
    """The CPU time used until now; None where the system does not tell (macOS).

    Inside a container the kernel still tells of the whole host, so that the neighbours count.

    Args:
        root: Where /proc is.
        allowed: The CPUs this process may run on; None asks the system.
    """
    wanted = {f"cpu{cpu}" for cpu in (allowed_cpus() if allowed is None else allowed)}
    lines = [line.split() for line in told(root / "proc/stat").splitlines()]
    times = {
        words[0]: tuple(map(int, words[1 : _TIMES + 1]))
        for words in lines
        if words and words[0].startswith("cpu")
    }
    if not wanted <= times.keys():
        wanted = {"cpu"}  # lxcfs numbers a container's CPUs anew; these are all it has
    if not wanted <= times.keys():
        return None
    tick = os.sysconf("SC_CLK_TCK")
    total = sum(sum(times[cpu]) for cpu in wanted) / tick
    idle = sum(times[cpu][place] for cpu in wanted for place in _IDLE) / tick
    own = sum(os.times()[:4])
    return Snapshot(busy=total - idle, total=total, own=own)


def others(before: Snapshot | None, after: Snapshot | None) -> float | None:
    """The share of the CPUs' time between two snapshots that others used, 0 to 1.

    Children of ours that ended in between count as ours once they are waited for, and so does what
    they left to `watch.py`; take the second
    snapshot after that. The kernel counts in ticks: over less than a second it says little. None
    where nobody could tell.

    Args:
        before: The earlier snapshot.
        after: The later one.
    """
    if before is None or after is None:
        return None
    passed = after.total - before.total
    if passed <= 0:
        return None
    used = (after.busy - before.busy) - (after.own - before.own)
    return min(1.0, max(0.0, used / passed))
