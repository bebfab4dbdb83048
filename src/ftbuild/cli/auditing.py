"""The task that audits a project's dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context

from ftbuild import api, render
from ftbuild.cli.surroundings import HELP, positive, world_of
from ftbuild.program import command


@command(
    words="inputs",
    help=HELP
    | {
        "inputs": "a project, a requirements or lock file, a virtual environment, or requirements "
        "themselves ('numpy<3'); the current directory if none is named",
        "python": "the free-threaded build: 3.14t [the newest installed one]",
        "compare": "several of them beside each other: 3.13t,3.14t,3.15t",
        "extra": "an extra of the project; repeatable",
        "group": "a dependency group of the project; repeatable",
        "probe": "install and import (the default), or not: then no code of the packages runs",
        "build": "compile what has no wheel, and import that too",
        "stress": "also import and call from many threads at once",
        "tests": "a command that runs the project's tests in the same environment",
        "timeout": "seconds one module may take to be imported [30, more on a busy machine]",
        "jobs": "processes at a time [the CPUs this process may use]",
        "fail_on": "what makes it exit 1: missing, gil, crash, unknown, none; comma-separated "
        "[missing,gil,crash]",
        "baseline": "a file of what is known already: only news fails",
        "update_baseline": "write that file",
        "format": "text, json, markdown, sarif or github (annotations) [text]",
        "verbose": "a row for every package, also for those that are fine",
        "offline": "use what uv and ftbuild have cached, alone",
        "variable": "a variable whose value the project's addresses (https://${NAME}@host/) get; "
        "repeatable [none]",
    },
)
def audit(
    _c: Context,
    inputs: Sequence[str] = (),
    python: str = "",
    compare: str = "",
    extra: Sequence[str] = (),
    group: Sequence[str] = (),
    probe: bool = True,
    build: bool = False,
    stress: bool = False,
    tests: str = "",
    timeout: int = 0,
    jobs: int = 0,
    fail_on: Sequence[str] = (),
    baseline: str = "",
    update_baseline: bool = False,
    format: str = "",  # noqa: A002 - the option's name
    verbose: bool = False,
    offline: bool = False,
    variable: Sequence[str] = (),
    root: str = "",
    quiet: bool = False,
    json: bool = False,
) -> None:
    """Audit a project's dependencies for free threading.

    They are resolved for a free-threaded build, what each ships for it is graded, and every
    extension module is imported in a process of its own: does it crash, hang, or switch the GIL
    on? That runs code of the packages; --no-probe does not. Exits 1 if something blocks.
    """
    from ftbuild import auditing  # noqa: PLC0415 - 75 ms that other tasks need not wait

    cwd = Path.cwd()
    reporting = auditing.reporting(
        format=format,
        json=json,
        everything=verbose,
        fail=fail_on,
        baseline=baseline,
        update=update_baseline,
        cwd=cwd,
    )
    how = auditing.How(
        probe=probe,
        build=build,
        stress=stress,
        tests=tests,
        timeout=positive(timeout, "--timeout"),
        jobs=positive(jobs, "--jobs"),
        offline=offline,
        variables=tuple(variable),
    )
    with world_of(root, quiet=quiet, writes=False) as world:
        found = api.audit(
            *inputs,
            python=(python, compare),
            extras=extra,
            groups=group,
            how=how,
            world=world,
        )
    render.audited(found, reporting)
