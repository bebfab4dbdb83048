"""What is in an archive for uv: a build as it was installed, made to work wherever uv puts it.

uv re-points two things of a Python that it installs, `_sysconfigdata*.py` and `*.pc`, and those
only where they name the prefix `/install`. It gives every file the time of its unpacking. The rest
must be right without its help: scripts find the interpreter beside them, and bytecode is validated
by the hash of its source (PEP 552), not by its time.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterator, Mapping

import msgspec

from ftbuild.archive import details
from ftbuild.archive.bytecode import files_of, source_of
from ftbuild.archive.members import Member
from ftbuild.archive.naming import RECORD, library, own_name, recorded
from ftbuild.archive.pack import Survey, packed
from ftbuild.archive.relocate import checked, moved, repointed
from ftbuild.model.archive import UV_PREFIX as PREFIX
from ftbuild.model.manifest import Manifest
from ftbuild.model.versions import series_of
from ftbuild.store import tree

TOP = "python"
"""The one directory that everything is in. uv takes it away."""


def sources(found: Survey) -> tuple[str, ...]:
    """The sources of the bytecode that an archive has, whose hashes `members` is to be given."""
    gone = _stale(found)
    named = {source_of(name) for name in found.files if name not in gone}
    return tuple(sorted(named.intersection(found.files)))


def members(found: Survey, hashes: Mapping[str, bytes]) -> Iterator[Member]:
    """What is in the archive of a build.

    Of a free-threaded build, `bin/` has only names that no other build has (`python3.14t`), and
    `python`, which uv would make otherwise, and make a link to `python3.14`.

    Args:
        found: The build.
        hashes: Of each source, the eight bytes by which its bytecode is validated.

    Raises:
        OSError: A file cannot be read.
    """
    named = _named(found)
    made = dict(_changed(found, named))
    made |= dict(_records(found, named, made))
    for member in packed(found):
        name = named.get(member.name)
        if name is None:
            continue
        content = made.get(name, member.content)
        source = source_of(member.name)
        if source in hashes and isinstance(content, bytes):
            content = checked(content, hashes[source])
        yield msgspec.structs.replace(member, name=name, content=content, link=_aim(found, member))
    yield Member(name="bin/python", link=found.installation.python.name)


def manifest(found: Survey, there: tree.Tree) -> Manifest:
    """The manifest of what is in the archive: a build whose prefix is the one that uv looks for.

    What uv changes when it installs is among what `archived.pointing` lists.

    Args:
        found: The build.
        there: What `members` have.
    """
    own = found.installation.manifest
    archived = found.manifest.archived
    assert archived is not None  # noqa: S101 - a survey has it
    pointing = tuple(sorted(name for name, _ in _changed(found, _named(found))))
    packed_so = msgspec.structs.replace(archived, prefix=PREFIX, pointing=pointing)
    return msgspec.structs.replace(
        tree.holding(moved(own, own.prefix, PREFIX), there), archived=packed_so
    )


def _named(found: Survey) -> dict[str, str]:
    """What of a build is in the archive: by the names in the build, those there."""
    spec = found.installation.spec
    series = series_of(spec.version)
    own = series + spec.variant.suffix
    gone = _stale(found) | _untrue(found)
    names: dict[str, str] = {}
    taken = {"bin/python"}
    # The names that a build has already are taken first.
    everything = (*found.files, *found.manifest.result.links)
    for name in sorted(everything, key=lambda n: own_name(n, series, spec.variant) != n):
        there = own_name(name, series, spec.variant)
        ambiguous = there.startswith("bin/") and own not in there
        if name in gone or there in taken or (spec.variant.suffix and ambiguous):
            continue
        names[name] = there
        taken.add(there)
    return names


def _aim(found: Survey, member: Member) -> str:
    """What a link points to, in the archive."""
    spec = found.installation.spec
    folder = posixpath.dirname(member.name)
    if not member.link or not folder.startswith("bin"):
        return member.link
    aim = own_name(posixpath.join(folder, member.link), series_of(spec.version), spec.variant)
    return posixpath.relpath(aim, folder)


def _stale(found: Survey) -> frozenset[str]:
    """The bytecode of sources that are changed here, or by uv: Python makes it again."""
    files = found.files
    return frozenset(name for source in _pointing(found) for name in files_of(source, files))


def _untrue(found: Survey) -> frozenset[str]:
    """The `build-details.json` of a build by an older ftbuild, which names its prefix."""
    spec = found.installation.spec
    name = f"{library(series_of(spec.version), spec.variant)}/{details.NAME}"
    return frozenset({name}.intersection(_pointing(found)))


def _pointing(found: Survey) -> tuple[str, ...]:
    assert found.manifest.archived is not None  # noqa: S101 - a survey has it
    return found.manifest.archived.pointing


def _changed(found: Survey, named: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The texts that name the prefix, by their names in the archive, as they are there."""
    prefix = found.installation.manifest.prefix
    for name in _pointing(found):
        if name in named:
            content = (found.installation.prefix / name).read_bytes()
            script = relocatable(
                content, prefix, found.installation.python.name, posixpath.dirname(named[name])
            )
            yield named[name], repointed(name, script, prefix, PREFIX)


def _records(
    found: Survey, named: Mapping[str, str], changed: Mapping[str, bytes]
) -> Iterator[tuple[str, bytes]]:
    """The lists of installed packages' files, true of what is in the archive."""
    prefix = found.installation.prefix
    hashes = tree.parse(found.hashes.decode("utf-8", "surrogateescape"))
    sizes = tree.scan(prefix).files
    digests = {named[name]: digest for name, digest in hashes.items() if name in named}
    digests |= {name: hashlib.sha256(content).hexdigest() for name, content in changed.items()}
    lengths = {named[name]: size for name, size in sizes.items() if name in named}
    lengths |= {name: len(content) for name, content in changed.items()}
    for name in named:
        if name.endswith(RECORD):
            content = (prefix / name).read_bytes()
            yield name, recorded(content, name, names=named, digests=digests, sizes=lengths)


def relocatable(script: bytes, prefix: str, python: str, folder: str) -> bytes:
    """A script that starts an interpreter by where it is itself, if it starts that of a prefix.

    The shell reads its first three lines and Python the rest: to Python those are a text.

    Args:
        script: Any text.
        prefix: The prefix it names.
        python: The interpreter's file name in `bin`.
        folder: The directory of the script, relative to the prefix.
    """
    start = re.escape(os.fsencode(f"{prefix}/bin/python"))
    # As it is, or by way of the shell where it was too long (`relocate.repointed`, and pip).
    first = re.match(
        rb"#!(?:" + start + rb"[\w.]*|/bin/sh\n'''exec' \"?" + start + rb"[^\n]*\n' ''')\n", script
    )
    if first is None:
        return script
    below = posixpath.relpath(f"bin/{python}", folder)
    line = f"""'''exec' "$(dirname -- "$(realpath -- "$0")")/{below}" "$0" "$@"\n"""
    return b"#!/bin/sh\n" + line.encode() + b"' '''\n" + script[first.end() :]
