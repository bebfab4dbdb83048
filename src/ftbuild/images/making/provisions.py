"""The wheels that an image is built with: those of ftbuild's own dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ftbuild.images.making.ownwheel import own_project
from ftbuild.images.wheelhouse import wheels_for
from ftbuild.model.events import Noted
from ftbuild.model.recipes import Base
from ftbuild.provision import World
from ftbuild.store import work
from ftbuild.wheels.collect import Interpreter, NoWheel
from ftbuild.wheels.complaints import Unsatisfiable

UNNEEDED = frozenset({"cyclonedx-python-lib", "jinja2", "uv"})
"""What ftbuild requires and a build does not use: bills of materials, Dockerfiles and pages, and
audits do. 25 MB."""


def dependencies(
    base: Base, machine: str, world: World, *, offline: bool = False
) -> tuple[Path, ...]:
    """The wheels that ftbuild needs to build in an image, for the Python of its base.

    The versions are those that ftbuild runs with here, so that a package's new release changes
    nothing in the context of an image. What is not here, or not for the base's Python, is the
    newest that fits.

    Args:
        base: The image's base.
        machine: The image's architecture: `x86_64`, `aarch64`.
        world: Where they are kept, and how indexes are asked.
        offline: Whether only what is kept is used.

    Raises:
        NoWheel: Of something there is no wheel that fits.
        EnvironmentFault: An index cannot be reached, or the root cannot be written to.
        Interrupted: The world was stopped.
    """
    wanted = [each for each in own_project().requires if not _unneeded(each)]
    interpreter = Interpreter(version=base.python, machine=machine, libc=base.libc)
    requirements = tuple(map(str, wanted))
    with work.scratch(world.layout) as scratch:
        try:
            return wheels_for(
                requirements, interpreter, world, scratch, pins=pins(wanted), offline=offline
            )
        except (Unsatisfiable, NoWheel):
            world.emit(
                Noted(text=f"Python {base.python} gets other versions of what ftbuild requires")
            )
            return wheels_for(requirements, interpreter, world, scratch, offline=offline)


def pins(requirements: Iterable[Requirement]) -> tuple[str, ...]:
    """The versions that are installed here of what is required, directly or not.

    A local version, which no index has, counts as the public one that it was made from.
    """
    found: dict[str, str] = {}
    due: list[str] = [canonicalize_name(each.name) for each in requirements]
    while due:
        name = due.pop()
        if name in found:
            continue
        try:
            here = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = Version(here.version).public
        due += _required(here)
    return tuple(f"{name}=={version}" for name, version in sorted(found.items()))


def _required(here: metadata.Distribution) -> Iterator[str]:
    """What a distribution requires without its extras, wherever that holds."""
    for requirement in map(Requirement, here.requires or ()):
        if "extra ==" not in str(requirement.marker or ""):
            yield canonicalize_name(requirement.name)


def _unneeded(requirement: Requirement) -> bool:
    return canonicalize_name(requirement.name) in UNNEEDED
