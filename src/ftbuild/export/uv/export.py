"""Writes archives for uv into a directory, and then the index that names them.

The index comes last, and in one step: it names nothing that is not there whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.export.uv import index
from ftbuild.export.uv.choice import LeftOut, chosen, require_apart
from ftbuild.export.uv.index import Entry, Index
from ftbuild.files import (
    UNFINISHED,
    clear_unfinished,
    make_directory,
    open_atomically,
    read_file,
    write_atomically,
)
from ftbuild.model.events import Noted, Warned
from ftbuild.model.manifest import Installation
from ftbuild.provision.world import World
from ftbuild.store.listing import is_linked
from ftbuild.store.locks import held
from ftbuild.store.tree import digest, encode

_LOCK = ".ftbuild.lock"

_SCHEMES = frozenset({"http", "https"})


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """An archive that uv installs a build from.

    Attributes:
        path: The archive.
        entry: Its entry in the index.
        size: Bytes of the archive.
        fresh: Whether it was written now; False where it was there.
    """

    path: Path
    entry: Entry
    size: int
    fresh: bool


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What an export came to.

    Attributes:
        index: The index.
        address: What uv is told to find it: its path, or its place below the address given.
        exported: The builds that were asked for.
        others: The keys of what else is in the index.
        left_out: Builds that are installed and not exported.
    """

    index: Path
    address: str
    exported: tuple[Exported, ...]
    others: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def export(
    found: Sequence[Installation],
    world: World,
    *,
    named: bool,
    into: Path | None,
    base_url: str | None,
) -> Done:
    """Make a directory of which uv installs builds, or add to one.

    Args:
        found: The builds.
        world: The root they are in, and where progress goes.
        named: Whether the user named them; else what has no place in an index is left out.
        into: The directory, made if need be; the root's own if None.
        base_url: Where it will be served from; without one, the index has `file:` addresses.

    Raises:
        UsageError: The directory has something that ftbuild did not put there; the address is
            none that uv reads; nothing is left to export.
        Refused: A build is not what was installed, or uv has no name for it, or the index has
            another one of that name.
        EnvironmentFault: The directory cannot be written.
        Interrupted: The run was stopped.
    """
    folder = (into or world.layout.exports / "uv").absolute()
    base = _base(base_url, folder)
    out: tuple[LeftOut, ...] = ()
    if named:
        require_apart(found)
    else:
        linked = frozenset(item.prefix for item in found if is_linked(world.layout, item))
        default = world.catalogue.default_profile
        found, out = chosen(found, linked=linked, default_profile=default)
    if not found:
        raise UsageError(
            "no build is installed that uv has a name for",
            hint="`ftbuild build 3.14` makes a pair; `ftbuild list` shows what there is.",
        )
    try:
        _require_ours(folder)
        make_directory(folder)
        with held(
            folder / _LOCK,
            stop=world.stop,
            on_wait=lambda: world.emit(Noted(text=f"{folder}: another run is at it")),
        ):
            _require_ours(folder)
            return _export(found, world, folder, base, out)
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename or folder}: {error.strerror}",
            hint="Make sure there is space and permission, or name another directory with --dir.",
        ) from error


