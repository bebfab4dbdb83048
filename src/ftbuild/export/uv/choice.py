"""Which builds there is a place for in an index: one of each release, variant and platform."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from ftbuild.errors import Refused
from ftbuild.export.uv.index import entry
from ftbuild.model.manifest import Installation


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A build that is not exported, and why."""

    name: str
    why: str


def chosen(
    found: Sequence[Installation], *, linked: Collection[Path], default_profile: str
) -> tuple[tuple[Installation, ...], tuple[LeftOut, ...]]:
    """What of everything that is installed is exported, and what is left out.

    Of builds that are the same to uv, the default profile's comes first, then the one that its
    name points to, then the one built last.

    Args:
        found: What is installed.
        linked: The prefixes that friendly names point to.
        default_profile: The profile that goes without saying.
    """
    ranked = sorted(found, key=lambda item: item.manifest.used.started, reverse=True)
    ranked.sort(key=lambda item: (item.spec.profile != default_profile, item.prefix not in linked))
    taken: dict[str, Installation] = {}
    out: list[LeftOut] = []
    for item in ranked:
        try:
            key = key_of(item)
        except Refused as error:
            out.append(LeftOut(name=item.manifest.name, why=error.message.partition(": ")[2]))
            continue
        first = taken.setdefault(key, item)
        if first is not item:
            other = f"{first.manifest.name} ({first.manifest.digest[:8]})"
            why = f"to uv it is the same as {other}, which comes first"
            out.append(LeftOut(name=item.manifest.name, why=why))
    kept = frozenset(item.prefix for item in taken.values())
    return tuple(item for item in found if item.prefix in kept), tuple(out)


def require_apart(found: Sequence[Installation]) -> None:
    """Make sure that no two of the builds that a user names are the same to uv.

    Raises:
        Refused: Two are, or uv has no name for one.
    """
    taken: dict[str, Installation] = {}
    for item in found:
        key = key_of(item)
        first = taken.setdefault(key, item)
        if first is not item:
            raise Refused(
                f"{first.manifest.name} and {item.manifest.name} are both {key} to uv",
                hint="Export one of them, or each to a directory of its own with --dir.",
            )


def key_of(item: Installation) -> str:
    """What uv calls a build.

    Raises:
        Refused: It has no name for it.
    """
    return entry(item.manifest).key
