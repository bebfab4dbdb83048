"""What of a build is in an image, under which names: pure functions of the names of its files.

Every flavour leaves out bytecode of the optimisation levels 1 and 2, which nobody reads unless
Python runs with -O. The slim one also leaves out what no program needs that runs: CPython's tests,
everything that needs Tk (a display, and 20 MB of packages), static libraries, manual pages, and
the launchers for Windows that pip carries.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase

import msgspec

from ftbuild.archive import bytecode
from ftbuild.archive.naming import library, own_name
from ftbuild.images.names import Flavour
from ftbuild.model.versions import Variant

PUBLIC_BIN = "usr/local/bin"
"""Where programs look whose PATH is not the image's own, as login shells and cron do."""

_TK = frozenset({"_tkinter", "idlelib", "tkinter", "turtle", "turtledemo"})
_TESTS = re.compile(r"test|_test\w*|_ctypes_test|_xxtestfuzz|xxlimited\w*|xxsubtype")
"""CPython's tests, and the extension modules that exist for them alone."""

_USELESS = (
    "*/libpython*.a",
    "*/config-*/*.o",
    "bin/idle*",
    "share/man/*",
    "*/site-packages/pip/_vendor/distlib/*.exe",
)

_SHORT = re.compile(r"bin/(?P<stem>[a-z]+)3(?P<tail>-config)?")
"""Names of which the 3 can be left out: `bin/pip3`, `bin/python3-config`."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What of a build is in an image, relative to its prefix.

    Attributes:
        files: By their names in the image, the names in the build.
        links: Symbolic links and what they point to; all lead to something that is there.
        left_out: The modules of the standard library that are not there.
    """

    files: dict[str, str]
    links: dict[str, str]
    left_out: tuple[str, ...]


def contents(
    files: Iterable[str],
    links: Mapping[str, str],
    *,
    series: str,
    variant: Variant,
    flavour: Flavour,
) -> Contents:
    """What of a build is in an image.

    Args:
        files: The names of its files.
        links: Its symbolic links.
        series: The series of CPython that it is of.
        variant: Which of the pair it is.
        flavour: What the image is for.
    """
    below = library(series, variant)
    slim = flavour is Flavour.SLIM
    modules = {name: _module(name, below) for name in files}
    out = {module for module in modules.values() if slim and _is_left_out(module)}
    kept = [
        name
        for name, module in modules.items()
        if module not in out
        and not bytecode.level(name)
        and not (slim and any(fnmatchcase(name, pattern) for pattern in _USELESS))
    ]
    # Names that a build has already come last, and win over those that others get.
    kept.sort(key=lambda name: own_name(name, series, variant) == name)
    named = {own_name(name, series, variant): name for name in kept}
    return Contents(
        files=dict(sorted(named.items())),
        links=_links(links, named, series, variant),
        left_out=tuple(sorted(out)),
    )


def launchers(
    found: Contents, prefix: str, *, series: str, variant: Variant, primary: bool
) -> dict[str, str]:
    """The scripts outside the prefixes that start a build's programs, by name.

    Links would not do: a virtual environment made by way of one does not find the standard library,
    and `python3-config` names directories beside itself.

    Args:
        found: What of the build is there.
        prefix: Where it is in the image.
        series: The series of CPython that it is of.
        variant: Which of the pair it is.
        primary: Whether the names are its own that could mean either: `python3`, `pip`.
    """
    own = series + variant.suffix
    names = (name for name in (*found.files, *found.links) if name.startswith("bin/"))
    return {
        posixpath.basename(name): f'#!/bin/sh\nexec {prefix}/{name} "$@"\n'
        for name in sorted(names)
        if primary or own in name
    }


def _module(name: str, below: str) -> str:
    """The top-level module that a file belongs to; empty where it is none of the library's."""
    if not name.startswith(f"{below}/"):
        return ""
    first, *rest = name.removeprefix(f"{below}/").split("/")
    if first == "site-packages" or first.startswith("config-"):
        return ""
    word = rest[0] if first in {"__pycache__", "lib-dynload"} and rest else first
    return word.partition(".")[0]


def _is_left_out(module: str) -> bool:
    return module in _TK or _TESTS.fullmatch(module) is not None


def _links(
    links: Mapping[str, str], files: Collection[str], series: str, variant: Variant
) -> dict[str, str]:
    """The links of a build in an image: those that lead somewhere, and the short names."""
    found = {}
    for name, target in links.items():
        folder = posixpath.dirname(name)
        aim = own_name(posixpath.join(folder, target), series, variant)
        found[own_name(name, series, variant)] = posixpath.relpath(aim, folder)
    found = _leading_somewhere({k: v for k, v in found.items() if k not in files}, files)
    short = {
        f"bin/{match['stem']}{match['tail'] or ''}": posixpath.basename(name)
        for name in (*files, *found)
        if (match := _SHORT.fullmatch(name)) is not None
    }
    return dict(sorted({k: v for k, v in (short | found).items() if k not in files}.items()))


def _leading_somewhere(links: Mapping[str, str], files: Collection[str]) -> dict[str, str]:
    """The links that do not dangle, by way of others or not."""
    found = dict(links)
    there = {*files, *found} | {parent for name in files for parent in _parents(name)}
    while gone := [
        name
        for name, target in found.items()
        if posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) not in there
    ]:
        for name in gone:
            del found[name]
            there.discard(name)
    return found


def _parents(name: str) -> Iterable[str]:
    while name := posixpath.dirname(name):
        yield name
