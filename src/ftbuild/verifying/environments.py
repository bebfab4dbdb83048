"""Do pip and virtual environments work?"""

from __future__ import annotations

import re
from pathlib import Path

from ftbuild.model.arguments import configured
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, expect, skipped
from ftbuild.verifying.identity import Facts
from ftbuild.verifying.probing import Context, NoAnswer, ask, complaint, resolved, run

_SAYS = re.compile(r"pip \S+ from (?P<place>.+) \(python [0-9.]+\)\s*")

_VENV_TIMEOUT = 180.0
"""Seconds for making a virtual environment; pip's installation into it takes 2 to 4."""


def environments(installation: Installation, context: Context) -> tuple[Check, ...]:
    """Pip belongs to the prefix; a virtual environment with pip is made from its own wheel.

    The virtual environment's interpreter must be of the same kind as the one it was made with.
    """
    if configured(installation.manifest.used.configure, "with_ensurepip") == "no":
        reason = "this Python was configured without pip"
        return skipped("pip.version", reason), skipped("venv.create", reason)
    own = _pip(installation, context, "pip.version", installation.python, installation.prefix)
    return own, *_venv(installation, context, context.scratch / "venv")


def _pip(
    installation: Installation, context: Context, name: str, python: Path, prefix: Path
) -> Check:
    """A check that pip runs and lies below the prefix."""
    done = run(
        (python, "-I", "-B", "-m", "pip", "--version"), installation=installation, context=context
    )
    place = pip_place(done.stdout)
    right = done.ok and place is not None and _below(prefix, place, context)
    return Check(
        name=name,
        status=Status.PASSED if right else Status.FAILED,
        expected=f"pip below {prefix}",
        found=done.stdout.strip() if done.ok else complaint(done),
    )


def pip_place(version: str) -> Path | None:
    """Where pip says it is, in what `pip --version` prints.

    >>> pip_place("pip 26.0 from /opt/a b/lib/pip (python 3.14)")
    PosixPath('/opt/a b/lib/pip')
    """
    says = _SAYS.fullmatch(version)
    return Path(says["place"]) if says else None


def _below(prefix: Path, place: Path, context: Context) -> bool:
    return resolved(place, context).is_relative_to(resolved(prefix, context))


def _venv(installation: Installation, context: Context, venv: Path) -> tuple[Check, ...]:
    made = run(
        (installation.python, "-I", "-B", "-m", "venv", venv),
        installation=installation,
        context=context,
        timeout=_VENV_TIMEOUT,
    )
    created = expect("venv.create", "made", "made" if made.ok else complaint(made))
    if not made.ok:
        return (created,)
    python = venv / "bin" / "python"
    facts = ask(installation, context, "identity.py", kind=Facts, python=python)
    if isinstance(facts, NoAnswer):
        return created, facts.failed("venv.python", "an interpreter that starts")
    base = resolved(installation.prefix, context)
    kind = _kind(not installation.free_threaded, installation.spec.abiflags, base)
    found = _kind(facts.gil, facts.abiflags, resolved(Path(facts.base_prefix), context))
    return (
        created,
        expect("venv.python", kind, found),
        _pip(installation, context, "venv.pip", python, venv),
    )


def _kind(gil: bool, abiflags: str, base: Path) -> str:
    return f"GIL {'on' if gil else 'off'}, abiflags {abiflags!r}, based on {base}"
