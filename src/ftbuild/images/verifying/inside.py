"""Verifies an image: what `verify` asks the builds of a host, asked of those inside.

The image carries neither ftbuild nor, as a rule, a compiler. The probes are mounted into containers
of it, and what they answer is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from ftbuild import toolchain
from ftbuild.errors import FtbuildError, Interrupted, Refused, UsageError
from ftbuild.images.engine import Engine
from ftbuild.images.places import FLAVOUR, PREFIXES
from ftbuild.images.stored import Stored
from ftbuild.images.verifying.containers import SCRATCH, Container, running
from ftbuild.images.verifying.promises import ANYBODY, bytecode, compilers, names, text
from ftbuild.images.verifying.trial import Wheels, trial
from ftbuild.model.events import Emit, Noted
from ftbuild.model.manifest import Installation, Manifest, decode_manifest
from ftbuild.model.report import Report
from ftbuild.model.versions import Variant
from ftbuild.store.listing import MANIFEST
from ftbuild.verifying import FULL, Checker, Context, compare, files, verify

_ROOT = "0:0"

USERS = {"root": _ROOT, "nobody": "65534:65534"}
"""As whom an image must work."""

Collect = Callable[[Sequence[Installation]], Path]
"""Puts wheels of `trial.PROJECTS` for some builds into a directory that every user can read."""


def require_runner(engine: Engine) -> None:
    """Make sure that an engine can run images.

    Raises:
        UsageError: It cannot.
    """
    if engine.kind == "buildah":
        raise UsageError(
            "buildah does not run images", hint="podman does, and has the images that buildah made."
        )


def verify_image(
    image: Stored, engine: Engine, *, emit: Emit, collect: Collect
) -> tuple[Report, ...]:
    """Make the checks in containers of an image, as root and as an unprivileged user.

    Their root file systems are read-only, and there is no network. Nothing is left of them.

    Args:
        image: The image.
        engine: Docker or Podman.
        emit: Receives what is being done.
        collect: Finds wheels to try. Where it raises an `FtbuildError`, none are tried, and the
            report says why.

    Returns:
        For every user a report on each build and one on the image, and the verdict on the pair.

    Raises:
        UsageError: It is none of ftbuild's.
        EnvironmentFault: No container starts, or it does not see the probes.
        Interrupted: The engine's `stop` was set.
    """
    with running(image, engine, user=_ROOT) as container:
        builds = _builds(container, image)
    wheels = _wheels(builds, collect)
    folders = (wheels.folder,) if wheels.folder else ()
    reports: list[Report] = []
    for who, user in USERS.items():
        emit(Noted(text=f"verifying {image.reference} as {who}"))
        with running(image, engine, user=user, folders=folders) as container:
            subject = f"{image.reference} as {who}"
            reports += (_report(subject, build, container, image, wheels) for build in builds)
            reports.append(_surrounding(subject, builds, container, image))
    return *reports, *_pair(builds)


def primary(builds: Sequence[Installation]) -> Installation:
    """The build that `python3` and `pip` are: the GIL build where there is one."""
    return min(builds, key=lambda build: build.free_threaded)


def _builds(container: Container, image: Stored) -> tuple[Installation, ...]:
    """The builds inside, the GIL build first, by their manifests."""
    listed = container.run("sh", "-c", f"ls -d {PREFIXES}/*/{MANIFEST}").stdout.split()
    paths = [Path(word) for word in listed]
    if not paths:
        raise UsageError(
            f"{image.reference} has no build of ftbuild's: there is no {PREFIXES}/*/{MANIFEST}",
            hint="`ftbuild image build` makes images that have.",
        )
    found = [
        Installation(
            prefix=path.parent,
            manifest=_manifest(container.run("cat", path).stdout, path, image),
        )
        for path in paths
    ]
    return tuple(sorted(found, key=lambda build: build.free_threaded))


def _manifest(document: str, path: Path, image: Stored) -> Manifest:
    try:
        return decode_manifest(document.encode(errors="replace"), what=str(path))
    except Refused as error:
        raise UsageError(
            f"{image.reference}: {error.message}", hint="Verify it with the ftbuild that made it."
        ) from error


def _wheels(builds: Sequence[Installation], collect: Collect) -> Wheels:
    try:
        return Wheels(folder=collect(builds))
    except Interrupted:
        raise
    except FtbuildError as error:
        return Wheels(folder=None, why_not=f"no wheels to try: {error.message}")


def _report(
    subject: str, build: Installation, container: Container, image: Stored, wheels: Wheels
) -> Report:
    context = Context(
        env={**image.environment, **build.manifest.result.environment},
        scratch=SCRATCH,
        cpus=toolchain.usable_cpus(),
        compiler=None,
        inside=container.inside,
        stop=container.engine.stop,
    )
    checks: tuple[Checker, ...] = (*FULL, files, bytecode, partial(trial, wheels=wheels))
    found = verify(build, checks=checks, context=context)
    return Report(kind="image", subject=f"{subject}: {build.manifest.name}", checks=found.checks)


def _surrounding(
    subject: str, builds: Sequence[Installation], container: Container, image: Stored
) -> Report:
    return Report(
        kind="image",
        subject=subject,
        checks=(
            *names(container, builds, primary(builds)),
            *text(container, user=ANYBODY),
            *compilers(container, image.labels.get(FLAVOUR, "")),
        ),
    )


def _pair(builds: Sequence[Installation]) -> tuple[Report, ...]:
    """The verdict on the pair, where the image has one."""
    # Their manifests speak of the prefixes that they were configured for.
    by_variant = {
        build.spec.variant: msgspec.structs.replace(build, prefix=Path(build.manifest.prefix))
        for build in builds
    }
    gil, free_threaded = by_variant.get(Variant.GIL), by_variant.get(Variant.FREE_THREADED)
    return (compare(gil, free_threaded),) if gil and free_threaded else ()
