from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.bench.pair import exactly_one_pair, judged, newest_pair
from ftbuild.errors import Refused, UsageError
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout
from tests.builders import build, changed, store

LAYOUT = Layout(root=Path("/home/user/.local/share/ftbuild"))
STORE = LAYOUT.store


def pair(**asked: object) -> tuple[Installation, Installation]:
    version = asked.get("version", "3.14.7")
    return (
        build(STORE / f"cpython-{version}-1", Variant.GIL, **asked),
        build(STORE / f"cpython-{version}t-2", Variant.FREE_THREADED, **asked),
    )


OLD = pair(version="3.14.6")
NEW = pair()


def test_the_newest_whole_pair_is_chosen() -> None:
    found = newest_pair((NEW[1], *OLD), LAYOUT, default_profile="fast")
    assert found == {Variant.GIL: OLD[0], Variant.FREE_THREADED: OLD[1]}


def test_the_default_profile_is_preferred_to_a_newer_release() -> None:
    found = newest_pair(
        (*NEW, *pair(version="3.14.6", profile="debug")), LAYOUT, default_profile="debug"
    )
    assert found[Variant.GIL].spec.version == "3.14.6"


def test_without_a_whole_pair_the_hint_builds_one() -> None:
    with pytest.raises(UsageError) as raised:
        newest_pair((NEW[0], OLD[1]), LAYOUT, default_profile="fast")
    assert "ftbuild build 3.14" in raised.value.hint


@pytest.mark.parametrize("found", [NEW[:1], (*NEW, *OLD), (NEW[0], OLD[0])])
def test_other_than_one_pair_is_refused(found: tuple[Installation, ...]) -> None:
    with pytest.raises(UsageError, match="one pair"):
        exactly_one_pair(found)


def test_a_matched_pair_has_no_differences() -> None:
    found = judged(exactly_one_pair(NEW), unlike=False)
    assert found.unlike == ()
    assert (found.gil.name, found.free_threaded.name) == ("cpython-3.14.7", "cpython-3.14.7t")


def test_an_unmatched_pair_is_refused_unless_asked_for() -> None:
    builds = exactly_one_pair((NEW[0], OLD[1]))
    with pytest.raises(Refused, match=r"pair\.version: .*3\.14\.7.*3\.14\.6"):
        judged(builds, unlike=False)
    assert "pair.version" in [check.name for check in judged(builds, unlike=True).unlike]


def test_a_pair_that_lost_its_pgo_is_refused_though_both_lost_it() -> None:
    trained = tuple(changed(item, "spec", pgo=True) for item in NEW)
    with pytest.raises(Refused, match=r"cpython-3\.14\.7t profile-guided"):
        judged(exactly_one_pair(trained), unlike=False)


def test_a_replaced_build_counts_only_where_there_is_no_other(layout: Layout) -> None:
    old = [store(layout, variant, linked=False, compiler="gcc 11 x") for variant in Variant]
    new = [store(layout, variant) for variant in Variant]
    found = newest_pair((*old, *new), layout, default_profile="fast")
    assert list(found.values()) == new
    assert list(newest_pair(old, layout, default_profile="fast").values()) == old
