"""Copies of builds in the layout of a tool cache, where actions/setup-python looks for them.

`<cache>/Python/3.14.7/x64-freethreaded/`, and beside it `x64-freethreaded.complete`, without which
nobody looks at it. A copy, because an image of a runner outlives the root: it is laid out as from
an archive, and so has the new place in its texts. In that of a free-threaded build
no program is called `…3.14`: setup-python puts its `bin` first on the PATH.

The layout is that of actions/python-versions (installers/nix-setup-template.sh), the lookup that of
@actions/tool-cache (`find`).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from packaging.version import Version

from ftbuild.archive.bytecode import compile_again
from ftbuild.archive.members import lay_out
from ftbuild.archive.naming import own_program
from ftbuild.archive.read import Repointed, Unpacked, contents, list_again, repoint
from ftbuild.archive.relocate import require_plain
from ftbuild.errors import EnvironmentFault, Refused, UsageError
from ftbuild.export.links import is_there
from ftbuild.files import make_directory
from ftbuild.model.events import Noted
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant, series_of
from ftbuild.provision import World, check
from ftbuild.store.listing import INCOMPLETE, MANIFEST, read_manifest
from ftbuild.store.locks import held
from ftbuild.store.marked import remove_marked
from ftbuild.store.prefixes import complete
from ftbuild.store.tree import holding, parse
from ftbuild.verifying import QUICK

_MACHINES = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}
"""What Node.js, and with it setup-python, calls a machine."""

_STAGES = {"a": "alpha", "b": "beta", "rc": "rc"}
"""What actions/python-versions calls a pre-release: its versions are read as semantic versions."""

_WORK = ".ftbuild-"
_LOCK = ".ftbuild.lock"
"""Names in a cache that are no version to anybody."""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A build in a tool cache.

    Attributes:
        build: Its friendly name.
        version: What setup-python calls its release: `3.14.7`, `3.15.0-rc.2`.
        architecture: What it calls the machine and the variant: `x64-freethreaded`.
        path: Where it is.
        status: `exported` now, in the place of another build (`replaced`), or there `already`.
    """

    build: str
    version: str
    architecture: str
    path: Path
    status: Literal["exported", "replaced", "already"]


def semantic(version: str) -> str:
    """A release as setup-python writes it.

    >>> semantic("3.15.0rc2"), semantic("3.14.7")
    ('3.15.0-rc.2', '3.14.7')
    """
    parsed = Version(version)
    stage, number = parsed.pre or ("", 0)
    return parsed.base_version + (f"-{_STAGES[stage]}.{number}" if stage else "")


def architecture(item: Installation) -> str:
    """What setup-python calls the machine and the variant of a build.

    Raises:
        UsageError: It has no name for the machine that we know.
    """
    machine = item.manifest.used.machine
    if machine not in _MACHINES:
        raise UsageError(
            f"{item.manifest.name} was built for {machine}, and a tool cache is for "
            f"{', '.join(dict.fromkeys(_MACHINES.values()))} machines"
        )
    return _MACHINES[machine] + ("-freethreaded" if item.free_threaded else "")


def places(
    found: Sequence[Installation], cache: Path, *, default_profile: str, asked: bool
) -> dict[Path, Installation]:
    """Where each build is to be; pure.

    Args:
        found: The builds.
        cache: The directory of the tool cache.
        default_profile: The profile that is preferred.
        asked: Whether each of the builds was asked for. If not, one of two builds of a release
            that differ in their profile is left out.

    Raises:
        UsageError: Two builds were asked for that setup-python cannot tell from each other.
    """
    wanted: dict[Path, Installation] = {}
    for item in sorted(found, key=lambda one: one.spec.profile != default_profile):
        place = cache / "Python" / semantic(item.spec.version) / architecture(item)
        other = wanted.setdefault(place, item)
        if asked and other is not item:
            raise UsageError(
                f"a tool cache has one {architecture(item)} build of {item.spec.version}: "
                f"{other.manifest.name} and {item.manifest.name} are two",
                hint="Name one of them with its profile: ftbuild export toolcache 3.14t+tsan",
            )
    return wanted


def export(wanted: dict[Path, Installation], world: World) -> tuple[Exported, ...]:
    """Have builds in a tool cache.

    Args:
        wanted: What `places` made of the builds.
        world: The root they are in, and where progress goes.

    Raises:
        Refused: A place is taken by something that is not ours; or a build is not what was
            installed, cannot be moved, or fails its checks in its new place.
        EnvironmentFault: The cache cannot be written.
        Interrupted: The run was stopped.
    """
    for place in wanted:
        _require_nameable(place)
        _require_free(place)
    try:
        return tuple(_exported(place, item, world) for place, item in wanted.items())
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename or 'the tool cache'}: {error.strerror}",
            hint="Make sure there is space and permission, or name another directory with --dir.",
        ) from error


def _exported(place: Path, item: Installation, world: World) -> Exported:
    """Have one build in its place."""
    make_directory(place.parent)
    done = Exported(
        build=item.manifest.name,
        version=place.parent.name,
        architecture=place.name,
        path=place,
        status="exported",
    )
    busy = Noted(text=f"{place}: another run is at it")
    with held(place.parents[1] / _LOCK, stop=world.stop, on_wait=lambda: world.emit(busy)):
        for left in place.parent.glob(f"{_WORK}{place.name}-*"):
            with contextlib.suppress(OSError):
                remove_marked(left, (_LOCK,))
        _require_free(place)
        if _is_same(place, item):
            return msgspec.structs.replace(done, status="already")
        replaced = place.exists() and _marker(place).exists()
        world.emit(Noted(text=f"{item.manifest.name}: copying to {place}"))
        with _scratch(place) as work:
            top, moved = _moved(item, work, place)
            with _placed(top, place, aside=work):
                _finish(item, moved, place, world, str(work))
                _marker(place).touch(0o644)
    return msgspec.structs.replace(done, status="replaced") if replaced else done


