"""Tasks on the catalogue: what can be built, and what is new upstream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context

from ftbuild import render, upstream
from ftbuild.cli.surroundings import HELP, world_of
from ftbuild.files import expand_home
from ftbuild.program import command
from ftbuild.store.listing import installations


@command(name="show", help=HELP)
def catalogue(
    _c: Context,
    recipes: Sequence[str] = (),
    mirror: Sequence[str] = (),
    root: str = "",
    json: bool = False,
) -> None:
    """What can be built, in which profiles, and from where."""
    with world_of(root, recipes, mirror, writes=False) as world:
        render.catalogue(world.catalogue, world.sources, installations(world.layout), json=json)


@command(
    name="update",
    help=HELP
    | {
        "recipes": "the folder that new releases go to [the checkout's own recipes]; of several, "
        "the last",
        "check": "change nothing; exit 1 if something is new",
    },
)
def catalogue_update(
    _c: Context,
    recipes: Sequence[str] = (),
    mirror: Sequence[str] = (),
    check: bool = False,
    root: str = "",
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Add new releases to the recipes, where their signatures hold.

    python.org says what there is; what is downloaded is hashed, and its signature verified, before
    a line is added. Shows the change. Exits 1 if a release must not be added.
    """
    folder = upstream.folder_to_update([expand_home(Path(name)) for name in recipes])
    with world_of(root, recipes, mirror, quiet=quiet) as world:
        done = upstream.update(folder, world, write=not check)
    render.updated(done, check=check, json=json)
