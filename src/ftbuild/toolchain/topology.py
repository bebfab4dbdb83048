"""Which logical CPUs share a physical core, and how fast the cores may run (Linux)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ftbuild.toolchain.kernel import cpu_list, told

_CPUS = "sys/devices/system/cpu"


def physical_cores(root: Path, allowed: Collection[int]) -> tuple[tuple[int, ...], ...]:
    """The logical CPUs of each physical core, ascending.

    The fastest kind of core comes first where there are several, then package by package, so that
    the first few cores share as much of the caches as can be. Where the kernel tells nothing, each
    CPU is a core.

    Args:
        root: Where /sys is.
        allowed: The CPUs to look at; others are not named.
    """
    # Intel's hybrid processors; kernels before 6.12 give their cores no capacity.
    efficient = _listed(root / "sys/devices/cpu_atom/cpus")
    cores: dict[tuple[bool, int, int, int], list[int]] = {}
    for cpu in sorted(allowed):
        folder = root / _CPUS / f"cpu{cpu}"
        together = _listed(folder / "topology/core_cpus_list")
        together = together or _listed(folder / "topology/thread_siblings_list")  # before 5.3
        kind = (cpu in efficient, -_number(folder / "cpu_capacity"))
        package = _number(folder / "topology/physical_package_id")
        cores.setdefault((*kind, package, min(together, default=cpu)), []).append(cpu)
    return tuple(tuple(cores[key]) for key in sorted(cores))


def governors(root: Path, allowed: Collection[int]) -> str | None:
    """What sets the clock of some CPUs: `performance`, or several, comma-separated.

    None where the kernel has no say in it, as in most virtual machines.
    """
    files = (root / _CPUS / f"cpu{cpu}" / "cpufreq/scaling_governor" for cpu in allowed)
    return ",".join(sorted(filter(None, {told(file) for file in files}))) or None


def turbo(root: Path) -> bool | None:
    """Whether the clock may rise above its nominal rate; None where nobody can tell."""
    for name, on in (("intel_pstate/no_turbo", "0"), ("cpufreq/boost", "1")):
        text = told(root / _CPUS / name)
        if text in {"0", "1"}:
            return text == on
    return None


def _listed(file: Path) -> tuple[int, ...]:
    try:
        return cpu_list(told(file))
    except ValueError:
        return ()


def _number(file: Path) -> int:
    try:
        return int(told(file))
    except ValueError:
        return 0
