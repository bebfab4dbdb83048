"""Why a build failed, by what it said last."""

from __future__ import annotations

import re
from pathlib import Path

from ftbuild.errors import BuildFailed, EnvironmentFault
from ftbuild.images.engine import Engine
from ftbuild.images.making.options import (
    EMULATE,
    How,
)
from ftbuild.images.making.progress import Watch
from ftbuild.images.names import Image

_FULL = re.compile(r"no space left on device|don't have enough free space", re.IGNORECASE)

_UNREACHED = re.compile(
    r"Temporary failure resolving|Unable to (locate package|fetch some archives)"
    r"|(temporary error|network error).*\(|unable to select packages|network bridge not found",
    re.IGNORECASE,
)

_REACHING = (
    "If the steps of a build cannot reach the distribution's packages: `--network host` gives them "
    "this host's network, and engines pass on the proxy that they are configured with."
)

_FOREIGN = re.compile(r"exec format error", re.IGNORECASE)


def failure(
    reference: str, image: Image, how: How, engine: Engine, watch: Watch, log: Path
) -> EnvironmentFault:
    """The error of a build that failed, from what it said last."""
    command = "podman" if engine.kind == "buildah" else engine.kind
    said = "\n".join(watch.tail)
    if _FULL.search(said):
        return EnvironmentFault(
            f"{reference}: the disk that the engine keeps images on is full",
            hint=f"`{command} system df` shows what takes the space, `{command} system prune` "
            "frees some.",
            log=log,
            tail=watch.tail,
        )
    if _FOREIGN.search(said) and how.platforms:
        return EnvironmentFault(
            f"{reference}: programs for {', '.join(how.platforms)} do not all run where the engine "
            "builds",
            hint=EMULATE,
            log=log,
            tail=watch.tail,
        )
    if _FOREIGN.search(said):
        return EnvironmentFault(
            f"{reference}: {image.base.image} is there for another architecture, which cannot run "
            "here",
            hint=f"Pull it for this one: `{command} pull {image.base.image}`.",
            log=log,
            tail=watch.tail,
        )
    hint = _REACHING if _UNREACHED.search(said) else ""
    return BuildFailed(f"{reference} was not built", hint=hint, log=log, tail=watch.tail)
