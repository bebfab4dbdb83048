"""Whether libraries can be linked with and loaded: what pkg-config and headers promise, tried.

The linker looks for libraries where it is told to, the loader elsewhere: with another prefix's
pkg-config first on PATH (Homebrew on Linux, conda) a library can be linked with and not be loaded.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault
from ftbuild.model.recipes import LibraryRecipe
from ftbuild.model.spec import Compiler
from ftbuild.process import capture
from ftbuild.toolchain.libraries import known_packages
from ftbuild.toolchain.programs import said, which

_PROGRAM = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
char SYMBOL(void);
int main(void)
{
    Dl_info place;
    void *volatile linked = (void *)SYMBOL;
    void *there = dlsym(RTLD_DEFAULT, "SYMBOL");
    return linked && there && dladdr(there, &place) && puts(place.dli_fname) == EOF;
}
"""
"""Says of which file a function is; nothing where that is the program itself (a static library)."""

_SHARED = re.compile(r"/[^()\n]*\.so[.\w]*")
_ABSENT = re.compile(
    r"(?P<glibc>[^\s:]+): cannot open shared object file"
    r"|Error loading shared library (?P<musl>[^\s:]+):|Library not loaded: (?P<darwin>\S+)"
)
_ALWAYS_LINKED = ("/usr/local/lib", "/usr/local/lib64")
"""Where linkers look without being told, and not every loader does."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a program that is linked with a library.

    Attributes:
        file: The file that was loaded; empty where the library is part of the program.
        linked: The file it was linked with, where that is another one.
        unlinked: What the linker said, where it failed.
        unloaded: Why the program could not be loaded.
        way: What to do about that.
    """

    file: str = ""
    linked: str = ""
    unlinked: str = ""
    unloaded: str = ""
    way: str = ""


def try_libraries(
    recipes: Mapping[str, LibraryRecipe],
    *,
    compiler: Compiler,
    env: Mapping[str, str],
    elsewhere: bool = False,
) -> dict[str, Trial]:
    """Link a program with each library and run it, several at once.

    Args:
        recipes: The libraries that were found.
        compiler: What links.
        env: The environment of `probe_environment`.
        elsewhere: Leave it at those of pkg-config's, and only if it names a directory for one: no
            other fails.
    """
    program = which("pkg-config", env)
    known = known_packages({r.pkg_config for r in recipes.values() if r.pkg_config}, env)
    if elsewhere and not (
        program and known and said(program, "--libs-only-L", *known, env=env).strip()
    ):
        return {}

    def attempt(recipe: LibraryRecipe) -> Trial | None:
        flags = tuple(f"-l{name}" for name in recipe.link)
        if program and recipe.pkg_config in known:
            flags = tuple(shlex.split(said(program, "--libs", recipe.pkg_config, env=env)))
        elif elsewhere:
            return None
        if recipe.symbol is None or not flags:
            return None
        trial = _try_library(recipe.symbol, flags, compiler, env)
        # The names of libraries without a pkg-config file differ: one may go by another here.
        return None if trial and trial.unlinked and recipe.pkg_config not in known else trial

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        trials = dict(zip(recipes, threads.map(attempt, recipes.values()), strict=True))
    return {name: trial for name, trial in trials.items() if trial is not None}


def explain_unloaded(said: str, folders: Iterable[str], env: Mapping[str, str]) -> tuple[str, str]:
    """Why something could not be loaded, by what the loader said, and what to do about it.

    The linker looked in `folders`, and where it always does.
    """
    match = _ABSENT.search(said)
    if match is None:
        return said, "`ftbuild doctor` says from which file each library is loaded."
    library = Path(match[match.lastgroup or 0]).name
    places = (Path(folder) for folder in (*folders, *_ALWAYS_LINKED))
    folder = next((place for place in places if (place / library).exists()), None)
    if folder is None:
        return f"there is no {library} where it is looked for", ""
    path = shlex.quote(str(folder))
    ways = [f"`ftbuild build 3.14 --configure-arg LDFLAGS=-Wl,-rpath,{path}`"]
    other = other_pkg_config(env)
    if other is not None and other[0].parent.parent.resolve() in folder.resolve().parents:
        ways.insert(0, f"{other[0]} is another prefix's: put the next one first, `{other[1]}`")
    elif Path("/etc/ld.so.conf").exists():  # musl's loader and that of macOS have none
        ways.insert(0, f"As root: `echo {path} > /etc/ld.so.conf.d/ftbuild.conf && ldconfig`")
    return f"{library} is in {folder}, where the loader does not look", ", or ".join(ways)


def other_pkg_config(env: Mapping[str, str]) -> tuple[Path, str] | None:
    """The pkg-config on PATH and the command that puts the next one first, if there is another."""
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    found: dict[Path, Path] = {}
    for path in (which("pkg-config", {"PATH": folder}) for folder in folders if folder):
        if path is not None:
            found.setdefault(path.resolve(), path)
    if len(found) < 2:  # noqa: PLR2004 - the first and another
        return None
    first, other, *_ = found.values()
    return first, f'export PATH={shlex.quote(str(other.parent))}:"$PATH"'


def _try_library(
    symbol: str, flags: tuple[str, ...], compiler: Compiler, env: Mapping[str, str]
) -> Trial | None:
    """None where nothing can be said: what is linked may not run here for other reasons."""
    english = {**env, "LC_ALL": "C"}
    source = _PROGRAM.replace("SYMBOL", symbol)
    with tempfile.TemporaryDirectory(prefix="ftbuild-trial-") as folder:
        program = Path(folder, "trial")
        # -fPIC: else the address of a function is a place in the program.
        before = (compiler.path, "-w", "-fPIC", *env.get("LDFLAGS", "").split(), "-x", "c", "-")
        after = ("-x", "none", *flags, "-ldl", "-Wl,-t", "-o", str(program))
        run = partial(capture, env=english, cwd=Path(folder))
        try:
            linked = run((*before, *after), stdin=source)
            ran = run([program]) if linked.ok else None
        except EnvironmentFault:
            return None
    if ran is None:
        lines = [line.strip() for line in linked.stderr.splitlines()]
        why = next((line for line in lines if "cannot find" in line or "error" in line), "")
        return Trial(unlinked=why or linked.ending)
    files = [Path(name) for name in _SHARED.findall(linked.stdout)]
    if not ran.ok:
        why = ran.stderr.strip().partition("\n")[0].replace(f"{program}: ", "")
        named = (flag[2:] for flag in flags if flag.startswith("-L"))
        where, way = explain_unloaded(why, (*named, *(str(f.parent) for f in files)), env)
        return Trial(unloaded=where, way=way) if why else None
    file = Path(ran.stdout.strip())
    same = [other for other in files if other.name.split(".so")[0] == file.name.split(".so")[0]]
    # Of a file that is linked with, the loader may know a variant for this processor.
    alike = any(file.resolve().is_relative_to(other.resolve().parent) for other in same)
    if file.name == program.name or not ran.stdout.strip():
        return Trial()
    return Trial(file=str(file), linked="" if alike or not same else str(same[0]))
