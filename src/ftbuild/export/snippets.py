"""Configuration for tox and nox, ready to run, with interpreters that cannot be mistaken.

Paths rather than names: a `3.14` is looked for on a PATH, and what stands there first is taken.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from ftbuild.export.path import runnable
from ftbuild.model.manifest import Installation
from ftbuild.model.text import escape_unseen
from ftbuild.store.layout import Layout
from ftbuild.store.listing import is_linked

_SCRIPT = "import sys; print(sys.version); print('GIL enabled:', sys._is_gil_enabled())"


def interpreters(
    layout: Layout, found: Collection[Installation], *, default_profile: str
) -> dict[str, Path]:
    """What each build is called, and the path that is its own: `3.14t`, `<root>/bin/python3.14t`.

    A build that has no launcher, because a newer release of its series has it, goes by its release.
    """
    launchers: dict[Path, str] = {}
    for name, item in runnable(layout, default_profile).items():
        # The plain name, where a build has two.
        launchers[item.prefix] = min(name, launchers.get(item.prefix, name), key=len)
    named = {}
    current = [item for item in found if is_linked(layout, item)]  # not those that were replaced
    for item in current or found:
        launcher = launchers.get(item.prefix)
        if launcher is not None:
            named[launcher.removeprefix("python")] = layout.bin / launcher
        else:
            name = item.manifest.name.removeprefix("cpython-").replace("+", "-")
            path = layout.root / item.manifest.name / "bin" / item.python.name
            named[name] = path if path.resolve() == item.python.resolve() else item.python
    return named


def tox(pythons: Mapping[str, Path]) -> str:
    """A `tox.toml` with an environment for each interpreter."""
    environments = "\n".join(
        f"[env.{_text(name)}]\nbase_python = [{_text(path)}]\n" for name, path in pythons.items()
    )
    return f"""\
requires = ["tox>=4.57"]  # an older one gets itself this one: it does not know what 3.14t is
env_list = [{", ".join(map(_text, pythons))}]

[env_run_base]
skip_install = true  # without this line, your project is installed first
commands = [["python", "-c", {_text(_SCRIPT)}]]

{environments}"""


def nox(pythons: Mapping[str, Path]) -> str:
    """A `noxfile.py` with a session for each interpreter."""
    parameters = "\n".join(
        f"        nox.param({_text(path)}, id={_text(name)})," for name, path in pythons.items()
    )
    return f"""\
import nox


@nox.session
@nox.parametrize(
    "python",
    [
{parameters}
    ],
)
def tests(session: nox.Session) -> None:
    session.run("python", "-c", {_text(_SCRIPT)})
"""


def _text(value: str | Path) -> str:
    """A string as TOML and Python both write it: as JSON does, but for letters beyond ASCII."""
    return escape_unseen(json.dumps(str(value), ensure_ascii=False))
