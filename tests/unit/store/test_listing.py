from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from ftbuild import render
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.versions import BOTH, Variant, parse_request
from ftbuild.store.collect import collect
from ftbuild.store.layout import Layout, layout_of
from ftbuild.store.links import refresh
from ftbuild.store.listing import (
    INCOMPLETE,
    MANIFEST,
    Damaged,
    damaged,
    find,
    installations,
    installed,
    is_linked,
    load_manifest,
    matching,
    named,
    read_manifest,
)
from ftbuild.store.prefixes import claimed, remove
from tests.builders import DEFAULT, build, specification, store
from tests.mutations import mutated
from tests.unit.conftest import unwritable

GIL, FREE_THREADED = BOTH


def found_by(text: str, *builds: tuple[str, Variant, str]) -> list[str]:
    """The friendly names that a request means among builds of version, variant and profile."""
    there = [build(Path("/x"), v, version=version, profile=p) for version, v, p in builds]
    found = matching(there, parse_request(text), default_profile=DEFAULT)
    return [item.manifest.name.removeprefix("cpython-") for item in found]


PAIR = [("3.14.7", GIL, "fast"), ("3.14.7", FREE_THREADED, "fast")]
OLDER = [("3.14.6", GIL, "fast"), ("3.14.6", FREE_THREADED, "fast")]
TSAN = [("3.14.8", FREE_THREADED, "tsan")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.14", ["3.14.7", "3.14.7t"]),
        ("3.14t", ["3.14.7t"]),
        ("3.14+gil", ["3.14.7"]),
        ("3.14.6", ["3.14.6", "3.14.6t"]),
        ("3.14+tsan", ["3.14.8t+tsan"]),
        ("3.14.8t", ["3.14.8t+tsan"]),
        ("3.13", []),
        ("3.14.6+tsan", []),
    ],
)
def test_a_request_means_the_newest_that_fits(text: str, expected: list[str]) -> None:
    assert found_by(text, *OLDER, *TSAN, *PAIR) == expected


def test_the_halves_of_different_releases_are_no_pair() -> None:
    assert found_by("3.14", ("3.14.7", GIL, "fast"), *OLDER) == ["3.14.7"]


def test_order_is_release_profile_variant_and_age(layout: Layout) -> None:
    store(layout, FREE_THREADED, version="3.14.10")
    store(layout, FREE_THREADED, version="3.14.9")
    store(layout, GIL, version="3.14.9", started="2026-01-01T00:00:00+00:00")
    store(layout, GIL, version="3.14.9", configure_args=("-C",))
    store(layout, GIL, version="3.14.9", profile="debug")
    assert [(item.manifest.name, item.spec.configure_args) for item in installations(layout)] == [
        ("cpython-3.14.10t", ()),
        ("cpython-3.14.9+debug", ()),
        ("cpython-3.14.9", ("-C",)),
        ("cpython-3.14.9", ()),
        ("cpython-3.14.9t", ()),
    ]


def test_only_a_whole_manifest_of_our_format_in_its_own_place_counts(layout: Layout) -> None:
    made = store(layout)
    path = made.prefix / MANIFEST
    content = path.read_bytes()
    assert read_manifest(path) == made.manifest
    for other in (
        content[:-20],
        b"",
        b"[]",
        b"\xff",
        content.replace(b'"format": 1', b'"format": 2'),
        content.replace(b'"variant": "free-threaded"', b'"variant": "half"'),
    ):
        assert other != content
        path.write_bytes(other)
        assert not installations(layout)
    path.write_bytes(content)
    made.prefix.rename(made.prefix.with_name(f"{made.prefix.name}.aside"))
    assert not installations(layout)


def test_a_root_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert installations(layout_of(tmp_path / "none")) == ()


def test_a_digest_is_looked_at_whole(layout: Layout) -> None:
    made = store(layout)
    assert installed(layout, made.spec, made.prefix.name) == made
    other = specification(configure_args=("-C",))
    assert installed(layout, other, made.prefix.name) is None
    assert installed(layout, made.spec, "cpython-3.14.7t-00000000") is None


def test_linked_is_what_the_friendly_name_points_to(layout: Layout) -> None:
    first = store(layout)
    assert is_linked(layout, first)
    second = store(layout, configure_args=("-C",))
    assert is_linked(layout, second)
    assert not is_linked(layout, first)


def test_what_is_linked_is_found_before_what_is_not(layout: Layout) -> None:
    linked = store(layout, version="3.14.6")
    unlinked = store(layout, version="3.14.7", linked=False)
    for text, expected in (("3.14t", linked), ("3.14.7t", unlinked)):
        assert find(layout, parse_request(text), default_profile=DEFAULT) == (expected,)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("3.13t", "`ftbuild build 3.13t` makes it."),
        ("3.14t+tsan", "`ftbuild build 3.14t --profile tsan` makes it."),
    ],
)
def test_what_is_not_there_comes_with_the_command_that_makes_it(
    layout: Layout, text: str, command: str
) -> None:
    store(layout)
    with pytest.raises(UsageError, match="no installed build matches") as caught:
        find(layout, parse_request(text), default_profile=DEFAULT)
    assert command in caught.value.hint
    assert "has cpython-3.14.7t." in caught.value.hint


