"""A world in which two releases of a made-up series can be built, without any network."""

from __future__ import annotations

import hashlib
import threading

import msgspec

from ftbuild.archive.stores import Archives
from ftbuild.catalogue import load
from ftbuild.fetch.sources import Sources
from ftbuild.model.events import Event
from ftbuild.model.recipes import Release, Series
from ftbuild.provision import World
from ftbuild.store.layout import Layout
from tests.builders import DEFAULT

OLD, NEW = "3.97.1", "3.97.2"


def content(version: str) -> bytes:
    """What the source of a release consists of here."""
    return f"the source of {version}".encode()


def world(layout: Layout, *cached: str) -> tuple[World, list[Event]]:
    """The world with the sources of some releases in its cache, and the list of its events."""
    releases = {
        version: Release(
            sha256=hashlib.sha256(content(version)).hexdigest(), size=None, seen=("here",)
        )
        for version in (OLD, NEW)
    }
    known = msgspec.structs.replace(
        load(),
        series={"3.97": Series(status="bugfix", free_threading="supported")},
        releases=releases,
        default_profile=DEFAULT,
    )
    for version in cached:
        (layout.sources / f"Python-{version}.tar.xz").write_bytes(content(version))
    events: list[Event] = []
    stop = threading.Event()
    sources = Sources(
        catalogue=known,
        cache=layout.sources,
        mirrors=(),
        given={},
        env={"PATH": "/nowhere"},  # so that no apt is found, which takes its time
        emit=events.append,
        stop=stop,
        offline=True,
    )
    made = World(
        catalogue=known,
        layout=layout,
        env={},
        emit=events.append,
        stop=stop,
        sources=sources,
        checks=(),
        archives=Archives((), env={}, emit=events.append, stop=stop),
    )
    return made, events
