"""Invoke tasks: everything `ftbuild` does, and what contributors need beside it.

`inv --list` shows them all; in a checkout `./ftbuild test` reaches them too.
"""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit

from ftbuild.cli import namespace
from ftbuild.cli.imaging import image_render
from ftbuild.program import command, spoken_names

ROOT = Path(__file__).parent
PYTHON = f'"{sys.executable}" -m'
COMMANDS = ROOT / "docs" / "commands.md"


@command(name="test", help={"fast": "leave out the real builds (minutes)"})
def run_tests(c: Context, fast: bool = False) -> None:
    """Lint, types, layers, then every test; with real CPython builds unless --fast."""
    lint(c)
    chosen = "-m 'not real'" if fast else ""
    with c.cd(str(ROOT)):
        c.run(f"{PYTHON} pytest {chosen}", pty=sys.stdout.isatty())


@command(help={"fix": "mend what can be mended"})
def lint(c: Context, fix: bool = False) -> None:
    """Style (ruff), types (mypy, strict), layers (import-linter), generated documents."""
    with c.cd(str(ROOT)):
        c.run(f"{PYTHON} ruff format {'' if fix else '--check'} .")
        c.run(f"{PYTHON} ruff check {'--fix' if fix else ''} .")
        c.run(f"{PYTHON} mypy")
        c.run(f'"{Path(sys.executable).with_name("lint-imports")}"')
    docs(c, check=not fix)
    image_render(c, output=str(ROOT), check=not fix)


@command(help={"check": "only say whether they are up to date"})
def docs(c: Context, check: bool = False) -> None:
    """Write docs/commands.md from the tasks, and docs/api.md from the docstrings."""
    text = _reference()
    if check and COMMANDS.read_text() != text:
        raise Exit(f"{COMMANDS} is out of date: run `./ftbuild docs`", code=1)
    COMMANDS.write_text(text)
    with c.cd(str(ROOT)):
        c.run(f'"{sys.executable}" docs/api.py {"--check" if check else ""}')


def _reference() -> str:
    lines = ["# Commands", "", "Written by `./ftbuild docs`; do not edit.", ""]
    spoken = spoken_names(namespace)
    for context in sorted(namespace.to_contexts(), key=lambda found: spoken[str(found.name)]):
        name = str(context.name)
        words = getattr(namespace[name], "words", None)
        given = f" [{words.upper()} …]" if words else ""
        about = (namespace[name].__doc__ or "").strip().splitlines()
        lines += [f"## `ftbuild {spoken[name]}{given}`", ""]
        lines += [*(line.strip() for line in about), ""]
        options = [(flags, text) for flags, text in context.help_tuples() if f"--{words}" != flags]
        if options:
            lines += ["| option | |", "|---|---|"]
            lines += [f"| `{flags}` | {text} |" for flags, text in options]
            lines.append("")
    return "\n".join(lines)


for contributors in (run_tests, lint, docs):
    namespace.add_task(contributors)
