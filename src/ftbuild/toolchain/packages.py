"""The distribution's package manager, and the exact commands that install what is missing."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ftbuild.model.recipes import LibraryRecipe, PackageManager
from ftbuild.process import capture
from ftbuild.toolchain.programs import said, which

FAST_CLANGS = (19, 20, 21, 22)
"""Releases of clang with `preserve_none`, which CPython's tail-calling interpreter takes; that by
which the figures in docs/performance.md were measured first."""

_OS_RELEASE = Path("/etc/os-release")
_WORDS = re.compile(r"^(?P<key>ID|ID_LIKE|VERSION_ID)=(?P<value>.*)$", re.MULTILINE)

Commands = tuple[tuple[str, ...], ...]
"""Commands to run one after the other."""


def package_manager(
    managers: Mapping[str, PackageManager],
    *,
    system: str,
    env: Mapping[str, str],
    os_release: Path = _OS_RELEASE,
) -> str | None:
    """The name of this host's package manager, or None where the catalogue has none for it.

    The distribution decides, not what lies on PATH: dnf can be installed on Debian.
    """
    words: tuple[str, ...] = ("darwin",)
    if system != "darwin":
        words = distribution(os_release.read_text()) if os_release.is_file() else ()
    return next(
        (
            name
            for word in words
            for name, manager in managers.items()
            if word in manager.distributions and which(manager.install[0], env) is not None
        ),
        None,
    )


def distribution(os_release: str) -> tuple[str, ...]:
    r"""The distribution's own name and those it is like, best first.

    >>> distribution('NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"')
    ('rocky', 'rhel', 'centos', 'fedora')
    """
    said = _told(os_release)
    return (*said.get("ID", "").split(), *said.get("ID_LIKE", "").split())


def release(os_release: Path = _OS_RELEASE) -> tuple[str, str]:
    """The distribution's name and the number of its release: `debian`, `12`; empty if not told."""
    said = _told(os_release.read_text()) if os_release.is_file() else {}
    return said.get("ID", ""), said.get("VERSION_ID", "")


def library_packages(
    names: Iterable[str], recipes: Mapping[str, LibraryRecipe], manager: str | None
) -> tuple[str, ...]:
    """The packages that bring these libraries, each once."""
    found = (recipes[name].packages.get(manager or "") for name in names)
    return tuple(dict.fromkeys(package for package in found if package is not None))


def compiler_packages(want: str, manager: PackageManager) -> tuple[str, ...]:
    """The packages that bring a compiler with its companion tools.

    Args:
        want: `auto`, `gcc`, `gcc-14`, `clang`, `clang-19`, or a path, which no package brings.
        manager: The package manager.
    """
    family, _, major = want.partition("-")
    if major.isdigit():
        packages = manager.versioned.get(family, ())
        return tuple(package.format(major=major) for package in packages)
    known = {"clang": manager.clang, "gcc": manager.build, "auto": manager.build}
    return known.get(want, ())


def installed_packages(
    packages: Collection[str], manager: PackageManager, *, env: Mapping[str, str]
) -> frozenset[str]:
    """Those packages that are installed, as far as the package manager tells."""
    program = which(manager.installed[0], env) if manager.installed else None
    if program is None or not packages:
        return frozenset()

    def state(package: str) -> str:
        return said(program, *manager.installed[1:], package, env=env)

    with ThreadPoolExecutor() as threads:
        states = zip(packages, threads.map(state, packages), strict=True)
        # dpkg remembers the configuration of what was removed.
        return frozenset(name for name, told in states if told not in {"", "config-files"})


def fast_compiler_packages(manager: PackageManager, env: Mapping[str, str]) -> tuple[str, ...]:
    """The packages of a clang with CPython's tail-calling interpreter, where they can be had."""
    if not manager.available:
        return ()
    names = (compiler_packages(f"clang-{major}", manager) for major in FAST_CLANGS)
    return next(
        (found for found in names if found and capture([*manager.available, found[0]], env=env).ok),
        (),
    )


def install_command(packages: Collection[str], manager: PackageManager, *, root: bool) -> Commands:
    """The commands that install packages; none where there is nothing to install.

    Args:
        packages: Their names.
        manager: The package manager.
        root: Whether the user is root already; `sudo` stands in front where that is needed.
    """
    if not packages:
        return ()
    prefix = () if root or not manager.root else ("sudo",)
    commands = (manager.refresh, (*manager.install, *packages))
    return tuple((*prefix, *command) for command in commands if command)


def command_line(commands: Commands, *, by_root: bool = False) -> str:
    """Commands as one line for a shell; it says where only root can run them."""
    return "as root: " * by_root + " && ".join(map(shlex.join, commands))


def only_root(manager: PackageManager, env: Mapping[str, str]) -> bool:
    """Whether root has to install packages, and this user cannot do it by sudo."""
    return manager.root and os.geteuid() != 0 and which("sudo", env) is None


def _told(os_release: str) -> dict[str, str]:
    return {match["key"]: match["value"].strip("\"'") for match in _WORDS.finditer(os_release)}
