"""What a build is made of beside CPython's own code: what its source brings, what it is linked to.

Recorded while it is built, because archives travel: neither the source tree nor the system that a
build was linked on is there where somebody asks.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from ftbuild.model.text import Sha256, Url, Word


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else's work in CPython's source that is part of a build.

    Fields that the source does not state are None.

    Attributes:
        name: Its name upstream: `expat`, `pip`.
        version: Its version, or the commit it was taken from.
        license: An SPDX licence expression.
        purl: Its package URL.
        cpe: Its name in vulnerability databases.
        location: Where the copy was taken from.
        sha256: Hash of what was taken: of the archive at `location`, or of a bundled wheel.
        within: The component that it is a part of: pip brings copies of its own dependencies.
    """

    name: str
    version: str
    license: str | None = None
    purl: Url | None = None
    cpe: Url | None = None
    location: Url | None = None
    sha256: Sha256 | None = None
    within: str | None = None


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A package of a distribution.

    Attributes:
        kind: `deb`, `rpm` or `apk`, the types of package URLs.
        name: Its name.
        version: Its version in the distribution's spelling, an rpm's without its epoch.
        architecture: What the distribution calls it: `amd64`.
        distribution: The distribution's `ID` in os-release: `debian`; empty where it tells none.
        release: Its `VERSION_ID`: `12`; empty where it tells none.
        epoch: An rpm's epoch; empty where there is none.
    """

    kind: Word
    name: Annotated[str, msgspec.Meta(min_length=1)]
    version: str
    architecture: str
    distribution: str
    release: str
    epoch: str = ""


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """A system library that the interpreter or one of its extension modules is linked with.

    Attributes:
        name: The name by which the loader looks for it: `libssl.so.3`.
        path: Where it was on the system that the build was made on; None if it was not found.
        package: The package that brought it; None if no package manager knows.
    """

    name: str
    path: str | None
    package: Package | None
