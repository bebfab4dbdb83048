"""The hashes and modes of what is below a prefix: one definition, for publishing and for checking.

The list is what `sha256sum` writes and checks, sorted by path, so that without ftbuild too
`cd PREFIX && sha256sum --quiet -c ftbuild.sha256` finds a damaged file.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import posixpath
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault
from ftbuild.model.manifest import Manifest
from ftbuild.store.listing import INCOMPLETE, MANIFEST

HASHES = "ftbuild.sha256"
"""The hash of every file below the prefix, in the format of sha256sum."""

REPLACED = "ftbuild.replaced"
"""Its time tells since when no name points to the prefix any more."""

OWN = frozenset({MANIFEST, HASHES, INCOMPLETE, REPLACED})
"""What is ftbuild's own at the top of a prefix, and in no list."""

_LINE = re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9a-f]{64}) [ *](?P<path>.+)")
_ESCAPES = {"\\": r"\\", "\n": r"\n", "\r": r"\r"}
_ESCAPED = {text: plain for plain, text in _ESCAPES.items()}

WORKERS = 4
"""Files hashed at a time. hashlib releases the GIL, and a few more than two keep a disk busy."""


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """What lies below a prefix, ftbuild's own files left out.

    Attributes:
        text: The content of `ftbuild.sha256`.
        links: Symbolic links and what they point to.
        size: Bytes of all regular files.
        count: Number of regular files.
        executables: Those that are programs, sorted; all others are not.
    """

    text: str
    links: dict[str, str]
    size: int
    count: int
    executables: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The hash of the list itself, which the manifest keeps."""
        return hashlib.sha256(encode(self.text)).hexdigest()


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """Sorted names below a directory: regular files with sizes in bytes, links with targets.

    Those of the files that are programs are named once more.
    """

    files: dict[str, int]
    links: dict[str, str]
    executables: frozenset[str] = frozenset()


def encode(text: str) -> bytes:
    """The list's text as it stands on disk; file names that are not UTF-8 keep their bytes."""
    return text.encode("utf-8", "surrogateescape")


def hash_tree(prefix: Path) -> Tree:
    """Hash every file below a prefix.

    Raises:
        OSError: A file or directory cannot be read.
    """
    entries = scan(prefix)
    with ThreadPoolExecutor(WORKERS) as pool:
        digests = pool.map(lambda name: digest(prefix / name), entries.files)
        return tree_of(entries, dict(zip(entries.files, digests, strict=True)))


def tree_of(entries: Entries, digests: Mapping[str, str]) -> Tree:
    """What lies below a prefix, of which every file's hash is known."""
    return Tree(
        text="".join(_line(name, digests[name]) for name in entries.files),
        links=entries.links,
        size=sum(entries.files.values()),
        count=len(entries.files),
        executables=tuple(sorted(entries.executables.intersection(entries.files))),
    )


def holding(manifest: Manifest, there: Tree) -> Manifest:
    """The manifest of a build that holds what is there now."""
    result = msgspec.structs.replace(
        manifest.result,
        size=there.size,
        files=there.count,
        files_sha256=there.sha256,
        links=dict(there.links),
        executables=there.executables,
    )
    return msgspec.structs.replace(manifest, result=result)


def scan(prefix: Path) -> Entries:
    """The names below a prefix, ftbuild's own files left out.

    Raises:
        OSError: A directory cannot be read.
    """
    found = sorted((os.path.relpath(entry.path, prefix), entry) for entry in _walk(prefix))
    files = {
        name: entry.stat(follow_symlinks=False)
        for name, entry in found
        if name not in OWN and entry.is_file(follow_symlinks=False)
    }
    return Entries(
        files={name: status.st_size for name, status in files.items()},
        links={
            name: os.readlink(entry.path)  # noqa: PTH115 - a Path would lose a leading "./"
            for name, entry in found
            if entry.is_symlink()
        },
        executables=frozenset(n for n, status in files.items() if _is_program(n, status.st_mode)),
    )


def mode_of(*, executable: bool) -> int:
    """The mode that a file of a build has, wherever it lies; directories have that of programs."""
    return 0o755 if executable else 0o644


def set_modes(top: Path, executables: Collection[str] | None = None) -> None:
    """Give a directory and everything below it the modes of a build, whatever the umask was.

    Args:
        top: The directory.
        executables: The files that are programs; None: those that their owner may start.

    Raises:
        OSError: One cannot be changed.
    """
    top.chmod(mode_of(executable=True))
    for entry in _walk(top):
        if entry.is_symlink():
            continue
        name, mode = os.path.relpath(entry.path, top), entry.stat().st_mode
        program = _is_program(name, mode) if executables is None else name in executables
        wanted = mode_of(executable=stat.S_ISDIR(mode) or program)
        if stat.S_IMODE(mode) != wanted:
            os.chmod(entry.path, wanted)  # noqa: PTH101 - as os.scandir has it


def digest(path: Path) -> str:
    """The SHA-256 of one file, as hexadecimal digits.

    Raises:
        OSError: It cannot be read, or is no regular file: nothing waits for a pipe's other end.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        return hashlib.file_digest(file, lambda: hashlib.sha256(usedforsecurity=False)).hexdigest()


def spelt(digest: str) -> str:
    """A SHA-256 as lists of packages' files (RECORD) have it (PEP 376, PEP 427)."""
    raw = base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=")
    return f"sha256={raw.decode()}"


def folders_of(names: Iterable[str]) -> set[str]:
    """The directories that files are in, at any depth, but for the one above them all."""
    folders: set[str] = set()
    for name in names:
        above = posixpath.dirname(name)
        while above and above not in folders:
            folders.add(above)
            above = posixpath.dirname(above)
    return folders


def tops_of(names: Iterable[str], folders: Collection[str]) -> tuple[str, ...]:
    """The highest directories that are none of `folders`, or the files themselves; sorted."""
    tops = set()
    for name in names:
        top = name
        while (above := posixpath.dirname(top)) and above not in folders:
            top = above
        tops.add(top)
    return tuple(sorted(tops))


def parse(text: str) -> dict[str, str]:
    r"""The digests by path of a list that `hash_tree` or `sha256sum` wrote.

    >>> parse("\\" + "0" * 64 + "  new\\nline\n")
    {'new\nline': '0000000000000000000000000000000000000000000000000000000000000000'}

    Raises:
        EnvironmentFault: A line is no line of such a list.
    """
    digests = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise EnvironmentFault(
                f"{HASHES}, line {number}: neither a hash nor a path",
                hint="The list is damaged: remove this build and build it again.",
            )
        path = match["path"]
        if match["escaped"]:
            path = re.sub(r"\\[\\nr]", lambda found: _ESCAPED[found[0]], path)
        digests[path] = match["digest"]
    return digests


def _line(path: str, digest: str) -> str:
    r"""One line as `sha256sum` writes it: a leading backslash announces an escaped name."""
    escaped = re.sub(r"[\\\n\r]", lambda found: _ESCAPES[found[0]], path)
    return f"{'' if escaped == path else chr(92)}{digest}  {escaped}\n"


def _is_program(name: str, mode: int) -> bool:
    """Whether a file is one; Python gives bytecode the mode of its source, and nobody starts it."""
    return bool(mode & stat.S_IXUSR) and not name.endswith(".pyc")


def _walk(top: str | Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a directory, each before what is in it; links are not followed."""
    folders = [os.fspath(top)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
