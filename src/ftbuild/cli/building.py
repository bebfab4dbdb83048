"""Tasks that bring builds: from sources, from archives, anew."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from invoke.context import Context

from ftbuild import console, provision, render
from ftbuild import toolchain as toolchain_
from ftbuild.building.given import given_source
from ftbuild.cli.surroundings import (
    HELP,
    catalogue_of,
    installed,
    layout_at,
    positive,
    some,
    world_of,
)
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.export.first import found_first
from ftbuild.files import expand_home
from ftbuild.model.recipes import Catalogue
from ftbuild.model.versions import parse_requests
from ftbuild.program import command
from ftbuild.provision import Options
from ftbuild.store.listing import load_manifest


@command(
    words="versions",
    help=HELP
    | {
        "versions": "what to build: 3.14 (both), 3.14t, 3.14+gil, 3.14.7, 3.15.0rc1t",
        "profile": "optimized (the default), fast, debug, tsan, asan",
        "jobs": "parallel jobs over all builds [the CPUs this process may use]",
        "configure_arg": "a further argument for configure, such as --enable-shared; repeatable",
        "archive_store": "a directory or address of packed builds, taken instead of compiling; "
        "repeatable [FTBUILD_ARCHIVE_STORE]",
        "source": "build this tarball, which the catalogue need not know; needs --sha256",
        "sha256": "the hash --source must have",
        "from_": "repeat the build that an ftbuild.json describes",
        "force": "build again what is installed or packed already",
        "fail_fast": "stop the other builds when one fails",
        "pgo_fallback": "build without PGO where the training run fails, and record it",
        "profile_data": "a training profile to use, made elsewhere by the same build; repeatable",
        "retrain": "train even where a stored profile would do",
        "debug_info": "keep debug information (the default for debug, tsan and asan)",
        "yes": "install what building takes first, without asking",
        "dry_run": "print the commands and do nothing",
        "verbose": "show every line the compiler prints",
    },
)
def build(
    _c: Context,
    versions: Sequence[str] = (),
    profile: str = "",
    toolchain: str = "auto",
    jobs: int = 0,
    configure_arg: Sequence[str] = (),
    archive_store: Sequence[str] = (),
    source: str = "",
    sha256: str = "",
    from_: str = "",
    mirror: Sequence[str] = (),
    offline: bool = False,
    force: bool = False,
    fail_fast: bool = False,
    pgo_fallback: bool = False,
    profile_data: Sequence[str] = (),
    retrain: bool = False,
    debug_info: bool = False,
    yes: bool = False,
    dry_run: bool = False,
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    verbose: bool = False,
    json: bool = False,
) -> None:
    """Fetch, verify, build, install, prove and link: the main job.

    A series means its newest release that can be had, and both builds of it unless one is named.
    What is installed already with the same flags, compiler and libraries is left alone, and what
    was packed with the same ones is unpacked.
    """
    options = Options(
        profile=profile or None,
        compiler=toolchain,
        jobs=positive(jobs, "--jobs"),
        configure_args=tuple(configure_arg),
        force=force,
        fail_fast=fail_fast,
        pgo_fallback=pgo_fallback,
        retrain=retrain,
        debug_info=debug_info,
    )
    requests = parse_requests(versions)
    given = given_source(requests, source, sha256)
    if not from_:
        some(requests or given.requests, "build 3.13,3.14")
    if not dry_run:
        _prepare_host(catalogue_of(recipes), toolchain, yes=yes)
    with world_of(
        root,
        recipes,
        mirror,
        offline=offline,
        quiet=quiet,
        verbose=verbose,
        given=given,
        stores=archive_store,
        writes=not dry_run,
    ) as world:
        profiles = provision.given_profiles(map(Path, profile_data), world.emit)
        options = msgspec.structs.replace(options, profile_data=profiles)
        if from_:
            requests, options = provision.repeat(load_manifest(Path(from_)), options, world)
        asked = some(requests or given.requests, "build 3.13,3.14")
        if dry_run:
            console.say(provision.rehearse(asked, options, world))
            return
        summary = provision.provide(asked, options, world)
    render.summary(summary, world.layout, json=json)


def _prepare_host(recipes: Catalogue, toolchain: str, *, yes: bool) -> None:
    """Install what building takes where that is wanted: by --yes, or when asked on a terminal."""
    if not yes:
        try:
            toolchain_.read_host(recipes, want=toolchain, env=os.environ)
        except EnvironmentFault:
            pass
        else:
            return
    found = toolchain_.examine(recipes, want=toolchain, env=os.environ)
    if found.commands and (yes or console.ask(f"ftbuild would run:\n  {found.command}\nNow?")):
        toolchain_.install(found, env=os.environ, on_line=console.pass_on)


@command(
    words="versions",
    help=HELP
    | {
        "versions": "releases or series",
        "signature": "require: each must have a good signature; prefer: say who signed, where "
        "that can be found out; off: the pin alone",
    },
)
def fetch(
    _c: Context,
    versions: Sequence[str] = (),
    signature: str = "prefer",
    mirror: Sequence[str] = (),
    offline: bool = False,
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Download and verify sources only, for building offline later.

    Every build of a release needs the same tarball: `fetch 3.14t` brings what `build 3.14` needs.
    A signature that does not hold is refused, unless none is asked for.
    """
    asked = some(parse_requests(versions), "fetch 3.13,3.14")
    policy = provision.policy(signature)
    with world_of(root, recipes, mirror, offline=offline, quiet=quiet) as world:
        fetched = provision.fetch_sources(asked, world, signatures=policy)
    render.fetched(fetched, json=json)


