"""Stored training profiles: with one, an optimised build is a single compile.

A profile is a `.tar.xz` of a record and the files that a training run left in the build tree:
gcc's `.gcda` beside each object, or clang's one `code.profclangd`. It is made of counts alone; no
code in it reaches the interpreter. Every use checks it against its record.

Beside it lie the modules that the training build has frozen. They are code, and so are used in this
root alone; without them a build makes the programs that freeze them once more.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from ftbuild.errors import EnvironmentFault, Refused
from ftbuild.files import read_file, write_atomically
from ftbuild.model.text import decode_document
from ftbuild.model.training import FORMAT, TrainingProfile
from ftbuild.store.layout import Layout

CLANG = "code.profclangd"
"""The file that CPython's Makefile has clang's counts merged into."""

STAMP = "profile-run-stamp"
"""By which CPython's Makefile knows that the training is done."""

FROZEN = "Python/frozen_modules"
"""Where in a build tree the frozen modules lie, as headers."""

_RECORD = "ftbuild-profile.json"
_CEILING = 200_000_000
"""Bytes a profile may have unpacked: gcc 12 leaves 5 MB, clang 19 9 MB for 3.14.7."""


def place_of(layout: Layout, name: str, key: str) -> Path:
    """Where the profile of a build is stored, whether it is there or not."""
    return layout.profiles / f"{name}-{key[:8]}.tar.xz"


def frozen_beside(place: Path) -> Path:
    """Where the frozen modules lie that belong to a stored profile."""
    return place.with_name(place.name.replace(".tar.xz", ".frozen.tar.xz"))


def profile_digest(tree: Path) -> str | None:
    """SHA-256 over the profile data of a build tree, or None where there is none."""
    files = _files(tree, "*.gcda", CLANG)
    return _digest(files) if files else None


def frozen_digest(tree: Path) -> str | None:
    """SHA-256 over the frozen modules of a build tree, or None where there are none."""
    files = _files(tree, f"{FROZEN}/*.h")
    return _digest(files) if files else None


def save(path: Path, profile: TrainingProfile, tree: Path) -> None:
    """Store the profile that lies in a build tree, and what its training build has frozen.

    Raises:
        EnvironmentFault: It cannot be written.
    """
    record = {_RECORD: msgspec.json.format(msgspec.json.encode(profile), indent=2)}
    _write(frozen_beside(path), _files(tree, f"{FROZEN}/*.h"))
    _write(path, record | _files(tree, "*.gcda", CLANG))


def read_profile(path: Path) -> TrainingProfile:
    """The record of a profile whose data is what the record says.

    Raises:
        Refused: It is no profile of ours, was cut short or altered.
    """
    profile, _ = _contents(path)
    return profile


def place(path: Path, tree: Path) -> TrainingProfile:
    """Unpack a profile into a build tree, where CPython's Makefile takes it for its own training's.

    Raises:
        Refused: It is no profile of ours, was cut short or altered.
        OSError: The tree cannot be written.
    """
    profile, contents = _contents(path)
    _unpack(contents, tree)
    (tree / STAMP).touch()
    return profile


def read_frozen(path: Path, profile: TrainingProfile) -> dict[str, bytes]:
    """The frozen modules that belong to a stored profile; none where they are not what it says."""
    try:
        contents = _members(frozen_beside(path), _is_frozen)
    except Refused:
        return {}
    return contents if _digest(contents) == profile.frozen else {}


def place_frozen(path: Path, profile: TrainingProfile, tree: Path) -> None:
    """Unpack the frozen modules that belong to a stored profile into a build tree.

    Raises:
        OSError: The tree cannot be written.
    """
    _unpack(read_frozen(path, profile), tree)


def _contents(path: Path) -> tuple[TrainingProfile, dict[str, bytes]]:
    contents = _members(path, _is_profile)
    record = contents.pop(_RECORD, b"")
    try:
        profile = decode_document(record, TrainingProfile, format=FORMAT, what="its record")
    except Refused as error:
        raise _refused(path, error.message) from error
    if _digest(contents) != profile.sha256:
        raise _refused(path, "its data is not what its record says")
    return profile, contents


def _members(path: Path, good: Callable[[PurePosixPath], bool]) -> dict[str, bytes]:
    """The files in an archive, which must all be regular, of good names, and no more than that."""
    try:
        unpacking = lzma.LZMADecompressor(memlimit=_CEILING)
        content = unpacking.decompress(read_file(path, limit=_CEILING), _CEILING)
        if not unpacking.eof and len(content) < _CEILING:
            raise EOFError  # noqa: TRY301 - as tarfile has it
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            members = archive.getmembers()
            if not unpacking.eof or not all(
                member.isreg() and good(PurePosixPath(member.name)) for member in members
            ):
                raise _refused(path, "it holds what no training run leaves")
            return {member.name: _read(archive, member) for member in members}
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise _refused(path, str(error) or "it is cut short") from error


def _refused(path: Path, reason: str) -> Refused:
    return Refused(f"{path} cannot be used as a training profile: {reason}")


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None  # noqa: S101 - a regular file has content
    return file.read()


def _files(tree: Path, *patterns: str) -> dict[str, bytes]:
    """Files of a build tree by relative name, sorted."""
    found = (path for pattern in patterns for path in tree.rglob(pattern))
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in sorted(found, key=lambda path: path.relative_to(tree).as_posix())
    }


def _unpack(contents: Mapping[str, bytes], tree: Path) -> None:
    for name, content in contents.items():
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(f"{name}\0".encode())
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


def _write(path: Path, contents: Mapping[str, bytes]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz", format=tarfile.PAX_FORMAT, preset=1) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)  # of no time and no owner: the same bytes each time
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    try:
        write_atomically(path, packed.getvalue())
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written: {error.strerror}") from error


def _is_profile(path: PurePosixPath) -> bool:
    inside = not path.is_absolute() and ".." not in path.parts
    return inside and (path.suffix == ".gcda" or str(path) in {_RECORD, CLANG})


def _is_frozen(path: PurePosixPath) -> bool:
    return str(path.parent) == FROZEN and path.suffix == ".h"
