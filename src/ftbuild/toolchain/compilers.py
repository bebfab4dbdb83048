"""C compilers and their companion tools: who they are, and whether they belong together."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.spec import Compiler
from ftbuild.process import capture
from ftbuild.toolchain.programs import major, numbers, said, which

LLVM_TOOLS = ("llvm-profdata", "llvm-ar", "ld.lld")
"""What a build with clang needs beside it: for PGO, for archives of bitcode, for LTO links."""

PROFILE_RUNTIME = "profile-runtime"
"""What an instrumented program is linked with; distributions pack it apart from clang."""

_TAIL_CALLS = 19
"""The first clang with which CPython's interpreter runs faster than with gcc (docs/performance.md);
an older one lacks the calling convention that its tail calls need."""

_WANT = re.compile(r"auto|cc|(?P<family>gcc|clang)(?:-\d+)?")
_NAME = re.compile(r"(?:gcc|clang)(?:-\d+)?")
_VERSION = re.compile(
    r"^.*\b(?P<family>gcc|clang) version (?P<version>\d+(?:\.\d+)*)", re.MULTILINE
)
_TARGET = re.compile(r"^Target: (\S+)", re.MULTILINE)
_INSTALLED = re.compile(r"^InstalledDir: (.+)", re.MULTILINE)
_TOOL_VERSION = re.compile(r"(?:LLVM version|LLD) (\d+(?:\.\d+)*)")

_TRIAL = """\
#include <stdio.h>
int main(void) { return puts("ftbuild") == EOF; }
"""


def find_compiler(want: str, *, env: Mapping[str, str]) -> Compiler:
    """The C compiler that goes by a name, with its companion tools.

    Args:
        want: `auto`, `gcc`, `gcc-14`, `clang`, `clang-19`, or a path. `auto` is what makes the
            fastest interpreter: the newest clang from 19 on with all its companions, else gcc,
            else any clang or cc. A name counts only where it tells the truth: macOS's `gcc` is
            clang.
        env: The environment whose PATH is searched.

    Raises:
        UsageError: `want` is none of these.
        EnvironmentFault: This host has no such compiler.
    """
    match = _WANT.fullmatch(want)
    if match is None and os.sep not in want:
        raise UsageError(
            f"{want!r} names no compiler",
            hint="Give auto, gcc, gcc-14, clang, clang-19 or the path of a compiler.",
        )
    if want == "auto":
        newest = _first(("clang", *_numbered("clang", env)), env, good=_makes_the_fastest)
        found = newest or _first(("gcc", "clang", "cc", *_numbered("gcc", env)), env)
    elif match is None:
        found = ask_compiler(Path(want), env=env)
    else:
        found = _first((want, *(_numbered(want, env) if want in {"gcc", "clang"} else ())), env)
    if found is not None:
        return found
    what = "C compiler (gcc or clang)" if want == "auto" else f"compiler {want}"
    there = ", ".join(compiler.path for compiler in find_compilers(env=env))
    raise EnvironmentFault(
        f"there is no {what} on this host" + (f", only {there}" if there else ""),
        hint="`ftbuild doctor` gives the command that installs it.",
    )


def find_compilers(*, env: Mapping[str, str]) -> tuple[Compiler, ...]:
    """Every gcc and clang on PATH, each once, those with plain names first."""
    found: dict[str, Compiler] = {}
    for name in sorted(_names(env)):
        path = which(name, env)
        compiler = None if path is None else ask_compiler(path, env=env)
        if compiler is not None:
            found.setdefault(compiler.identity, compiler)
    return tuple(found.values())


def ask_compiler(path: Path, *, env: Mapping[str, str]) -> Compiler | None:
    """What a compiler says of itself, with its tools; None where it is neither gcc nor clang."""
    told = said(path, "-v", env=env)
    version, target = _VERSION.search(told), _TARGET.search(told)
    if version is None or target is None:
        return None
    if version["family"] == "clang":
        home = _INSTALLED.search(told)
        folders = (Path(home[1]) if home else path.parent, path.resolve().parent)
        tools = _llvm_tools(path, folders, version["version"], target[1], env)
    else:
        tools = _gcc_tools(path, version["version"], env)
    return Compiler(
        family=version["family"],
        version=version["version"],
        target=target[1],
        path=str(path),
        tools=tools,
    )


def lacking_tools(compiler: Compiler, *, pgo: bool, lto: bool, system: str) -> tuple[str, ...]:
    """The companion tools that a build needs and this compiler lacks in its own version."""
    if compiler.family != "clang" or system == "darwin":
        return ()  # gcc brings its own; Apple's clang finds its tools through xcrun
    needed = ("llvm-profdata", PROFILE_RUNTIME) * pgo + ("llvm-ar", "ld.lld") * lto
    return tuple(tool for tool in needed if tool not in compiler.tools)


def tool_version(tool: Path, *, env: Mapping[str, str]) -> str:
    """The version of an LLVM tool, empty where it tells none."""
    # Until LLVM 15 llvm-profdata knows --version only after a command.
    args = ("merge", "--version") if "profdata" in tool.name else ("--version",)
    found = _TOOL_VERSION.search(said(tool, *args, env=env))
    return "" if found is None else found[1]


def trial(compiler: Compiler, *flags: str, env: Mapping[str, str]) -> str:
    """Compile a small program and run it; return what went wrong, empty where nothing did.

    Args:
        compiler: The compiler.
        flags: Further flags, such as `-fprofile-instr-generate`.
        env: The environment.
    """
    with tempfile.TemporaryDirectory(prefix="ftbuild-trial-") as folder:
        program = Path(folder, "trial")
        argv = (compiler.path, *flags, "-x", "c", "-o", str(program), "-")
        english = {**env, "LC_ALL": "C"}
        compiled = capture(argv, env=english, cwd=Path(folder), stdin=_TRIAL)
        if not compiled.ok:
            lines = compiled.stderr.strip().splitlines()
            first = next((line for line in lines if "error" in line), compiled.ending)
            return f"cannot compile: {first}"
        try:
            ran = capture([program], env=env, cwd=Path(folder))
        except EnvironmentFault as fault:
            return f"what it makes does not run: {fault.message}"
        return "" if ran.ok else f"what it makes does not run: {ran.ending}"


def _first(
    names: Iterable[str],
    env: Mapping[str, str],
    good: Callable[[Compiler], bool] = lambda _: True,
) -> Compiler | None:
    """The first of some names on PATH behind which there is what it says, and good."""
    for name in names:
        path = which(name, env)
        found = None if path is None else ask_compiler(path, env=env)
        if found is not None and found.family == (_family(name) or found.family) and good(found):
            return found
    return None


def _makes_the_fastest(clang: Compiler) -> bool:
    lacking = lacking_tools(clang, pgo=True, lto=True, system="linux")
    return int(major(clang.version)) >= _TAIL_CALLS and not lacking


def _numbered(family: str, env: Mapping[str, str]) -> list[str]:
    """The names with a version on PATH, the newest first: `clang-20`, `clang-19`."""
    names = (name for name in _names(env) if name.startswith(f"{family}-"))
    return sorted(names, key=numbers, reverse=True)


def _names(env: Mapping[str, str]) -> set[str]:
    """The names of compilers on PATH: `gcc`, `clang-19`."""
    names: set[str] = set()
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        if os.path.isdir(folder):  # noqa: PTH112 - "" is no folder here, Path("") is one
            names.update(filter(_NAME.fullmatch, os.listdir(folder)))  # noqa: PTH208 - names
    return names


def _family(name: str) -> str | None:
    """The family that a name claims; a path and `cc` claim none."""
    match = _WANT.fullmatch(name)
    return None if match is None else match["family"]


def _llvm_tools(
    clang: Path, folders: Iterable[Path], version: str, target: str, env: Mapping[str, str]
) -> dict[str, str]:
    """The companions of a clang, by plain name.

    An unsuffixed llvm-profdata is often of another release than clang. Its profiles are then
    refused after the training run, so a tool counts only where it says the same major version:
    the profile and bitcode formats change with that.
    """
    wanted = major(version)
    places = tuple(folders)

    def candidates(tool: str) -> Iterator[Path]:
        yield from (place / tool for place in places)
        for name in (f"{tool}-{wanted}", tool):
            if (path := which(name, env)) is not None:
                yield path

    def choose(tool: str) -> Path | None:
        for path in dict.fromkeys(candidates(tool)):
            if path.is_file() and major(tool_version(path, env=env)) == wanted:
                return path
        return None

    # In parallel: each takes some 20 ms to load the whole of LLVM before it can tell its version.
    with ThreadPoolExecutor(len(LLVM_TOOLS) + 1) as threads:
        runtime = threads.submit(_profile_runtime, clang, target, env)
        chosen = dict(zip(LLVM_TOOLS, threads.map(choose, LLVM_TOOLS), strict=True))
        chosen[PROFILE_RUNTIME] = runtime.result()
    return {tool: str(path) for tool, path in chosen.items() if path is not None}


def _profile_runtime(clang: Path, target: str, env: Mapping[str, str]) -> Path | None:
    """The library as clang's build names it: by architecture, or in a folder for each target."""
    resources = said(clang, "-print-resource-dir", env=env).strip()
    architecture = target.partition("-")[0]
    names = (f"linux/libclang_rt.profile-{architecture}.a", f"{target}/libclang_rt.profile.a")
    places = (Path(resources, "lib", name) for name in (*names, "darwin/libclang_rt.profile_osx.a"))
    return next((place for place in places if place.is_file()), None)


def _gcc_tools(gcc: Path, version: str, env: Mapping[str, str]) -> dict[str, str]:
    """gcc-ar, which reads archives of LTO objects: the one named like this gcc.

    It tells the version of binutils, not of gcc, so that its name must do: `gcc-12` goes with
    `gcc-ar-12`, and links are followed (`cc`, Debian's `gcc`).
    """
    twins = (path.with_name(path.name.replace("gcc", "gcc-ar")) for path in (gcc, gcc.resolve()))
    beside = [twin for twin in twins if "gcc-ar" in twin.name]
    names = (*(twin.name for twin in beside), f"gcc-ar-{major(version)}")
    elsewhere = (which(name, env) for name in names)
    for path in (*beside, *elsewhere):
        if path is not None and os.access(path, os.X_OK):
            return {"gcc-ar": str(path)}
    return {}
