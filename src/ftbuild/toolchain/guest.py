"""Whether this system is a guest, and whose: hypervisors and containers (Linux).

By what systemd-detect-virt looks at too, as far as any process may read it.
"""

from __future__ import annotations

import re
from pathlib import Path

from ftbuild.toolchain.kernel import told

_FIRMWARE = {
    "kvm": "KVM",
    "qemu": "KVM",
    "openstack": "KVM",
    "vmware": "VMware",
    "virtualbox": "VirtualBox",
    "xen": "Xen",
    "hvm domu": "Xen",
    "parallels": "Parallels",
    "bhyve": "bhyve",
    "microsoft corporation virtual machine": "Hyper-V",
    "apple virtualization": "Apple Virtualization",
    "google compute engine": "Google Compute Engine",
    "amazon ec2": "Amazon EC2",
    "alibaba cloud ecs": "Alibaba Cloud ECS",
}
"""Hypervisors and clouds by the words with which their firmware names them."""

_METAL = re.compile(r"\bmetal\b")
"""In the name of a cloud's machine that is a whole one: `c7g.metal`."""

_CLOCKS = {"kvm-clock": "KVM", "hyperv": "Hyper-V", "xen": "Xen"}
"""Hypervisors by the clock that they offer."""

_CONTAINERS = {
    "kubepods": "kubernetes",
    "docker": "docker",
    "libpod": "podman",
    "lxc": "lxc",
    "containerd": "containerd",
}
"""Containers by what the control group of their first process is called."""


def hypervisor(root: Path) -> str | None:
    """What runs this virtual machine: `KVM`, `Amazon EC2`, `unknown`; None on bare metal.

    Args:
        root: Where /proc and /sys are.
    """
    info = told(root / "proc/cpuinfo")
    flags = re.search(r"^flags\s*:(.*)", info, re.MULTILINE)  # x86 alone has them
    if flags is not None and "hypervisor" not in flags[1].split():
        return None
    firmware = root / "sys/class/dmi/id"
    name = " ".join(told(firmware / part) for part in ("sys_vendor", "product_name")).lower()
    tree = told(root / "proc/device-tree/hypervisor/compatible")
    clocks = told(root / "sys/devices/system/clocksource/clocksource0/available_clocksource")
    if flags is None and _METAL.search(name):
        return None
    found = (
        _named(told(root / "sys/hypervisor/type"), {"xen": "Xen"}),
        _named(name, _FIRMWARE),
        _named(tree, {"kvm": "KVM", "xen": "Xen"}),
        _named(clocks, _CLOCKS),  # a virtual machine need have no firmware: Firecracker
        None if flags is None else "unknown",
    )
    return next(filter(None, found), None)


def container(root: Path) -> str | None:
    """What kind of container this is: `docker`, `podman`, `kubernetes`; None in none.

    Args:
        root: Where /proc, /run and the rest are.
    """
    if (root / "var/run/secrets/kubernetes.io").exists():
        return "kubernetes"
    for marker, name in ((".dockerenv", "docker"), ("run/.containerenv", "podman")):
        if (root / marker).exists():
            return name
    return told(root / "run/systemd/container") or _named(told(root / "proc/1/cgroup"), _CONTAINERS)


def _named(text: str, names: dict[str, str]) -> str | None:
    """The name whose words are in a text."""
    return next((name for words, name in names.items() if words in text), None)
