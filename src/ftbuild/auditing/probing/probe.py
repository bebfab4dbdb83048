"""Imports what is installed, each module in a process of its own, and tells what came of it.

The processes are the business of `probes/supervise.py`, which runs under the built interpreter and
starts `probes/importing.py` with that of the environment. A package with several extension modules
is imported once and each of them in a fork from there; whatever does not go well that way counts
for nothing and is tried again in a fresh process. So scipy takes 10 s of CPU time instead of 45.

An import runs somebody else's code, as this user. It gets an environment of its own making (of the
caller's only the search path), a home and temporary directory of its own, no input, resource
limits, and is ended with all that it started. What the user may read it may read as well.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ftbuild import process
from ftbuild.auditing.findings import Culprit, Ending, Package, Probed, Target
from ftbuild.auditing.probing.environment import Environment
from ftbuild.auditing.probing.frames import frames, telling
from ftbuild.auditing.probing.modules import Distribution, Module, distributions, exports, modules
from ftbuild.auditing.target import PROBES
from ftbuild.errors import Interrupted
from ftbuild.files import require_room
from ftbuild.model.events import Emit, Measuring

TIMEOUT = 30.0
"""Seconds that an import may take by default. The slowest known, of torch, take 5 to 10."""

_FEW = 3
"""Modules of one package from which on they are tried in forks of one process."""

_STRESS_SECONDS = 1.5
"""Seconds that a package's objects are used by many threads."""

_STRESS_EXTRA = 60.0
"""Seconds that this may take longer than an import: finding out what can be used repeats."""

_GIB = 1 << 30

_WORST = (Ending.CRASHED, Ending.HUNG, Ending.GIL, Ending.FAILED, Ending.FINE)

_REMOVED = frozenset(
    {"aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils"}
    | {"imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes"}
    | {"smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"}
)
"""Modules that the standard library had, up to 3.11 or 3.12. Who imports one was not made for the
releases that have free threading, and lacks nothing optional."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A module that switched the GIL on, as `probes/witness.py` tells it: name, file, imports."""

    module: str
    file: str
    chain: tuple[str, ...]


_LIBRARY = re.compile(r"ImportError: (\S+): cannot open shared object file")
"""What the dynamic loader of Linux says of a library that is not there."""


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the process that imported a module wrote down."""

    seconds: float
    gil: bool
    culprits: tuple[Seen, ...]
    error: str | None
    lacks: str | None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor says of a module.

    Attributes:
        report: None if the process left none.
        code: How it ended: its exit status, or the negative number of a signal.
        late: Whether it was ended because it took too long.
        seconds: Wall time of the process.
        fault: What the faulthandler said.
        said: The end of its standard error.
        within: The package that hangs, if the module was not tried for that reason.
    """

    module: str
    report: Any
    code: int | None
    late: bool
    seconds: float
    fault: str
    said: str
    within: str | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is installed, for making sense of what happened.

    Attributes:
        folder: `site-packages`.
        owners: The package that each file belongs to, by its path below `site-packages`.
        places: The names of all modules, packages and directories there.
        packages: Those of them that are packages, not only directories.
    """

    folder: Path
    owners: Mapping[str, str]
    places: frozenset[str]
    packages: frozenset[str]


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes of a run have in common."""

    environment: Environment
    python: str
    jobs: int
    timeout: float
    emit: Emit
    stop: threading.Event


def probe(
    environment: Environment,
    target: Target,
    packages: Sequence[Package],
    *,
    jobs: int,
    timeout: float,
    stress: bool,
    emit: Emit,
    stop: threading.Event,
) -> dict[str, tuple[Probed, ...]]:
    """Import every extension module and every top-level module of the installed packages.

    Args:
        environment: Where they are installed.
        target: Its interpreter.
        packages: The packages to probe; those that are not installed are passed over.
        jobs: How many processes may run at a time.
        timeout: Seconds that an import may take.
        stress: Whether the top-level modules that are fine are called from many threads as well.
        emit: Gets the progress.
        stop: Ends it when set, from another thread.

    Returns:
        By name of the package, what came of its modules, the worst first.

    Raises:
        EnvironmentFault: The supervisor cannot be started, or there is no space left.
        Interrupted: `stop` was set.
    """
    folder = environment.packages
    installed = distributions(folder)
    known = known_of(installed, folder)
    wanted = {package.name for package in packages}
    tried = {
        str(item.name): modules(item, target.suffixes, exports(folder))
        for item in installed
        if item.name in wanted
    }
    run = _Run(
        environment=environment,
        python=target.python,
        jobs=jobs,
        timeout=timeout,
        emit=emit,
        stop=stop,
    )
    every = tuple(module for found in tried.values() for module in found)
    lines = _supervised(run, "import", tasks(every), len(every))
    found = {
        name: [probed(module, lines.get(module.name), known) for module in items]
        for name, items in tried.items()
    }
    if stress:
        asked = {name: stressed(items) for name, items in found.items()}
        heard = _supervised(
            msgspec.structs.replace(run, jobs=1, timeout=timeout + _STRESS_EXTRA),
            "stress",
            [task for items in asked.values() for task in items],
            sum(map(len, asked.values())),
        )
        for name, items in asked.items():
            for task in items:
                module = Module(name=task["modules"][0], extension=False)
                line = heard.get(module.name)
                found[name].append(probed(module, line, known, stress=True))
    return {name: tuple(sorted(items, key=_rank)) for name, items in found.items()}


