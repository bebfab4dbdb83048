"""Which packages of the distribution brought files: what dpkg, rpm or apk say."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path

from ftbuild import process
from ftbuild.errors import EnvironmentFault
from ftbuild.model.components import Package
from ftbuild.toolchain.packages import release
from ftbuild.toolchain.programs import which

_OS_RELEASE = Path("/etc/os-release")

_DPKG = re.compile(r"(?P<packages>[^\s:,]+(?::\w+)?(?:, [^\s:,]+(?::\w+)?)*): (?P<path>/.+)")
_DPKG_FORMAT = r"${binary:Package}\t${Package}\t${Version}\t${Architecture}\n"
_RPM_FORMAT = r"[%{=NAME}\t%{=VERSION}-%{=RELEASE}\t%{=ARCH}\t%{=EPOCH}\t%{FILENAMES}\n]"
_NO_EPOCH = "(none)"
_APK = re.compile(
    r"(?P<path>/.+?) (?:symlink target )?is owned by (?P<name>.+)-(?P<version>[^-]+-r\d+)"
)

_USR = "/usr"

_Said = Callable[..., str]
"""Runs a package manager with some words, and returns its answer."""


def owners(
    paths: Collection[Path],
    *,
    env: Mapping[str, str],
    stop: threading.Event,
    os_release: Path = _OS_RELEASE,
) -> dict[Path, Package]:
    """The packages that own files, as far as the package manager knows.

    Args:
        paths: The files.
        env: The caller's environment, whose PATH has the package manager.
        stop: Ends it when set.
        os_release: The file that names the distribution.

    Raises:
        EnvironmentFault: There is no package manager that can tell.
        Interrupted: `stop` was set.
    """
    if not paths:
        return {}
    english = {**env, "LC_ALL": "C"}
    name, number = release(os_release)
    spellings = {spelling: path for path in paths for spelling in _spellings(str(path))}
    asked = False
    # Fedora offers dpkg, and Debian rpm: the one that knows the files is the distribution's own.
    for tool, ask in _MANAGERS.items():
        program = which(tool, env)
        if program is not None:
            asked = True
            found = ask(partial(_said, program, env=english, stop=stop), spellings, name, number)
            if found:
                known = ((spellings.get(path), package) for path, package in found.items())
                return {path: package for path, package in known if path is not None}
    if not asked:
        raise EnvironmentFault(
            f"none of {', '.join(_MANAGERS)} is here to tell which packages brought files"
        )
    return {}


def dpkg_owners(said: str) -> dict[str, str]:
    """The packages that own files, by what `dpkg-query --search` said.

    >>> dpkg_owners("libssl3t64:amd64: /usr/lib/x86_64-linux-gnu/libssl.so.3")
    {'/usr/lib/x86_64-linux-gnu/libssl.so.3': 'libssl3t64:amd64'}
    """
    matches = map(_DPKG.fullmatch, said.splitlines())
    return {
        match["path"]: match["packages"].partition(",")[0] for match in matches if match is not None
    }


def dpkg_packages(said: str, distribution: str, number: str) -> dict[str, Package]:
    """The packages, by dpkg's own names for them, as `dpkg-query --show` told them."""
    return {
        key: Package(
            kind="deb",
            name=name,
            version=version,
            architecture=architecture,
            distribution=distribution,
            release=number,
        )
        for key, name, version, architecture in _rows(said, 4)
    }


def rpm_owners(said: str, distribution: str, number: str) -> dict[str, Package]:
    """The packages by their files, all of them, as `rpm --query --file` told them."""
    return {
        path: Package(
            kind="rpm",
            name=name,
            version=version,
            architecture=architecture,
            distribution=distribution,
            release=number,
            epoch="" if epoch == _NO_EPOCH else epoch,
        )
        for name, version, architecture, epoch, path in _rows(said, 5)
    }


def apk_owners(said: str, machine: str, distribution: str, number: str) -> dict[str, Package]:
    """The packages that own files, by what `apk info --who-owns` said."""
    matches = map(_APK.fullmatch, said.splitlines())
    return {
        match["path"]: Package(
            kind="apk",
            name=match["name"],
            version=match["version"],
            architecture=machine,
            distribution=distribution,
            release=number,
        )
        for match in matches
        if match is not None
    }


def _dpkg(said: _Said, paths: Iterable[str], distribution: str, number: str) -> dict[str, Package]:
    owning = dpkg_owners(said("--search", *paths))
    names = sorted(set(owning.values()))
    told = said("--show", f"--showformat={_DPKG_FORMAT}", *names) if names else ""
    known = dpkg_packages(told, distribution, number)
    return {path: known[owner] for path, owner in owning.items() if owner in known}


def _apk(said: _Said, paths: Iterable[str], distribution: str, number: str) -> dict[str, Package]:
    machine = said("--print-arch").strip()
    return apk_owners(said("info", "--who-owns", *paths), machine, distribution, number)


def _rpm(said: _Said, paths: Iterable[str], distribution: str, number: str) -> dict[str, Package]:
    told = said("--query", "--file", "--queryformat", _RPM_FORMAT, *paths)
    return rpm_owners(told, distribution, number)


_MANAGERS = {"dpkg-query": _dpkg, "apk": _apk, "rpm": _rpm}


def _said(program: Path, *args: str, env: Mapping[str, str], stop: threading.Event) -> str:
    """What a package manager said; its status is another than 0 where it does not know a file."""
    return process.capture((program, *args), env=env, stop=stop).stdout


def _rows(said: str, width: int) -> Iterable[list[str]]:
    """The lines that have that many fields: programs say other things, too."""
    rows = (line.split("\t") for line in said.splitlines())
    return (row for row in rows if len(row) == width)


def _spellings(path: str) -> tuple[str, str]:
    """A path as packages may have recorded it: /lib is /usr/lib nowadays, but not in all of them.

    >>> _spellings("/lib/libz.so.1")
    ('/lib/libz.so.1', '/usr/lib/libz.so.1')
    """
    other = path.removeprefix(_USR) if path.startswith(f"{_USR}/") else _USR + path
    return path, other
