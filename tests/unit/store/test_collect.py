from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ftbuild.model.versions import Variant
from ftbuild.store.collect import collect
from ftbuild.store.layout import Layout
from ftbuild.store.links import link
from ftbuild.store.listing import installations
from ftbuild.store.tree import REPLACED
from tests.builders import DEFAULT, store


def ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


def test_what_was_replaced_a_while_ago_goes(layout: Layout) -> None:
    kept = [
        store(layout, Variant.GIL, started=ago(100)),
        store(layout, started=ago(5), linked=False, configure_args=("--lately",)),
    ]
    old = store(layout, started=ago(100), linked=False, configure_args=("--long-ago",))
    rehearsed = collect(layout, days=30, dry_run=True)
    assert rehearsed.replaced == (old,)
    assert old.prefix.exists()
    done = collect(layout, days=30, dry_run=False)
    assert done == rehearsed
    assert done.size == old.manifest.result.size > 0
    assert sorted(installations(layout), key=repr) == sorted(kept, key=repr)


def test_it_counts_from_the_replacement(layout: Layout) -> None:
    old = store(layout, started=ago(100))
    new = store(layout, started=ago(1), configure_args=("-C",))
    assert collect(layout, days=30, dry_run=False).replaced == ()
    (old.prefix / REPLACED).unlink()
    assert collect(layout, days=30, dry_run=False).replaced == (old,)
    assert installations(layout) == (new,)


def test_a_build_that_gets_its_name_back_is_in_use(layout: Layout) -> None:
    first = store(layout, started=ago(100))
    store(layout, started=ago(99), configure_args=("-C",))
    link(layout, first, default_profile=DEFAULT)
    assert not (first.prefix / REPLACED).exists()
    assert first not in collect(layout, days=0, dry_run=True).replaced


def test_days_may_be_none(layout: Layout) -> None:
    replaced = store(layout, started=ago(1))
    linked = store(layout, started=ago(1), configure_args=("-C",))
    assert collect(layout, days=0, dry_run=False).replaced == (replaced,)
    assert installations(layout) == (linked,)


def test_leftovers_and_abandoned_directories_go(layout: Layout) -> None:
    failed = layout.store / "cpython-3.14.7t-12345678.failed"
    failed.mkdir()
    (layout.work / "12345678").mkdir()
    rehearsed = collect(layout, days=30, dry_run=True)
    assert (rehearsed.leftovers, rehearsed.abandoned) == ((failed,), 0)
    done = collect(layout, days=30, dry_run=False)
    assert (done.leftovers, done.abandoned) == ((failed,), 1)
    assert not failed.exists()
    assert collect(layout, days=30, dry_run=False).leftovers == ()