@command(help=HELP | {"install": "run the command that installs what is missing"})
def doctor(
    _c: Context,
    toolchain: str = "auto",
    install: bool = False,
    root: str = "",
    recipes: Sequence[str] = (),
    json: bool = False,
) -> None:
    """Compiler, make, libraries: what is there, what is missing, the command that installs it.

    Also, whether a shell finds the installed builds by their names, and finds them first. Exits 1
    if something without which nothing can be built is missing.
    """
    recipes_ = catalogue_of(recipes)
    found = toolchain_.examine(recipes_, want=toolchain, env=os.environ)
    if install and found.commands:
        toolchain_.install(found, env=os.environ, on_line=console.pass_on)
        found = toolchain_.examine(recipes_, want=toolchain, env=os.environ)
    first = found_first(layout_at(root), default_profile=recipes_.default_profile, env=os.environ)
    render.diagnosis(found, first, json=json)


@command(
    words="versions",
    help=HELP
    | {"versions": "builds to pack", "output": "directory for the archives [<root>/archives]"},
)
def pack(
    _c: Context,
    versions: Sequence[str] = (),
    output: str = "",
    root: str = "",
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Make archives of installed builds, to be installed in any root on this kind of machine.

    Beside each: where it comes from (provenance) and what is in it (an SBOM). What was added to a
    build since (packages that pip installed) is left out.
    """
    some(parse_requests(versions), "pack 3.14")
    with world_of(root, quiet=quiet, writes=False) as world:
        found = installed(versions, world.layout)
        packed = provision.pack(found, world, into=expand_home(Path(output)) if output else None)
    render.packed(packed, json=json)


@command(words="archives", help=HELP | {"archives": "files, addresses, or directories of archives"})
def install(
    _c: Context,
    archives: Sequence[str] = (),
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Install packed builds: unpack, re-point, verify and link them.

    Of a directory, all archives for this system and machine. Exits 1 if one is refused.
    """
    if not archives:
        raise UsageError("no archive was named", hint="For instance: ftbuild install FILE")
    with world_of(root, recipes, quiet=quiet) as world:
        summary = provision.install(archives, world)
    render.summary(summary, world.layout, json=json)


@command(words="versions", help=HELP | {"versions": "series; all installed ones if none is named"})
def upgrade(
    _c: Context,
    versions: Sequence[str] = (),
    mirror: Sequence[str] = (),
    offline: bool = False,
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Build the newest release of every installed series, with the same profile.

    The older releases stay until `remove` or `gc` takes them: virtual environments point there.
    """
    with world_of(root, recipes, mirror, offline=offline, quiet=quiet) as world:
        summary = provision.upgrade(parse_requests(versions), world)
    if not render.said_nothing(summary.outcomes, world.layout, json=json):
        render.summary(summary, world.layout, json=json)
