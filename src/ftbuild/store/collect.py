"""Garbage collection: builds replaced a while ago, and what killed or failed runs left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec

from ftbuild.files import clear_unfinished
from ftbuild.model.manifest import Installation
from ftbuild.store.layout import Layout, require_writable
from ftbuild.store.listing import installations, is_linked
from ftbuild.store.prefixes import discard, leftovers, remove
from ftbuild.store.tree import REPLACED
from ftbuild.store.work import clear_abandoned


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection removed, or would remove.

    Attributes:
        replaced: Builds that nothing links to any more.
        leftovers: Unfinished, failed and set-aside prefixes.
        abandoned: Number of scratch directories of killed runs (0 when only rehearsed).
        size: Bytes of the replaced builds.
    """

    replaced: tuple[Installation, ...]
    leftovers: tuple[Path, ...]
    abandoned: int
    size: int


def collect(
    layout: Layout,
    *,
    days: int,
    dry_run: bool,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Collected:
    """Remove what nothing needs.

    Args:
        layout: The root.
        days: What was replaced within so many days is spared: virtual environments may point
            there.
        dry_run: Only say what would be removed.
        on_wait: Called with the name of a build that another run is at.
    """
    limit = datetime.now(UTC) - timedelta(days=days)

    def is_unused(item: Installation) -> bool:
        return not is_linked(layout, item) and _unused_since(item) < limit

    replaced = tuple(item for item in installations(layout) if is_unused(item))
    left = leftovers(layout)
    abandoned = 0
    if not dry_run:
        require_writable(layout)
        # Asked again once it is locked: another run may have linked it, or have it in use.
        replaced = tuple(
            item
            for item in replaced
            if remove(layout, item, still=is_unused, on_wait=partial(on_wait, item.manifest.name))
        )
        left = tuple(path for path in left if discard(layout, path))
        abandoned = clear_abandoned(layout)
        for folder in layout.written:
            clear_unfinished(folder)
    return Collected(
        replaced=replaced,
        leftovers=left,
        abandoned=abandoned,
        size=sum(item.manifest.result.size for item in replaced),
    )


def _unused_since(item: Installation) -> datetime:
    """When another build took its name; when it was made, if it never had one."""
    try:
        return datetime.fromtimestamp((item.prefix / REPLACED).stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.fromisoformat(item.manifest.used.started)