def tasks(every: Sequence[Module]) -> list[dict[str, Any]]:
    """What the supervisor is to do, in order: top-level modules, groups, then single modules."""
    groups: dict[str, list[str]] = defaultdict(list)
    alone = []
    for module in every:
        if module.extension and module.package:
            groups[module.package].append(module.name)
        else:
            alone.append(_task(None, [module.name]))
    _merge(groups)
    few = [name for names in groups.values() if len(names) < _FEW for name in names]
    many = [(package, names) for package, names in groups.items() if len(names) >= _FEW]
    many.sort(key=lambda group: -len(group[1]))  # the longest first: the last ones end together
    return [
        *alone,
        *(_task(package, names) for package, names in many),
        *(_task(None, [name]) for name in few),
    ]


def _merge(groups: dict[str, list[str]]) -> None:
    """Put the modules of a package that has few of them to those of the package it is in.

    That has to be imported for them anyway, and may take a second: `scipy.stats._levy_stable` has
    one extension module, and `scipy.stats` is imported for it.
    """
    for depth in range(max((name.count(".") for name in groups), default=0), 0, -1):
        for package in [name for name in groups if name.count(".") == depth]:
            if len(groups[package]) < _FEW:
                groups.setdefault(package.rpartition(".")[0], []).extend(groups.pop(package))


def stressed(items: Sequence[Probed]) -> list[dict[str, Any]]:
    """What is to be called from many threads: the top-level modules of a package that are fine.

    Each goes with the extension modules below it. With the GIL on there would be nothing to see.
    """
    fine = [item for item in items if item.ending is Ending.FINE]
    return [
        _task(
            None,
            [top.module, *(i.module for i in fine if i.module.startswith(f"{top.module}."))],
            stress=True,
        )
        for top in fine
        if not top.extension or "." not in top.module
    ]


def _task(package: str | None, names: list[str], *, stress: bool = False) -> dict[str, Any]:
    return {"package": package, "modules": names, "stress": stress}


def _supervised(
    run: _Run, word: str, wanted: Sequence[dict[str, Any]], total: int
) -> dict[str, Heard]:
    """Run tasks; what the supervisor says, by module."""
    folder = run.environment.scratch / word
    folder.mkdir()
    env = {"PATH": run.environment.search, "LANG": "C.UTF-8"}
    plan = {
        "python": str(run.environment.python),
        "importing": str(PROBES / "importing.py"),
        "stressing": str(PROBES / "stressing.py"),
        "folder": str(folder),
        "env": env,
        "mark": process.MARK,
        "jobs": run.jobs,
        "timeout": run.timeout,
        "seconds": _STRESS_SECONDS,
        "threads": min(8, max(4, _cpus())),
        "limits": limits(run.timeout),
        "tasks": wanted,
    }
    path = folder / "plan.json"
    path.write_bytes(msgspec.json.encode(plan))
    lines: dict[str, Heard] = {}

    def hear(text: str) -> None:
        with contextlib.suppress(msgspec.DecodeError):  # its own last words, should it die
            line = msgspec.json.decode(text, type=Heard)
            lines[line.module] = line
            label = f"{word} {line.module}"
            run.emit(Measuring(task="audit", label=label, done=len(lines), total=total, left=None))

    process.stream(
        (run.python, "-I", "-S", "-B", PROBES / "supervise.py", path),
        env=env | {process.MARK: str(folder)},
        cwd=folder,
        log=folder / "log",
        on_line=hear,
        stop=run.stop,
    )
    if run.stop.is_set():
        raise Interrupted("the audit was stopped while modules were being imported")
    silent = [line for line in lines.values() if line.report is None]
    if silent or len(lines) < total:
        require_room(folder, "\n".join(line.said for line in silent))
    return lines


