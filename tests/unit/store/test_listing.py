from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import UsageError
from ftbuild.model.versions import BOTH, Variant, parse_request
from ftbuild.store.layout import Layout, layout_of
from ftbuild.store.listing import (
    MANIFEST,
    find,
    installations,
    installed,
    is_linked,
    load_manifest,
    matching,
    read_manifest,
)
from tests.builders import DEFAULT, build, specification, store

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
