"""Invoke tasks: everything `ftbuild` does, and what contributors need beside it.

`inv --list` shows them all; in a checkout `./ftbuild test` reaches them too.
"""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from ftbuild.cli import namespace

ROOT = Path(__file__).parent
PYTHON = f'"{sys.executable}" -m'


@task(name="test", auto_shortflags=False, help={"fast": "leave out the real builds (minutes)"})
def run_tests(c: Context, fast: bool = False) -> None:
    """Lint, types, layers, then every test; with real CPython builds unless --fast."""
    lint(c)
    chosen = "-m 'not real'" if fast else ""
    with c.cd(str(ROOT)):
        c.run(f"{PYTHON} pytest {chosen}", pty=sys.stdout.isatty())


@task(auto_shortflags=False, help={"fix": "mend what can be mended"})
def lint(c: Context, fix: bool = False) -> None:
    """Style (ruff), types (mypy, strict), layers (import-linter)."""
    with c.cd(str(ROOT)):
        c.run(f"{PYTHON} ruff format {'' if fix else '--check'} .")
        c.run(f"{PYTHON} ruff check {'--fix' if fix else ''} .")
        c.run(f"{PYTHON} mypy")
        c.run(f'"{Path(sys.executable).with_name("lint-imports")}"')


for contributors in (run_tests, lint):
    namespace.add_task(contributors)
