from __future__ import annotations

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Report, expect
from ftbuild.model.versions import BOTH, Variant
from ftbuild.provision import check, judge_pairs
from ftbuild.store.layout import Layout
from ftbuild.store.listing import installations
from ftbuild.store.pairs import read_verdict, save_verdict
from ftbuild.verifying import Context, files
from tests.builders import changed, store

from .worlds import world


def test_a_pair_is_judged_once(layout: Layout) -> None:
    gil, free_threaded = (store(layout, variant) for variant in BOTH)
    (verdict,) = judge_pairs((gil, free_threaded), layout)
    assert verdict.ok
    assert read_verdict(layout, gil, free_threaded) == verdict
    recorded = msgspec.structs.replace(verdict, subject="as recorded")
    save_verdict(layout, gil, free_threaded, recorded)
    assert judge_pairs((gil, free_threaded), layout) == (recorded,)
    assert judge_pairs((gil, free_threaded), layout, again=True) == (verdict,)


def test_only_builds_of_one_release_and_profile_are_a_pair(layout: Layout) -> None:
    gil = store(layout, Variant.GIL)
    others = (store(layout, version="3.14.6"), store(layout, profile="debug"))
    assert judge_pairs((gil, *others), layout) == ()


def test_the_newest_builds_are_judged_where_one_was_replaced(layout: Layout) -> None:
    store(layout, Variant.GIL)
    store(layout, started="2026-01-01T00:00:00+00:00", configure_args=("-C",))
    newest = store(layout, started="2026-02-01T00:00:00+00:00")
    assert installations(layout)[1] == newest
    (verdict,) = judge_pairs(installations(layout), layout)
    assert verdict.ok


def test_what_cannot_be_recorded_is_judged_all_the_same(layout: Layout) -> None:
    pair = tuple(store(layout, variant) for variant in BOTH)
    layout.pairs.rmdir()
    assert [verdict.ok for verdict in judge_pairs(pair, layout)] == [True]


def test_a_check_may_use_what_the_build_is_run_with(layout: Layout) -> None:
    made, _ = world(layout)
    sanitized = changed(store(layout), "result", environment={"TSAN_OPTIONS": "x"})
    seen: list[str] = []

    def look(_: Installation, context: Context) -> tuple[Check, ...]:
        seen.append(context.env["TSAN_OPTIONS"])
        return ()

    (report,) = check((sanitized,), made, checks=(look,))
    assert report.ok
    assert seen == ["x"]


def test_checks_make_a_report(layout: Layout) -> None:
    made, _ = world(layout)
    installed = store(layout)
    (report,) = check((installed,), made, checks=(files,))
    assert report == Report(kind="verify", subject="cpython-3.14.7t", checks=report.checks)
    assert report.ok
    bad = expect("always.wrong", 1, 2)
    (report,) = check((installed,), made, checks=(lambda _installation, _context: (bad,),))
    assert report.failed == (bad,)
