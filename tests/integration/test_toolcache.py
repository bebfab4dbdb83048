"""A tool cache: copies that are whole or not there, whatever happens meanwhile."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.driver import NEW, Ftbuild, intact, wait_for

PLACE = Path("Python/3.97.2/x64-freethreaded")


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ftbuild]:
    """A user with a build; not to be changed."""
    user = Ftbuild(tmp_path_factory.mktemp("owner"))
    user.release(NEW)
    user("build", "3.97t")
    yield user
    user.end()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def place(cache: Path) -> Path:
    """Where the free-threaded build is, under either of its architectures' names."""
    (found,) = (path for path in cache.glob("Python/*/*-freethreaded") if path.is_dir())
    return found


def beside(cache: Path) -> list[str]:
    return sorted(path.name for path in place(cache).parent.iterdir())


def export(owner: Ftbuild, cache: Path, code: int = 0) -> list[str]:
    done = owner("export", "toolcache", "--dir", str(cache), "--json", code=code)
    return [item["status"] for item in done.json["toolcache"]]


def test_a_copy_is_whole_and_on_its_own(owner: Ftbuild, cache: Path) -> None:
    assert export(owner, cache) == ["exported"]
    there = place(cache)
    assert beside(cache) == [there.name, f"{there.name}.complete"]
    assert intact(there / "bin" / "python3.97t")
    assert (there / "python").resolve() == there / "bin" / "python3.97t"
    assert (there / "bin" / "python").resolve() == there / "bin" / "python3.97t"
    store = str(owner.root / "store").encode()
    texts = [path for path in there.rglob("*") if path.is_file() and not path.is_symlink()]
    naming = {
        path.name
        for path in texts
        if b"\0" not in (content := path.read_bytes())[:8192] and store in content
    }
    assert naming <= {"ftbuild.json"}  # which says where it was when it was packed
    check = ["sha256sum", "--check", "--quiet", "ftbuild.sha256"]
    assert subprocess.run(check, cwd=there, check=False).returncode == 0


def test_no_program_of_it_answers_to_the_other_build(owner: Ftbuild, cache: Path) -> None:
    export(owner, cache)
    names = {path.name for path in (place(cache) / "bin").iterdir()}
    assert names >= {"python", "python3", "python3.97t"}
    assert not {name for name in names if name.endswith("3.97")}
    assert all(path.exists() for path in (place(cache) / "bin").iterdir())


def test_a_second_run_changes_nothing(owner: Ftbuild, cache: Path) -> None:
    export(owner, cache)
    before = {path: path.lstat().st_mtime_ns for path in cache.rglob("*")}
    assert export(owner, cache) == ["already"]
    assert {path: path.lstat().st_mtime_ns for path in cache.rglob("*")} == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_leaves_nothing_that_counts(
    owner: Ftbuild, cache: Path, number: signal.Signals
) -> None:
    running = owner.start("export", "toolcache", "--dir", str(cache))
    wait_for(lambda: any(cache.glob("Python/*/.ftbuild-*")), "the scratch directory")
    running.signal(number)
    running.done()
    assert not list(cache.glob("Python/*/*.complete"))
    assert export(owner, cache) == ["exported"]
    assert beside(cache) == [place(cache).name, f"{place(cache).name}.complete"]


def test_a_copy_without_its_marker_is_made_again(owner: Ftbuild, cache: Path) -> None:
    export(owner, cache)
    marker = place(cache).with_name(f"{place(cache).name}.complete")
    marker.unlink()
    (place(cache) / "bin" / "python3.97t").unlink()
    assert export(owner, cache) == ["exported"]
    assert marker.exists()
    assert intact(place(cache) / "bin" / "python3.97t")


def test_another_build_takes_its_place(owner: Ftbuild, cache: Path, tmp_path: Path) -> None:
    export(owner, cache)
    other = Ftbuild(tmp_path / "other")
    shutil.copytree(owner.mirror, other.mirror)
    shutil.copytree(owner.recipes, other.recipes)
    other("build", "3.97t", "--configure-arg=--with-other")
    try:
        assert export(other, cache) == ["replaced"]
        assert export(other, cache) == ["already"]
    finally:
        other.end()
    assert "--with-other" in (place(cache) / "ftbuild.json").read_text()


def test_two_runs_at_once(owner: Ftbuild, cache: Path) -> None:
    one = owner.start("export", "toolcache", "--dir", str(cache))
    export(owner, cache)
    assert one.done().code == 0
    assert intact(place(cache) / "bin" / "python3.97t")
    assert export(owner, cache) == ["already"]
