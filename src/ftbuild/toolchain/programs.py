"""Finding other people's programs, and asking them what they are."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from ftbuild.errors import EnvironmentFault
from ftbuild.process import capture

_PATIENCE = 20.0
"""Seconds a program may take to tell its version; macOS stubs without their tools hang."""


def which(name: str, env: Mapping[str, str]) -> Path | None:
    """Where a program lies on the PATH of `env`."""
    found = shutil.which(name, path=env.get("PATH", os.defpath))
    return None if found is None else Path(found)


def said(program: Path, *args: str, env: Mapping[str, str]) -> str:
    """What a program says on both streams, in English; empty where it fails or cannot run.

    Raises:
        EnvironmentFault: It takes too long, and not because it is a stub of macOS.
    """
    english = {**env, "LC_ALL": "C"}
    try:
        done = capture([program, *args], env=english, timeout=_PATIENCE)
    except EnvironmentFault:
        return ""
    if done.timed_out and sys.platform != "darwin":  # a busy machine does not lack the program
        raise EnvironmentFault(
            f"{program} {done.ending}",
            hint="Run the same command again when less else is going on.",
        )
    return done.stdout + done.stderr if done.ok else ""


def major(version: str) -> str:
    """The first number of a version, as text."""
    return version.partition(".")[0]


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, for comparing: not all libraries number as Python does.

    >>> numbers("1.1.1k") >= numbers("1.1.1")
    True
    """
    return tuple(int(number) for number in re.findall(r"[0-9]{1,18}", version))
