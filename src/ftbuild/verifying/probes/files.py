"""What is below a prefix: modes, owners, targets of links, and the hashes of files.

As a script, under the built Python, it prints that as one JSON object. Its arguments are the prefix
and the name of the list of hashes, which it quotes. ftbuild imports it, too, for the prefixes of
its own host. Nothing here follows a link, or opens what is no regular file.
"""

import errno
import hashlib
import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, NamedTuple

WORKERS = 4
"""Files hashed at a time. hashlib releases the GIL, and a few more than two keep a disk busy."""


class Entry(NamedTuple):
    """What has a name below a prefix.

    Attributes:
        mode: Its type and its permissions.
        owner: The number of its user.
        elsewhere: Whether it is a file that has another name, not below the prefix.
        text: The target of a link; the SHA-256 of a file, if it is wanted.
        trouble: Why it cannot be read; empty if it can.
    """

    mode: int
    owner: int
    elsewhere: bool = False
    text: str = ""
    trouble: str = ""


def look(prefix: str, wanted: Container[str] | None = None) -> dict[str, Entry]:
    """Everything below a prefix, by name, and the prefix itself as `.`.

    What vanishes meanwhile is not there.

    Args:
        prefix: The prefix.
        wanted: The files whose hashes are wanted; None: all.

    Raises:
        OSError: There is no such directory.
    """
    found = {".": os.stat(prefix)}  # noqa: PTH116
    trouble: dict[str, str] = {}
    folders = ["."]
    while folders:
        folder = folders.pop()
        try:
            for name, status in _entries(prefix, folder):
                found[name] = status
                if stat.S_ISDIR(status.st_mode):
                    folders.append(name)
        except OSError as error:
            trouble[folder] = _why(error)
    read = [
        name
        for name, status in found.items()
        if stat.S_ISLNK(status.st_mode)
        or (stat.S_ISREG(status.st_mode) and (wanted is None or name in wanted))
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        told = pool.map(lambda name: _text(f"{prefix}/{name}", found[name].st_mode), read)
        texts = dict(zip(read, told, strict=True))
    names = Counter((status.st_dev, status.st_ino) for status in found.values())
    return {
        name: Entry(
            status.st_mode,
            status.st_uid,
            stat.S_ISREG(status.st_mode) and status.st_nlink > names[status.st_dev, status.st_ino],
            *texts.get(name, ("", trouble.get(name, ""))),
        )
        for name, status in found.items()
    }


def read_regular(path: str) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: It is none, or cannot be read.
    """
    with _open_regular(path) as file:
        return file.read()


def _entries(prefix: str, folder: str) -> Iterator[tuple[str, os.stat_result]]:
    below = "" if folder == "." else f"{folder}/"
    with os.scandir(f"{prefix}/{below}") as entries:
        for entry in entries:
            try:
                yield below + entry.name, entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue


def _text(path: str, mode: int) -> tuple[str, str]:
    """The target of a link, or the hash of a file; and why there is none."""
    try:
        if stat.S_ISLNK(mode):
            return os.readlink(path), ""  # noqa: PTH115
        with _open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), ""
    except OSError as error:
        return "", _why(error)


def _open_regular(path: str) -> BinaryIO:
    # At once, where a pipe has come into the place of a file.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(errno.EINVAL, "it is not a regular file", path)


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def _spoken(text: str) -> str:
    """JSON has no half of a surrogate pair, which stands for a byte that is not UTF-8."""
    return os.fsencode(text).decode(errors="replace")


if __name__ == "__main__":
    prefix, hashes = sys.argv[1:]
    listed = read_regular(f"{prefix}/{hashes}")
    entries = {
        _spoken(name): entry._replace(text=_spoken(entry.text))
        for name, entry in look(prefix).items()
    }
    sha256 = hashlib.sha256(listed).hexdigest()
    text = listed.decode(errors="replace")
    print(json.dumps({"text": text, "sha256": sha256, "entries": entries}))
