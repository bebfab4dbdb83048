"""Reads what is installed. A prefix counts only with a whole manifest of a format we know.

One that has the name of an installation and no such manifest is damaged. It is told of, can be
removed by its own name, and hinders nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from packaging.version import Version

from ftbuild.errors import EnvironmentFault, Refused, UsageError
from ftbuild.files import PATIENCE, read_file
from ftbuild.model.manifest import Installation, Manifest, decode_manifest
from ftbuild.model.spec import BuildSpec
from ftbuild.model.text import STORE_NAME, Newer
from ftbuild.model.versions import Request, Variant, series_of
from ftbuild.store.layout import Layout

MANIFEST = "ftbuild.json"
"""The manifest's file name; its presence, whole, is what makes a prefix an installation."""


INCOMPLETE = "ftbuild.incomplete"
"""Marks a prefix of ours that is not finished."""

_CEILING = 16 << 20
"""Bytes a manifest may have; that of an optimised 3.14.7 has 20,000."""

_WAIT = 1.0
"""Seconds that are waited for a manifest in the store, should it be a pipe."""


class Damaged(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix that has the name of an installation and is none that this ftbuild understands.

    Attributes:
        prefix: Where it is.
        why: What is wrong with its manifest.
        newer: Whether nothing is but that a newer ftbuild made it.
    """

    prefix: Path
    why: str
    newer: bool = False

    @property
    def remedy(self) -> str:
        """What to do about it."""
        command = f"`ftbuild remove {self.prefix.name}`"
        if self.newer:
            return f"use the newer ftbuild, or remove it: {command}"
        return f"remove it, and build it again: {command}"


def read_manifest(path: Path) -> Manifest | None:
    """A manifest, or None if it is not there, cut short, damaged, or of another format."""
    try:
        return _read(path, _WAIT)
    except (OSError, Refused):
        return None


def load_manifest(path: Path) -> Manifest:
    """A manifest that the user names (`--from`).

    Raises:
        UsageError: It is no manifest that this ftbuild understands.
    """
    try:
        return _read(path / MANIFEST if path.is_dir() else path, PATIENCE)
    except (OSError, Refused) as error:
        raise UsageError(
            f"{path} is not a manifest this ftbuild understands: {_reason(error)}",
            hint=f"Give the {MANIFEST} at the top of an installed build, or that directory.",
        ) from None


def installations(layout: Layout) -> tuple[Installation, ...]:
    """Everything installed below a root, newest release first, the GIL build before the other."""
    found = [item for item in map(look_at, prefixes(layout)) if isinstance(item, Installation)]
    newest = sorted(found, key=lambda item: item.manifest.used.started, reverse=True)
    newest.sort(key=lambda item: (item.spec.profile, item.spec.variant is Variant.FREE_THREADED))
    newest.sort(key=lambda item: Version(item.spec.version), reverse=True)
    return tuple(newest)


def damaged(layout: Layout) -> tuple[Damaged, ...]:
    """The prefixes that have the name of an installation and are none, by name."""
    return tuple(item for item in map(look_at, prefixes(layout)) if isinstance(item, Damaged))


def prefixes(layout: Layout) -> tuple[Path, ...]:
    """What has the name of an installation: one set aside or kept after a failure has a suffix.

    Raises:
        EnvironmentFault: The store cannot be looked at.
    """
    try:
        found = sorted(layout.store.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise EnvironmentFault(f"{layout.store} cannot be looked at: {error.strerror}") from error
    return tuple(path for path in found if STORE_NAME.fullmatch(path.name))


def look_at(prefix: Path) -> Installation | Damaged | None:
    """What a prefix of that name is; None where there is none, or one that is not finished."""
    # Looked at first: the mark goes when the manifest is there.
    unfinished = os.path.lexists(prefix / INCOMPLETE)
    try:
        manifest = _read(prefix / MANIFEST, _WAIT)
    except (OSError, Refused) as error:
        if unfinished or not os.path.isdir(prefix):  # noqa: PTH112 - raises nothing
            return None
        return Damaged(prefix=prefix, why=_reason(error), newer=isinstance(error, Newer))
    if prefix.name != f"{manifest.name}-{manifest.digest[:8]}":
        return Damaged(prefix=prefix, why=f"its {MANIFEST} is that of another build")
    return Installation(prefix=prefix, manifest=manifest)


def named(layout: Layout, word: str) -> Installation | Damaged | None:
    """What has a store name, `cpython-3.14.7t-1a2b3c4d`; None if the word is none or nothing is."""
    return look_at(layout.store / word) if STORE_NAME.fullmatch(word) else None


def installed(layout: Layout, spec: BuildSpec, store_name: str) -> Installation | None:
    """The installation that already is what a specification asks for, if there is one."""
    prefix = layout.store / store_name
    manifest = read_manifest(prefix / MANIFEST)
    if manifest is None or manifest.digest != spec.digest:
        return None
    return Installation(prefix=prefix, manifest=manifest)


def is_linked(layout: Layout, installation: Installation) -> bool:
    """Whether the friendly name points to this installation and not to another of that name."""
    link = layout.root / installation.manifest.name
    # Not Path.resolve() and the like, which raise where a directory may not be looked at.
    return os.path.islink(link) and os.path.realpath(link) == os.path.realpath(installation.prefix)  # noqa: PTH114


def require_some(found: tuple[Installation, ...], layout: Layout) -> tuple[Installation, ...]:
    """The builds that a task needs to do anything, of which there must be one at least.

    The rule for a root without any: a task that needs a build ends with this error (exit 2), one
    that reports on builds says the same (`nothing_in`) and exits 0.

    Raises:
        UsageError: There is none; the hint has the command that builds one.
    """
    if not found:
        raise nothing_in(layout)
    return found


def nothing_in(layout: Layout) -> UsageError:
    """What there is to say of a root without builds, be it missing."""
    return UsageError(
        f"nothing is installed in {layout.root} yet", hint="`ftbuild build 3.14` is a start."
    )


def matching(
    found: Iterable[Installation], request: Request, *, default_profile: str
) -> tuple[Installation, ...]:
    """The builds a request means: of the newest release that fits, one for each variant it asks.

    Where no profile is named, the default profile's builds are preferred to any other.
    """
    fitting = [item for item in found if _fits(item, request)]
    if request.profile is None and any(i.spec.profile == default_profile for i in fitting):
        fitting = [item for item in fitting if item.spec.profile == default_profile]
    if not fitting:
        return ()
    newest = max(Version(item.spec.version) for item in fitting)
    of_release = [item for item in fitting if Version(item.spec.version) == newest]
    first_of = {
        variant: next((i for i in of_release if i.spec.variant is variant), None)
        for variant in request.variants
    }
    return tuple(item for item in first_of.values() if item is not None)


def find(layout: Layout, request: Request, *, default_profile: str) -> tuple[Installation, ...]:
    """The installed builds that a request means; never empty.

    Raises:
        UsageError: Nothing installed fits; the hint has the command that builds it.
    """
    everything = installations(layout)
    linked = [item for item in everything if is_linked(layout, item)]
    found = matching(linked, request, default_profile=default_profile) or matching(
        everything, request, default_profile=default_profile
    )
    if not found:
        names = ", ".join(dict.fromkeys(item.manifest.name for item in everything)) or "nothing"
        profile = f" --profile {request.profile}" if request.profile else ""
        version = request.text.partition("+")[0] if request.profile else request.text
        raise UsageError(
            f"no installed build matches {request.text}",
            hint=f"`ftbuild build {version}{profile}` makes it. {layout.root} has {names}."
            + "".join(f" {item.prefix.name} is damaged." for item in damaged(layout)),
        )
    return found


def meant(
    layout: Layout, requests: Sequence[Request], *, default_profile: str
) -> tuple[Installation, ...]:
    """The installed builds that requests mean, each once; all of them without a request.

    Raises:
        UsageError: Nothing installed fits one of them.
    """
    if not requests:
        return installations(layout)
    found = (find(layout, request, default_profile=default_profile) for request in requests)
    return tuple({item.prefix: item for items in found for item in items}.values())


def _read(path: Path, patience: float) -> Manifest:
    """A manifest.

    Raises:
        OSError: It cannot be read.
        Refused: It is damaged, or of another format.
    """
    return decode_manifest(read_file(path, limit=_CEILING, patience=patience), what=MANIFEST)


def _reason(error: OSError | Refused) -> str:
    if isinstance(error, FileNotFoundError):
        return f"it has no {MANIFEST}"
    return f"{MANIFEST}: {error.strerror}" if isinstance(error, OSError) else error.message


def _fits(item: Installation, request: Request) -> bool:
    spec = item.spec
    return (
        (request.release or spec.version) == spec.version
        and series_of(spec.version) == request.series
        and spec.variant in request.variants
        and (request.profile or spec.profile) == spec.profile
    )
