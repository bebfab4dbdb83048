from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, Refused, UsageError
from ftbuild.export.toolcache import architecture, export, places, semantic
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout
from tests.builders import DEFAULT, build, changed
from tests.unit.archive.builds import installed
from tests.unit.conftest import state, unwritable
from tests.unit.provision.worlds import world

CACHE = Path("/cache")


def some_build(variant: Variant = Variant.FREE_THREADED, **asked: str) -> Installation:
    return build(Path("/store", str(asked), variant), variant, **asked)


def placed(*found: Installation, asked: bool = False) -> dict[str, Installation]:
    wanted = places(found, CACHE, default_profile=DEFAULT, asked=asked)
    return {str(place.relative_to(CACHE)): item for place, item in wanted.items()}


@pytest.mark.parametrize(
    ("version", "spelt"),
    [
        ("3.14.7", "3.14.7"),
        ("3.15.0rc2", "3.15.0-rc.2"),
        ("3.15.0b1", "3.15.0-beta.1"),
        ("3.15.0a10", "3.15.0-alpha.10"),
    ],
)
def test_releases_are_spelt_as_semantic_versions(version: str, spelt: str) -> None:
    assert semantic(version) == spelt


@pytest.mark.parametrize(
    ("machine", "name"), [("x86_64", "x64"), ("aarch64", "arm64"), ("arm64", "arm64")]
)
def test_architectures(machine: str, name: str) -> None:
    gil = changed(some_build(Variant.GIL), "used", machine=machine)
    free_threaded = changed(some_build(), "used", machine=machine)
    assert architecture(gil) == name
    assert architecture(free_threaded) == f"{name}-freethreaded"


def test_a_machine_that_node_has_no_name_for() -> None:
    with pytest.raises(UsageError, match="built for riscv64"):
        architecture(changed(some_build(), "used", machine="riscv64"))


def test_a_place_for_each() -> None:
    assert set(placed(some_build(Variant.GIL), some_build(), some_build(version="3.15.0rc2"))) == {
        "Python/3.14.7/x64",
        "Python/3.14.7/x64-freethreaded",
        "Python/3.15.0-rc.2/x64-freethreaded",
    }


def test_of_two_profiles_the_default_one() -> None:
    tsan, fast = some_build(profile="tsan"), some_build()
    assert placed(tsan, fast) == {"Python/3.14.7/x64-freethreaded": fast}
    assert placed(tsan, asked=True) == {"Python/3.14.7/x64-freethreaded": tsan}
    with pytest.raises(UsageError, match="a tool cache has one x64-freethreaded build"):
        placed(tsan, fast, asked=True)


@pytest.mark.parametrize("kind", ["directory", "file", "link"])
def test_what_is_there_and_not_ours_stays(layout: Layout, tmp_path: Path, kind: str) -> None:
    item = installed(layout, {})
    place = tmp_path / "cache/Python/3.14.7/x64-freethreaded"
    place.parent.mkdir(parents=True)
    if kind == "directory":
        (place / "bin").mkdir(parents=True)
    elif kind == "file":
        place.touch()
    else:
        place.symlink_to(item.prefix)
    before = state(place)
    with pytest.raises(Refused, match="was not made by ftbuild") as caught:
        export({place: item}, world(layout)[0])
    assert f"rm -r {place}" in caught.value.hint
    assert state(place) == before


def test_one_that_fails_its_checks_is_not_left_there(layout: Layout, tmp_path: Path) -> None:
    """The interpreter of this build is none: it says nothing of itself."""
    item = installed(layout, {})
    place = tmp_path / "cache/Python/3.14.7/x64-freethreaded"
    with pytest.raises(Refused, match="is not what it should be in"):
        export({place: item}, world(layout)[0])
    assert list(place.parent.iterdir()) == []


def in_cache(item: Installation, place: Path, *, complete: bool) -> None:
    """Have a copy in a cache, as an earlier export left it."""
    shutil.copytree(item.prefix, place, symlinks=True)
    if complete:
        place.with_name(f"{place.name}.complete").touch()


def test_the_same_build_is_not_copied_again(layout: Layout, tmp_path: Path) -> None:
    item = installed(layout, {})
    place = tmp_path / "cache/Python/3.14.7/x64-freethreaded"
    in_cache(item, place, complete=True)
    (done,) = export({place: item}, world(layout)[0])
    assert done.status == "already"


@pytest.mark.parametrize("complete", [True, False])
def test_what_was_there_comes_back_if_another_build_fails(
    layout: Layout, tmp_path: Path, *, complete: bool
) -> None:
    """The other was built later, and asked for with the same words."""
    item = installed(layout, {})
    place = tmp_path / "cache/Python/3.14.7/x64-freethreaded"
    in_cache(item, place, complete=complete)
    before = {path: path.read_bytes() for path in place.parent.rglob("*") if path.is_file()}
    again = changed(item, "used", started="2026-11-02T12:00:00+00:00")
    with pytest.raises(Refused, match="is not what it should be in"):
        export({place: again}, world(layout)[0])
    after = {path: path.read_bytes() for path in place.parent.rglob("*") if path.is_file()}
    assert after == before


def test_one_that_was_altered_is_refused(layout: Layout, tmp_path: Path) -> None:
    item = installed(layout, {"lib/a": b"1"})
    (item.prefix / "lib/a").write_bytes(b"2")
    place = tmp_path / "cache/Python/3.14.7/x64-freethreaded"
    with pytest.raises(Refused, match="lib/a was altered"):
        export({place: item}, world(layout)[0])
    assert list(place.parent.iterdir()) == []


def test_a_path_that_cannot_stand_in_scripts(layout: Layout, tmp_path: Path) -> None:
    place = tmp_path / "a cache/Python/3.14.7/x64-freethreaded"
    with pytest.raises(UsageError, match="cannot be written into scripts") as caught:
        export({place: installed(layout, {})}, world(layout)[0])
    assert "--dir" in caught.value.hint
    assert not place.parents[2].exists()


def test_a_cache_that_cannot_be_written(layout: Layout, open_directory: Path) -> None:
    item = installed(layout, {})
    place = open_directory / "Python/3.14.7/x64-freethreaded"
    with unwritable(open_directory), pytest.raises(EnvironmentFault) as caught:
        export({place: item}, world(layout)[0])
    assert "--dir" in caught.value.hint