def limits(timeout: float) -> dict[str, int]:
    """The resource limits of an import that may take so many seconds, by name.

    None on address space: allocators, sanitizers and GPU libraries reserve terabytes of it. What is
    limited is memory that can be written to: half of the machine's, and at least 4 GiB, so that an
    import without measure fails by itself before the system ends something else for it.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "RLIMIT_CORE": 0,
        # The wall clock ends it; this is for what escapes.
        "RLIMIT_CPU": int((timeout + 30) * _cpus()),
        "RLIMIT_FSIZE": _GIB,
        "RLIMIT_DATA": max(4 * _GIB, memory // 2),
        "RLIMIT_NOFILE": 1024,
    }


def _cpus() -> int:
    return os.cpu_count() or 1


def probed(module: Module, line: Heard | None, known: Known, *, stress: bool = False) -> Probed:
    """What came of a module, in the light of what is installed."""
    if line is None:
        return Probed(
            module=module.name,
            extension=module.extension,
            ending=Ending.FAILED,
            seconds=0.0,
            error="the process that starts the imports ended before it told anything of this one",
            stress=stress,
        )
    try:
        report = msgspec.convert(line.report, type=_Report | None)
    except msgspec.ValidationError:
        report = None
    told = line.fault if line.fault.strip() else line.said
    found = Probed(
        module=module.name,
        extension=module.extension,
        ending=Ending.FINE,
        seconds=round(line.seconds, 3),
        stress=stress,
    )
    if report is not None:
        culprits = tuple(culprit_of(item, known) for item in report.culprits)
        ending = Ending.GIL if report.gil else Ending.FINE
        return msgspec.structs.replace(
            found,
            ending=ending if report.error is None else Ending.FAILED,
            seconds=round(report.seconds, 3),
            culprits=culprits,
            error=report.error,
            needs=_needs(report.lacks, known) or _library(report.error),
        )
    if line.late or line.code == -signal.SIGXCPU:
        within = None if line.within is None else f"{line.within}, which it is part of, hangs"
        return msgspec.structs.replace(found, ending=Ending.HUNG, frames=frames(told), error=within)
    if line.code is None or line.code >= 0:
        how = f"ended the interpreter with exit status {line.code}"
        return msgspec.structs.replace(found, ending=Ending.FAILED, error=how)
    return msgspec.structs.replace(
        found,
        ending=Ending.CRASHED,
        signal=process.ending(line.code).removeprefix("signal "),
        frames=frames(told),
        error=telling(line.said) or telling(line.fault) or None,
    )


def _rank(item: Probed) -> tuple[int, bool, str]:
    return _WORST.index(item.ending), item.extension, item.module


def culprit_of(seen: Seen, known: Known) -> Culprit:
    """Who switched the GIL on, with the package that its file belongs to."""
    below = os.path.relpath(os.path.realpath(seen.file), os.path.realpath(known.folder))
    return Culprit(module=seen.module, distribution=known.owners.get(below), chain=seen.chain)


def _library(error: str | None) -> str | None:
    """The shared library that an import lacks; a part of numba wants that of TBB."""
    found = _LIBRARY.match(error or "")
    return found[1] if found else None


def _needs(lacks: str | None, known: Known) -> str | None:
    """The module that an import lacks, if no installed package provides it and Python never did."""
    if lacks is None:
        return None
    parts = lacks.split(".")
    if parts[0] in _REMOVED or parts[0] in sys.stdlib_module_names:
        return None
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        if name not in known.places:
            return name
        if name in known.packages:
            return None  # a part of something that is there
    return None


def installed_in(folder: Path) -> Known:
    """What is installed in a `site-packages`."""
    return known_of(distributions(folder), folder)


def known_of(installed: Sequence[Distribution], folder: Path) -> Known:
    """The same, of what has been read already."""
    files = {file: str(item.name) for item in installed for file in item.files}
    places: set[str] = set()
    packages: set[str] = set()
    for file in files:
        parts = file.split("/")
        stem = parts[-1].partition(".")[0]
        if stem == "__init__":
            packages.add(".".join(parts[:-1]))
        places.update(".".join(parts[:count]) for count in range(1, len(parts)))
        places.add(".".join((*parts[:-1], stem)))
    return Known(
        folder=folder, owners=files, places=frozenset(places), packages=frozenset(packages)
    )
