"""A throw-away environment: made with uv and the built interpreter, filled with what can be had.

Wheels go in together, in one run of uv. Where that fails, those that do not go in are found by
halves, and the rest is installed. Sdists are compiled only on demand, one after the other, each
with all jobs.

Compiling runs somebody else's code with uv as its parent. What a build gets to see of the caller's
environment is named in `wheels/uv.py`: the search path, certificates and proxies, no credentials.
Its home and temporary directory are its own. It may still read what the user may read.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ftbuild import process
from ftbuild.auditing.findings import Grading, Installed, Package, Target
from ftbuild.errors import EnvironmentFault
from ftbuild.files import require_room
from ftbuild.model.events import Emit, Measuring
from ftbuild.wheels.indexes import redacted
from ftbuild.wheels.uv import Uv, confined, entries_of

_BUILD_TIMEOUT = 3600.0
"""Seconds for compiling one package; a judgement, not a measurement."""

_LOG = 30
"""Lines of a failed build that are kept."""

_WIDE = 300
"""Characters of each that are kept."""

_ERRORS = 10
"""Those of them that may be errors from before the last lines: the first ones tell the most."""

_ERROR = re.compile(
    # gcc, clang and ld, rustc, Fortran, CMake and meson, Cython, and what Python raises.
    r"(?:^|[\s:])(?:fatal )?error(?:\[E\d+\])?:|^\s*error\b|^CMake Error|: ERROR: |^ERROR\b"
    r"|undefined reference to|^\w+(?:\.\w+)*(?:Error|Exception): ",
    re.IGNORECASE,
)

_NETWORK = ("error sending request", "dns error")
_OFFLINE = "Network connectivity is disabled"
"""In uv's complaints: it is no package that is at fault."""

_DOWNLOAD = re.compile(r"Failed to download `([^`]+)`")


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual environment without anything in it but what an audit puts there.

    Attributes:
        path: Its directory.
        python: Its interpreter.
        scratch: A directory beside it for whatever runs in it.
        search: Where programs are looked for: the caller's `PATH`.
    """

    path: Path
    python: Path
    scratch: Path
    search: str

    @property
    def packages(self) -> Path:
        """Its `site-packages`."""
        (found,) = self.path.glob("lib/python3.*/site-packages")
        return found


def make(target: Target, folder: Path, uv: Uv) -> Environment:
    """Make an environment of the target's interpreter below a folder.

    Raises:
        EnvironmentFault: uv does not make one.
        Interrupted: uv was stopped.
    """
    path, scratch = folder / "venv", folder / "scratch"
    done = uv.run("venv", "--quiet", "--no-project", "--python", target.python, path)
    if not done.ok:
        raise EnvironmentFault(
            f"uv made no environment with {target.python}: {_reason(done)}",
            hint=f"`ftbuild verify {target.label}` tells whether the interpreter is whole.",
        )
    scratch.mkdir(mode=0o700)
    return Environment(
        path=path,
        python=path / "bin" / "python",
        scratch=scratch,
        search=uv.env.get("PATH", os.defpath),
    )


def install(
    packages: Sequence[Package],
    gradings: Mapping[str, Grading],
    environment: Environment,
    uv: Uv,
    *,
    build: bool,
    jobs: int,
    emit: Emit,
) -> dict[str, Installed]:
    """Install what can be installed; what cannot be is an outcome, not an error.

    Args:
        packages: The packages, at the versions to install.
        gradings: What each ships, by its name: tells which have a wheel.
        environment: Where to install them.
        uv: Installs them.
        build: Whether to compile those that have no wheel.
        jobs: How many jobs a compilation may run.
        emit: Gets the progress of compilations.

    Returns:
        By name, what came of each package that was tried; those without a wheel are not, unless
        they are to be built.

    Raises:
        EnvironmentFault: The network is down, a wheel is not in the cache and we are offline, or
            there is no space left.
        Interrupted: uv was stopped.
    """
    wheels = [item for item in packages if gradings[item.name].wheel is not None]
    rest = [item for item in packages if gradings[item.name].wheel is None] if build else []
    found: dict[str, Installed] = {}
    # What a wheel puts into an environment runs when its Python starts, and that compiles bytecode.
    bare = confined(uv, environment.scratch / "install") if wheels else uv
    for asking, group in _by_index(wheels, bare):
        found |= _wheels(group, environment, asking)
    for number, package in enumerate(rest):
        emit(
            Measuring(
                task="audit",
                label=f"build {package.name} {package.version}",
                done=number,
                total=len(rest),
                left=None,
            )
        )
        ((asking, _),) = _by_index([package], uv)
        found[package.name] = _built(package, environment, asking, jobs)
    return found


def _by_index(packages: Sequence[Package], uv: Uv) -> list[tuple[Uv, list[Package]]]:
    """Packages, and the uv to install them with.

    A project may have packages from an index that uv asks for nothing else. What they are pinned to
    here is no part of the project, so that index has to be named first of all.
    """
    words = {redacted(url).rstrip("/"): url for url in uv.indexes}
    groups: dict[str | None, list[Package]] = {}
    for package in packages:
        word = words.get(package.index.rstrip("/")) if package.index else None
        groups.setdefault(word, []).append(package)
    return [
        (
            uv
            if word is None
            else msgspec.structs.replace(uv, settings=_asking_first(word, uv.settings)),
            group,
        )
        for word, group in groups.items()
    ]


def _asking_first(url: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of uv's with an index before all others."""
    rest = [entry for entry in entries_of(settings) if entry["url"] != url]
    return {**settings, "index": [{"url": url}, *rest], "index-strategy": "first-index"}


