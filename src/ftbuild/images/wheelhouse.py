"""Wheels for interpreters elsewhere, kept below the root."""

from __future__ import annotations

from pathlib import Path

from ftbuild.provision import World
from ftbuild.store.layout import is_writable, read_mark
from ftbuild.wheels.collect import Interpreter, collect


def wheels_for(
    requirements: tuple[str, ...],
    interpreter: Interpreter,
    world: World,
    scratch: Path,
    *,
    pins: tuple[str, ...] = (),
    offline: bool = False,
) -> tuple[Path, ...]:
    """The wheels of what is required, and of what that requires, for an interpreter.

    They are kept below the root, if that is there and can be written to.

    Args:
        requirements: What is required.
        interpreter: Which wheels fit.
        world: Where they are kept, and how indexes are asked.
        scratch: A directory to write in.
        pins: Versions to keep to.
        offline: Whether only what is kept is used.

    Raises:
        NoWheel: Of a package there is no wheel that fits.
        UsageError: The requirements cannot be fulfilled together.
        EnvironmentFault: An index cannot be reached, or the disk is full.
        Interrupted: The world was stopped.
    """
    kept = is_writable(world.layout) and read_mark(world.layout)
    return collect(
        requirements,
        interpreter,
        pins=pins,
        cache=world.layout.wheels if kept else scratch / "kept",
        scratch=scratch,
        env=world.env,
        emit=world.emit,
        stop=world.stop,
        offline=offline,
    )
