"""Do the modules of the standard library import, work, and leave the GIL alone?"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, expect, skipped
from ftbuild.verifying.probing import Context, NoAnswer, ask

_ALWAYS = ("hashlib", "uuid")
"""Modules that work without a library of the system, and are used by nearly every program."""

_SWITCHES = "switches the GIL on"


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `probes/modules.py`."""

    outcomes: dict[str, str]
    switched: str | None


def extensions(installation: Installation, context: Context) -> tuple[Check, ...]:
    """Every extension module of the standard library imports.

    In the free-threaded build each must leave the GIL off. That has no exceptions: even the
    modules for CPython's own tests, single-phase ones included, declare that they need no GIL
    (3.13.15, 3.14.7 and 3.15.0rc2 were searched for one that does not). What an image leaves out
    is not asked for.
    """
    names = ask(installation, context, "extensions.py", kind=list[str])
    if isinstance(names, NoAnswer):
        return (names.failed("imports.extensions", "a list of the extension modules"),)
    left_out = installation.manifest.result.left_out
    outcomes = _try(installation, context, [name for name in names if name not in left_out])
    broken = {name: outcome for name, outcome in outcomes.items() if outcome}
    return (
        expect(
            "imports.extensions",
            f"{len(outcomes)} modules import, the GIL as it was",
            f"{len(outcomes) - len(broken)} modules import, the GIL as it was",
            "See the checks named after the modules.",
        ),
        *(_failed(f"imports.{name}", "imports", outcome) for name, outcome in broken.items()),
    )


def promised(installation: Installation, context: Context) -> tuple[Check, ...]:
    """The modules that the libraries found make possible are there and do real work."""
    used, result = installation.manifest.used, installation.manifest.result
    wanted = {*_ALWAYS, *used.promised}
    outcomes = _try(installation, context, sorted(wanted.difference(result.left_out)))
    return (
        *(
            expect(f"modules.{name}", "works", outcome or "works")
            for name, outcome in outcomes.items()
        ),
        *(
            skipped(f"modules.{name}", "no library for it was found when this Python was built")
            for name in result.missing
        ),
        *(
            skipped(f"modules.{name}", "this image leaves it out")
            for name in sorted(wanted.intersection(result.left_out))
        ),
    )


def _try(installation: Installation, context: Context, names: Sequence[str]) -> dict[str, str]:
    """The outcome of each module, empty where all is well.

    One process for all of them, and another for the rest after a module that switches the GIL on.
    Where a process ends without an answer, each module gets one of its own, to name the culprit.
    """
    outcomes: dict[str, str] = {}
    while left := [name for name in names if name not in outcomes]:
        batch = ask(installation, context, "modules.py", *left, kind=_Batch)
        if isinstance(batch, NoAnswer):
            alone = {name: _alone(installation, context, name) for name in left}
            if not any(alone.values()):
                alone["all-together"] = batch.how
            return outcomes | alone
        outcomes |= _outcomes(batch)
    return outcomes


def _alone(installation: Installation, context: Context, name: str) -> str:
    batch = ask(installation, context, "modules.py", name, kind=_Batch)
    return batch.how if isinstance(batch, NoAnswer) else _outcomes(batch)[name]


def _outcomes(batch: _Batch) -> dict[str, str]:
    return {
        name: outcome or (_SWITCHES if name == batch.switched else "")
        for name, outcome in batch.outcomes.items()
    }


def _failed(name: str, expected: str, found: str) -> Check:
    return Check(name=name, status=Status.FAILED, expected=expected, found=found)
