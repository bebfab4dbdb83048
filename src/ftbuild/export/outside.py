"""What leads to builds from outside the root, when builds are removed."""

from __future__ import annotations

from ftbuild.export import path, pyenv
from ftbuild.export.links import Link
from ftbuild.store.layout import Layout
from ftbuild.store.links import hold_names


def drop_dangling(layout: Layout) -> tuple[Link, ...]:
    """Take away the launchers and the versions of pyenv whose build is gone.

    Left alone they would do harm: pyenv runs the system's Python for a version without programs.

    Raises:
        EnvironmentFault: A directory cannot be written.
    """
    with hold_names(layout):  # nobody gives a build its name back meanwhile
        return (*path.drop_dangling(layout), *pyenv.drop_dangling(layout))
