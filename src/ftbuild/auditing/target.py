"""The interpreter that a project is audited for: what it accepts, asked of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec
from packaging import tags

from ftbuild import process
from ftbuild.auditing.findings import Target
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Request, Variant, is_prerelease, series_of
from ftbuild.store.layout import Layout
from ftbuild.store.listing import find, installations, is_linked
from ftbuild.verifying.probing import complaint
from ftbuild.wheels.tags import accepted_by

PROBES = Path(__file__).with_name("probes")
"""Scripts for the built Pythons, which never import ftbuild."""


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    markers: dict[str, str]
    suffixes: tuple[str, ...]


def builds(
    requests: Sequence[Request], layout: Layout, *, default_profile: str
) -> tuple[Installation, ...]:
    """The installed free-threaded builds to audit for, each once.

    Args:
        requests: What was asked for; nothing means the newest one.
        layout: Where builds are.
        default_profile: The profile preferred to any other.

    Raises:
        UsageError: A GIL build is asked for, or nothing installed fits; the hint has the command
            that builds it.
    """
    for request in requests:
        if request.variant is not Variant.FREE_THREADED:
            _refuse_gil(request.text, request.release or request.series)
    if not requests:
        return (_newest(installations(layout), layout, default_profile),)
    found = (find(layout, request, default_profile=default_profile) for request in requests)
    return tuple({item.prefix: item for items in found for item in items}.values())


def _newest(found: Sequence[Installation], layout: Layout, default_profile: str) -> Installation:
    free = [item for item in found if item.spec.variant is Variant.FREE_THREADED]
    if not free:
        raise UsageError(
            "no free-threaded build is installed: an audit imports what is audited with one",
            hint="`ftbuild build 3.14t` makes one.",
        )
    # They come newest first: pre-releases, other profiles and what was replaced stand back.
    return min(
        free,
        key=lambda item: (
            is_prerelease(item.spec.version),
            item.spec.profile != default_profile,
            not is_linked(layout, item),
        ),
    )


def _refuse_gil(name: str, version: str) -> NoReturn:
    raise UsageError(
        f"{name} is a GIL build: whatever works today works with it. An audit tells what works "
        "without the GIL",
        hint=f"Name the free-threaded build: {version}t",
    )


def target_of(build: Installation, env: Mapping[str, str]) -> Target:
    """The target that an installed free-threaded build is.

    Args:
        build: The build.
        env: The caller's environment.

    Raises:
        UsageError: It is a GIL build.
        EnvironmentFault: It does not run.
    """
    spec = build.spec
    series = series_of(spec.version)
    if spec.variant is Variant.GIL:
        _refuse_gil(build.manifest.name, series)
    kept = {name: env[name] for name in ("PATH", "HOME", "LANG") if name in env}
    done = process.capture([build.python, "-I", PROBES / "facts.py"], env=kept)
    try:
        facts = msgspec.json.decode(done.stdout, type=_Facts) if done.ok else None
    except msgspec.DecodeError:
        facts = None
    if facts is None:
        raise EnvironmentFault(
            f"{build.python} does not run: {complaint(done)}",
            hint=f"`ftbuild verify {series}t` tells what is wrong with it.",
        )
    return Target(
        label=f"{series}t",
        name=build.manifest.name,
        version=spec.version,
        digest=build.manifest.digest,
        python=str(build.python),
        tags=accepted(spec.version),
        markers=facts.markers,
        suffixes=facts.suffixes,
    )


def accepted(version: str) -> tuple[str, ...]:
    """The wheel tags that the free-threaded build of a release accepts here, the best first."""
    return accepted_by(version, Variant.FREE_THREADED, tuple(tags.platform_tags()))
