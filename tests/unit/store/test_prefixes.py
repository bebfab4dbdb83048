from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import EnvironmentFault, Interrupted, Refused
from ftbuild.model.manifest import FORMAT, Installation
from ftbuild.store.layout import Layout
from ftbuild.store.listing import INCOMPLETE, MANIFEST, installations
from ftbuild.store.prefixes import (
    claimed,
    complete,
    discard,
    leftovers,
    placed,
    recover,
    remove,
)
from ftbuild.store.tree import HASHES, hash_tree
from tests.builders import DEFAULT, build, specification, store

NAME = specification().store_name(DEFAULT)


@pytest.fixture
def staged(layout: Layout) -> Path:
    """A staged installation, told from others by one file."""
    path = layout.work / "stage"
    path.mkdir()
    (path / "new").touch()
    return path


def whole(layout: Layout) -> Installation:
    """An installation told from others by one file."""
    made = store(layout, linked=False)
    (made.prefix / "old").touch()
    return made


def finish(prefix: Path) -> None:
    complete(prefix, build(prefix).manifest, hash_tree(prefix))


def in_store(layout: Layout) -> dict[str, str]:
    """The names in the store, each with what it is."""
    return {
        path.name.removeprefix(NAME): "old" if (path / "old").exists() else "new"
        for path in layout.store.iterdir()
    }


def test_a_build_is_placed_and_completed(layout: Layout, staged: Path) -> None:
    with placed(layout, NAME, staged) as prefix:
        assert prefix == layout.store / NAME
        assert (prefix / INCOMPLETE).exists()
        assert not installations(layout)
        finish(prefix)
    assert not (prefix / INCOMPLETE).exists()
    assert (prefix / HASHES).read_text().endswith("  new\n")
    assert [item.prefix for item in installations(layout)] == [prefix]
    assert not staged.exists()


def test_the_build_it_replaces_waits_until_it_is_whole(layout: Layout, staged: Path) -> None:
    whole(layout)
    with placed(layout, NAME, staged) as prefix:
        assert in_store(layout) == {"": "new", ".aside": "old"}
        finish(prefix)
    assert in_store(layout) == {"": "new"}


@pytest.mark.parametrize("error", [EnvironmentFault("disk"), KeyboardInterrupt(), OSError()])
def test_a_failure_brings_the_old_build_back(
    layout: Layout, staged: Path, error: BaseException
) -> None:
    old = whole(layout)
    with pytest.raises(type(error)), placed(layout, NAME, staged):
        raise error
    assert in_store(layout) == {"": "old"}
    assert installations(layout) == (old,)


def test_a_build_that_was_refused_is_kept_for_a_look(layout: Layout, staged: Path) -> None:
    whole(layout)
    for _ in range(2):
        with pytest.raises(Refused), placed(layout, NAME, staged):
            raise Refused("a check failed")
        assert in_store(layout) == {"": "old", ".failed": "new"}
        assert len(installations(layout)) == 1
        staged.mkdir()
        (staged / "new").touch()


def test_a_stage_that_is_not_there(layout: Layout) -> None:
    old = whole(layout)
    with (
        pytest.raises(EnvironmentFault, match="cannot be put in place"),
        placed(layout, NAME, layout.work / "none"),
    ):
        pass
    assert installations(layout) == (old,)


def incomplete(layout: Layout) -> None:
    """Killed between the stage's move and the manifest."""
    (layout.store / NAME).mkdir()
    (layout.store / NAME / INCOMPLETE).touch()


def replacing(layout: Layout) -> None:
    """The same, with the build that was being replaced set aside."""
    prefix = whole(layout).prefix
    prefix.rename(prefix.with_name(f"{NAME}.aside"))
    incomplete(layout)


def between(layout: Layout) -> None:
    """Killed between setting aside and moving in."""
    prefix = whole(layout).prefix
    prefix.rename(prefix.with_name(f"{NAME}.aside"))


def replaced(layout: Layout) -> None:
    """Killed while the one that was set aside was being removed."""
    prefix = whole(layout).prefix
    shutil.copytree(prefix, prefix.with_name(f"{NAME}.aside"))
    prefix.with_name(f"{NAME}.aside").joinpath("old").unlink()


