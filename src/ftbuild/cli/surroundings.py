"""What tasks work with: the root, the catalogue, installed builds, a `World`; shared options."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from platformdirs.unix import Unix

from ftbuild import catalogue as catalogue_
from ftbuild import console
from ftbuild.archive.stores import Archives
from ftbuild.building.given import NOTHING_GIVEN, Given
from ftbuild.errors import UsageError
from ftbuild.fetch.sources import Sources
from ftbuild.model.manifest import Installation
from ftbuild.model.recipes import Catalogue
from ftbuild.model.versions import Request, parse_requests
from ftbuild.provision import World
from ftbuild.store.layout import Layout, layout_of, open_root
from ftbuild.store.listing import find, installations
from ftbuild.verifying import FULL

HELP = {
    "root": "where everything lives [FTBUILD_ROOT, else ~/.local/share/ftbuild]",
    "recipes": "a folder of recipes of your own, laid over ftbuild's; repeatable",
    "mirror": "base URL or directory asked for sources first; repeatable [FTBUILD_MIRROR]",
    "offline": "use the cache of sources and local archives alone",
    "toolchain": "the compiler: auto, gcc, clang, clang-19 or a path",
    "quiet": "show warnings only",
    "json": "machine-readable output",
    "versions": "installed builds; all if none is named",
}


@contextmanager
def world_of(
    root: str,
    recipes: Sequence[str] = (),
    mirror: Sequence[str] = (),
    *,
    offline: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    given: Given = NOTHING_GIVEN,
    stores: Sequence[str] = (),
    writes: bool = True,
) -> Iterator[World]:
    """What a task works with, made of the options and the environment; shows progress meanwhile."""
    layout = open_root(root_of(root)) if writes else layout_of(root_of(root))
    known = given.added_to(catalogue_of(recipes))
    stop = threading.Event()
    mirrors = (*mirror, *_listed("FTBUILD_MIRROR"))
    places = (str(layout.archives), *stores, *_listed("FTBUILD_ARCHIVE_STORE"))
    with console.progress(quiet=quiet, verbose=verbose) as emit:
        sources = Sources(
            catalogue=known,
            cache=layout.sources,
            mirrors=mirrors,
            given=given.tarballs,
            env=os.environ,
            emit=emit,
            stop=stop,
            offline=offline,
        )
        yield World(
            catalogue=known,
            layout=layout,
            env=os.environ,
            emit=emit,
            stop=stop,
            sources=sources,
            checks=FULL,
            archives=Archives(places, env=os.environ, emit=emit, stop=stop, offline=offline),
        )


def root_of(root: str) -> Path:
    """The root that an option or the environment names, else the user's own."""
    # The same place on macOS: its own data directory has a space in its name.
    default = Unix("ftbuild").user_data_dir
    return Path(root or os.environ.get("FTBUILD_ROOT") or default)


def catalogue_of(recipes: Sequence[str]) -> Catalogue:
    """The catalogue, with the user's recipes laid over it."""
    return catalogue_.load(recipe_folders(recipes))


def recipe_folders(recipes: Sequence[str]) -> list[Path]:
    """The user's folders of recipes, in the order they are laid over ftbuild's own."""
    own = Unix("ftbuild").user_config_path / "recipes"
    folders = [own] if own.is_dir() else []
    return [*folders, *(Path(folder).expanduser() for folder in recipes)]


def default_profile() -> str:
    """The profile that goes without saying."""
    return catalogue_of(()).default_profile


def installed(versions: Sequence[str], layout: Layout) -> tuple[Installation, ...]:
    """The installed builds that words mean; all of them without a word."""
    requests = parse_requests(versions)
    if not requests:
        return installations(layout)
    default = default_profile()
    found = (find(layout, request, default_profile=default) for request in requests)
    return tuple({item.prefix: item for items in found for item in items}.values())


def one(versions: Sequence[str], layout: Layout, name: str) -> Installation:
    """The installed build that words mean, the GIL build of a pair."""
    requests = parse_requests(versions)
    if len(requests) != 1:
        raise UsageError(f"{name} takes one version", hint=f"For instance: ftbuild {name} 3.14t")
    return find(layout, requests[0], default_profile=default_profile())[0]


def some(requests: tuple[Request, ...], example: str) -> tuple[Request, ...]:
    """The requests, of which there must be one at least."""
    if not requests:
        raise UsageError("no version was named", hint=f"For instance: ftbuild {example}")
    return requests


def positive(number: int, option: str) -> int | None:
    """A number, or None for 0."""
    if number < 0:
        raise UsageError(f"{option} must not be negative: {number}")
    return number or None


def _listed(variable: str) -> tuple[str, ...]:
    """The words of a comma-separated environment variable."""
    return tuple(filter(None, os.environ.get(variable, "").split(",")))
