"""Stored training profiles: with one, an optimised build is a single compile.

A profile is a `.tar.xz` of a record and the files that a training run left in the build tree:
gcc's `.gcda` beside each object, or clang's one `code.profclangd`. It is made of counts alone; no
code in it reaches the interpreter. Every use checks it against its record.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import msgspec

from ftbuild.errors import EnvironmentFault, Refused
from ftbuild.model.training import FORMAT, TrainingProfile
from ftbuild.store.layout import Layout
from ftbuild.store.prefixes import write_atomically

CLANG = "code.profclangd"
"""The file that CPython's Makefile has clang's counts merged into."""

STAMP = "profile-run-stamp"
"""By which CPython's Makefile knows that the training is done."""

_RECORD = "ftbuild-profile.json"
_CEILING = 200_000_000
"""Bytes a profile may have unpacked: gcc 12 leaves 5 MB, clang 19 9 MB for 3.14.7."""


def place_of(layout: Layout, name: str, key: str) -> Path:
    """Where the profile of a build is stored, whether it is there or not."""
    return layout.profiles / f"{name}-{key[:8]}.tar.xz"


def profile_files(tree: Path) -> dict[str, Path]:
    """The profile data in a build tree: relative names, sorted, and paths."""
    found = (path for pattern in ("*.gcda", CLANG) for path in tree.rglob(pattern))
    return dict(sorted((path.relative_to(tree).as_posix(), path) for path in found))


def profile_digest(tree: Path) -> str | None:
    """SHA-256 over the profile data of a build tree, or None where there is none."""
    files = profile_files(tree)
    return _digest((name, path.read_bytes()) for name, path in files.items()) if files else None


def save(path: Path, profile: TrainingProfile, tree: Path) -> None:
    """Store the profile that lies in a build tree.

    Raises:
        EnvironmentFault: It cannot be written.
    """
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:xz", format=tarfile.PAX_FORMAT, preset=1) as archive:
        _add(archive, _RECORD, msgspec.json.format(msgspec.json.encode(profile), indent=2))
        for name, file in profile_files(tree).items():
            _add(archive, name, file.read_bytes())
    try:
        write_atomically(path, content.getvalue())
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written: {error.strerror}") from error


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
    for name, content in contents.items():
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (tree / STAMP).touch()
    return profile


def _contents(path: Path) -> tuple[TrainingProfile, dict[str, bytes]]:
    try:
        with tarfile.open(path, mode="r:xz") as archive:
            members = archive.getmembers()
            if sum(member.size for member in members) > _CEILING or not all(map(_plain, members)):
                raise _refused(path, "it holds what no training run leaves")
            contents = {member.name: _read(archive, member) for member in members}
        profile = msgspec.json.decode(contents.pop(_RECORD, b""), type=TrainingProfile)
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise _refused(path, str(error) or "it is cut short") from error
    except msgspec.DecodeError as error:
        raise _refused(path, "it has no record of a format known here") from error
    if profile.format != FORMAT:
        raise _refused(path, f"its format is {profile.format}, not {FORMAT}")
    if _digest(sorted(contents.items())) != profile.sha256:
        raise _refused(path, "its data is not what its record says")
    return profile, contents


def _refused(path: Path, reason: str) -> Refused:
    return Refused(f"{path} cannot be used as a training profile: {reason}")


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None  # noqa: S101 - a regular file has content
    return file.read()


def _digest(files: Iterable[tuple[str, bytes]]) -> str:
    whole = hashlib.sha256()
    for name, content in files:
        whole.update(f"{name}\0".encode())
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # of no time and no owner: the same profile, the same bytes
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _plain(member: tarfile.TarInfo) -> bool:
    path = PurePosixPath(member.name)
    inside = not path.is_absolute() and ".." not in path.parts
    return member.isreg() and inside and (path.suffix == ".gcda" or path.name in {_RECORD, CLANG})
