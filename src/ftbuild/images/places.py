"""Where things are in an image, and the label by which its flavour is known."""

from __future__ import annotations

from ftbuild.model.versions import Variant, series_of

PREFIXES = "/opt/python"
"""Where the builds of an image are: `/opt/python/3.14`, `/opt/python/3.14t`."""

SUPPRESSIONS = f"{PREFIXES}/suppressions.txt"
"""The sanitizer's suppression list, of both builds in one: a variable can name only one."""

FLAVOUR = "ftbuild.flavour"
"""The label that says what else is in an image: `slim`, `dev`, `tsan`."""


def prefix(release: str, variant: Variant) -> str:
    """Where a build is in an image. Its series names it, so that it stays from patch to patch.

    >>> prefix("3.14.7", Variant.FREE_THREADED)
    '/opt/python/3.14t'
    """
    return f"{PREFIXES}/{series_of(release)}{variant.suffix}"
