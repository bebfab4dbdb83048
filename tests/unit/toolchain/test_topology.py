from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.toolchain.topology import governors, physical_cores, turbo
from tests.unit.toolchain.trees import core, grow

SYSTEM = "sys/devices/system/cpu"


def test_linux_numbers_second_threads_last(tmp_path: Path) -> None:
    for cpu in range(8):
        grow(tmp_path, core(cpu, f"{cpu % 4},{cpu % 4 + 4}"))
    assert physical_cores(tmp_path, range(8)) == ((0, 4), (1, 5), (2, 6), (3, 7))


def test_clouds_number_them_side_by_side(tmp_path: Path) -> None:
    for cpu in range(4):
        grow(tmp_path, core(cpu, f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}"))
    assert physical_cores(tmp_path, range(4)) == ((0, 1), (2, 3))


def test_packages_one_after_the_other(tmp_path: Path) -> None:
    for cpu in range(4):
        grow(tmp_path, core(cpu, f"{cpu}", package=cpu % 2))
    assert physical_cores(tmp_path, range(4)) == ((0,), (2,), (1,), (3,))


def test_only_cpus_that_may_be_used(tmp_path: Path) -> None:
    for cpu in range(8):
        grow(tmp_path, core(cpu, f"{cpu % 4},{cpu % 4 + 4}"))
    assert physical_cores(tmp_path, {7, 4, 3}) == ((4,), (3, 7))


def test_kernel_before_5_3(tmp_path: Path) -> None:
    for cpu in range(2):
        grow(tmp_path, {f"{SYSTEM}/cpu{cpu}/topology/thread_siblings_list": "0-1"})
    assert physical_cores(tmp_path, range(2)) == ((0, 1),)


def test_fast_cores_first(tmp_path: Path) -> None:
    capacities = {0: 446, 1: 446, 2: 1024, 3: 1024}
    for cpu, capacity in capacities.items():
        grow(tmp_path, core(cpu, f"{cpu}"))
        grow(tmp_path, {f"{SYSTEM}/cpu{cpu}/cpu_capacity": f"{capacity}"})
    assert physical_cores(tmp_path, range(4)) == ((2,), (3,), (0,), (1,))


def test_efficient_cores_of_intel_last(tmp_path: Path) -> None:
    grow(tmp_path, core(0, "0") | core(1, "1") | core(2, "2-3") | core(3, "2-3"))
    grow(tmp_path, {"sys/devices/cpu_atom/cpus": "0-1"})
    assert physical_cores(tmp_path, range(4)) == ((2, 3), (0,), (1,))


def test_without_a_word_from_the_kernel_each_cpu_is_a_core(tmp_path: Path) -> None:
    assert physical_cores(tmp_path, {5, 1}) == ((1,), (5,))
    grow(tmp_path, {f"{SYSTEM}/cpu1/topology/core_cpus_list": "nonsense"})
    assert physical_cores(tmp_path, {5, 1}) == ((1,), (5,))


def test_governors(tmp_path: Path) -> None:
    assert governors(tmp_path, range(4)) is None
    for cpu, name in enumerate(["powersave", "performance", "powersave", "schedutil"]):
        grow(tmp_path, {f"{SYSTEM}/cpu{cpu}/cpufreq/scaling_governor": name})
    assert governors(tmp_path, {0, 2}) == "powersave"
    assert governors(tmp_path, {0, 1, 2}) == "performance,powersave"


@pytest.mark.parametrize(
    ("files", "on"),
    [
        ({}, None),
        ({"intel_pstate/no_turbo": "0"}, True),
        ({"intel_pstate/no_turbo": "1"}, False),
        ({"cpufreq/boost": "1"}, True),
        ({"cpufreq/boost": "0"}, False),
        ({"intel_pstate/no_turbo": "", "cpufreq/boost": "0"}, False),
    ],
)
def test_turbo(tmp_path: Path, files: dict[str, str], *, on: bool | None) -> None:
    grow(tmp_path / SYSTEM, files)
    assert turbo(tmp_path) is on
