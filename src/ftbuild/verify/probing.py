"""Ask an installed Python: run a probe with it and decode the JSON it prints.

The interpreter under test may crash, hang or print nonsense. None of that is an exception here: it
is a `NoAnswer`, which a checker turns into a failed check.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from ftbuild import process
from ftbuild.errors import EnvironmentFault
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status
from ftbuild.model.spec import Compiler

PROBES = Path(__file__).with_name("probes")
"""Scripts for the built Pythons, which never import ftbuild, and the C source for their headers."""

TIMEOUT = 60.0
"""Seconds a probe may take; each needs well under one on an idle machine."""

_SANITIZED = 10.0
"""How much longer a sanitizer build may take: ThreadSanitizer slows a program 5 to 15 times."""

_NOT_STARTED = 127
"""What a shell answers for a command that cannot be started."""

T = TypeVar("T")


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks may use beside the installation.

    Attributes:
        env: The environment that probes inherit, PYTHON* and PIP_* removed; a sanitizer's options
            belong in it.
        scratch: An existing directory to write in.
        cpus: CPUs this process may use.
        compiler: The compiler for the header checks; without one they are skipped.
        stop: Ends the checks when set, from another thread.
    """

    env: Mapping[str, str]
    scratch: Path
    cpus: int
    compiler: Compiler | None
    stop: threading.Event = msgspec.field(default_factory=threading.Event)


Checker = Callable[[Installation, Context], tuple[Check, ...]]
"""One group of checks. It never raises for what is wrong with the installation."""


class NoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A probe that gave no answer.

    Attributes:
        how: How it ended and the last thing it said: `signal SIGSEGV`.
    """

    how: str

    def failed(self, name: str, expected: str) -> Check:
        """The failed check that this makes of what was expected."""
        return Check(name=name, status=Status.FAILED, expected=expected, found=self.how)


def environment(context: Context) -> dict[str, str]:
    """The environment of everything the checks start.

    Nothing of the caller's Python reaches the one under test, and nothing of what that one may
    leave behind (history, caches, unpacked wheels) lands outside the scratch directory.
    """
    kept = {k: v for k, v in context.env.items() if not k.startswith(("PYTHON", "PIP_"))}
    kept.pop("VIRTUAL_ENV", None)
    scratch = str(context.scratch)
    return kept | {
        "LC_ALL": "C.UTF-8",
        "HOME": scratch,
        "TMPDIR": scratch,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
    }


def run(
    argv: Sequence[str | Path],
    *,
    installation: Installation,
    context: Context,
    extra: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> process.Completed:
    """Run a command in the scratch directory; one that cannot be started ends with status 127.

    Args:
        argv: The command.
        installation: Whose command it is; that of a sanitizer build gets more time.
        context: Gives the environment and the directory.
        extra: Variables on top of that environment.
        timeout: Seconds after which it is killed.

    Raises:
        Interrupted: The context's `stop` was set.
    """
    try:
        return process.capture(
            argv,
            env=environment(context) | dict(extra or {}),
            cwd=context.scratch,
            timeout=timeout * (_SANITIZED if installation.spec.sanitizer else 1),
            stop=context.stop,
        )
    except EnvironmentFault as fault:
        words = tuple(map(str, argv))
        return process.Completed(
            argv=words, returncode=_NOT_STARTED, stdout="", stderr=fault.message
        )


def ask(
    installation: Installation,
    context: Context,
    probe: str,
    *words: str | Path,
    kind: type[T],
    python: Path | None = None,
) -> T | NoAnswer:
    """Run a probe and decode the last line it prints.

    Args:
        installation: The build under test.
        context: What the probe may use.
        probe: File name of the script.
        words: Its arguments.
        kind: The type of its answer.
        python: Another interpreter to run it with, that of a virtual environment.
    """
    # -B: a check must not add byte code to the prefix it looks at.
    argv = (python or installation.python, "-I", "-B", PROBES / probe, *words)
    done = run(argv, installation=installation, context=context)
    if not done.ok:
        return NoAnswer(how=complaint(done))
    try:
        return msgspec.json.decode(done.stdout.rstrip().rpartition("\n")[2], type=kind)
    except msgspec.DecodeError as error:
        return NoAnswer(how=f"an answer that cannot be read: {error}")


def complaint(done: process.Completed) -> str:
    """How a process ended and the most telling line of its standard error.

    That is the first error of a compiler or of a dying interpreter, else the last line, where a
    traceback has its exception.
    """
    lines = done.stderr.strip().splitlines()
    line = next((line for line in lines if " error: " in line), lines[-1] if lines else "")
    return f"{done.ending}: {line.strip()}" if line else done.ending
