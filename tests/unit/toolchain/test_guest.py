from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.toolchain.guest import container, hypervisor
from tests.unit.toolchain.trees import grow

GUEST = {"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu vme hypervisor avx2\nbugs\t\t:"}
METAL = {"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu vme avx2\nbugs\t\t: nohypervisor"}
ARM = {"proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41"}
CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"


def firmware(vendor: str, product: str) -> dict[str, str]:
    folder = "sys/class/dmi/id"
    return {f"{folder}/sys_vendor": vendor, f"{folder}/product_name": product}


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (METAL, None),
        (METAL | firmware("Microsoft Corporation", "Virtual Machine"), None),
        (METAL | firmware("Amazon EC2", "c7i.metal-24xl"), None),
        (GUEST, "unknown"),
        (GUEST | firmware("ACME", "Cloud 9"), "unknown"),
        (GUEST | firmware("QEMU", "Standard PC (Q35 + ICH9, 2009)"), "KVM"),
        (GUEST | firmware("Red Hat", "KVM"), "KVM"),
        (GUEST | firmware("VMware, Inc.", "VMware7,1"), "VMware"),
        (GUEST | firmware("innotek GmbH", "VirtualBox"), "VirtualBox"),
        (GUEST | firmware("Microsoft Corporation", "Virtual Machine"), "Hyper-V"),
        (GUEST | firmware("Amazon EC2", "m7i.large"), "Amazon EC2"),
        (GUEST | firmware("Google", "Google Compute Engine"), "Google Compute Engine"),
        (GUEST | {"sys/hypervisor/type": "xen"} | firmware("Xen", "HVM domU"), "Xen"),
        (GUEST | {CLOCKS: "tsc kvm-clock"}, "KVM"),
        (GUEST | {CLOCKS: "hyperv_clocksource_tsc_page acpi_pm"}, "Hyper-V"),
        (GUEST | {CLOCKS: "tsc hpet acpi_pm"}, "unknown"),
        (ARM, None),
        (ARM | firmware("Amazon EC2", "c7g.large"), "Amazon EC2"),
        (ARM | firmware("Amazon EC2", "c7g.metal"), None),
        (ARM | {"proc/device-tree/hypervisor/compatible": "linux,kvm"}, "KVM"),
        ({}, None),
    ],
)
def test_hypervisor(tmp_path: Path, files: dict[str, str], name: str | None) -> None:
    assert hypervisor(grow(tmp_path, files)) == name


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"proc/1/cgroup": "0::/init.scope"}, None),
        ({}, None),
        ({".dockerenv": ""}, "docker"),
        ({"run/.containerenv": ""}, "podman"),
        ({"run/systemd/container": "systemd-nspawn"}, "systemd-nspawn"),
        ({"proc/1/cgroup": "3:cpu:/docker/0a1b\n0::/"}, "docker"),
        ({"proc/1/cgroup": "3:cpu:/kubepods/pod1/docker-0a1b"}, "kubernetes"),
        ({"var/run/secrets/kubernetes.io/serviceaccount/token": "x"}, "kubernetes"),
    ],
)
def test_container(tmp_path: Path, files: dict[str, str], name: str | None) -> None:
    assert container(grow(tmp_path, files)) == name
