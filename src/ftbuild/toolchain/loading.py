"""Where the loader finds shared libraries, without running what it would load."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ftbuild import process
from ftbuild.toolchain.programs import which

_DIRECTORIES = ("usr/local/lib", "lib", "usr/lib", "lib64", "usr/lib64")
"""Where loaders look, beside the directories that Debian has for each architecture."""

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where ldconfig is, and not on everybody's PATH."""

_CACHED = re.compile(r"^\t(?P<library>\S+) \(.*\) => (?P<path>/.+)$", re.MULTILINE)
_TARGET = slice(4, 6), slice(18, 20)
"""In an ELF file's header: class and byte order, and the machine."""


def directories(root: Path, machine: str) -> tuple[Path, ...]:
    """Where the loader looks for libraries.

    Args:
        root: The root of the file system.
        machine: The architecture, as the kernel calls it.
    """
    # i686 and armv7l are i386 and arm in Debian's names.
    words = {"i686": "i386", "armv7l": "arm"}
    pattern = f"{words.get(machine, machine)}-linux-*"
    own = (path for folder in ("lib", "usr/lib") for path in sorted((root / folder).glob(pattern)))
    return (*own, *(root / folder for folder in _DIRECTORIES))


def cached(env: Mapping[str, str]) -> dict[str, tuple[Path, ...]]:
    """The libraries in glibc's cache, each with its places; none where there is no such cache."""
    program = which("ldconfig", {"PATH": f"{env.get('PATH', '')}:{_SBIN}"})
    if program is None:
        return {}
    said = process.capture((program, "-p"), env={**env, "LC_ALL": "C"}).stdout
    found: dict[str, tuple[Path, ...]] = {}
    for library, path in _CACHED.findall(said):
        found[library] = (*found.get(library, ()), Path(path))
    return found


def find(
    library: str,
    *,
    wanted_by: Path,
    run_path: Sequence[str],
    cache: Mapping[str, Sequence[Path]],
    among: Iterable[Path],
) -> Path | None:
    """Where the loader finds a library; None if nowhere.

    Args:
        library: Its name, or its path where a file names that.
        wanted_by: The file that is linked with it: only what is for the same machine will do.
        run_path: The directories that this file names itself.
        cache: As from `cached`.
        among: As from `directories`.
    """
    origin = str(wanted_by.parent)
    own = (entry.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for entry in run_path)
    places = (
        *(Path(entry, library) for entry in own if entry),
        *cache.get(library, ()),
        *(folder / library for folder in among),
    )
    target = _target(wanted_by)
    return next((path for path in places if _target(path) == target), None)


def _target(path: Path) -> tuple[bytes, ...] | None:
    """What an ELF file is made for; None if it is not there."""
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError:
        return None
    return tuple(head[part] for part in _TARGET)
