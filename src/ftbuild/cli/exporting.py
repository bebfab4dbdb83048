"""Tasks that hand builds to other tools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context

from ftbuild import render
from ftbuild.cli.surroundings import HELP, builds, default_profile, installed, layout_at, world_of
from ftbuild.errors import UsageError
from ftbuild.export import snippets, toolcache, uv
from ftbuild.files import expand_home
from ftbuild.program import command


@command(
    name="uv",
    words="versions",
    help=HELP
    | {
        "dir": "directory for the archives and the index [<root>/exports/uv]",
        "base_url": "where that directory will be served from [its file: address]",
    },
)
def export_uv(
    _c: Context,
    versions: Sequence[str] = (),
    dir: str = "",  # noqa: A002 - the option's name
    base_url: str = "",
    root: str = "",
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Make archives, and an index of them, from which `uv python install` takes builds.

    What an earlier export has put into the directory stays, so that several releases and platforms
    share one index.
    """
    with world_of(root, quiet=quiet, writes=False) as world:
        done = uv.export(
            installed(versions, world.layout),
            world,
            named=bool(versions),
            into=expand_home(Path(dir)) if dir else None,
            base_url=base_url or None,
        )
    render.exported_uv(done, json=json)


@command(
    name="toolcache",
    words="versions",
    help=HELP | {"dir": "the tool cache [AGENT_TOOLSDIRECTORY, else RUNNER_TOOL_CACHE]"},
)
def export_toolcache(
    _c: Context,
    versions: Sequence[str] = (),
    dir: str = "",  # noqa: A002 - the option's name
    root: str = "",
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Copy builds to where actions/setup-python looks on a self-hosted runner.

    `3.14` finds the GIL build there, and `3.14t` the free-threaded one.
    """
    # As setup-python has it: the first of the two overrides the other.
    named = (dir, os.environ.get("AGENT_TOOLSDIRECTORY"), os.environ.get("RUNNER_TOOL_CACHE"))
    cache = next(filter(None, named), None)
    if cache is None:
        raise UsageError(
            "no tool cache was named",
            hint="Name it with --dir or RUNNER_TOOL_CACHE: the _work/_tool of a runner, or "
            "/opt/hostedtoolcache.",
        )
    with world_of(root, quiet=quiet, writes=False) as world:
        wanted = toolcache.places(
            builds(versions, world.layout),
            Path(os.path.abspath(expand_home(Path(cache)))),  # noqa: PTH100 - as it was written
            default_profile=world.catalogue.default_profile,
            asked=bool(versions),
        )
        exported = toolcache.export(wanted, world)
    render.toolcache(exported, json=json)


@command(name="tox", words="versions", help=HELP)
def export_tox(
    _c: Context, versions: Sequence[str] = (), root: str = "", json: bool = False
) -> None:
    """Print a `tox.toml` with an environment for each build."""
    pythons = _interpreters(versions, root)
    render.snippet("tox.toml", snippets.tox(pythons), pythons, json=json)


@command(name="nox", words="versions", help=HELP)
def export_nox(
    _c: Context, versions: Sequence[str] = (), root: str = "", json: bool = False
) -> None:
    """Print a `noxfile.py` with a session for each build."""
    pythons = _interpreters(versions, root)
    render.snippet("noxfile.py", snippets.nox(pythons), pythons, json=json)


def _interpreters(versions: Sequence[str], root: str) -> dict[str, Path]:
    layout = layout_at(root)
    found = builds(versions, layout)
    return snippets.interpreters(layout, found, default_profile=default_profile())
