"""The facts about this host that a build depends on, read once a run."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from ftbuild.errors import EnvironmentFault
from ftbuild.model.recipes import Catalogue
from ftbuild.model.spec import Host, Platform
from ftbuild.process import capture
from ftbuild.toolchain.compilers import find_compiler
from ftbuild.toolchain.cpus import usable_cpus
from ftbuild.toolchain.doctor import examine
from ftbuild.toolchain.environment import current_system, probe_environment
from ftbuild.toolchain.libraries import relevant, survey, usable
from ftbuild.toolchain.make import find_make


def read_host(catalogue: Catalogue, *, want: str = "auto", env: Mapping[str, str]) -> Host:
    """Read the facts about this host; takes a tenth of a second at most.

    Args:
        catalogue: The libraries to look for.
        want: The compiler to use, as for `find_compiler`.
        env: The caller's environment.

    Raises:
        UsageError: `want` names no compiler.
        EnvironmentFault: Something every build needs is missing; the hint is the command that
            installs it. Or ftbuild does not build on this system.
    """
    system = current_system()
    environment = probe_environment(catalogue.libraries, system=system, env=env)
    try:
        compiler = find_compiler(want, env=environment)
        make = find_make(env=environment)
    except EnvironmentFault as fault:
        raise _unready(fault.message, catalogue, want, env) from fault
    recipes = relevant(catalogue.libraries, system=system, series=catalogue.series)
    found = survey(recipes, compiler=compiler, env=environment)
    libraries = usable(found.libraries, recipes)
    required = {name for name, recipe in recipes.items() if recipe.required}
    lacking = required.difference(library.name for library in libraries)
    if lacking or not found.c_headers:
        what = ", ".join(sorted(lacking)) or f"{compiler.path} finds no C library headers"
        raise _unready(what, catalogue, want, env)
    return Host(
        system=system,
        machine=platform.machine(),
        libc=_libc(system),
        kernel=platform.release(),
        cpus=usable_cpus(),
        compiler=compiler,
        make=make,
        libraries=libraries,
    )


def read_platform() -> Platform:
    """Where a packed build would have to run; asks for no compiler.

    Raises:
        EnvironmentFault: ftbuild does not build on this system.
    """
    system = current_system()
    return Platform(system=system, machine=platform.machine(), libc=_libc(system))


def _unready(
    what: str, catalogue: Catalogue, want: str, env: Mapping[str, str]
) -> EnvironmentFault:
    """All that stands in the way, not only what was met first, and the one command for it."""
    diagnosis = examine(catalogue, want=want, env=env)
    faults = [f"{f.what}: {f.note or 'missing'}" for f in diagnosis.faults] or [what]
    by_hand = "Install a C compiler (gcc or clang), GNU make, pkg-config and zlib with its headers."
    return EnvironmentFault(
        "this host cannot build CPython yet\n" + "\n".join(f"  {line}" for line in faults),
        hint=diagnosis.command or ("" if diagnosis.manager else by_hand),
    )


def _libc(system: str) -> str:
    """The C library and its version: `glibc 2.36`, `musl 1.2.5`, or Apple's, `macos 15.2`."""
    if system == "darwin":
        return f"macos {platform.mac_ver()[0]}"
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "libc"
    except (OSError, ValueError):
        return musl(Path("/lib"))


def musl(folder: Path) -> str:
    """The version of the musl in a folder; told only where its loader is called as a program."""
    for loader in folder.glob("ld-musl-*.so.1"):
        version = re.search(r"^Version (\S+)", capture([loader], env={}).stderr, re.MULTILINE)
        if version is not None:
            return f"musl {version[1]}"
    return "libc"
