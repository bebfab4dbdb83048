"""The packages of the distribution that an image's files need: its shared libraries.

Each ELF file names the libraries that it is linked with. They are looked for where the loader
looks, and the package manager is asked which package brought them.
"""

from __future__ import annotations

import platform
import re
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from ftbuild.archive.elf import libraries, needs_of
from ftbuild.errors import EnvironmentFault
from ftbuild.toolchain.loading import directories
from ftbuild.toolchain.owners import owners

_LIBC = re.compile(r"libc\.(so\.6|musl-\w+\.so\.1)")
"""The C library, glibc or musl: its package is in every image, with all its libraries."""


def packages(
    files: Mapping[str, Path], *, env: Mapping[str, str], stop: threading.Event
) -> tuple[str, ...]:
    """The packages that bring the libraries of some ELF files; not the C library's.

    Args:
        files: The files, by the names that messages have for them.
        env: The caller's environment, whose PATH has the package manager.
        stop: Ends it when set.

    Raises:
        EnvironmentFault: A library is not there, or no package brought it.
        Interrupted: `stop` was set.
    """
    needed = libraries({name: needs_of(path).libraries for name, path in files.items()})
    found = located(needed, directories(Path("/"), platform.machine()))
    owning = owners(tuple(found.values()), env=env, stop=stop)
    for library, path in found.items():
        if path not in owning:
            raise EnvironmentFault(
                f"{needed[library]} needs {library}, and no package brought {path}",
                hint="An image gets its libraries as packages. Remove that file and build again, "
                "with the distribution's own library.",
            )
    libc = {owning[path].name for library, path in found.items() if _LIBC.fullmatch(library)}
    return tuple(sorted({owning[path].name for path in found.values()} - libc))


def located(needed: Mapping[str, str], among: Iterable[Path]) -> dict[str, Path]:
    """Where each library lies.

    Args:
        needed: The libraries, each with a file that needs it.
        among: The directories where the loader looks.

    Raises:
        EnvironmentFault: One is nowhere.
    """
    places = tuple(among)
    found = {}
    for library, name in needed.items():
        there = next((folder / library for folder in places if (folder / library).exists()), None)
        if there is None:
            raise EnvironmentFault(
                f"{name} needs {library}, which is not on this system",
                hint="Build the image's Python on the distribution that the image has.",
            )
        found[library] = there
    return found