@contextlib.contextmanager
def _scratch(place: Path) -> Iterator[Path]:
    """A directory beside a place, marked as ours: the next run clears it if this one is killed."""
    work = Path(tempfile.mkdtemp(prefix=f"{_WORK}{place.name}-", dir=place.parent))
    try:
        (work / _LOCK).touch(0o644)
        yield work
    finally:
        with contextlib.suppress(OSError):
            remove_marked(work, (_LOCK,))


def _moved(item: Installation, work: Path, place: Path) -> tuple[Path, Repointed]:
    """A copy of a build that names its new place, in a scratch directory."""
    from ftbuild.archive.pack import packed, survey  # noqa: PLC0415 - elftools take 100 ms

    found, top = survey(item), work / "tree"
    lay_out(packed(found), top)
    digests = parse(found.hashes.decode("utf-8", "surrogateescape"))
    copy = Unpacked(top=top, manifest=found.manifest, digests=digests)
    moved = repoint(copy, place, name=item.manifest.name, sha256=None)
    return top, msgspec.structs.replace(moved, digests=_named(top, item, moved.digests))


def _named(top: Path, item: Installation, digests: dict[str, str]) -> dict[str, str]:
    """Give a copy the names that setup-python wants, and take those from it that it must not have.

    Returns:
        The hashes, by the names that the files have now.
    """
    named, python = dict(digests), item.python.name
    series = series_of(item.spec.version)
    if item.free_threaded:
        renamed = _renamed(top, series)
        named = {renamed.get(name, name): digest_ for name, digest_ in named.items()}
        named = list_again(top, named, renamed=renamed)
    for link, to in ((top / "python", f"bin/{python}"), (top / "bin" / "python", python)):
        link.unlink(missing_ok=True)
        link.symlink_to(to)
    return named


def _renamed(top: Path, series: str) -> dict[str, str]:
    """Give every program whose name means the GIL build the `t` it lacks; links follow.

    Returns:
        By the names that files had, those that they have now.
    """
    renamed = {}
    for path in sorted((top / "bin").iterdir()):
        own = path.with_name(own_program(path.name, series, Variant.FREE_THREADED))
        if path.is_symlink():
            to = own_program(os.readlink(path), series, Variant.FREE_THREADED)  # noqa: PTH115 - text
            path.unlink()
            if to != own.name and not is_there(own):
                own.symlink_to(to)
        elif own != path and own.exists():  # python3.14, which is python3.14t once more
            path.unlink()
        elif own != path:
            path.rename(own)
            renamed[f"bin/{path.name}"] = f"bin/{own.name}"
    return renamed


def _finish(item: Installation, moved: Repointed, place: Path, world: World, work: str) -> None:
    """Compile, check and record a copy that is in its place."""
    there = Installation(prefix=place, manifest=moved.manifest)
    compile_again(there, moved.stale, mark=work, stop=world.stop)
    (report,) = check((there,), world, checks=QUICK)
    if not report.ok:
        failed = ", ".join(f"{one.name}: {one.found}" for one in report.failed)
        raise Refused(f"{item.manifest.name} is not what it should be in {place}: {failed}")
    tree = contents(place, moved.digests)
    complete(place, holding(moved.manifest, tree), tree)


@contextlib.contextmanager
def _placed(top: Path, place: Path, *, aside: Path) -> Iterator[None]:
    """Put a copy in its place, without its marker; what was there comes back if the block raises.

    A killed run leaves a place without a marker, which no runner looks at and the next run clears.
    """
    before, marker, kept = aside / "before", _marker(place), aside / "complete"
    (top / INCOMPLETE).touch(0o644)
    if marker.exists():
        marker.rename(kept)
    if place.exists():
        place.rename(before)
    try:
        top.rename(place)
        yield
    except BaseException:
        if place.exists():
            place.rename(aside / "failed")
        if before.exists():
            before.rename(place)
            if kept.exists():
                kept.rename(marker)
        raise


def _marker(place: Path) -> Path:
    return place.with_name(f"{place.name}.complete")


def _is_same(place: Path, item: Installation) -> bool:
    """Whether a place has that very build, whole."""
    there = read_manifest(place / MANIFEST)
    return (
        there is not None
        and _marker(place).exists()
        and there.digest == item.manifest.digest
        and there.used.started == item.manifest.used.started
    )


def _require_free(place: Path) -> None:
    """Make sure that a place has nothing in it that we did not make."""
    ours = (place / INCOMPLETE).is_file() or read_manifest(place / MANIFEST) is not None
    if place.is_symlink() or (place.exists() and not (ours and place.is_dir())):
        raise Refused(
            f"{place} is there already and was not made by ftbuild",
            hint=f"To have this build instead: rm -r {place} {_marker(place)}",
        )


def _require_nameable(place: Path) -> None:
    try:
        require_plain(str(place))
    except Refused as error:
        raise UsageError(
            error.message,
            hint="Choose a --dir of letters, digits and the characters / . _ + @ ~ = -",
        ) from None