def write_archive(
    item: Installation, world: World, folder: Path, known: Mapping[str, Entry]
) -> Exported:
    """Have the archive of a build in a directory, whole, with what is said of it beside it.

    Args:
        item: The build.
        world: Where progress goes.
        folder: The directory.
        known: The index of that directory. What it has already is not written again.

    Raises:
        UsageError: Something else has the name of the archive.
        Refused: The build is not what was installed, or the index has another one of its name.
        OSError: The archive cannot be written.
        Interrupted: The run was stopped.
    """
    # elftools take 100 ms, and so does CycloneDX.
    from ftbuild.archive import members  # noqa: PLC0415
    from ftbuild.archive.bytecode import source_hashes  # noqa: PLC0415
    from ftbuild.archive.pack import survey  # noqa: PLC0415
    from ftbuild.attest import write_beside  # noqa: PLC0415
    from ftbuild.export.uv import contents  # noqa: PLC0415

    manifest = item.manifest
    asked = index.entry(manifest)
    have = known.get(asked.key)
    if have is not None:
        index.require_same(asked, have, folder)
    world.emit(Noted(text=f"packing {manifest.name}"))
    found = survey(item)
    hashes = source_hashes(item, contents.sources(found), stop=world.stop)
    body = tuple(contents.members(found, hashes))
    there = members.listed(body)
    described = contents.manifest(found, there)
    assert described.archived is not None  # noqa: S101 - a survey has it
    first = members.described(described, encode(there.text))
    entry = index.entry(
        manifest, libc=described.archived.libc, contents=members.listed(first).sha256
    )
    path = folder / entry.archive
    if have is not None:
        index.require_same(entry, have, folder)
        if have.ftbuild == entry.ftbuild and digest(path) == have.sha256:
            write_beside(path, described, sha256=have.sha256)
            return Exported(path=path, entry=have, size=path.stat().st_size, fresh=False)
    with open_atomically(path) as sink:
        members.write(contents.TOP, (*first, *body), sink)
        sink.flush()
        sha256 = digest(Path(sink.name))
        if have is None and path.exists() and digest(path) != sha256:
            raise UsageError(
                f"{path} exists, and is not the archive that would be written there",
                hint="Move it away, or name another directory with --dir.",
            )
    write_beside(path, described, sha256=sha256)
    entry = msgspec.structs.replace(entry, sha256=sha256)
    return Exported(path=path, entry=entry, size=path.stat().st_size, fresh=True)


def _export(
    found: Sequence[Installation],
    world: World,
    folder: Path,
    base: str,
    out: tuple[LeftOut, ...],
) -> Done:
    """Write the archives that are missing, and then the index; the directory's lock is held."""
    clear_unfinished(folder)
    place = folder / index.NAME
    known = _known(place, world)
    exported = tuple(write_archive(item, world, folder, known) for item in found)
    mine = {each.entry.key: each.entry for each in exported}
    write_atomically(place, index.encode(known | mine, base))
    others = tuple(sorted(known.keys() - mine.keys()))
    address = str(place) if base.startswith("file:") else f"{base}/{index.NAME}"
    return Done(index=place, address=address, exported=exported, others=others, left_out=out)


def _known(place: Path, world: World) -> Index:
    """What the index of a directory names, but for archives that are gone."""
    try:
        found = index.decode(read_file(place), str(place))
    except FileNotFoundError:
        return {}
    kept = {key: item for key, item in found.items() if (place.parent / item.archive).exists()}
    for key in found.keys() - kept.keys():
        world.emit(Warned(text=f"{key} is taken out of the index: {found[key].archive} is gone"))
    return kept


def _require_ours(folder: Path) -> None:
    """Make sure that a directory has nothing but what an export puts there.

    Raises:
        UsageError: It has, or it is none.
        OSError: It cannot be read.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a directory", hint="Name another one with --dir.")
    strange = sorted(
        path.name
        for path in folder.iterdir()
        if not (
            path.name in {index.NAME, _LOCK}
            or index.is_ours(path.name)
            or path.name.endswith(UNFINISHED)
        )
        or path.is_dir()
    )
    if strange:
        raise UsageError(
            f"{folder} has {strange[0]} in it, which ftbuild did not put there",
            hint="Name a directory with --dir that is empty, or to be made, or of an export.",
        )


def _base(base_url: str | None, folder: Path) -> str:
    """The address that archives are below, without a slash at its end.

    Raises:
        UsageError: It is none that uv reads.
    """
    if base_url is None:
        return folder.as_uri()
    hint = "For instance: --base-url https://files.example/python"
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{base_url!r} is no address: {error}", hint=hint) from None
    if parts.scheme == "file":
        whole = not parts.netloc and parts.path.startswith("/")
    else:
        whole = parts.scheme in _SCHEMES and bool(host)
    if not whole:
        raise UsageError(f"{base_url!r} is no address that uv reads", hint=hint)
    if parts.query or parts.fragment:
        raise UsageError(f"{base_url!r} has a query: archives cannot be below it")
    return base_url.rstrip("/")
