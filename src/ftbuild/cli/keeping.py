"""Tasks on the builds that are installed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from invoke.context import Context

from ftbuild import api, console, process, provision, render
from ftbuild.cli.surroundings import (
    HELP,
    default_profile,
    installed,
    layout_at,
    one,
    positive,
    some,
    world_of,
)
from ftbuild.export.outside import drop_dangling
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import parse_requests
from ftbuild.program import command
from ftbuild.store import links, prefixes
from ftbuild.store.collect import collect
from ftbuild.store.layout import open_root, require_writable
from ftbuild.store.listing import Damaged, damaged, installations, named


@command(name="list", help=HELP)
def list_(_c: Context, root: str = "", json: bool = False) -> None:
    """The installed builds."""
    layout = layout_at(root)
    render.listing(installations(layout), layout, damaged=damaged(layout), json=json)


@command(words="versions", help=HELP)
def show(_c: Context, versions: Sequence[str] = (), root: str = "", json: bool = False) -> None:
    """Everything recorded about installed builds: what was asked, used, and came out."""
    layout = layout_at(root)
    found = installed(versions, layout)
    if not render.said_nothing(found, layout, json=json):
        render.details(found, json=json)


@command(words="versions", help=HELP | {"output": "a folder to copy them to"})
def profiles(
    _c: Context,
    versions: Sequence[str] = (),
    output: str = "",
    root: str = "",
    json: bool = False,
) -> None:
    """The stored training profiles of installed builds, for builds of the same kind elsewhere.

    `ftbuild build --profile-data FILE` uses one: a team trains once.
    """
    layout = layout_at(root)
    builds = installed(versions, layout)
    if render.said_nothing(builds, layout, json=json):
        return
    found = provision.stored_profiles(builds, layout, default_profile())
    if output:
        found = provision.copied(found, Path(output))
    render.profiles(found, json=json)


@command(words="versions", help=HELP | {"versions": "one installed build"})
def which(_c: Context, versions: Sequence[str] = (), root: str = "") -> None:
    """The path of an installed interpreter; of a pair, that of the GIL build."""
    console.say(str(one(versions, layout_at(root), "which").python))


@command(words="versions", help=HELP)
def run(c: Context, versions: Sequence[str] = (), root: str = "") -> None:
    """Run an installed interpreter: `ftbuild run 3.14t -- script.py --option`.

    Sanitizer builds get the options and the suppression list that belong to them.
    """
    chosen = one(versions, layout_at(root), "run")
    process.replace(
        [chosen.python, *shlex.split(c.remainder)],
        env=chosen.environment(os.environ),
    )


@command(
    words="versions",
    help=HELP
    | {
        "files": "compare every file with its recorded hash instead",
        "verbose": "show the checks that passed, too",
    },
)
def verify(
    _c: Context,
    versions: Sequence[str] = (),
    files: bool = False,
    verbose: bool = False,
    root: str = "",
    json: bool = False,
) -> None:
    """Prove again that installed builds are what they say, and that pairs match.

    Exits 1 if a check fails.
    """
    with world_of(root, writes=False) as world:
        reports = api.verify(*versions, hashes=files, world=world)
    so = ": there is nothing to verify"
    if not render.said_nothing(reports, world.layout, json=json, so=so):
        render.reports(reports, json=json, everything=verbose)


@command(
    words="versions",
    help=HELP | {"versions": "builds to remove; one alone, by the name of its directory in store/"},
)
def remove(_c: Context, versions: Sequence[str] = (), root: str = "", json: bool = False) -> None:
    """Remove installed builds, and the names that point to them: also those that `link` made."""
    words = [word for text in versions for word in text.split(",") if word.strip()]
    layout = layout_at(root)
    exact = {word: item for word in words if (item := named(layout, word)) is not None}
    requests = [word for word in words if word not in exact]
    if not exact:
        some(parse_requests(requests), "remove 3.14.6t")
    chosen = {item.prefix: item for item in exact.values()}
    if requests:
        chosen |= {item.prefix: item for item in installed(requests, layout)}
    require_writable(open_root(layout.root))
    removed = {
        prefix
        for prefix, item in chosen.items()
        if prefixes.remove(layout, item, on_wait=partial(_wait, prefix.name))
    }
    links.refresh(layout, default_profile=default_profile())
    whole = [item for item in chosen.values() if isinstance(item, Installation)]
    render.removed(
        [item for item in whole if item.prefix in removed],
        drop_dangling(layout),
        gone=[item for item in whole if item.prefix not in removed],
        damaged=[item for item in chosen.values() if isinstance(item, Damaged)],
        json=json,
    )


@command(
    help=HELP
    | {
        "days": "spare what was replaced within so many days",
        "dry_run": "say what would be removed",
    }
)
def gc(
    _c: Context, days: int = 30, dry_run: bool = False, root: str = "", json: bool = False
) -> None:
    """Remove builds that were replaced a while ago, and what killed or failed runs left.

    A linked build is never touched, nor one replaced lately: virtual environments point there.
    """
    layout = layout_at(root)
    limit = positive(days, "--days") or 0
    look = dry_run or not layout.root.exists() or not any(layout.root.iterdir())
    if not look:
        open_root(layout.root)
    collected = collect(layout, days=limit, dry_run=look, on_wait=_wait)
    render.collected(collected, dry_run=dry_run, json=json)


def _wait(name: str) -> None:
    console.note(f"{name}: another run is at it")
