"""All that `ftbuild image verify` tells of an image: the checks made inside, and its layers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault
from ftbuild.images.engine import Engine
from ftbuild.images.stored import present
from ftbuild.images.verifying.inside import require_runner, verify_image
from ftbuild.images.verifying.layers import Layers, layers
from ftbuild.images.verifying.trial import PROJECTS
from ftbuild.images.wheelhouse import wheels_for
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Report
from ftbuild.provision import World
from ftbuild.store.work import scratch_or_temporary
from ftbuild.wheels.collect import Interpreter


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about an image.

    Attributes:
        reference: What it is called.
        reports: The checks made inside, and the verdict on the pair.
        layers: Its layers and their sizes.
    """

    reference: str
    reports: tuple[Report, ...]
    layers: Layers


def prove(
    references: Sequence[str],
    engine: Engine,
    world: World,
    *,
    wheels: bool = True,
    offline: bool = False,
) -> tuple[Proven, ...]:
    """Verify images, one after the other.

    Args:
        references: What they are called; the engine must have them.
        engine: Docker or Podman.
        world: Where wheels are kept, and where events go.
        wheels: Whether real wheels are installed inside.
        offline: Whether only wheels that are kept are used.

    Raises:
        UsageError: One of them is not there, or none of ftbuild's.
        EnvironmentFault: The engine does not do its part.
        Interrupted: The world was stopped.
    """
    require_runner(engine)
    images = [present(reference, engine) for reference in references]
    with scratch_or_temporary(world.layout) as work:

        def collect(builds: Sequence[Installation]) -> Path:
            if not wheels:
                raise EnvironmentFault("--no-wheels was given")
            folder = work / "wheels"
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)  # unprivileged users look into it from inside
            for build in builds:
                used = build.manifest.used
                interpreter = Interpreter(
                    version=build.spec.version,
                    variant=build.spec.variant,
                    machine=used.machine,
                    libc=used.libc,
                )
                found = wheels_for(PROJECTS, interpreter, world, work, offline=offline)
                try:
                    for wheel in found:
                        shutil.copyfile(wheel, folder / wheel.name)
                        (folder / wheel.name).chmod(0o644)
                except OSError as error:
                    raise EnvironmentFault(f"{folder}: {error.strerror}") from error
            return folder

        return tuple(
            Proven(
                reference=image.reference,
                reports=verify_image(image, engine, emit=world.emit, collect=collect),
                layers=layers(image, engine),
            )
            for image in images
        )
