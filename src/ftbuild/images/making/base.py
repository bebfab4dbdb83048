"""The base of an image: there, or pulled."""

from __future__ import annotations

from collections.abc import Sequence

from ftbuild.errors import EnvironmentFault
from ftbuild.images.engine import Engine, last_words
from ftbuild.images.making.options import (
    ARCHITECTURES,
    How,
)
from ftbuild.images.names import Image
from ftbuild.images.stored import Stored, stored
from ftbuild.model.events import Noted
from ftbuild.provision import World


def base_of(image: Image, how: How, engine: Engine, world: World) -> Stored:
    """The base, which is pulled if it is not there.

    Raises:
        EnvironmentFault: It cannot be pulled.
    """
    name = image.base.image
    there = None if how.pull else stored(name, engine)
    if there is None or (how.platforms and not _is_for(there, how.platforms)):
        if how.offline:
            raise EnvironmentFault(
                f"the engine does not have the base {name} that this image needs, and ftbuild is "
                "offline",
                hint=f"`{engine.kind} pull {name}` brings it where a registry can be reached.",
            )
        world.emit(Noted(text=f"pulling {name}"))
        chosen = ("--platform", how.platforms[0]) if how.platforms else ()
        done = engine.run("pull", *chosen, name)
        there = stored(name, engine)
        if there is None or not done.ok:
            raise EnvironmentFault(
                f"the base {name} cannot be pulled: {last_words(done)}",
                hint="Where no registry can be reached, `docker load` or `docker import` can bring "
                "it under that name: docs/images.md has the commands.",
            )
    return there


def _is_for(base: Stored, platforms: Sequence[str]) -> bool:
    """Whether a base is for the one platform that is asked for."""
    # `linux/arm64/v8` is what others call `linux/arm64`.
    return [base.platform] == [each.removesuffix("/v8") for each in platforms]


def machines_of(how: How, base: Stored) -> tuple[str, ...]:
    """The machines that are built for, as Linux calls them: the platforms', else the base's."""
    names = [each.split("/")[1] for each in how.platforms or (base.platform,)]
    linux = {container: linux for linux, container in ARCHITECTURES.items()}
    return tuple(linux.get(name, name) for name in names)
