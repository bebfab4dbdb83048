"""What tasks work with: the root, the catalogue, installed builds, a `World`; shared options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ftbuild import api, console
from ftbuild import catalogue as catalogue_
from ftbuild.building.given import NOTHING_GIVEN, Given
from ftbuild.errors import UsageError
from ftbuild.model.events import Warned
from ftbuild.model.manifest import Installation
from ftbuild.model.recipes import Catalogue
from ftbuild.model.versions import Request, parse_requests
from ftbuild.provision import World
from ftbuild.store.layout import Layout, look_at_root, open_root, root_complaints
from ftbuild.store.listing import find, meant, require_some

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
    layout = open_root(root_of(root)) if writes else look_at_root(root_of(root))
    with console.progress(quiet=quiet, verbose=verbose) as emit:
        for text in root_complaints(layout, user=os.geteuid()):
            emit(Warned(text=text))
        yield api.world(
            layout.root,
            recipes=recipes,
            mirrors=mirror,
            archive_stores=stores,
            offline=offline,
            emit=emit,
            given=given,
        )


def root_of(root: str) -> Path:
    """The root that an option or the environment names, else the user's own."""
    return api.root_of(root, os.environ)


def layout_at(root: str) -> Layout:
    """The root to read from; warns where its owner or its permissions are not as they should be."""
    layout = look_at_root(root_of(root))
    complaints = root_complaints(layout, user=os.geteuid())
    if complaints:
        with console.progress() as emit:
            for text in complaints:
                emit(Warned(text=text))
    return layout


def catalogue_of(recipes: Sequence[str]) -> Catalogue:
    """The catalogue, with the user's recipes laid over it."""
    return catalogue_.load(api.recipe_folders(recipes, os.environ))


def default_profile() -> str:
    """The profile that goes without saying."""
    return catalogue_of(()).default_profile


def installed(versions: Sequence[str], layout: Layout) -> tuple[Installation, ...]:
    """The installed builds that words mean; all of them without a word."""
    return meant(layout, parse_requests(versions), default_profile=default_profile())


def builds(versions: Sequence[str], layout: Layout) -> tuple[Installation, ...]:
    """The same for a task that needs a build: at least one.

    Raises:
        UsageError: There is none.
    """
    return require_some(installed(versions, layout), layout)


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
