from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

from ftbuild.model.versions import Variant
from ftbuild.store.collect import collect
from ftbuild.store.layout import Layout
from ftbuild.store.links import link
from ftbuild.store.listing import INCOMPLETE, installations, is_linked
from ftbuild.store.locks import held
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
    (failed / INCOMPLETE).touch()
    (layout.work / "12345678").mkdir()
    rehearsed = collect(layout, days=30, dry_run=True)
    assert (rehearsed.leftovers, rehearsed.abandoned) == ((failed,), 0)
    done = collect(layout, days=30, dry_run=False)
    assert (done.leftovers, done.abandoned) == ((failed,), 1)
    assert not failed.exists()
    assert collect(layout, days=30, dry_run=False).leftovers == ()


def test_what_others_put_into_the_store_is_no_leftover(layout: Layout) -> None:
    for name in ("photos.aside", "photos.gone", "cpython-3.14.7t-12345678.failed", "photos"):
        (layout.store / name).mkdir()
        (layout.store / name / "irreplaceable.jpg").touch()
    (layout.store / "photos" / INCOMPLETE).touch()
    (layout.root / "elsewhere").mkdir()
    (layout.root / "elsewhere" / INCOMPLETE).touch()
    (layout.store / "cpython-3.14.7-12345678.gone").symlink_to(layout.root / "elsewhere")
    before = sorted(layout.root.rglob("*"))
    assert collect(layout, days=0, dry_run=True).leftovers == ()
    assert collect(layout, days=0, dry_run=False).leftovers == ()
    assert [path for path in before if path not in layout.root.rglob("*")] == []


def test_what_was_linked_meanwhile_stays(layout: Layout) -> None:
    """It is decided again under the locks: another run has one of them, and links a build."""
    for word in ("-a", "-b"):
        store(layout, started=ago(9), linked=False, configure_args=(word,))
    store(layout, started=ago(1))
    first, second = (item for item in installations(layout) if not is_linked(layout, item))
    with contextlib.ExitStack() as other:
        other.enter_context(held(layout.locks / f"{first.prefix.name}.lock"))

        def go_on(name: str) -> None:
            assert name == first.manifest.name
            link(layout, second, default_profile=DEFAULT)
            other.close()

        done = collect(layout, days=0, dry_run=False, on_wait=go_on)
    assert done.replaced == (first,)
    assert is_linked(layout, second)
    assert second.python.exists()


def test_files_that_a_killed_run_was_writing_go(layout: Layout) -> None:
    left = layout.pairs / ".cpython-3.14.7.json.0badcafe.ftbuild"
    left.touch()
    collect(layout, days=30, dry_run=True)
    assert left.exists()
    collect(layout, days=30, dry_run=False)
    assert not left.exists()