def truncated(layout: Layout) -> None:
    """A manifest cut short by a crash of the machine."""
    manifest = whole(layout).prefix / MANIFEST
    os.truncate(manifest, manifest.stat().st_size // 2)


def of_the_future(layout: Layout) -> None:
    """A manifest of a format that this ftbuild does not know."""
    made = whole(layout)
    newer = msgspec.structs.replace(made.manifest, format=FORMAT + 1)
    (made.prefix / MANIFEST).write_bytes(msgspec.json.encode(newer))


def being_removed(layout: Layout) -> None:
    """Killed in the middle of `remove` or of a discard."""
    prefix = whole(layout).prefix
    (prefix / "old").unlink()
    prefix.rename(prefix.with_name(f"{NAME}.gone"))


def nothing(layout: Layout) -> None:
    """Killed before the store was reached."""


STATES: tuple[tuple[Callable[[Layout], None], dict[str, str]], ...] = (
    (nothing, {}),
    (incomplete, {}),
    (replacing, {"": "old"}),
    (between, {"": "old"}),
    (replaced, {"": "old"}),
    (truncated, {}),
    (of_the_future, {}),
)


@pytest.mark.parametrize(("state", "after"), STATES)
def test_what_a_killed_run_left_is_mended(
    layout: Layout, state: Callable[[Layout], None], after: dict[str, str]
) -> None:
    state(layout)
    recover(layout, NAME)
    assert {k: v for k, v in in_store(layout).items() if k != ".gone"} == after
    assert len(installations(layout)) == len(after)


@pytest.mark.parametrize("state", [*(state for state, _ in STATES), being_removed])
def test_the_next_build_succeeds_whatever_was_left(
    layout: Layout, staged: Path, state: Callable[[Layout], None]
) -> None:
    state(layout)
    with placed(layout, NAME, staged) as prefix:
        finish(prefix)
    assert {k: v for k, v in in_store(layout).items() if k != ".gone"} == {"": "new"}
    assert [item.prefix for item in installations(layout)] == [prefix]


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (incomplete, {}),
        (replacing, {"": "old"}),
        (between, {"": "old"}),
        (replaced, {"": "old"}),
        (being_removed, {}),
    ],
)
def test_leftovers_can_be_found_and_discarded(
    layout: Layout, state: Callable[[Layout], None], after: dict[str, str]
) -> None:
    state(layout)
    assert leftovers(layout)
    for path in leftovers(layout):
        discard(layout, path)
    assert in_store(layout) == after
    assert not leftovers(layout)


def test_a_failed_build_is_a_leftover_too(layout: Layout) -> None:
    (layout.store / f"{NAME}.failed").mkdir()
    (layout.store / f"{NAME}.failed" / INCOMPLETE).touch()
    (path,) = leftovers(layout)
    discard(layout, path)
    assert not in_store(layout)


def test_what_a_run_works_on_is_no_leftover(layout: Layout) -> None:
    stop = threading.Event()
    with claimed(layout, NAME, stop=stop, on_wait=lambda: None):
        incomplete(layout)
        assert not leftovers(layout)
    assert leftovers(layout)


def test_who_waits_for_a_prefix_can_be_stopped(layout: Layout) -> None:
    stop = threading.Event()
    with (
        claimed(layout, NAME, stop=stop, on_wait=stop.set),
        pytest.raises(Interrupted),
        claimed(layout, NAME, stop=stop, on_wait=stop.set),
    ):
        pass


def a_directory(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("irreplaceable")


def a_file(path: Path) -> None:
    path.touch()


def a_link(path: Path) -> None:
    target = path.parent.parent / "elsewhere"
    a_directory(target)
    (target / INCOMPLETE).touch()
    path.symlink_to(target)


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("thing", [a_directory, a_file, a_link, a_dangling_link])
def test_what_we_did_not_make_is_left_alone(
    layout: Layout, staged: Path, thing: Callable[[Path], None]
) -> None:
    prefix = layout.store / NAME
    thing(prefix)
    before = sorted(layout.root.rglob("*"))
    with (
        pytest.raises(EnvironmentFault, match="was not made by ftbuild") as caught,
        placed(layout, NAME, staged),
    ):
        pass
    assert "Move it away" in caught.value.hint
    assert sorted(layout.root.rglob("*")) == before


def test_remove(layout: Layout) -> None:
    remove(layout, whole(layout))
    assert not list(layout.store.iterdir())


def test_remove_after_a_remove_that_was_killed(layout: Layout) -> None:
    being_removed(layout)
    remove(layout, whole(layout))
    assert not list(layout.store.iterdir())


def test_remove_of_what_is_gone(layout: Layout) -> None:
    made = whole(layout)
    assert remove(layout, made)
    assert not remove(layout, made), "another run was faster, and that is as good"


def test_remove_of_what_is_damaged(layout: Layout) -> None:
    made = whole(layout)
    (made.prefix / MANIFEST).write_text("{")
    assert remove(layout, made)
    assert not list(layout.store.iterdir())


@pytest.mark.parametrize("suffix", [".gone", ".failed"])
def test_what_others_have_under_a_name_like_ours_stays(
    layout: Layout, staged: Path, suffix: str
) -> None:
    theirs = layout.store / f"{NAME}{suffix}"
    a_directory(theirs)
    made = whole(layout)
    with pytest.raises(Refused), placed(layout, NAME, staged):
        raise Refused("a check failed")
    assert installations(layout) == (made,)
    discarded = [path for path in leftovers(layout) if discard(layout, path)]
    assert theirs not in discarded
    assert remove(layout, made)
    assert list(layout.store.iterdir()) == [theirs]
    assert (theirs / "thesis.txt").read_text() == "irreplaceable"


def test_what_others_have_where_a_build_is_set_aside(layout: Layout, staged: Path) -> None:
    made = whole(layout)
    theirs = layout.store / f"{NAME}.aside"
    a_directory(theirs)
    with (
        pytest.raises(EnvironmentFault, match="was not made by ftbuild"),
        placed(layout, NAME, staged),
    ):
        pass
    assert installations(layout) == (made,)
    assert (theirs / "thesis.txt").exists()


def test_a_manifest_that_cannot_be_written(small_disk: Path) -> None:
    tree = hash_tree(small_disk)
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(bytes(2**20))
    (small_disk / INCOMPLETE).touch()
    with pytest.raises(EnvironmentFault, match=r"manifest of .* cannot be written") as caught:
        complete(small_disk, build(small_disk).manifest, tree)
    assert "Free some space" in caught.value.hint
    left = {path.name for path in small_disk.iterdir()}
    assert left == {"filler", INCOMPLETE, HASHES}
