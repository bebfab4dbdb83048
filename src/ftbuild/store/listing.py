"""Reads what is installed. A prefix counts only with a whole manifest of a format we know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from packaging.version import Version

from ftbuild.errors import UsageError
from ftbuild.model.manifest import FORMAT, Installation, Manifest
from ftbuild.model.spec import BuildSpec
from ftbuild.model.versions import Request, Variant, series_of
from ftbuild.store.layout import Layout

MANIFEST = "ftbuild.json"
"""The manifest's file name; its presence, whole, is what makes a prefix an installation."""


def read_manifest(path: Path) -> Manifest | None:
    """A manifest, or None if it is not there, cut short, damaged, or of another format."""
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None
    return manifest if manifest.format == FORMAT else None


def load_manifest(path: Path) -> Manifest:
    """A manifest that the user names (`--from`).

    Raises:
        UsageError: It is no manifest that this ftbuild understands.
    """
    manifest = read_manifest(path / MANIFEST if path.is_dir() else path)
    if manifest is None:
        raise UsageError(
            f"{path} is not a manifest this ftbuild understands (format {FORMAT})",
            hint=f"Give the {MANIFEST} at the top of an installed build, or that directory.",
        )
    return manifest


def installations(layout: Layout) -> tuple[Installation, ...]:
    """Everything installed below a root, newest release first, the GIL build before the other."""
    found = (
        Installation(prefix=path.parent, manifest=manifest)
        for path in layout.store.glob(f"cpython-*/{MANIFEST}")
        if (manifest := read_manifest(path)) is not None
        # A prefix set aside or kept after a failure carries a suffix that its manifest lacks.
        and path.parent.name == f"{manifest.name}-{manifest.digest[:8]}"
    )
    newest = sorted(found, key=lambda item: item.manifest.used.started, reverse=True)
    newest.sort(key=lambda item: (item.spec.profile, item.spec.variant is Variant.FREE_THREADED))
    newest.sort(key=lambda item: Version(item.spec.version), reverse=True)
    return tuple(newest)


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
    return link.is_symlink() and link.resolve() == installation.prefix.resolve()


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
            hint=f"`ftbuild build {version}{profile}` makes it. {layout.root} has {names}.",
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


def _fits(item: Installation, request: Request) -> bool:
    spec = item.spec
    return (
        (request.release or spec.version) == spec.version
        and series_of(spec.version) == request.series
        and spec.variant in request.variants
        and (request.profile or spec.profile) == spec.profile
    )
