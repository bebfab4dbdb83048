"""The facts about this host that decide what a measurement is worth: CPUs, their clock, limits."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection
from pathlib import Path

import msgspec

from ftbuild.toolchain.cgroups import cpu_quota, memory_limit
from ftbuild.toolchain.cpus import allowed_cpus, within
from ftbuild.toolchain.guest import container, hypervisor
from ftbuild.toolchain.kernel import told
from ftbuild.toolchain.processor import processor
from ftbuild.toolchain.topology import governors, physical_cores, turbo


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A host at the moment of a measurement. None: nobody could tell.

    Attributes:
        cpu: The processor's model, as the system names it.
        system, kernel, architecture: `linux`, `6.1.0-37-amd64`, `x86_64`.
        cpus: Logical CPUs this process may use: affinity and quotas counted.
        cores: One logical CPU for each physical core this process may run on, the best first:
            where threads go that are not to share a core. Their count is that of the cores. Where
            the kernel tells no topology (macOS), each CPU counts as a core.
        siblings: The other CPUs of those cores, in the same order.
        smt: Whether some of those CPUs share a core.
        governor: The frequency governors of those CPUs, `performance`; several comma-separated.
        turbo: Whether the clock may rise above its nominal rate.
        virtual: The hypervisor or the cloud it is of, `unknown` if it hides; or None on bare metal.
        container: What kind of container this is, or None.
        quota: CPUs the control groups allow, or None without a limit.
        memory: Bytes of memory; the control groups' limit where that is lower.
        load: Load average of the last minute at the start, of the whole host.
    """

    cpu: str
    system: str
    kernel: str
    architecture: str
    cpus: int
    cores: tuple[int, ...]
    siblings: tuple[int, ...] = ()
    smt: bool
    governor: str | None
    turbo: bool | None
    virtual: str | None
    container: str | None
    quota: float | None
    memory: int | None
    load: float | None


def read_machine(*, root: Path = Path("/"), allowed: Collection[int] | None = None) -> Machine:
    """Read the facts about this host; takes a few milliseconds, starts no program.

    Args:
        root: Where /proc, /sys and /run are.
        allowed: The CPUs this process may run on; None asks the system.
    """
    cpus = allowed_cpus() if allowed is None else allowed
    groups = physical_cores(root, cpus)
    siblings = tuple(cpu for group in groups for cpu in group[1:])
    quota = cpu_quota(root=root)
    return Machine(
        cpu=processor(root) or platform.processor() or platform.machine(),
        system=platform.system().lower(),
        kernel=platform.release(),
        architecture=platform.machine(),
        cpus=within(len(cpus), quota),
        cores=tuple(group[0] for group in groups),
        siblings=siblings,
        smt=bool(siblings),
        governor=governors(root, cpus),
        turbo=turbo(root),
        virtual=hypervisor(root),
        container=container(root),
        quota=quota,
        memory=_memory(root),
        load=_load(),
    )


def _memory(root: Path) -> int | None:
    """Bytes of memory that this process and its children may fill."""
    limits = (memory_limit(root=root), _installed(root))
    return min((limit for limit in limits if limit is not None), default=None)


def _installed(root: Path) -> int | None:
    for line in told(root / "proc/meminfo").splitlines():
        name, _, amount = line.partition(":")
        if name == "MemTotal":
            return int(amount.split()[0]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # macOS
    except (OSError, ValueError):
        return None


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None
