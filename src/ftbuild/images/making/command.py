"""The engine's command line for a build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ftbuild.images.engine import Engine
from ftbuild.images.making.options import (
    How,
    straight,
)
from ftbuild.images.names import Image


def command(
    engine: Engine,
    image: Image,
    how: How,
    labels: Mapping[str, str],
    reference: str,
    file: Path,
    context: Path,
) -> tuple[str, ...]:
    """The engine's command line for a build."""
    arguments = {"PYTHON": image.request, "PROFILE": image.profile}
    options = ["--file", str(file), "--tag", reference]
    options += _pairs("--build-arg", arguments) + _pairs("--label", labels)
    if how.network:
        options += ["--network", how.network]
    if not how.cache:
        options.append("--no-cache")
    if how.platforms:
        options += ["--platform", ",".join(how.platforms)]
    if engine.kind != "docker":
        # Without --layers buildah keeps no layer for the next build.
        return ("build", "--layers", "--force-rm", *options, str(context))
    if engine.buildx:
        options += _output(engine, how)
    return ("build", *options, str(context))


def _output(engine: Engine, how: How) -> list[str]:
    """Where buildx is to put the image. What goes straight to a registry can carry attestations."""
    if straight(engine, how):
        return ["--push", "--sbom=true", "--provenance=mode=max"]
    return ["--load"]


def _pairs(option: str, values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in (option, f"{name}={value}")]
