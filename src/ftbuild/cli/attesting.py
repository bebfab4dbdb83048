"""Tasks on what is said of archives: where they come from, what is in them."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.context import Context

from ftbuild import attest, render
from ftbuild.cli.surroundings import HELP, world_of
from ftbuild.errors import UsageError
from ftbuild.program import command


@command(
    name="verify",
    words="archives",
    help=HELP
    | {
        "archives": "files, or directories of archives",
        "verbose": "show the checks that passed, too",
    },
)
def attest_verify(
    _c: Context,
    archives: Sequence[str] = (),
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    verbose: bool = False,
    json: bool = False,
) -> None:
    """Check the provenance and the bill of materials beside archives against what is in them.

    Exits 1 if anything differs. Who made an archive, only a signature tells.
    """
    if not archives:
        raise UsageError("no archive was named", hint="For instance: ftbuild attest verify FILE")
    with world_of(root, recipes, quiet=quiet, writes=False) as world:
        found = attest.verify(
            archives,
            catalogue=world.catalogue,
            layout=world.layout,
            emit=world.emit,
            stop=world.stop,
        )
    render.attested(found, json=json, everything=verbose)
