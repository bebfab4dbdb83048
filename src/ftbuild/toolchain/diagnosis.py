"""What `examine` finds, as data, and the installation of what it found missing."""

from __future__ import annotations

import collections
import enum
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault
from ftbuild.process import ending, stream
from ftbuild.toolchain.packages import Commands, command_line

_TAIL = 20
"""Lines of a failed installation that are shown."""


class Grade(enum.StrEnum):
    """How good a finding is. `missing` and `wrong` stand in the way of a build."""

    OK = "ok"
    MISSING = "missing"
    WRONG = "wrong"
    OPTIONAL = "optional-missing"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked for.

    Attributes:
        what: Its name: `gcc`, `make`, `openssl`.
        status: How good the finding is.
        found: Its version and place; empty where it is missing.
        gives: Standard-library modules that depend on it.
        packages: The packages that bring it, where it is missing or wrong.
        note: What follows from the finding.
    """

    what: str
    status: Grade
    found: str = ""
    gives: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    note: str = ""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was looked for.

    Attributes:
        system: `linux` or `darwin`.
        manager: The package manager's name in the catalogue, or None where it has none.
        findings: In the order they are shown.
        commands: The commands that install all that is missing, in order; empty where nothing is.
        by_root: Whether only root can run them, and this user cannot become root.
    """

    system: str
    manager: str | None
    findings: tuple[Finding, ...]
    commands: Commands
    by_root: bool = False

    @property
    def command(self) -> str:
        """The commands as one line for a shell."""
        return command_line(self.commands, by_root=self.by_root)

    @property
    def ok(self) -> bool:
        """Whether this host can build."""
        return not self.faults

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that stand in the way of a build."""
        return tuple(f for f in self.findings if f.status in {Grade.MISSING, Grade.WRONG})


def install(
    diagnosis: Diagnosis, *, env: Mapping[str, str], on_line: Callable[[str], None]
) -> None:
    """Install what is missing.

    Args:
        diagnosis: What `examine` found.
        env: The caller's environment.
        on_line: Receives every line the package manager prints, from a thread of its own.

    Raises:
        EnvironmentFault: There is no package manager to do it, or it failed.
    """
    if diagnosis.manager is None and diagnosis.faults:
        raise EnvironmentFault(
            "the catalogue knows no package manager for this host",
            hint="Install by hand: " + ", ".join(fault.what for fault in diagnosis.faults) + ".",
        )
    if diagnosis.by_root and diagnosis.commands:
        raise EnvironmentFault(
            "only root can install packages here, and there is no sudo",
            hint=f"Run this {diagnosis.command}",
        )
    quiet = {**env, "DEBIAN_FRONTEND": "noninteractive"}
    for command in diagnosis.commands:
        tail: collections.deque[str] = collections.deque(maxlen=_TAIL)

        def take(line: str, tail: collections.deque[str] = tail) -> None:
            tail.append(line)
            on_line(line)

        with tempfile.TemporaryDirectory(prefix="ftbuild-install-") as folder:
            status = stream(
                command,
                env=quiet,
                cwd=Path(folder),
                log=Path(folder, "log"),
                on_line=take,
                stop=threading.Event(),
            )
        if status != 0:
            raise EnvironmentFault(
                f"{command_line((command,))} failed: {ending(status)}",
                hint=f"Run it yourself: {diagnosis.command}",
                tail=tuple(tail),
            )