def pin(package: Package) -> str:
    """The requirement that exactly this package meets.

    >>> pin(Package(name="numpy", version="2.0", via=(), chain=()))
    'numpy==2.0'
    """
    if package.source is None:
        return f"{package.name}=={package.version}"
    source = package.source
    return f"{package.name} @ {source if '://' in source else Path(source).absolute().as_uri()}"


def _wheels(packages: Sequence[Package], environment: Environment, uv: Uv) -> dict[str, Installed]:
    """Install wheels together; where that fails, by halves."""
    if not packages:
        return {}
    asked = environment.scratch / "wheels.txt"
    asked.write_text("".join(f"{pin(package)}\n" for package in packages), encoding="utf-8")
    done = uv.run(
        *("pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"),
        "--compile-bytecode",
        "--python",
        environment.python,
        *("--requirement", asked),
    )
    if done.ok:
        return {package.name: Installed(how="wheel") for package in packages}
    if fault := _fault(done):
        raise fault
    require_room(environment.scratch, done.stderr)
    if len(packages) == 1:
        return {packages[0].name: Installed(how=None, why=_reason(done))}
    half = len(packages) // 2
    return _wheels(packages[:half], environment, uv) | _wheels(packages[half:], environment, uv)


def _fault(done: process.Completed) -> EnvironmentFault | None:
    """The error that a failed installation is, if no package is to blame for it."""
    if _OFFLINE in done.stderr:
        found = _DOWNLOAD.search(done.stderr)
        return EnvironmentFault(
            f"{found[1] if found else 'a wheel'} is not in uv's cache, and --offline forbids to "
            "fetch it",
            hint="Run the audit once without --offline; --no-probe needs no wheels.",
        )
    if any(sign in done.stderr for sign in _NETWORK):
        return EnvironmentFault(
            f"wheels cannot be fetched: {_reason(done)}",
            hint="Is the network up? --no-probe needs no wheels.",
        )
    return None


def _built(package: Package, environment: Environment, uv: Uv, jobs: int) -> Installed:
    """Compile and install one package."""
    folder = environment.scratch / f"build-{package.name}"
    began = time.monotonic()
    done = building(uv, folder, jobs).run(
        *("pip", "install", "--no-deps", "--compile-bytecode"),
        "--python",
        environment.python,
        pin(package),
        timeout=_BUILD_TIMEOUT,
    )
    seconds = time.monotonic() - began
    if done.ok:
        return Installed(how="built", seconds=seconds)
    require_room(environment.scratch, done.stderr)
    log = tuple(_cut(redacted(line.rstrip())) for line in done.stderr.strip().splitlines())
    return Installed(how=None, why=_reason(done), log=telling(log), seconds=seconds)


def telling(log: Sequence[str]) -> tuple[str, ...]:
    """The lines of a failed build to keep: its first errors, and its last lines.

    A compiler that runs several jobs ends long after it told why it fails, and may warn of much
    meanwhile.
    """
    if len(log) <= _LOG:
        return tuple(log)
    at = [number for number, line in enumerate(log[:-_LOG]) if _ERROR.search(line)][:_ERRORS]
    if not at:
        return tuple(log[-_LOG:])
    first = [log[number] for number in at]
    return (*first, "…", *log[-(_LOG - len(first) - 1) :])


def _cut(line: str) -> str:
    """A line, without most of what the command of a compiler has."""
    return line if len(line) <= _WIDE else f"{line[:_WIDE]}…"


def building(uv: Uv, folder: Path, jobs: int) -> Uv:
    """A uv for a build: confined, and told how many jobs it may run.

    Args:
        uv: The uv whose environment it is taken from, and whose cache is used.
        folder: Its home and temporary directory are made of this.
        jobs: The number of jobs, in the variables that the usual build systems heed.
    """
    count, own = str(jobs), confined(uv, folder)
    env = {
        **own.env,
        # make and what runs it; setuptools; CMake; scikit-build; meson and cargo know their own.
        "MAKEFLAGS": f"-j{count}",
        "MAX_JOBS": count,
        "NPY_NUM_BUILD_JOBS": count,
        "CMAKE_BUILD_PARALLEL_LEVEL": count,
        "CARGO_BUILD_JOBS": count,
        "RAYON_NUM_THREADS": count,
        "UV_CONCURRENT_BUILDS": "1",
    }
    return msgspec.structs.replace(own, env=env)


def _reason(done: process.Completed) -> str:
    """What uv complained of, in a line without credentials.

    That is its causes, the innermost last: the first line says only that something failed.
    """
    if done.timed_out:
        return f"not done after {done.allowed / 60:.0f} minutes"
    told: list[str] = []
    within = False
    for line in map(str.strip, done.stderr.splitlines()):
        mark, _, words = line.partition(":")
        if mark in {"error", "cause"}:
            told.append(words)
            within = True
        elif not line or line.startswith("[") or mark == "hint":
            within = False  # what a build printed, or advice on how to use uv
        elif within:
            told[-1] += f" {line}"
    return ": ".join(redacted(words.strip()).rstrip(":") for words in told) or done.ending
