"""The system, and the environment in which its tools are asked: what the builds will see.

A caller's CPATH, CPPFLAGS or PKG_CONFIG_PATH does not reach a build, so it must not reach the
questions either: a library found by its help would be promised and then missing.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from ftbuild.errors import EnvironmentFault
from ftbuild.model.recipes import LibraryRecipe
from ftbuild.process import capture
from ftbuild.toolchain.programs import which

_KEPT = ("PATH", "HOME", "TMPDIR")


def supported(system: str) -> str:
    """The name of a system that ftbuild builds on: `linux` or `darwin`.

    Args:
        system: What `platform.system()` calls it.

    Raises:
        EnvironmentFault: It is another one.
    """
    if system in {"Linux", "Darwin"}:
        return system.lower()
    hint = "ftbuild builds on Linux and macOS."
    if system == "Windows":
        hint = "Run it inside WSL, the Windows Subsystem for Linux: `wsl --install` sets it up."
    raise EnvironmentFault(f"ftbuild does not build on {system or 'this system'}", hint=hint)


def current_system() -> str:
    """The name of this system: `linux` or `darwin`.

    Raises:
        EnvironmentFault: It is another one.
    """
    return supported(platform.system())


def probe_environment(
    recipes: Mapping[str, LibraryRecipe], *, system: str, env: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment in which compilers, make and pkg-config are asked."""
    kept = {name: env[name] for name in _KEPT if name in env}
    return kept | library_environment(recipes, system=system, env=env)


def library_environment(
    recipes: Mapping[str, LibraryRecipe], *, system: str, env: Mapping[str, str]
) -> dict[str, str]:
    """The variables by which configure finds the libraries of this host; a build must set them.

    Empty but for macOS, where Homebrew keeps libraries outside the compiler's search path.
    """
    brew = which("brew", env) if system == "darwin" else None
    if brew is None:
        return {}
    kept = {name: env[name] for name in _KEPT if name in env}
    prefix = Path(capture([brew, "--prefix"], env=kept).stdout.strip())
    formulae = (recipe.packages.get("brew") for recipe in recipes.values())
    kegs = (prefix / "opt" / formula for formula in formulae if formula is not None)
    return keg_variables(tuple(keg for keg in kegs if keg.is_dir()))


def keg_variables(kegs: Sequence[Path]) -> dict[str, str]:
    """The variables that make Homebrew packages visible to configure.

    >>> keg_variables([Path("/opt/homebrew/opt/gdbm")])["LDFLAGS"]
    '-L/opt/homebrew/opt/gdbm/lib'
    """
    if not kegs:
        return {}
    return {
        "CPPFLAGS": " ".join(f"-I{keg}/include" for keg in kegs),
        "LDFLAGS": " ".join(f"-L{keg}/lib" for keg in kegs),
        "PKG_CONFIG_PATH": ":".join(f"{keg}/lib/pkgconfig" for keg in kegs),
    }
