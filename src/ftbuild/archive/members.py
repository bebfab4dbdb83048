"""What is in an archive, one by one: written as one, or laid out as files."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from ftbuild import zstd
from ftbuild.archive.relocate import STAMP
from ftbuild.model.manifest import Manifest
from ftbuild.store import tree
from ftbuild.store.listing import MANIFEST


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file or a symbolic link of an archive.

    Attributes:
        name: Its name below the top directory.
        content: What is in it; of a `Path`, what is in that file when it is written.
        executable: Whether it is a program.
        link: What it points to, if it is a symbolic link; else empty.
    """

    name: str
    content: bytes | Path = b""
    executable: bool = False
    link: str = ""


def write(top: str, members: Iterable[Member], sink: BinaryIO) -> None:
    """Write a compressed archive. The same members make the same bytes, at whatever time.

    Args:
        top: The one directory that all is in.
        members: What is in it, in this order.
        sink: Where the archive goes.

    Raises:
        OSError: A file cannot be read, or the archive not be written.
    """
    with (
        zstd.writer(sink) as packed,
        tarfile.TarFile(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in members:
            _add(archive, top, member)


def lay_out(members: Iterable[Member], top: Path) -> None:
    """Write members as files, as they come out of an archive.

    Args:
        members: What is to be there.
        top: The directory to be made.

    Raises:
        OSError: A file cannot be read, or not be written.
    """
    for member in members:
        path = top / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if member.link:
            path.symlink_to(member.link)
            continue
        if isinstance(member.content, bytes):
            path.write_bytes(member.content)
        else:
            shutil.copyfile(member.content, path)
        path.chmod(tree.mode_of(executable=member.executable))
        os.utime(path, (STAMP, STAMP))


def described(manifest: Manifest, hashes: bytes) -> tuple[Member, ...]:
    """What comes first, so that a reader can decide by it: the manifest, and the list of hashes."""
    document = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    return (Member(name=MANIFEST, content=document), Member(name=tree.HASHES, content=hashes))


def listed(members: Iterable[Member]) -> tree.Tree:
    """What is in an archive, with the hash of every file.

    Raises:
        OSError: A file cannot be read.
    """
    digests: dict[str, str] = {}
    sizes: dict[str, int] = {}
    links: dict[str, str] = {}
    executables: set[str] = set()
    for member in members:
        if member.executable:
            executables.add(member.name)
        if member.link:
            links[member.name] = member.link
        elif isinstance(member.content, bytes):
            digests[member.name] = hashlib.sha256(member.content).hexdigest()
            sizes[member.name] = len(member.content)
        else:
            digests[member.name] = tree.digest(member.content)
            sizes[member.name] = member.content.stat().st_size
    entries = tree.Entries(
        files=dict(sorted(sizes.items())),
        links=dict(sorted(links.items())),
        executables=frozenset(executables),
    )
    return tree.tree_of(entries, digests)


def _add(archive: tarfile.TarFile, top: str, member: Member) -> None:
    """Add a member as all are: a plain file of root's, of the one time that they have."""
    entry = tarfile.TarInfo(f"{top}/{member.name}")
    entry.mtime = STAMP
    if member.link:
        entry.type, entry.linkname = tarfile.SYMTYPE, member.link
        archive.addfile(entry)
        return
    entry.mode = tree.mode_of(executable=member.executable)
    if isinstance(member.content, bytes):
        entry.size = len(member.content)
        archive.addfile(entry, io.BytesIO(member.content))
        return
    with member.content.open("rb") as content:
        entry.size = os.fstat(content.fileno()).st_size
        archive.addfile(entry, content)
