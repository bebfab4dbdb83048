from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.toolchain.cgroups import cpu_quota, group_folders, memory_limit
from tests.unit.toolchain.trees import grow

V2 = "30 23 0:26 {root} {mount} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
CPU = "32 31 0:29 {root} {mount} rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
MEMORY = "35 31 0:32 {root} {mount} rw,relatime - cgroup cgroup rw,memory\n"


def process(root: Path, cgroup: str, mounts: str) -> None:
    grow(root, {"proc/self/cgroup": cgroup, "proc/self/mountinfo": mounts})


def test_version_2_takes_the_tightest_group_on_the_way_up(tmp_path: Path) -> None:
    process(tmp_path, "0::/user/job/leaf\n", V2.format(root="/", mount="/cg"))
    grow(
        tmp_path / "cg",
        {
            "user/job/leaf/cpu.max": "max 100000",
            "user/job/cpu.max": "150000 100000",
            "user/cpu.max": "400000 100000",
            "user/job/leaf/memory.max": "3000000",
            "user/job/memory.max": "max",
            "user/memory.max": "2000000",
        },
    )
    assert cpu_quota(root=tmp_path) == 1.5
    assert memory_limit(root=tmp_path) == 2_000_000


def test_version_1_has_a_hierarchy_for_each_controller(tmp_path: Path) -> None:
    cgroup = "4:memory:/docker/b\n3:cpu,cpuacct:/docker/a\n1:name=systemd:/x\n0::/y\n"
    mounts = CPU.format(root="/", mount="/cpu") + MEMORY.format(root="/", mount="/memory")
    process(tmp_path, cgroup, mounts)
    grow(
        tmp_path,
        {
            "cpu/docker/a/cpu.cfs_quota_us": "-1",
            "cpu/docker/a/cpu.cfs_period_us": "100000",
            "cpu/docker/cpu.cfs_quota_us": "50000",
            "cpu/docker/cpu.cfs_period_us": "25000",
            "cpu/docker/b/cpu.cfs_quota_us": "1",
            "cpu/docker/b/cpu.cfs_period_us": "1",
            "memory/docker/b/memory.limit_in_bytes": "1073741824",
            "memory/docker/a/memory.limit_in_bytes": "1",
        },
    )
    assert cpu_quota(root=tmp_path) == 2.0
    assert memory_limit(root=tmp_path) == 1 << 30


def test_container_that_sees_its_own_part_of_the_hierarchy(tmp_path: Path) -> None:
    process(tmp_path, "0::/docker/a/inner\n", V2.format(root="/docker/a", mount="/cg"))
    grow(tmp_path / "cg", {"cpu.max": "200000 100000", "inner/cpu.max": "max 100000"})
    assert cpu_quota(root=tmp_path) == 2.0


@pytest.mark.parametrize("path", ["/other/group", "/../sibling"])
def test_group_outside_the_mount_is_taken_for_the_mount_point(path: str) -> None:
    mounts = V2.format(root="/docker/a" if path.startswith("/other") else "/", mount="/cg")
    assert group_folders(f"0::{path}\n", mounts, "cpu") == (Path("/cg"),)


@pytest.mark.parametrize("text", ["max 100000", "", "0 100000", "1 2 3", "100000 0", "-1 100000"])
def test_no_quota_and_nonsense_are_no_quota(tmp_path: Path, text: str) -> None:
    process(tmp_path, "0::/\n", V2.format(root="/", mount="/cg"))
    grow(tmp_path, {"cg/cpu.max": text})
    assert cpu_quota(root=tmp_path) is None


@pytest.mark.parametrize("text", ["max", "", "0", "-1", "1 GB"])
def test_no_limit_and_nonsense_are_no_limit(tmp_path: Path, text: str) -> None:
    process(tmp_path, "0::/\n", V2.format(root="/", mount="/cg"))
    grow(tmp_path, {"cg/memory.max": text})
    assert memory_limit(root=tmp_path) is None


def test_largest_number_of_version_1_is_no_limit(tmp_path: Path) -> None:
    process(tmp_path, "4:memory:/\n", MEMORY.format(root="/", mount="/cg"))
    grow(tmp_path, {"cg/memory.limit_in_bytes": "9223372036854771712"})
    assert memory_limit(root=tmp_path) is None


def test_system_without_control_groups(tmp_path: Path) -> None:
    assert cpu_quota(root=tmp_path) is None
    assert memory_limit(root=tmp_path) is None


@given(st.text(), st.text())
def test_any_text_is_survived(groups: str, mounts: str) -> None:
    group_folders(groups, mounts, "cpu")


@given(st.lists(st.sampled_from(["a", "b", "c.slice"]), max_size=6))
def test_every_folder_up_to_the_mount_point_is_looked_at(parts: list[str]) -> None:
    mounts = V2.format(root="/", mount="/cg")
    folders = group_folders(f"0::/{'/'.join(parts)}\n", mounts, "cpu")
    assert folders[0] == Path("/cg", *parts)
    assert folders[-1] == Path("/cg")
    assert len(folders) == len(parts) + 1
