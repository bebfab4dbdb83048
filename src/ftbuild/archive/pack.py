"""Packs an installed build: first a look at every file of it, then one pass that writes.

What is packed is what the installation's own list of hashes names. Equal installations make equal
archives: names are sorted, and times, owners and modes are fixed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from ftbuild.archive import elf, members
from ftbuild.archive.members import Member
from ftbuild.archive.relocate import HEAD, is_text, names, stamped
from ftbuild.errors import Refused
from ftbuild.model.manifest import Archived, Installation, Manifest
from ftbuild.store import tree

_BYTECODE = ".pyc"
_NAMED = 5
"""Names that a message has before it only counts."""

_MEND = "`ftbuild verify --files` tells more. Build it again, or undo the change, and then pack it."


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be packed.

    Attributes:
        installation: The build.
        manifest: The manifest for the archive.
        hashes: The list of hashes for the archive.
        files: The files, sorted.
        added: Files and directories that came into the prefix later and stay out.
        added_files: How many files those are.
    """

    installation: Installation
    manifest: Manifest
    hashes: bytes
    files: tuple[str, ...]
    added: tuple[str, ...]
    added_files: int


class _Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at one file showed.

    Attributes:
        wrong: What keeps it out of an archive, and with it the whole build; empty if nothing.
        sha256: The hash it will have in the archive.
        pointing: Whether it is a text that names the prefix.
        libc: The versions of glibc it needs.
        tied: Whether it finds libraries by the prefix.
    """

    wrong: str = ""
    sha256: str = ""
    pointing: bool = False
    libc: tuple[str, ...] = ()
    tied: bool = False


def survey(installation: Installation) -> Survey:
    """Look at every file that is to be packed.

    Raises:
        Refused: The installation is not what was installed, or cannot be moved.
        OSError: A directory cannot be read.
    """
    prefix, result = installation.prefix, installation.manifest.result
    recorded = _recorded(installation)
    entries = tree.scan(prefix)
    with ThreadPoolExecutor(tree.WORKERS) as pool:
        looked = pool.map(partial(_look, installation), recorded, recorded.values())
        looks = dict(zip(recorded, looked, strict=True))
    _require_intact(installation, looks, entries)
    _require_movable(installation, looks)
    recorded_so = result.executables
    contents = tree.tree_of(
        tree.Entries(
            files={name: entries.files[name] for name in sorted(looks)},
            links=result.links,
            executables=entries.executables if recorded_so is None else frozenset(recorded_so),
        ),
        {name: look.sha256 for name, look in looks.items()},
    )
    archived = Archived(
        prefix=installation.manifest.prefix,
        libc=_libc(installation, (version for look in looks.values() for version in look.libc)),
        pointing=tuple(sorted(name for name, look in looks.items() if look.pointing)),
    )
    later = entries.files.keys() - looks.keys()
    return Survey(
        installation=installation,
        manifest=msgspec.structs.replace(
            installation.manifest,
            archived=archived,
            result=msgspec.structs.replace(
                result, files_sha256=contents.sha256, executables=contents.executables
            ),
        ),
        hashes=tree.encode(contents.text),
        files=tuple(sorted(looks)),
        added=tree.tops_of(later, tree.folders_of(looks)),
        added_files=len(later),
    )


def write(found: Survey, sink: BinaryIO) -> None:
    """Write the archive: manifest and hashes first, so that a reader can decide by them.

    Raises:
        OSError: A file cannot be read, or the archive not be written.
    """
    described = members.described(found.manifest, found.hashes)
    members.write(found.installation.prefix.name, (*described, *packed(found)), sink)


def packed(found: Survey) -> Iterator[Member]:
    """What was installed, as it is in an archive: sorted files, and then sorted links.

    Raises:
        OSError: A file cannot be read.
    """
    prefix = found.installation.prefix
    programs = frozenset(found.manifest.result.executables or ())
    for name in found.files:
        path = prefix / name
        if name.endswith(_BYTECODE):
            yield Member(name=name, content=stamped(path.read_bytes()))
        else:
            yield Member(name=name, content=path, executable=name in programs)
    for name, target in sorted(found.manifest.result.links.items()):
        yield Member(name=name, link=target)


def _recorded(installation: Installation) -> dict[str, str]:
    """The hashes that the installation recorded.

    Raises:
        Refused: The list itself is gone or was altered.
    """
    path = installation.prefix / tree.HASHES
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", hint=_MEND) from None
    if hashlib.sha256(raw).hexdigest() != installation.manifest.result.files_sha256:
        raise Refused(f"{path} was altered: nobody knows what was installed", hint=_MEND)
    return tree.parse(raw.decode("utf-8", "surrogateescape"))


def _require_intact(
    installation: Installation, looks: Mapping[str, _Look], entries: tree.Entries
) -> None:
    links = installation.manifest.result.links
    wrong = [f"{name} {look.wrong}" for name, look in looks.items() if look.wrong]
    wrong += [f"{name} is another link" for name in links if entries.links.get(name) != links[name]]
    if wrong:
        raise Refused(
            f"{installation.manifest.name} is not what was installed: {_some(wrong)}", hint=_MEND
        )


def _require_movable(installation: Installation, looks: Mapping[str, _Look]) -> None:
    tied = [name for name, look in looks.items() if look.tied]
    if tied:
        raise Refused(
            f"{installation.manifest.name} cannot be moved: {_some(tied)} "
            f"{'looks' if len(tied) == 1 else 'look'} for libraries below {installation.prefix}",
            hint="That is what --enable-shared does. Build it without, or with a run path that "
            "begins with $ORIGIN.",
        )


def _look(installation: Installation, name: str, recorded: str) -> _Look:
    """Look at one file, of which the hash is on record. Only texts are read in one piece."""
    path = installation.prefix / name
    try:
        if path.is_symlink() or tree.digest(path) != recorded:
            return _Look(wrong="was altered")
        if name.endswith(_BYTECODE):
            return _Look(sha256=hashlib.sha256(stamped(path.read_bytes())).hexdigest())
        with path.open("rb") as file:
            head = file.read(len(elf.MAGIC))
        if head == elf.MAGIC:
            return _look_at_binary(installation, path, recorded)
        return _Look(sha256=recorded, pointing=_points(path, installation.manifest.prefix))
    except FileNotFoundError:
        return _Look(wrong="is missing")
    except OSError as error:
        return _Look(wrong=f"cannot be read: {error.strerror}")


def _look_at_binary(installation: Installation, path: Path, recorded: str) -> _Look:
    needs = elf.needs_of(path)
    own = installation.manifest.prefix
    tied = any(PurePosixPath(entry).is_relative_to(own) for entry in needs.run_path)
    return _Look(sha256=recorded, libc=needs.libc, tied=tied)


def _points(path: Path, prefix: str) -> bool:
    with path.open("rb") as file:
        head = file.read(HEAD)
        return is_text(head) and names(head + file.read(), prefix)


def _libc(installation: Installation, versions: Iterable[str]) -> str:
    """The oldest C library that will do; of others than glibc, the one it was built with."""
    built_with = installation.manifest.used.libc
    newest = elf.newest(versions)
    return f"glibc {newest}" if newest and built_with.startswith("glibc") else built_with


def _some(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    first, *rest = names
    shown = [first, *rest[: _NAMED - 1]]
    more = len(rest) + 1 - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
