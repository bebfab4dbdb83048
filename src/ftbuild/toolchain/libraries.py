"""Which optional libraries this host has, and which standard-library modules follow from that.

A library counts where pkg-config knows it or the compiler finds its header: that is how CPython's
configure looks for it. Two runs of pkg-config and one of the preprocessor answer for all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import msgspec
from packaging.version import Version

from ftbuild.model.recipes import LibraryRecipe
from ftbuild.model.spec import Compiler, Library
from ftbuild.process import capture
from ftbuild.toolchain.programs import numbers, said, which

_C_LIBRARY = "stdio.h"
"""The header that shows whether the C library's own are there; no recipe's name has a dot."""

_ANSWER = re.compile(r'"ftbuild" "(?P<name>[^"]+)"(?P<values>.*?)"end"', re.DOTALL)
_PROVIDED = re.compile(r"^(\S+) = (\S+)$", re.MULTILINE)


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        c_headers: Whether the compiler finds the C library's headers.
        libraries: Every library found, those too old to be of use included, sorted by name.
    """

    c_headers: bool
    libraries: tuple[Library, ...]


def survey(
    recipes: Mapping[str, LibraryRecipe], *, compiler: Compiler | None, env: Mapping[str, str]
) -> Survey:
    """Look for libraries, those too old to be of use included.

    Args:
        recipes: What to look for.
        compiler: The compiler that is to find their headers; None leaves it at pkg-config.
        env: The environment of `probe_environment`.
    """
    packaged = _packaged({r.pkg_config for r in recipes.values() if r.pkg_config}, env)
    versions = {
        name: packaged[recipe.pkg_config]
        for name, recipe in recipes.items()
        if recipe.pkg_config in packaged
    }
    if compiler is not None:
        rest = {name: recipe for name, recipe in recipes.items() if name not in versions}
        argv = (compiler.path, *env.get("CPPFLAGS", "").split(), "-x", "c", "-E", "-P", "-")
        # A header that cannot be included ends the run; what was said before it counts.
        versions |= answers(capture(argv, env=env, stdin=questions(rest)).stdout)
    c_headers = versions.pop(_C_LIBRARY, None) is not None
    return Survey(
        c_headers=c_headers,
        libraries=tuple(Library(name=name, version=versions[name]) for name in sorted(versions)),
    )


def questions(recipes: Mapping[str, LibraryRecipe]) -> str:
    """C source that, once preprocessed, tells which headers are there and what versions they say.

    All headers are looked for before the first is included: a broken one may end the run.
    """
    headers = {_C_LIBRARY: _C_LIBRARY} | {name: r.header for name, r in recipes.items()}
    there = (
        f'#if __has_include(<{header}>)\n"ftbuild" "{name}" "end"\n#endif\n'
        for name, header in headers.items()
    )
    versions = (
        f"#if __has_include(<{recipe.header}>)\n#include <{recipe.header}>\n"
        f'"ftbuild" "{name}" {" ".join(recipe.version)} "end"\n#endif\n'
        for name, recipe in recipes.items()
        if recipe.version
    )
    return "".join((*there, *versions))


def answers(preprocessed: str) -> dict[str, str]:
    """The versions by name in the preprocessor's output, empty where there is none to be had.

    >>> answers('"ftbuild" "zlib" "1.3.1" "end"  "ftbuild" "gdbm" 1 23 GDBM_VERSION_PATCH "end"')
    {'zlib': '1.3.1', 'gdbm': ''}
    """
    found: dict[str, str] = {}
    for answer in _ANSWER.finditer(preprocessed):
        parts = [value.strip('"') for value in answer["values"].split()]
        # A macro that the header does not define comes back as its own name.
        told = all(part[:1].isdigit() for part in parts)
        found[answer["name"]] = ".".join(parts) if told else ""
    return found


def usable(
    libraries: Iterable[Library], recipes: Mapping[str, LibraryRecipe]
) -> tuple[Library, ...]:
    """The libraries that are new enough for CPython; one that tells no version is taken to be."""
    return tuple(
        library
        for library in libraries
        if not library.version
        or numbers(library.version) >= numbers(recipes[library.name].minimum or "0")
    )


def relevant(
    recipes: Mapping[str, LibraryRecipe], *, system: str, series: Collection[str]
) -> dict[str, LibraryRecipe]:
    """The libraries that any of these series uses on this system."""
    newest = max(map(Version, series))
    return {
        name: recipe
        for name, recipe in recipes.items()
        if system in recipe.platforms and Version(recipe.since) <= newest
    }


def promised(
    libraries: Iterable[Library],
    recipes: Mapping[str, LibraryRecipe],
    series: str,
    system: str,
) -> tuple[str, ...]:
    """The public modules that work thanks to these libraries, in CPython of one series; sorted."""
    of_use = relevant(recipes, system=system, series=(series,))
    found = (of_use[library.name].imports for library in libraries if library.name in of_use)
    return tuple(sorted({module for modules in found for module in modules}))


def absent(
    libraries: Iterable[Library],
    recipes: Mapping[str, LibraryRecipe],
    series: str,
    system: str,
) -> dict[str, tuple[str, ...]]:
    """The modules that will be missing, by the name of the library that would bring them.

    Where several libraries would do, the first in the recipes is named.
    """
    there = set(promised(libraries, recipes, series, system))
    missing: dict[str, tuple[str, ...]] = {}
    for name, recipe in relevant(recipes, system=system, series=(series,)).items():
        modules = tuple(module for module in recipe.imports if module not in there)
        if modules:
            missing[name] = modules
            there.update(modules)
    return missing


def known_packages(names: Collection[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """Those names that pkg-config knows, sorted; none where it is not installed.

    A question for several packages fails as a whole where one is unknown.
    """
    program = which("pkg-config", env)
    listed = "" if program is None else said(program, "--list-all", env=env)
    known = {line.split(maxsplit=1)[0] for line in listed.splitlines() if line.strip()}
    return tuple(sorted(known.intersection(names)))


def _packaged(names: Collection[str], env: Mapping[str, str]) -> dict[str, str]:
    """The versions that pkg-config tells, by its names."""
    program = which("pkg-config", env)
    asked = known_packages(names, env)
    told = said(program, "--print-provides", *asked, env=env) if program and asked else ""
    return {name: version for name, version in _PROVIDED.findall(told) if name in asked}
