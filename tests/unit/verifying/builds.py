"""What the tests of the checks have in common: a context, and checks by name."""

from __future__ import annotations

import os
from pathlib import Path

from ftbuild.model.report import Check, Report, Status
from ftbuild.model.spec import Compiler
from ftbuild.verifying import Context
from ftbuild.verifying.probing import Inside
from tests.builders import GCC, OPENSSL, build, changed, with_python

__all__ = [
    "GCC",
    "OPENSSL",
    "build",
    "changed",
    "context",
    "failing",
    "inside",
    "named",
    "with_python",
]


def context(scratch: Path, *, cpus: int = 2, compiler: Compiler | None = None) -> Context:
    """What the checks may use here."""
    return Context(env=dict(os.environ), scratch=scratch, cpus=cpus, compiler=compiler)


def named(checks: tuple[Check, ...] | Report) -> dict[str, Check]:
    """Checks by their names, which must be unique."""
    found = checks.checks if isinstance(checks, Report) else checks
    by_name = {check.name: check for check in found}
    assert len(by_name) == len(found)
    return by_name


def failing(checks: tuple[Check, ...] | Report) -> set[str]:
    """The names of the checks that failed."""
    return {n for n, check in named(checks).items() if check.status is Status.FAILED}


def inside(folder: Path, name: str = "box") -> Inside:
    """A container that is a directory of this host, entered by a script as by an engine."""
    enter = folder / "engine"
    # exec --workdir DIRECTORY CONTAINER COMMAND…
    enter.write_text(f'#!/bin/sh\ncd "$3" && [ "$4" = {name} ] && shift 4 && exec "$@"\n')
    enter.chmod(0o755)
    return Inside(enter=(str(enter), "exec"), container=name, env={"PATH": os.defpath})
