from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from ftbuild.toolchain.machine import read_machine
from tests.unit.toolchain.trees import core, grow


def test_this_host() -> None:
    machine = read_machine()
    assert machine.cpu
    assert machine.system == sys.platform
    assert machine.architecture == platform.machine()
    assert 1 <= machine.cpus <= len(machine.cores + machine.siblings) <= (os.cpu_count() or 1)
    assert machine.memory is not None
    assert machine.memory > 1 << 28


def test_server_with_two_threads_a_core_in_a_container(tmp_path: Path) -> None:
    for cpu in range(8):
        grow(tmp_path, core(cpu, f"{cpu % 4},{cpu % 4 + 4}"))
    grow(
        tmp_path,
        {
            "proc/cpuinfo": "model name\t: Demo 9000\nflags\t\t: fpu",
            "proc/meminfo": "MemTotal:       8388608 kB\nMemFree: 1 kB",
            "proc/self/cgroup": "0::/",
            "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
            "sys/fs/cgroup/cpu.max": "250000 100000",
            "sys/fs/cgroup/memory.max": "1073741824",
            "sys/devices/system/cpu/cpu2/cpufreq/scaling_governor": "performance",
            "sys/devices/system/cpu/intel_pstate/no_turbo": "1",
            ".dockerenv": "",
        },
    )
    machine = read_machine(root=tmp_path, allowed={0, 1, 2, 4, 5})
    assert machine.cpu == "Demo 9000"
    assert machine.cores == (0, 1, 2)
    assert machine.siblings == (4, 5)
    assert machine.smt
    assert machine.quota == 2.5
    assert machine.cpus == 3
    assert machine.memory == 1 << 30
    assert machine.governor == "performance"
    assert machine.turbo is False
    assert machine.virtual is None
    assert machine.container == "docker"


def test_system_that_tells_nothing(tmp_path: Path) -> None:
    machine = read_machine(root=tmp_path, allowed={0, 1})
    assert machine.cpu
    assert machine.cpus == 2
    assert machine.cores == (0, 1)
    assert not machine.smt
    told = (machine.governor, machine.turbo, machine.virtual, machine.container, machine.quota)
    assert told == (None,) * 5


@pytest.mark.parametrize(("limit", "memory"), [("max", 4 << 30), (str(8 << 30), 4 << 30)])
def test_group_may_allow_more_than_there_is(tmp_path: Path, limit: str, memory: int) -> None:
    grow(
        tmp_path,
        {
            "proc/meminfo": "MemTotal:       4194304 kB",
            "proc/self/cgroup": "0::/",
            "proc/self/mountinfo": "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw",
            "cg/memory.max": limit,
        },
    )
    assert read_machine(root=tmp_path).memory == memory
