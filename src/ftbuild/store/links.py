"""Names for installed builds: friendly links and launchers. All are relative symbolic links."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Collection, Iterable
from pathlib import Path

from packaging.version import Version

from ftbuild.errors import EnvironmentFault
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant, series_of
from ftbuild.store.layout import Layout
from ftbuild.store.listing import installations, is_linked
from ftbuild.store.locks import held
from ftbuild.store.tree import REPLACED


def hold_names(layout: Layout) -> contextlib.AbstractContextManager[None]:
    """Hold the lock under which names are given, taken away, and asked for before a removal."""
    return held(layout.locks / "links.lock")


def link(layout: Layout, installation: Installation, *, default_profile: str) -> None:
    """Make the friendly name point to an installation, and bring the launchers up to date.

    The lock of its prefix must be held: nobody else removes it then.

    Raises:
        EnvironmentFault: The name is taken by something ftbuild did not make.
    """
    with hold_names(layout):
        name = layout.root / installation.manifest.name
        before = name.resolve()
        _point(name, Path("store") / installation.prefix.name, ours="store/cpython-")
        if before.parent == installation.prefix.resolve().parent:
            (before / REPLACED).touch(mode=0o644)
        (installation.prefix / REPLACED).unlink(missing_ok=True)
        _refresh(layout, default_profile, asked=(installation.manifest.name,))


def refresh(layout: Layout, *, default_profile: str, asked: Collection[str] = ()) -> None:
    """Drop names whose build is gone and bring the launchers up to date.

    Args:
        layout: The root.
        default_profile: The profile whose builds get the plain names.
        asked: Friendly names of the builds for which a launcher's place must be free.

    Raises:
        EnvironmentFault: The place of one of these is taken by something ftbuild did not make.
    """
    with hold_names(layout):
        for path in layout.root.glob("cpython-*"):
            if path.is_symlink() and not path.exists() and _is_ours(path, "store/cpython-"):
                path.unlink(missing_ok=True)
        _refresh(layout, default_profile, asked=asked)


def launchers(found: Iterable[Installation], *, default_profile: str) -> dict[str, Installation]:
    """Which build each launcher name runs; pure.

    The plain name, `python3.14t`, is the newest release of its series in the default profile, or
    the newest of what there is. A build of another profile also gets a name of its own,
    `python3.14t-tsan`. There is never a name that could mean either build of a pair.
    """
    groups: dict[tuple[str, Variant], list[Installation]] = {}
    for item in found:
        groups.setdefault((series_of(item.spec.version), item.spec.variant), []).append(item)
    names: dict[str, Installation] = {}
    for (series, variant), items in groups.items():
        plain = f"python{series}{variant.suffix}"
        items.sort(key=lambda item: Version(item.spec.version))
        for item in items:
            if item.spec.profile != default_profile:
                names[f"{plain}-{item.spec.profile}"] = item
        names[plain] = max(
            items,
            key=lambda item: (item.spec.profile == default_profile, Version(item.spec.version)),
        )
    return names


def swap(path: Path, target: Path) -> None:
    """Make a link, or swap one for it, in one step.

    Raises:
        OSError: It cannot be made.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.symlink_to(target)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _refresh(layout: Layout, default_profile: str, *, asked: Collection[str]) -> None:
    """Bring the launchers up to date; a place that is taken matters to the builds asked for."""
    linked = (item for item in installations(layout) if is_linked(layout, item))
    wanted = launchers(linked, default_profile=default_profile)
    for name, item in wanted.items():
        # Not by way of the friendly name: sys.prefix would be that, and a virtual environment would
        # change its interpreter whenever the name is swapped.
        target = Path("..", "store", item.prefix.name, "bin", item.python.name)
        taken = _is_taken(layout.bin / name, "../store/cpython-")
        if item.manifest.name in asked or not taken:
            _point(layout.bin / name, target, ours="../store/cpython-")
    for path in layout.bin.iterdir():
        if path.name not in wanted and _is_ours(path, "../store/cpython-"):
            path.unlink()


def _point(path: Path, target: Path, *, ours: str) -> None:
    """Swap a symbolic link in one step; never touch what is not one of ours."""
    if _is_taken(path, ours):
        raise EnvironmentFault(
            f"{path} exists and was not made by ftbuild",
            hint="Move it away, then run the same command again: the build itself is installed.",
        )
    if path.is_symlink() and path.readlink() == target:
        return
    try:
        swap(path, target)
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be linked: {error.strerror}") from error


def _is_taken(path: Path, ours: str) -> bool:
    return (path.exists() or path.is_symlink()) and not _is_ours(path, ours)


def _is_ours(path: Path, start: str) -> bool:
    return path.is_symlink() and os.readlink(path).startswith(start)  # noqa: PTH115 - text, unresolved
