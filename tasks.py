"""Invoke tasks: everything `ftbuild` does, and what contributors need beside it.

`inv --list` shows them all; in a checkout `./ftbuild test` reaches them too.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit

from ftbuild.catalogue import load as load_catalogue
from ftbuild.cli import namespace
from ftbuild.cli.imaging import image_render
from ftbuild.program import command, spoken_names
from ftbuild.toolchain.packages import library_packages

ROOT = Path(__file__).parent
PYTHON = f'"{sys.executable}" -m'
QUICK = ("tests/unit", "tests/integration", "tests/faults")
COMMANDS = ROOT / "docs" / "commands.md"
PACKAGES = ROOT / "launcher" / "packages.txt"


@command(
    name="test",
    words="paths",
    help={
        "paths": "only the tests in these files or folders, without lint",
        "fast": "leave out the real builds (minutes)",
    },
)
def run_tests(c: Context, paths: Sequence[str] = (), fast: bool = False) -> None:
    """Lint, types, layers, then every test; with real CPython builds unless --fast."""
    if not paths:
        lint(c)
    # Real builds use all CPUs by themselves; the others share them.
    shared = shlex.join(paths or QUICK)
    with c.cd(str(ROOT)):
        c.run(f"{PYTHON} pytest -n auto --dist loadgroup {shared}", pty=sys.stdout.isatty())
        if not (paths or fast):
            c.run(f"{PYTHON} pytest tests/real", pty=sys.stdout.isatty())


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
    """Write docs/commands.md from the tasks, docs/api.md from the docstrings, and package names."""
    for path, text in ((COMMANDS, _reference()), (PACKAGES, _packages())):
        if check and path.read_text() != text:
            raise Exit(f"{path} is out of date: run `./ftbuild docs`", code=1)
        path.write_text(text)
    with c.cd(str(ROOT)):
        c.run(f'"{sys.executable}" docs/api.py {"--check" if check else ""}')


@command(help={})
def lock(c: Context) -> None:
    """Write launcher/*.txt: the newest versions of what ftbuild and its contributors need."""
    arguments = "--universal --generate-hashes --no-annotate --no-header --python-version 3.11"
    with c.cd(str(ROOT)):
        compile_ = f"{PYTHON} uv pip compile --quiet --upgrade {arguments} pyproject.toml"
        c.run(f"{compile_} --output-file launcher/run.txt")
        c.run(f"{compile_} --all-extras -c launcher/run.txt -o launcher/contributors.txt")


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


def _packages() -> str:
    """What `./ftbuild` must know of package managers before there is anything to read YAML with."""
    recipes = load_catalogue((ROOT / "recipes",))
    lines = [
        "# Written by `./ftbuild docs` from recipes/libraries.yaml; do not edit.",
        "# manager|distributions|as whom|refresh|install|Python|build|libraries",
    ]
    for name, manager in recipes.managers.items():
        brought = library_packages(recipes.libraries, recipes.libraries, name)
        fields = (
            (name,),
            manager.distributions,
            ("root" if manager.root else "user",),
            manager.refresh,
            manager.install,
            manager.python,
            manager.build,
            brought,
        )
        lines.append("|".join(map(" ".join, fields)))
    return "\n".join(lines) + "\n"


for contributors in (run_tests, lint, docs, lock):
    namespace.add_task(contributors)
