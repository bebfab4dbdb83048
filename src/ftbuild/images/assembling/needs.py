"""The packages of the distribution that an image's files need: its shared libraries.

Each ELF file names the libraries that it is linked with. They are looked for where the loader
looks, and the package manager is asked which package brought them.
"""

from __future__ import annotations

import platform
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ftbuild import process
from ftbuild.archive.elf import needs_of
from ftbuild.errors import EnvironmentFault
from ftbuild.toolchain.programs import which

_DIRECTORIES = ("usr/local/lib", "lib", "usr/lib", "lib64", "usr/lib64")
"""Where loaders look, beside the directories that Debian has for each architecture."""

_LIBC = re.compile(r"libc\.(so\.6|musl-\w+\.so\.1)")
"""The C library, glibc or musl: its package is in every image, with all its libraries."""

_DPKG = re.compile(r"(?P<packages>[^\s:,]+(?::\w+)?(?:, [^\s:,]+(?::\w+)?)*): (?P<path>/.+)")
_APK = re.compile(r"(?P<path>/.+?) (?:symlink target )?is owned by (?P<package>.+)-[^-]+-r\d+")

_USR = "/usr"


def packages(
    files: Mapping[str, Path], *, env: Mapping[str, str], stop: threading.Event
) -> tuple[str, ...]:
    """The packages that bring the libraries of some ELF files; not the C library's.

    Args:
        files: The files, by the names that messages have for them.
        env: The caller's environment, whose PATH has the package manager.
        stop: Ends it when set.

    Raises:
        EnvironmentFault: A library is not there, or no package brought it.
        Interrupted: `stop` was set.
    """
    needed = libraries({name: needs_of(path).libraries for name, path in files.items()})
    found = located(needed, directories(Path("/"), platform.machine()))
    owners = _owners(tuple(found.values()), env, stop)
    for library, path in found.items():
        if path not in owners:
            raise EnvironmentFault(
                f"{needed[library]} needs {library}, and no package brought {path}",
                hint="An image gets its libraries as packages. Remove that file and build again, "
                "with the distribution's own library.",
            )
    libc = {owners[path] for library, path in found.items() if _LIBC.fullmatch(library)}
    return tuple(sorted({owners[path] for path in found.values()} - libc))


def libraries(needed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The libraries that are to come from the distribution, each with a file that needs it.

    Args:
        needed: By the names of files, the libraries each is linked with.
    """
    own = {name.rpartition("/")[2] for name in needed}
    return {
        library: name
        for name, wanted in sorted(needed.items(), reverse=True)
        for library in sorted(wanted)
        if library not in own
    }


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


def located(needed: Mapping[str, str], among: Iterable[Path]) -> dict[str, Path]:
    """Where each library lies.

    Args:
        needed: The libraries, each with a file that needs it.
        among: The directories where the loader looks.

    Raises:
        EnvironmentFault: One is nowhere.
    """
    places = tuple(among)
    found = {}
    for library, name in needed.items():
        there = next((folder / library for folder in places if (folder / library).exists()), None)
        if there is None:
            raise EnvironmentFault(
                f"{name} needs {library}, which is not on this system",
                hint="Build the image's Python on the distribution that the image has.",
            )
        found[library] = there
    return found


def dpkg_owners(said: str) -> dict[str, str]:
    """The packages that own files, by what `dpkg-query --search` said.

    >>> dpkg_owners("libssl3t64:amd64: /usr/lib/x86_64-linux-gnu/libssl.so.3")
    {'/usr/lib/x86_64-linux-gnu/libssl.so.3': 'libssl3t64'}
    """
    found = {}
    for line in said.splitlines():
        match = _DPKG.fullmatch(line)
        if match is not None:
            found[match["path"]] = match["packages"].partition(",")[0].partition(":")[0]
    return found


def apk_owners(said: str) -> dict[str, str]:
    """The packages that own files, by what `apk info --who-owns` said.

    >>> apk_owners("/usr/lib/libssl.so.3 is owned by libssl3-3.5.1-r0")
    {'/usr/lib/libssl.so.3': 'libssl3'}
    """
    matches = map(_APK.fullmatch, said.splitlines())
    return {match["path"]: match["package"] for match in matches if match is not None}


def _owners(
    paths: Sequence[Path], env: Mapping[str, str], stop: threading.Event
) -> dict[Path, str]:
    """The packages that own files, as far as the package manager knows."""
    if not paths:
        return {}
    english = {**env, "LC_ALL": "C"}
    dpkg, apk = which("dpkg-query", env), which("apk", env)
    if dpkg is not None:
        spellings = {name: path for path in paths for name in _spellings(str(path))}
        # It ends with status 1 where it does not know all of them.
        done = process.capture((dpkg, "--search", *spellings), env=english, stop=stop)
        return {spellings[name]: owner for name, owner in dpkg_owners(done.stdout).items()}
    if apk is not None:
        done = process.capture((apk, "info", "--who-owns", *paths), env=english, stop=stop)
        return {Path(name): owner for name, owner in apk_owners(done.stdout).items()}
    raise EnvironmentFault(
        "neither dpkg-query nor apk is here to tell which packages bring the libraries",
        hint="Images are assembled on Debian, its like, or Alpine.",
    )


def _spellings(path: str) -> tuple[str, str]:
    """A path as packages may have recorded it: /lib is /usr/lib nowadays, but not in all of them.

    >>> _spellings("/lib/libz.so.1")
    ('/lib/libz.so.1', '/usr/lib/libz.so.1')
    """
    other = path.removeprefix(_USR) if path.startswith(f"{_USR}/") else _USR + path
    return path, other
