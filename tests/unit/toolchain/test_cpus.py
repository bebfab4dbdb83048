from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.toolchain.cpus import cgroup_quota, group_folders, usable_cpus

V2 = "30 23 0:26 {root} {mount} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "32 31 0:29 {root} {mount} rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"


def process(tmp_path: Path, cgroup: str, mounts: str) -> Path:
    folder = tmp_path / "proc"
    folder.mkdir()
    (folder / "cgroup").write_text(cgroup)
    (folder / "mountinfo").write_text(mounts)
    return folder


def put(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def test_version_2_takes_the_tightest_group_on_the_way_up(tmp_path: Path) -> None:
    mount = tmp_path / "cg"
    put(mount / "user/job/leaf", cpu__max="max 100000")
    put(mount / "user/job", cpu__max="150000 100000")
    put(mount / "user", cpu__max="400000 100000")
    proc = process(tmp_path, "0::/user/job/leaf\n", V2.format(root="/", mount=mount))
    assert cgroup_quota(proc) == 1.5


def test_version_1_quota(tmp_path: Path) -> None:
    mount = tmp_path / "cpu"
    put(mount / "docker/a", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    put(mount / "docker", cpu__cfs_quota_us="50000", cpu__cfs_period_us="25000")
    cgroup = "4:memory:/elsewhere\n3:cpu,cpuacct:/docker/a\n1:name=systemd:/x\n0::/y\n"
    proc = process(tmp_path, cgroup, V1.format(root="/", mount=mount))
    assert cgroup_quota(proc) == 2.0


def test_container_that_sees_its_own_part_of_the_hierarchy(tmp_path: Path) -> None:
    mount = tmp_path / "cg"
    put(mount, cpu__max="200000 100000")
    put(mount / "inner", cpu__max="max 100000")
    proc = process(tmp_path, "0::/docker/a/inner\n", V2.format(root="/docker/a", mount=mount))
    assert cgroup_quota(proc) == 2.0


@pytest.mark.parametrize("path", ["/other/group", "/../sibling"])
def test_group_outside_the_mount_is_taken_for_the_mount_point(path: str) -> None:
    mounts = V2.format(root="/docker/a" if path.startswith("/other") else "/", mount="/cg")
    assert group_folders(f"0::{path}\n", mounts) == (Path("/cg"),)


@pytest.mark.parametrize("text", ["max 100000", "", "0 100000", "1 2 3", "100000 0", "-1 100000"])
def test_no_limit_and_nonsense_are_no_limit(tmp_path: Path, text: str) -> None:
    put(tmp_path / "cg", cpu__max=text)
    proc = process(tmp_path, "0::/\n", V2.format(root="/", mount=tmp_path / "cg"))
    assert cgroup_quota(proc) is None


def test_system_without_control_groups(tmp_path: Path) -> None:
    assert cgroup_quota(tmp_path / "none") is None


@given(st.text(), st.text())
def test_any_text_is_survived(groups: str, mounts: str) -> None:
    group_folders(groups, mounts)


@given(st.lists(st.sampled_from(["a", "b", "c.slice"]), max_size=6))
def test_every_folder_up_to_the_mount_point_is_looked_at(parts: list[str]) -> None:
    folders = group_folders(f"0::/{'/'.join(parts)}\n", V2.format(root="/", mount="/cg"))
    assert folders[0] == Path("/cg", *parts)
    assert folders[-1] == Path("/cg")
    assert len(folders) == len(parts) + 1


def test_this_process() -> None:
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_affinity_counts() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, before)
