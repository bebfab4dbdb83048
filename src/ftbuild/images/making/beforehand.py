"""What is looked at before anything is done: names, platforms, and what contradicts itself."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.images.engine import Engine
from ftbuild.images.making.options import (
    ARCHITECTURES,
    EMULATE,
    MARK,
    How,
    mark_of,
    straight,
)
from ftbuild.images.names import Image
from ftbuild.images.stored import stored

_NAME = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?/)?"
    r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:\w[\w.-]{0,127})?",
    re.ASCII,
)
"""The name of an image, without a digest: registry, path and tag."""


def require_sound(reference: str, image: Image, how: How, engine: Engine) -> None:
    """Make sure that an image can be built under a name.

    Raises:
        UsageError: The name belongs to another image, or is none, or cannot be pushed to.
        EnvironmentFault: A platform's programs cannot run here.
    """
    _require_network(how)
    _require_name(how.tag)
    _require_pushable(how)
    _require_ours(reference, image, how, engine)
    _require_runnable(how, engine)


def _require_pushable(how: How) -> None:
    if how.push and "/" not in how.tag:
        raise UsageError(
            "--push needs to know where to",
            hint="Name the registry and the repository: --tag registry.example/team/python:3.14",
        )


def _require_network(how: How) -> None:
    if how.offline and (how.push or how.pull):
        raise UsageError(
            f"--offline and --{'push' if how.push else 'pull'} contradict each other",
            hint="Drop one of them.",
        )


def _require_name(tag: str) -> None:
    """Make sure that a tag is one: engines say so late, podman when everything is built."""
    if tag and not _NAME.fullmatch(tag):
        raise UsageError(
            f"--tag {tag!r} is no name for an image",
            hint="`registry.example:5000/team/python:3.14` is one: lower-case but for what follows "
            "the colon, and no digest.",
        )


def _require_ours(reference: str, image: Image, how: How, engine: Engine) -> None:
    """Make sure that a name is free, or that of an earlier build of the same image."""
    there = None if how.force else stored(reference, engine)
    if there is None:
        return
    mark = there.labels.get(MARK)
    if mark != mark_of(image):
        what = f"ftbuild's {mark}" if mark else "an image that ftbuild did not make"
        raise UsageError(
            f"{reference} is there already, and it is {what}",
            hint="Give this one another name with --tag, or take the name from that one with "
            "--force.",
        )


def _require_runnable(how: How, engine: Engine) -> None:
    """Make sure that the platforms asked for can run here: building runs what it builds.

    Raises:
        EnvironmentFault: One cannot.
    """
    own = ARCHITECTURES.get(platform.machine(), platform.machine())
    for wanted in how.platforms:
        system, _, rest = wanted.partition("/")
        architecture = rest.partition("/")[0]
        if system != "linux" or architecture not in ARCHITECTURES.values():
            raise UsageError(
                f"there is no platform {wanted!r} for these images",
                hint=f"Those there are: {', '.join(f'linux/{a}' for a in ARCHITECTURES.values())}",
            )
        # A builder of buildx's own may run elsewhere.
        here = engine.buildx in {"", "docker"}
        if architecture != own and here and not _emulated(architecture):
            raise EnvironmentFault(
                f"{wanted} cannot be built here: this is {own}, and no emulator is registered",
                hint=EMULATE,
            )
    if len(how.platforms) > 1 and not straight(engine, how):
        raise UsageError(
            "several platforms make one image only in a registry, and by docker's buildx",
            hint="Add --push and a --tag with the registry's name, and let `docker buildx create "
            "--use` make a builder for it; or name one --platform.",
        )


def _emulated(architecture: str) -> bool:
    linux = next(linux for linux, name in ARCHITECTURES.items() if name == architecture)
    return Path("/proc/sys/fs/binfmt_misc", f"qemu-{linux}").exists()
