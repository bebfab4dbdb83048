from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbuild.errors import Refused
from ftbuild.export.uv.choice import chosen, require_apart
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import BOTH, Variant
from tests.builders import DEFAULT, build, changed


def made(name: str, started: str = "2026-11-01T12:00:00+00:00", **asked: Any) -> Installation:
    return changed(build(Path("/store", name), Variant.GIL, **asked), "used", started=started)


def names(found: tuple[Installation, ...]) -> list[str]:
    return [item.prefix.name for item in found]


def test_both_builds_of_every_release_are_taken() -> None:
    found = [
        build(Path(f"/store/{version}{variant}"), variant, version=version)
        for version in ("3.14.7", "3.13.15")
        for variant in BOTH
    ]
    assert chosen(found, linked=(), default_profile=DEFAULT) == (tuple(found), ())


def test_of_what_is_the_same_to_uv_the_default_profile_is_taken_and_the_rest_noted() -> None:
    found = (made("other", profile="optimized"), made("own", profile=DEFAULT))
    taken, out = chosen(found, linked=(), default_profile=DEFAULT)
    assert names(taken) == ["own"]
    assert [item.name for item in out] == ["cpython-3.14.7+optimized"]
    assert "the same as cpython-3.14.7 (" in out[0].why


def test_a_build_that_is_linked_comes_before_a_later_one() -> None:
    found = (made("late", "2026-12-01T00:00:00+00:00"), made("linked"), made("early", "2026-01-01"))
    linked = (Path("/store/linked"),)
    assert names(chosen(found, linked=linked, default_profile=DEFAULT)[0]) == ["linked"]
    assert names(chosen(found, linked=(), default_profile=DEFAULT)[0]) == ["late"]


def test_what_has_no_place_is_left_out_or_refused_where_it_is_named() -> None:
    found = (made("plain"), made("tsan", profile="tsan", sanitizer="thread"))
    taken, out = chosen(found, linked=(), default_profile=DEFAULT)
    assert names(taken) == ["plain"]
    assert [(item.name, item.why) for item in out] == [
        ("cpython-3.14.7+tsan", "uv has no variant for builds with a sanitizer")
    ]
    with pytest.raises(Refused, match=r"cpython-3\.14\.7\+tsan: uv has no variant"):
        require_apart(found)


def test_a_debug_build_is_another_one_to_uv() -> None:
    found = (made("plain"), made("debug", profile="debug", debug=True))
    require_apart(found)
    assert names(chosen(found, linked=(), default_profile=DEFAULT)[0]) == ["plain", "debug"]


def test_two_that_are_named_and_are_one_to_uv_are_refused() -> None:
    with pytest.raises(Refused, match=r"are both cpython-3\.14\.7-linux-x86_64-gnu to uv"):
        require_apart((made("a"), made("b", profile="optimized")))
