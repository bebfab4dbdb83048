"""What went into a build beside CPython's own code: looked up once it is in place."""

from __future__ import annotations

import platform
import threading
from collections.abc import Mapping
from pathlib import Path

from ftbuild.building.bundled import bundled
from ftbuild.building.plan import Plan
from ftbuild.building.record import Ingredients
from ftbuild.errors import EnvironmentFault
from ftbuild.model.components import Linked, Package
from ftbuild.store import tree
from ftbuild.toolchain import loading
from ftbuild.toolchain.environment import current_system
from ftbuild.toolchain.owners import owners


def ingredients(
    prefix: Path,
    plan: Plan,
    contents: tree.Tree,
    *,
    env: Mapping[str, str],
    stop: threading.Event,
) -> Ingredients:
    """What went into a build; what cannot be found out stops nothing, and is recorded as such.

    Args:
        prefix: Where the build is.
        plan: How it was made; source and build tree are still there.
        contents: What lies below the prefix.
        env: The caller's environment.
        stop: Ends it when set.

    Raises:
        Interrupted: `stop` was set.
    """
    digests = tree.parse(contents.text)
    linked = linked_libraries(prefix, tuple(digests), env=env, stop=stop)
    return Ingredients(
        bundled=bundled(
            plan.source,
            plan.tree,
            prefix,
            digests=digests,
            linked=[library.name for library in linked or ()],
        ),
        linked=linked,
    )


def linked_libraries(
    prefix: Path, files: tuple[str, ...], *, env: Mapping[str, str], stop: threading.Event
) -> tuple[Linked, ...] | None:
    """The system libraries that a build's files are linked with, sorted by name.

    Args:
        prefix: Where the build is.
        files: Its files, relative to the prefix.
        env: The caller's environment, whose PATH has ldconfig and the package manager.
        stop: Ends it when set.

    Returns:
        The libraries; None where files are not in ELF, or one cannot be read.

    Raises:
        Interrupted: `stop` was set.
    """
    from ftbuild.archive.elf import libraries, needs_below  # noqa: PLC0415 - 100 ms

    if current_system() != "linux":
        return None
    try:
        needs = needs_below(prefix, files)
        cache = loading.cached(env)
    except (OSError, EnvironmentFault):
        return None
    among = loading.directories(Path("/"), platform.machine())
    needed = libraries({name: need.libraries for name, need in needs.items()})
    found = {
        library: loading.find(
            library,
            wanted_by=prefix / file,
            run_path=needs[file].run_path,
            cache=cache,
            among=among,
        )
        for library, file in needed.items()
    }
    packages = _owners([path for path in found.values() if path is not None], env, stop)
    return tuple(
        Linked(
            name=library,
            path=None if path is None else str(path),
            package=None if path is None else packages.get(path),
        )
        for library, path in sorted(found.items())
    )


def _owners(
    paths: list[Path], env: Mapping[str, str], stop: threading.Event
) -> dict[Path, Package]:
    try:
        return owners(paths, env=env, stop=stop)
    except (EnvironmentFault, OSError, UnicodeDecodeError):
        return {}
