"""Tasks that show builds to pyenv and on a PATH, and take them away again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context

from ftbuild import render
from ftbuild.cli.surroundings import HELP, builds, default_profile, layout_at
from ftbuild.errors import UsageError
from ftbuild.export import path, pyenv
from ftbuild.model.versions import parse_requests
from ftbuild.program import command

_HELP = HELP | {
    "pyenv_root": "pyenv's own directory [PYENV_ROOT, else ~/.pyenv]",
    "into": "the directory for the launchers, such as ~/.local/bin",
}


@command(name="pyenv", words="versions", help=_HELP)
def link_pyenv(
    _c: Context,
    versions: Sequence[str] = (),
    pyenv_root: str = "",
    root: str = "",
    json: bool = False,
) -> None:
    """Show installed builds to pyenv: `3.14.7t` is the free-threaded one, `3.14.7` the other.

    A version that is there already and not ftbuild's stays; exits 1 then.
    """
    layout = layout_at(root)
    made = pyenv.link(
        layout,
        builds(versions, layout),
        pyenv_root=_pyenv_root(pyenv_root),
        default_profile=default_profile(),
    )
    render.linked(made, after="pyenv rehash", json=json)


@command(name="path", words="versions", help=_HELP)
def link_path(
    _c: Context,
    versions: Sequence[str] = (),
    into: str = "",
    root: str = "",
    json: bool = False,
) -> None:
    """Make launchers with unambiguous names in a directory: `python3.14t`, `python3.14`.

    A name that is there already and not ftbuild's stays; exits 1 then.
    """
    if not into:
        raise UsageError(
            "no directory was named", hint="For instance: ftbuild link path --into ~/.local/bin"
        )
    layout = layout_at(root)
    made = path.link(
        layout,
        builds(versions, layout),
        into=Path(into),
        default_profile=default_profile(),
        env=os.environ,
    )
    render.on_path(made, json=json)


@command(
    name="pyenv",
    words="versions",
    help=_HELP | {"pyenv_root": "pyenv's own directory [every one that `link pyenv` was given]"},
)
def unlink_pyenv(
    _c: Context,
    versions: Sequence[str] = (),
    pyenv_root: str = "",
    root: str = "",
    json: bool = False,
) -> None:
    """Take builds away from pyenv; without a version, all of this root.

    Environments that pyenv-virtualenv made inside a version stay.
    """
    removed = pyenv.unlink(
        layout_at(root),
        parse_requests(versions),
        pyenv_root=Path(pyenv_root) if pyenv_root else None,
        default_profile=default_profile(),
    )
    render.unlinked(removed, json=json)


@command(
    name="path",
    words="versions",
    help=_HELP | {"into": "the directory [every one that `link path` was given]"},
)
def unlink_path(
    _c: Context,
    versions: Sequence[str] = (),
    into: str = "",
    root: str = "",
    json: bool = False,
) -> None:
    """Remove launchers that `link path` made; without a version, all of this root."""
    removed = path.unlink(
        layout_at(root), parse_requests(versions), into=Path(into) if into else None
    )
    render.unlinked(removed, json=json)


def _pyenv_root(given: str) -> Path:
    """The directory of pyenv, found as pyenv finds it."""
    return Path(given or os.environ.get("PYENV_ROOT") or "~/.pyenv")
