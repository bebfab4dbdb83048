"""Where links to the builds of a root were made: so that removing a build can take them along.

One small file a place, so that two runs at once cannot lose each other's.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from ftbuild.files import make_directory, read_file, write_atomically
from ftbuild.model.text import AbsolutePath
from ftbuild.store.layout import Layout, hold_if_writable

Kind = Literal["pyenv", "path"]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A directory outside the root that has links of ours: a pyenv root, or one on a PATH."""

    kind: Kind
    path: AbsolutePath


def hold_places(layout: Layout) -> contextlib.AbstractContextManager[None]:
    """Hold the lock under which links are made and removed: no place with links is forgotten."""
    return hold_if_writable(layout, "places")


def record(layout: Layout, kind: Kind, path: Path) -> None:
    """Remember a place. A root that may only be read forgets it: links work all the same."""
    with contextlib.suppress(OSError):
        make_directory(layout.places)
        place = Place(kind=kind, path=str(path))
        write_atomically(_file(layout, kind, path), msgspec.json.encode(place) + b"\n")


def forget(layout: Layout, kind: Kind, path: Path) -> None:
    """Forget a place."""
    with contextlib.suppress(OSError):
        _file(layout, kind, path).unlink(missing_ok=True)


def places(layout: Layout, kind: Kind) -> tuple[Path, ...]:
    """The places of a kind; a file that says nothing we understand is passed over."""
    found = []
    for file in sorted(layout.places.glob("*.json")):
        with contextlib.suppress(OSError, msgspec.DecodeError, RecursionError):
            place = msgspec.json.decode(read_file(file), type=Place)
            if place.kind == kind:
                found.append(Path(place.path))
    return tuple(found)


def _file(layout: Layout, kind: Kind, path: Path) -> Path:
    digest = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()
    return layout.places / f"{kind}-{digest[:16]}.json"
