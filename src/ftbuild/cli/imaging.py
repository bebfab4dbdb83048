"""Tasks for container images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context

from ftbuild import api, render
from ftbuild.cli.surroundings import (
    HELP,
    catalogue_of,
    some,
    world_of,
)
from ftbuild.errors import UsageError
from ftbuild.files import expand_home
from ftbuild.model.versions import parse_requests
from ftbuild.program import command


@command(
    name="build",
    words="versions",
    help=HELP
    | {
        "versions": "what is in the image: 3.14 (both builds), 3.14t, 3.14+gil, 3.14.7",
        "base": "what it is built on: trixie (the default), bookworm, alpine",
        "flavour": "slim (the default), dev (compiler, headers, tests), tsan (ThreadSanitizer)",
        "profile": "how the builds are made: optimized (the default), fast, debug",
        "tag": "what to call it [ftbuild:3.14-both and the like]",
        "push": "push it to the registry that --tag names",
        "platform": "linux/amd64, linux/arm64; comma-separated for one image of several",
        "engine": "docker, podman, buildah, or the path of one [the first that answers]",
        "network": "the network of the build's steps, as the engine calls it: host",
        "pull": "ask the registry for a newer base",
        "cache": "take what has not changed from the engine's layer cache (the default), or not",
        "force": "take the name from another image that has it",
        "offline": "use what is cached: source, wheels, base; the steps still get packages",
        "verbose": "show every line of the build",
    },
)
def image_build(
    _c: Context,
    versions: Sequence[str] = (),
    base: str = "",
    flavour: str = "",
    profile: str = "",
    tag: str = "",
    push: bool = False,
    platform: Sequence[str] = (),
    engine: str = "",
    network: str = "",
    pull: bool = False,
    cache: bool = True,
    force: bool = False,
    mirror: Sequence[str] = (),
    offline: bool = False,
    root: str = "",
    recipes: Sequence[str] = (),
    quiet: bool = False,
    verbose: bool = False,
    json: bool = False,
) -> None:
    """Build container images with both builds of a release, or with one.

    In a multi-stage build, ftbuild builds and proves CPython as it does here; the image gets the
    interpreters and the libraries they need. But for the distribution's packages the build needs
    no network.
    """
    from ftbuild import images  # noqa: PLC0415 - other tasks need not wait for it

    asked = some(parse_requests(versions), "image build 3.14")
    how = images.How(
        tag=tag,
        network=network,
        platforms=images.platforms_of(platform),
        push=push,
        pull=pull,
        cache=cache,
        offline=offline,
        force=force,
        overlays=tuple(api.recipe_folders(recipes, os.environ)),
    )
    with world_of(root, recipes, mirror, offline=offline, quiet=quiet, verbose=verbose) as world:
        found = images.engine_of(os.environ, world.stop, world.emit, want=engine)
        wanted = images.wanted(asked, world, base=base, flavour=flavour, profile=profile)
        built = images.build_images(wanted, how, found, world)
    render.images_built(built, found, json=json)


@command(
    name="assemble",
    words="versions",
    help=HELP
    | {
        "versions": "the installed builds: 3.14.7 (both), 3.14.7t",
        "profile": "the profile they were built with",
        "flavour": "slim (the default), dev, tsan",
        "into": "the directory to be made",
    },
)
def image_assemble(
    _c: Context,
    versions: Sequence[str] = (),
    profile: str = "",
    flavour: str = "",
    into: str = "",
    root: str = "",
    recipes: Sequence[str] = (),
    json: bool = False,
) -> None:
    """Lay installed builds out as the file tree of an image; the builder stage runs this.

    What is below INTO then goes onto the root of the image's base; /opt/python/packages names the
    distribution's packages whose libraries the builds are linked to.
    """
    from ftbuild import images  # noqa: PLC0415 - other tasks need not wait for it

    asked = some(parse_requests(versions), "image assemble 3.14.7 --into DIR")
    if not into or len(asked) > 1 or asked[0].release is None:
        raise UsageError(
            "image assemble takes one release and a directory",
            hint="For instance: ftbuild image assemble 3.14.7t --into DIR",
        )
    with world_of(root, recipes) as world:
        image = images.image_of(
            asked[0], asked[0].release, world.catalogue, flavour=flavour, profile=profile
        )
        assembled = images.assemble(image, expand_home(Path(into)), world)
    render.assembled(assembled, json=json)


@command(
    name="verify",
    words="images",
    help=HELP
    | {
        "images": "what the images are called: ftbuild:3.14-both",
        "engine": "docker, podman, or the path of one [the first that answers]",
        "wheels": "install and import real wheels inside (the default), or not",
        "offline": "use wheels that are cached alone",
        "verbose": "show the checks that passed, too",
    },
)
def image_verify(
    _c: Context,
    images: Sequence[str] = (),
    engine: str = "",
    wheels: bool = True,
    offline: bool = False,
    root: str = "",
    quiet: bool = False,
    verbose: bool = False,
    json: bool = False,
) -> None:
    """Prove that the builds inside images are what they say, as root and as nobody.

    The checks are those of `verify`: the probes are mounted from this host, run by the image's
    interpreters on a read-only file system without a network, and judged here. Exits 1 if one
    fails.
    """
    from ftbuild import images as images_  # noqa: PLC0415 - other tasks need not wait for it

    if not images:
        raise UsageError(
            "no image was named", hint="For instance: ftbuild image verify ftbuild:3.14-both"
        )
    with world_of(root, offline=offline, quiet=quiet, writes=False) as world:
        found = images_.engine_of(os.environ, world.stop, world.emit, want=engine)
        proven = images_.prove(images, found, world, wheels=wheels, offline=offline)
    render.images_proven(proven, json=json, everything=verbose)


@command(
    name="render",
    help=HELP
    | {
        "output": "the directory that has, or gets, the folder docker [.]",
        "check": "write nothing; exit 1 if a file there is not what would be written",
    },
)
def image_render(
    _c: Context,
    output: str = ".",
    check: bool = False,
    recipes: Sequence[str] = (),
    json: bool = False,
) -> None:
    """Write the Dockerfiles and the bake file from the catalogue."""
    from ftbuild import images  # noqa: PLC0415 - other tasks need not wait for it

    written = images.write_files(catalogue_of(recipes), expand_home(Path(output)), write=not check)
    render.images_rendered(written, check=check, json=json)
