"""New releases into a folder of recipes: listed, downloaded, hashed, signed, or not added."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ftbuild import catalogue
from ftbuild.errors import EnvironmentFault, Interrupted, Refused, UsageError
from ftbuild.fetch import Unavailable
from ftbuild.fetch.signing import Signature
from ftbuild.files import read_file, write_atomically
from ftbuild.model.events import Noted, Warned
from ftbuild.model.recipes import Release
from ftbuild.provision import World, vouched
from ftbuild.upstream import editing, listing

FILE = "cpython.yaml"

WITNESSES = ("python.org", "bytes-hashed", "signature")
"""Who vouches for a release that was added: the API that lists its hash, the bytes that have it,
the release manager's signature over them."""


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A release that goes into the recipes."""

    version: str
    release: Release
    signature: Signature


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A release that does not, and why."""

    version: str
    reason: str
    hint: str


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an update.

    Attributes:
        path: The recipe file.
        added: Releases that were added, or would be, oldest first.
        rejected: Those that must not be; also those in the catalogue with another hash.
        diff: The change to the file, as a unified diff; empty where there is none.
        written: Whether the file was changed.
    """

    path: Path
    added: tuple[Added, ...]
    rejected: tuple[Rejected, ...]
    diff: str
    written: bool


def folder_to_update(folders: Sequence[Path]) -> Path:
    """The folder of recipes that new releases go to: the user's last one, else a checkout's own.

    Raises:
        UsageError: ftbuild is installed, and no folder was named.
    """
    if folders:
        return folders[-1]
    own = catalogue.own_recipes()
    if own.parent == Path(catalogue.__file__).parent:
        raise UsageError(
            f"the recipes in {own} belong to the installed ftbuild and are not changed",
            hint="Name a folder of your own: `ftbuild catalogue update --recipes DIR`. What lies "
            "in ~/.config/ftbuild/recipes is read without being named.",
        )
    return own


def update(folder: Path, world: World, *, write: bool) -> Update:
    """Add what python.org has released since to a folder of recipes.

    Args:
        folder: The folder, whose `cpython.yaml` is made if need be.
        world: Origins, signers and the cache of sources.
        write: Whether the file is written, or the change only worked out.

    Raises:
        Unavailable: The list of releases cannot be had.
        EnvironmentFault: What was had is no such list, or the file cannot be written.
        UsageError: The file is written in a way that no line can be added to.
        Interrupted: The run was stopped; the file is as it was.
    """
    own = catalogue.own_recipes()
    known = catalogue.load(() if folder.resolve() == own.resolve() else (folder,))
    added: list[Added] = []
    rejected: list[Rejected] = []
    found = listing.published(_asked(listing.RELEASES, world))
    for release in found:
        pinned = known.releases.get(release.version)
        if pinned is not None:
            rejected += _contested(release, pinned, world)
    for release in listing.lacking(found, known):
        world.emit(Noted(text=f"{release.version} is new"))
        try:
            added.append(_checked(release, world))
        except Interrupted:
            raise
        except (EnvironmentFault, Refused) as error:
            version = release.version
            rejected.append(Rejected(version=version, reason=error.message, hint=error.hint))
    path = folder / FILE
    diff = _entered(path, added, write=write) if added else ""
    return Update(
        path=path,
        added=tuple(added),
        rejected=tuple(rejected),
        diff=diff,
        written=write and bool(added),
    )


def _asked(question: str, world: World) -> bytes:
    """python.org's answer to a question."""
    from ftbuild.fetch.access import read_document  # noqa: PLC0415 - 60 ms: requests

    url = f"{world.catalogue.origins.releases.rstrip('/')}/{question}"
    answer = read_document(url, env=world.env, stop=world.stop)
    if answer is None:
        raise Unavailable(
            f"python.org's API has nothing at {url}",
            hint="The address is `releases` in origins.yaml.",
        )
    return answer


def _contested(release: listing.Published, pinned: Release, world: World) -> tuple[Rejected, ...]:
    """A release of which python.org lists another hash than the catalogue; nothing is changed."""
    try:
        listed = listing.tarball(
            _asked(listing.FILES.format(id=release.id), world), release.version
        )
    except EnvironmentFault as error:
        world.emit(Warned(text=f"the pin of {release.version} was not compared: {error.message}"))
        return ()
    if listed is None or listed.sha256 == pinned.sha256:
        return ()
    reason = (
        f"it is in the catalogue already, with the SHA-256 {pinned.sha256}; python.org lists "
        f"{listed.sha256}"
    )
    hint = "Find out which is right before that release is built again. The pin stays as it is."
    return (Rejected(version=release.version, reason=reason, hint=hint),)


def _checked(release: listing.Published, world: World) -> Added:
    """The recipe of a release whose signature holds over the bytes that were downloaded.

    Raises:
        EnvironmentFault: It cannot be had as it is listed, or has no signature to be judged.
        Refused: Its signature does not hold.
    """
    listed = listing.tarball(_asked(listing.FILES.format(id=release.id), world), release.version)
    if listed is None:
        raise EnvironmentFault(
            f"python.org lists no SHA-256 for the source of {release.version}",
            hint="It may not be complete yet: try again later.",
        )
    pinned = Release(sha256=listed.sha256, size=listed.size, seen=WITNESSES)
    sources = world.sources.knowing({release.version: pinned})
    size = sources.fetch(release.version).path.stat().st_size
    signature = vouched(release.version, msgspec.structs.replace(world, sources=sources))
    return Added(
        version=release.version,
        release=msgspec.structs.replace(pinned, size=size),
        signature=signature,
    )


def _entered(path: Path, added: Sequence[Added], *, write: bool) -> str:
    """Put the releases into the file, as it is by now; return the difference."""
    try:
        before = read_file(path).decode() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"{path} cannot be read: {error}") from error
    releases = {item.version: item.release for item in added}
    after = editing.inserted(before, releases, name=str(path))
    if write:
        try:
            write_atomically(path.resolve(), after.encode())
        except OSError as error:
            raise EnvironmentFault(f"{path} cannot be written: {error.strerror}") from error
    return editing.difference(before, after, path.name)
