"""Opens an archive: what it holds is checked against its own list before anything else is done."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ftbuild.archive import bytecode
from ftbuild.archive.naming import RECORD, recorded
from ftbuild.archive.relocate import STAMP, moved, repointed, require_plain
from ftbuild.errors import EnvironmentFault, Refused
from ftbuild.fetch.unpack import Damaged, first_file, unpack
from ftbuild.files import read_file
from ftbuild.model.archive import decode_manifest
from ftbuild.model.manifest import Archived, Manifest
from ftbuild.store import tree
from ftbuild.store.listing import MANIFEST


class Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """A build on its way out of an archive, in a scratch directory.

    Attributes:
        top: The directory that is to become its prefix, without a manifest yet.
        manifest: Its manifest, as it was packed.
        digests: The hash of every file.
    """

    top: Path
    manifest: Manifest
    digests: dict[str, str]


class Repointed(msgspec.Struct, frozen=True, kw_only=True):
    """A build whose texts name the prefix it is to be placed at.

    Attributes:
        manifest: Its manifest for that prefix; the hashes in it are still those of the archive.
        digests: The hash of every file that did not change.
        stale: The sources among those that did, whose bytecode is gone, with the optimisation
            levels that it is to be made again for.
    """

    manifest: Manifest
    digests: dict[str, str]
    stale: dict[str, frozenset[int]]


def read_manifest(archive: Path) -> Manifest:
    """The manifest of a packed build, without unpacking it.

    Raises:
        Refused: The file is no archive that this ftbuild can open, or a damaged one.
        EnvironmentFault: It cannot be read.
    """
    try:
        name, content = first_file(archive)
    except Damaged as error:
        raise Refused(error.message, hint=_hint(archive)) from error
    if name.count("/") != 1 or not name.endswith(f"/{MANIFEST}"):
        raise Refused(f"{archive} is no archive that `ftbuild pack` made", hint=_hint(archive))
    try:
        return decode_manifest(content)
    except Refused as error:
        raise Refused(f"{archive}: {error.message}", hint=error.hint or _hint(archive)) from error


def unpack_build(archive: Path, into: Path, *, stop: threading.Event) -> Unpacked:
    """Unpack a build, and make sure that it is all there and what was packed.

    Args:
        archive: The archive.
        into: The directory to be made.
        stop: Ends the unpacking when set.

    Raises:
        Refused: The archive is cut short, altered, or has a member that could land elsewhere.
        EnvironmentFault: There is no space.
        Interrupted: `stop` was set.
    """
    try:
        top = unpack(archive, into, stop=stop)
    except Damaged as error:
        raise Refused(error.message, hint=_hint(archive)) from error
    try:
        manifest = decode_manifest(read_file(top / MANIFEST))
        listed = read_file(top / tree.HASHES)
        # With a manifest in it, it would count as installed before it is checked.
        (top / MANIFEST).unlink()
    except FileNotFoundError as error:
        raise Refused(f"{archive} lacks {error.filename}", hint=_hint(archive)) from error
    except OSError as error:
        raise Refused(f"{archive}: {error.filename}: {error.strerror}") from error
    found = tree.hash_tree(top)
    wrong = _difference(found.text, listed.decode("utf-8", "surrogateescape"))
    if found.sha256 != manifest.result.files_sha256 or found.links != manifest.result.links:
        wrong = wrong or "its list of files is not the one that its manifest names"
    if wrong:
        raise Refused(f"{archive} was altered: {wrong}", hint=_hint(archive))
    # What is a program the manifest says, not the umask nor who wrote the archive.
    tree.set_modes(top, manifest.result.executables)
    return Unpacked(top=top, manifest=manifest, digests=tree.parse(found.text))


def repoint(unpacked: Unpacked, prefix: Path, *, name: str, sha256: str | None) -> Repointed:
    """Make the texts of an unpacked build, and its manifest, name the prefix it is to have.

    Args:
        unpacked: The build, in its scratch directory.
        prefix: The prefix it is to have.
        name: The friendly name it is to have.
        sha256: The hash of its archive; None if it never was one.

    Raises:
        Refused: The prefix cannot be written into these texts; or the archive calls for changes
            to files that are not its own.
        OSError: A file cannot be written.
    """
    archived = unpacked.manifest.archived
    assert archived is not None  # noqa: S101 - decode_manifest lets no other pass
    if not unpacked.digests.keys() >= set(archived.pointing):
        raise Refused("its manifest has files re-pointed that are not in it")
    require_plain(str(prefix))
    digests = dict(unpacked.digests)
    stale = {}
    for changed in archived.pointing:
        path = unpacked.top / changed
        _rewrite(path, repointed(changed, path.read_bytes(), archived.prefix, str(prefix)))
        del digests[changed]
        compiled = bytecode.files_of(changed, unpacked.digests)
        for file in compiled:
            (unpacked.top / file).unlink()
            del digests[file]
        if compiled:
            stale[changed] = frozenset(map(bytecode.level, compiled))
    return Repointed(
        manifest=_manifest(unpacked.manifest, archived, prefix, name=name, sha256=sha256),
        digests=list_again(unpacked.top, digests, renamed={}),
        stale=stale,
    )


def list_again(
    top: Path, digests: Mapping[str, str], *, renamed: Mapping[str, str]
) -> dict[str, str]:
    """Make the lists of installed packages' files true of a tree in which files were changed.

    What such a list (RECORD) names is what `pip uninstall` removes, by its hash others find out
    what was altered.

    Args:
        top: The tree.
        digests: The hashes that are known.
        renamed: By the names that files had in these lists, those that they have now.

    Returns:
        The hashes that are known, without those of the lists that were changed.

    Raises:
        OSError: A file cannot be read or written.
    """
    sizes = tree.scan(top).files
    known = dict(digests)
    for record in [name for name in sizes if name.endswith(RECORD)]:
        hashes = tree.parse(contents(top, known).text)
        before = (top / record).read_bytes()
        after = recorded(
            before,
            record,
            names={name: name for name in sizes} | dict(renamed),
            digests=hashes,
            sizes=sizes,
        )
        if after != before:
            _rewrite(top / record, after)
            known.pop(record, None)
    return known


def contents(prefix: Path, unchanged: dict[str, str]) -> tree.Tree:
    """What lies below a prefix; only files whose hash is not known already are read.

    Raises:
        OSError: A file cannot be read.
    """
    entries = tree.scan(prefix)
    return tree.tree_of(
        entries,
        {name: unchanged.get(name) or tree.digest(prefix / name) for name in entries.files},
    )


def _manifest(
    manifest: Manifest, archived: Archived, prefix: Path, *, name: str, sha256: str | None
) -> Manifest:
    """The manifest as a build at that prefix would have it, and what it was when it was packed."""
    return msgspec.structs.replace(
        moved(manifest, archived.prefix, str(prefix)),
        name=name,
        archived=msgspec.structs.replace(archived, sha256=sha256),
    )


def _rewrite(path: Path, content: bytes) -> None:
    """Give a file of an archive another content; its mode and its time stay."""
    path.write_bytes(content)
    os.utime(path, (STAMP, STAMP))


def _difference(found: str, listed: str) -> str:
    """The first file that is not as the list has it, in words; empty where there is none."""
    if found == listed:
        return ""
    try:
        expected = tree.parse(listed)
    except EnvironmentFault:
        return f"{tree.HASHES} is no list of hashes"
    there = tree.parse(found)
    names = sorted(expected.keys() | there.keys())
    first = next((name for name in names if expected.get(name) != there.get(name)), tree.HASHES)
    return f"{first} is not what was packed"


def _hint(archive: Path) -> str:
    return f"Pack the build again, or copy {archive.name} once more from where it came from."
