"""Sources for later, and who signed them."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from ftbuild.building.resolve import want
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.fetch import Fetched
from ftbuild.fetch.signing import Signature, Unsigned
from ftbuild.model.versions import Request
from ftbuild.provision.choose import obtain
from ftbuild.provision.world import World
from ftbuild.toolchain import packages

Policy = Literal["require", "prefer", "off"]
"""Whether a source must have a signature, may have one, or is not asked for any."""

POLICIES: tuple[Policy, ...] = get_args(Policy)

_GNUPG = {
    "apt": "gnupg",
    "dnf": "gnupg2",
    "apk": "gnupg",
    "pacman": "gnupg",
    "zypper": "gpg2",
    "brew": "gnupg",
}
"""The package that brings gpg, by package manager."""


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is in the cache.

    Attributes:
        version: The release.
        fetched: The tarball, which is the pinned one.
        signature: Who signed it, or why nobody is known to have; None where that was not asked.
    """

    version: str
    fetched: Fetched
    signature: Signature | Unsigned | None


def policy(word: str) -> Policy:
    """The policy of that name.

    Raises:
        UsageError: There is none.
    """
    found = next((known for known in POLICIES if known == word), None)
    if found is None:
        raise UsageError(
            f"--signature takes {', '.join(POLICIES)}, not {word!r}",
            hint="`require` insists on a good signature, `prefer` says what there is, `off` goes "
            "by the pin alone.",
        )
    return found


def fetch_sources(
    requests: Sequence[Request], world: World, *, signatures: Policy
) -> tuple[Brought, ...]:
    """Have the sources of the releases that the requests mean in the cache, each once.

    Raises:
        UsageError: The catalogue cannot satisfy a request.
        Unavailable: No origin delivered one.
        Refused: A signature does not hold.
        EnvironmentFault: One is required, and there is none that could be judged.
    """
    versions: dict[str, Brought] = {}
    for request in requests:
        wanted = want(request, world.catalogue, None)
        version = obtain(wanted, world, there=lambda _: False)
        if version not in versions:
            versions[version] = _brought(version, world, signatures)
    return tuple(versions.values())


def vouched(version: str, world: World) -> Signature:
    """The good signature that a release must have.

    Raises:
        Refused: It has one that does not hold.
        EnvironmentFault: It has none that could be judged; every origin is listed.
    """
    found = world.sources.signature(version, insist=True)
    if isinstance(found, Signature):
        return found
    raise EnvironmentFault(
        "\n  ".join((f"Python {version} has no signature that can be judged here", *found.reasons)),
        hint=_remedy(found, world),
    )


def _brought(version: str, world: World, signatures: Policy) -> Brought:
    fetched = world.sources.fetch(version)
    signature: Signature | Unsigned | None = None
    if signatures == "require":
        signature = vouched(version, world)
    elif signatures == "prefer":
        signature = world.sources.signature(version, insist=False)
    return Brought(version=version, fetched=fetched, signature=signature)


def _remedy(found: Unsigned, world: World) -> str:
    """What would have to be installed, else where to look."""
    commands = {
        "sigstore": "pip install 'ftbuild[sigstore]' (uv tool install 'ftbuild[sigstore]')",
        "gpg": _gnupg(world),
    }
    if found.lacks:
        return f"Install what is missing: {'; or '.join(commands[tool] for tool in found.lacks)}."
    return (
        "A mirror that has the signatures is named with --mirror; `--signature prefer` takes a "
        "source without."
    )


def _gnupg(world: World) -> str:
    """The command that installs gpg here."""
    managers = world.catalogue.managers
    name = packages.package_manager(managers, system=platform.system().lower(), env=world.env)
    if name is None or name not in _GNUPG:
        return "GnuPG"
    by_root = packages.only_root(managers[name], world.env)
    root = by_root or os.geteuid() == 0
    commands = packages.install_command((_GNUPG[name],), managers[name], root=root)
    return packages.command_line(commands, by_root=by_root)
