"""The checks there are, in the order they are made, and the one way to make them."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Report
from ftbuild.verifying.details import details
from ftbuild.verifying.environments import environments
from ftbuild.verifying.headers import headers
from ftbuild.verifying.identity import identity
from ftbuild.verifying.modules import extensions, promised
from ftbuild.verifying.probing import Checker, Context, run
from ftbuild.verifying.scaling import scaling

QUICK: tuple[Checker, ...] = (identity, extensions)
"""What takes a second: is this the interpreter it says it is, and is it whole?"""

FULL: tuple[Checker, ...] = (*QUICK, promised, environments, headers, details, scaling)
"""What a build must pass before it is linked: 5 to 10 seconds."""


def verify(installation: Installation, *, checks: Sequence[Checker], context: Context) -> Report:
    """Make some checks on an installed build, one after the other.

    Nothing else should load the machine meanwhile: one of the checks measures how threads scale.

    Args:
        installation: The build.
        checks: `FULL`, `QUICK`, `files`, or any others.
        context: What they may use. They work in a directory of their own in its scratch.
    """
    with _scratch(installation, context) as folder:
        fresh = msgspec.structs.replace(context, scratch=folder)
        found = [check(installation, fresh) for check in checks]
    return Report(
        kind="verify",
        subject=installation.manifest.name,
        checks=tuple(itertools.chain.from_iterable(found)),
    )


@contextlib.contextmanager
def _scratch(installation: Installation, context: Context) -> Iterator[Path]:
    """A fresh directory in the scratch directory, in the container where that is in one."""
    if context.inside is None:
        with tempfile.TemporaryDirectory(dir=context.scratch) as name:
            yield Path(name).resolve()
        return
    folder = context.scratch / f"ftbuild-{secrets.token_hex(4)}"
    run(("mkdir", folder), installation=installation, context=context)
    try:
        yield folder
    finally:
        run(("rm", "-rf", folder), installation=installation, context=context)
