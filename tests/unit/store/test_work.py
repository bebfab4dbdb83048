from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ftbuild
from ftbuild import process
from ftbuild.store.layout import Layout
from ftbuild.store.work import clear_abandoned, scratch, scratch_or_temporary

RUN = """
import subprocess, sys
from pathlib import Path
from ftbuild import process
from ftbuild.store.layout import Layout
from ftbuild.store.work import scratch
with scratch(Layout(root=Path(sys.argv[1]))) as path:
    env = {"PATH": "/usr/bin:/bin", process.MARK: str(path / "build")}
    child = subprocess.Popen(["sleep", "60"], env=env, start_new_session=True)
    print(path, child.pid, flush=True)
    sys.stdin.read()
"""


def other_run(layout: Layout) -> subprocess.Popen[str]:
    """Another run on the same root, with a process of a build that left its session."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(layout.root)],
        env={"PYTHONPATH": str(Path(ftbuild.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_directory_for_the_length_of_a_run(layout: Layout) -> None:
    with scratch(layout) as path:
        assert path.parent == layout.work
        assert path.stat().st_mode & 0o077 == 0
        (path / "file").touch()
        with scratch(layout) as second:
            assert second != path
        assert (path / "file").exists()
        assert clear_abandoned(layout) == 0
    assert not list(layout.work.iterdir())


def test_it_goes_whatever_happens(layout: Layout) -> None:
    with pytest.raises(LookupError), scratch(layout):
        raise LookupError
    assert not list(layout.work.iterdir())


def test_what_a_killed_run_left_goes_together_with_its_processes(layout: Layout) -> None:
    with other_run(layout) as other:
        assert other.stdout is not None
        left, orphan = other.stdout.readline().split()
        assert clear_abandoned(layout) == 0
        assert Path(left).is_dir()
        other.kill()
        other.wait()
    assert Path(f"/proc/{orphan}").exists() == Path("/proc").exists()
    with scratch(layout) as path:
        assert list(layout.work.iterdir()) == [path]
    if Path("/proc").exists():
        assert process.end_marked(left) == 0


def test_what_carries_no_mark_of_ours_stays(layout: Layout, tmp_path: Path) -> None:
    (layout.work / "file").touch()
    for name in ("thesis", "12345678"):  # a name of ours does not make it ours
        (layout.work / name).mkdir()
        (layout.work / name / "chapter1.txt").touch()
    (layout.work / "locked").mkdir()  # nor does the lock
    (layout.work / "locked" / "alive.lock").touch()
    ours = tmp_path / "87654321"
    ours.mkdir()
    (ours / "alive.lock").touch()
    (layout.work / "abcdef01").symlink_to(ours)
    before = sorted(tmp_path.rglob("*"))
    assert clear_abandoned(layout) == 0
    with scratch(layout):
        pass
    assert [path for path in before if not path.is_symlink() and not path.exists()] == []
    assert (layout.work / "abcdef01").is_symlink()


def test_what_a_run_killed_at_its_begin_left_goes(layout: Layout) -> None:
    (layout.work / "12345678").mkdir()
    (layout.work / "abcdef01" / "source" / "deep").mkdir(parents=True)
    (layout.work / "abcdef01" / "alive.lock").touch()
    assert clear_abandoned(layout) == 2
    assert not list(layout.work.iterdir())


def test_a_work_that_is_a_link_is_not_cleared(layout: Layout, tmp_path: Path) -> None:
    layout.work.rename(tmp_path / "work")
    (tmp_path / "work" / "12345678").mkdir()
    layout.work.symlink_to(tmp_path / "work")
    assert clear_abandoned(layout) == 0
    assert (tmp_path / "work" / "12345678").is_dir()


def test_a_root_that_cannot_be_written(layout: Layout, tmp_path: Path) -> None:
    with scratch_or_temporary(layout) as path:
        assert path.parent == layout.work
    with scratch_or_temporary(Layout(root=tmp_path / "not-there")) as path:
        assert path.is_dir()
        assert tmp_path not in path.parents
    assert not path.exists()


def test_a_directory_that_is_no_root_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with scratch_or_temporary(Layout(root=tmp_path)) as path:
        assert tmp_path not in path.parents
