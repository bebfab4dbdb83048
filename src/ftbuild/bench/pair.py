"""Chooses the two builds to measure, and refuses a pair that would compare more than the GIL."""

from __future__ import annotations

from collections.abc import Sequence

from ftbuild.bench.results import Build, Pair
from ftbuild.errors import Refused, UsageError
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout
from ftbuild.store.listing import is_linked
from ftbuild.verifying import compare

Builds = dict[Variant, Installation]
"""The two builds of a pair, by variant."""


def newest_pair(found: Sequence[Installation], layout: Layout, *, default_profile: str) -> Builds:
    """The pair of the newest release of which both builds are there, in the default profile if so.

    Args:
        found: Installed builds, newest release first.
        layout: Tells which of them were replaced; those count only where there is no other pair.
        default_profile: The profile preferred to any other.

    Raises:
        UsageError: There is no pair; the hint has the command that builds one.
    """
    pairs: dict[tuple[str, str], Builds] = {}
    for item in sorted(found, key=lambda item: not is_linked(layout, item)):
        pairs.setdefault((item.spec.version, item.spec.profile), {}).setdefault(
            item.spec.variant, item
        )
    whole = [pair for pair in pairs.values() if len(pair) == len(Variant)]
    for pair in whole:
        if pair[Variant.GIL].spec.profile == default_profile:
            return pair
    if not whole:
        raise UsageError(
            "no pair is installed: bench compares the GIL build and the free-threaded build of one "
            "release",
            hint="`ftbuild build 3.14` makes both.",
        )
    return whole[0]


def exactly_one_pair(found: Sequence[Installation]) -> Builds:
    """The pair that the named builds are.

    Raises:
        UsageError: They are not one GIL build and one free-threaded build.
    """
    pair = {item.spec.variant: item for item in found}
    if len(found) != len(Variant) or len(pair) != len(Variant):
        names = " and ".join(item.manifest.name for item in found)
        raise UsageError(
            f"bench takes one pair, a GIL build and a free-threaded one, not {names}",
            hint="For instance: ftbuild bench 3.14",
        )
    return pair


def judged(builds: Builds, *, unlike: bool) -> Pair:
    """The fingerprints of a pair, and in what beside the GIL its builds differ.

    Args:
        builds: The builds.
        unlike: Whether a pair that is not matched will do.

    Raises:
        Refused: The builds differ in more than the GIL, or one of them lost its PGO.
    """
    gil, free_threaded = builds[Variant.GIL], builds[Variant.FREE_THREADED]
    names = f"{gil.manifest.name} and {free_threaded.manifest.name}"
    wrong = (*compare(gil, free_threaded).failed, *_lost(gil), *_lost(free_threaded))
    if wrong and not unlike:
        raise Refused(
            "\n".join(
                (
                    f"{names} differ in more than the GIL",
                    *(f"  {check.name}: {check.expected}; {check.found}" for check in wrong),
                )
            ),
            hint=f"`ftbuild build {gil.spec.version} --force` makes a matched pair; "
            "--unlike measures this one and says so on every output.",
        )
    return Pair(gil=_fingerprint(gil), free_threaded=_fingerprint(free_threaded), unlike=wrong)


def _lost(item: Installation) -> tuple[Check, ...]:
    """The failed check on a build that was to be profile-guided and is not."""
    if item.manifest.result.pgo or not item.spec.pgo:
        return ()
    return (
        Check(
            name="pair.pgo",
            status=Status.FAILED,
            expected=f"{item.manifest.name} profile-guided",
            found="its training failed, and it was built without",
        ),
    )


def _fingerprint(item: Installation) -> Build:
    spec, result = item.spec, item.manifest.result
    return Build(
        name=item.manifest.name,
        version=spec.version,
        digest=item.manifest.digest,
        files_sha256=result.files_sha256,
        profile=spec.profile,
        compiler=spec.compiler,
        pgo=result.pgo,
        lto=result.lto,
        flags=(*spec.flags, *spec.configure_args),
    )