def test_a_manifest_may_be_named_by_its_directory(layout: Layout, tmp_path: Path) -> None:
    made = store(layout)
    assert load_manifest(made.prefix) == load_manifest(made.prefix / MANIFEST) == made.manifest
    newer = msgspec.structs.replace(made.manifest, format=2)
    (tmp_path / "newer.json").write_bytes(msgspec.json.encode(newer))
    for path in (tmp_path, tmp_path / "none", tmp_path / "newer.json"):
        with pytest.raises(UsageError, match="is not a manifest this ftbuild understands"):
            load_manifest(path)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def of_another_shape(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)


def without_a_version(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"version": "3.14.7"', b'"version": "-1"'))


def without_a_time(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"2026-11-01T12:00:00+00:00", b",,,"))


def of_a_day_that_is_none(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"2026-11-01T", b"2026-11-31T"))


def of_another_build(path: Path) -> None:
    path.write_bytes(msgspec.json.encode(build(path.parent, version="3.14.6").manifest))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def without_end(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize(
    "damage",
    [
        *(Path.unlink, cut_short, of_another_shape, without_a_version, without_a_time),
        *(without_end, of_a_day_that_is_none, of_another_build, a_pipe, a_directory),
    ],
)
def test_a_damaged_build_is_told_removed_and_in_nobodys_way(
    layout: Layout, damage: Callable[[Path], None]
) -> None:
    other = store(layout, GIL)
    bad = store(layout)
    assert damaged(layout) == ()
    damage(bad.prefix / MANIFEST)
    assert installations(layout) == (other,)
    (found,) = damaged(layout)
    assert found.prefix == bad.prefix
    assert f"`ftbuild remove {bad.prefix.name}`" in found.remedy
    assert not found.newer
    collect(layout, days=0, dry_run=False)
    refresh(layout, default_profile=DEFAULT)
    assert bad.prefix.is_dir()
    assert named(layout, bad.prefix.name) == found
    remove(layout, found)
    assert damaged(layout) == ()
    assert [path.name for path in layout.store.iterdir()] == [other.prefix.name]


@pytest.mark.parametrize("damage", [Path.unlink, cut_short, a_pipe, a_directory])
def test_what_is_damaged_is_built_again(layout: Layout, damage: Callable[[Path], None]) -> None:
    bad = store(layout)
    damage(bad.prefix / MANIFEST)
    with claimed(layout, bad.prefix.name, stop=threading.Event(), on_wait=lambda: None):
        assert not bad.prefix.exists()
    assert store(layout).prefix == bad.prefix


def test_what_a_newer_ftbuild_made_is_said_to_be_that(layout: Layout) -> None:
    made = store(layout)
    (made.prefix / MANIFEST).write_bytes(b'{"format": 2}')
    (found,) = damaged(layout)
    assert found.newer
    assert found.remedy.startswith("use the newer ftbuild")


def test_what_is_being_made_is_not_damaged(layout: Layout) -> None:
    made = store(layout)
    (made.prefix / MANIFEST).unlink()
    (made.prefix / INCOMPLETE).touch()
    assert damaged(layout) == ()
    made.prefix.rename(layout.store / f"{made.prefix.name}.aside")
    (layout.store / made.prefix.name).touch()
    (layout.store / "cpython-of-somebody").mkdir()
    assert damaged(layout) == ()
    assert named(layout, made.prefix.name) is None
    assert named(layout, "3.14t") is named(layout, "../x") is None


def test_what_was_mended_meanwhile_is_not_removed(layout: Layout) -> None:
    made = store(layout)
    remove(layout, Damaged(prefix=made.prefix, why="it was cut short"))
    assert installations(layout) == (made,)


def test_a_damaged_link_is_removed_and_not_what_it_leads_to(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "thesis.txt").touch()
    (layout.store / "cpython-3.14.7t-1a2b3c4d").symlink_to(tmp_path / "there")
    (found,) = damaged(layout)
    remove(layout, found)
    assert not list(layout.store.iterdir())
    assert (tmp_path / "there" / "thesis.txt").exists()


def test_a_store_that_cannot_be_looked_at(open_directory: Path) -> None:
    layout = layout_of(open_directory)
    layout.store.mkdir()
    with unwritable(open_directory):
        assert installations(layout) == ()
    layout.store.rmdir()
    layout.store.symlink_to(layout.store)
    with pytest.raises(EnvironmentFault, match="cannot be looked at"):
        installations(layout)


def test_a_name_that_leads_in_circles_is_no_link(layout: Layout) -> None:
    made = store(layout)
    link = layout.root / made.manifest.name
    link.unlink()
    link.symlink_to(link.name)
    assert not is_linked(layout, made)


DOCUMENT = msgspec.json.encode(build(Path("/x")).manifest)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated(DOCUMENT))
def test_any_manifest_is_one_or_damaged(layout: Layout, document: bytes) -> None:
    prefix = layout.store / build(Path("/x")).spec.store_name(DEFAULT)
    prefix.mkdir(exist_ok=True)
    (prefix / MANIFEST).write_bytes(document)
    found, bad = installations(layout), damaged(layout)
    assert len(found) + len(bad) == 1
    render.listing(found, layout, damaged=bad, json=False)
    render.details(found, json=False)
    render.details(found, json=True)
    collect(layout, days=0, dry_run=True)
    refresh(layout, default_profile=DEFAULT)
