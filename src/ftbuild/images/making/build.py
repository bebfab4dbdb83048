"""Builds an image: base, sources and wheels at hand, a context of them, and an engine that runs."""

from __future__ import annotations

import contextlib
import tarfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ftbuild import process
from ftbuild.building.resolve import want
from ftbuild.errors import EnvironmentFault, Interrupted, Refused, UsageError
from ftbuild.images.engine import Engine, last_words
from ftbuild.images.making.base import base_of, machines_of
from ftbuild.images.making.beforehand import require_sound
from ftbuild.images.making.command import command
from ftbuild.images.making.context import write_context
from ftbuild.images.making.dockerfiles import dockerfile
from ftbuild.images.making.failure import failure
from ftbuild.images.making.options import (
    MARK,
    How,
    mark_of,
    straight,
)
from ftbuild.images.making.ownwheel import own_wheel
from ftbuild.images.making.progress import Watch
from ftbuild.images.making.provisions import dependencies
from ftbuild.images.names import Image, image_of
from ftbuild.images.stored import Stored, stored
from ftbuild.model.events import BuildFinished, BuildQueued, Noted
from ftbuild.model.versions import Request
from ftbuild.provision import World, obtain
from ftbuild.store.locks import held
from ftbuild.store.work import scratch


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """An image that was built.

    Attributes:
        reference: What it is called.
        image: What it is.
        id: The engine's identity of it; empty where it went to a registry alone.
        size: Bytes of all its layers, uncompressed; 0 where the engine does not tell.
        seconds: How long it took.
        cached: Steps that were in the layer cache.
        steps: Steps there are.
        pushed: Whether it was pushed.
        log: The engine's whole output.
    """

    reference: str
    image: Image
    id: str
    size: int
    seconds: float
    cached: int
    steps: int
    pushed: bool
    log: Path


def wanted(
    requests: Sequence[Request],
    world: World,
    *,
    base: str = "",
    flavour: str = "",
    profile: str = "",
) -> tuple[Image, ...]:
    """The images that requests mean; a series is the newest release whose source can be had.

    Raises:
        UsageError: There is no such release, base, flavour or profile.
        Unavailable: No origin has the source.
    """
    found = {}
    for request in requests:
        meant = want(request, world.catalogue, None)
        # Before anything is fetched: are base, flavour and profile what they must be?
        parts = {"base": base, "flavour": flavour, "profile": profile}
        image_of(request, meant.candidates[0], world.catalogue, **parts)
        release = obtain(meant, world, there=lambda _: False)
        image = image_of(request, release, world.catalogue, **parts)
        found[image.tag] = image
    return tuple(found.values())


def build_images(
    images: Sequence[Image], how: How, engine: Engine, world: World
) -> tuple[Built, ...]:
    """Build images, one after the other: each takes the whole machine.

    Raises:
        UsageError: One name is given for several; and whatever `build_image` raises.
    """
    if how.tag and len(images) > 1:
        raise UsageError(
            f"--tag {how.tag} is one name for {len(images)} images",
            hint="Build them one by one, or without --tag.",
        )
    return tuple(build_image(image, how, engine, world) for image in images)


def build_image(image: Image, how: How, engine: Engine, world: World) -> Built:
    """Build an image.

    Args:
        image: Which one; its release's source can be had.
        how: Under which name, for what, with what.
        engine: Builds it.
        world: Has the sources, the root to work in, and takes the events.

    Raises:
        UsageError: The name belongs to another image, or cannot be pushed to.
        EnvironmentFault: The base, a wheel or the source cannot be had, or the disk is full.
        BuildFailed: A step failed; the error has its last lines.
        Interrupted: The run was stopped; nothing half-made is left.
    """
    started = time.monotonic()
    reference = how.tag or image.name
    require_sound(reference, image, how, engine)
    source = world.sources.fetch(image.release).path
    base = base_of(image, how, engine, world)
    log = world.layout.logs / f"image-{image.tag}.log"
    alone = held(
        world.layout.locks / f"image-{image.tag}.lock",
        stop=world.stop,
        on_wait=lambda: world.emit(Noted(text=f"{reference}: another run is building that image")),
    )
    # They would share its log; the second one has the first one's layers.
    with alone, scratch(world.layout) as work:
        world.emit(Noted(text=f"{reference}: gathering wheels and sources for the build"))
        own = own_wheel(work)
        wheels = {
            machine: (own, *dependencies(image.base, machine, world, offline=how.offline))
            for machine in machines_of(how, base)
        }
        context = work / "context"
        file = write_context(
            context,
            dockerfile=dockerfile(image, world.catalogue),
            wheels=wheels,
            sources=(source,),
            overlays=how.overlays,
        )
        labels = _labels(image, base, source)
        watch = Watch(reference, log, world.emit)
        argv = command(engine, image, how, labels, reference, file, context)
        with contextlib.suppress(OSError):  # what is wrong with it is told when it is written
            log.unlink()
        world.emit(BuildQueued(build=reference, stages=(), expected={}))
        status = process.stream(
            (engine.binary, *argv),
            env={**engine.env, process.MARK: str(work)},
            cwd=work,
            log=log,
            on_line=watch,
            stop=world.stop,
            # Podman and buildah leave containers behind when they are ended, and what runs in them.
            clears_up=engine.kind != "docker",
        )
    if world.stop.is_set():
        raise Interrupted(f"{reference} was stopped")
    if status != 0:
        world.emit(BuildFinished(build=reference, outcome="failed"))
        raise failure(reference, image, how, engine, watch, log)
    world.emit(BuildFinished(build=reference, outcome="installed"))
    if how.push and not straight(engine, how):
        _push(reference, engine, log, world)
    # What a registry alone has, an older image may go by here.
    known = None if straight(engine, how) else stored(reference, engine)
    return Built(
        reference=reference,
        image=image,
        id=known.id if known else "",
        size=known.size if known else 0,
        seconds=time.monotonic() - started,
        cached=watch.cached,
        steps=watch.steps,
        pushed=how.push,
        log=log,
    )


def _labels(image: Image, base: Stored, source: Path) -> dict[str, str]:
    """The labels that the Dockerfile cannot know."""
    released = datetime.fromtimestamp(_epoch(source), tz=UTC)
    return {
        "org.opencontainers.image.created": released.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "org.opencontainers.image.base.digest": base.digest,
        MARK: mark_of(image),
    }


def _epoch(source: Path) -> int:
    """When a release was made, by its tarball: seconds since 1970.

    Raises:
        Refused: It is no tarball.
    """
    try:
        with tarfile.open(source) as archive:
            first = archive.next()
    except (tarfile.TarError, OSError) as error:
        raise Refused(f"{source}: {error}") from error
    return int(first.mtime) if first else 0


def _push(reference: str, engine: Engine, log: Path, world: World) -> None:
    world.emit(Noted(text=f"pushing {reference}"))
    done = engine.run("push", reference, timeout=3600)
    if not done.ok:
        raise EnvironmentFault(
            f"{reference} was built, but cannot be pushed: {last_words(done)}",
            hint=f"`{engine.kind} login` lets you in; then run the same command again.",
            log=log,
        )
