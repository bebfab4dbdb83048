"""Ask an installed Python: run a probe with it and decode the JSON it prints.

The interpreter under test may crash, hang or print nonsense. None of that is an exception here: it
is a `NoAnswer`, which a checker turns into a failed check.

It may also be inside a container. Then its paths are of no use on this host, and what a checker
wants to know of its files a probe must tell.
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
from ftbuild.files import require_room
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

_SIGNALLED = 128
"""What shells and container engines add to the number of the signal that ended a command."""

T = TypeVar("T")


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """A running container, in which commands are run instead of on this host.

    `PROBES` must be in it at the same path as here.

    Attributes:
        enter: The words that run a command in a container, up to their options: `docker exec`.
        container: Its name.
        env: The environment of the engine's own command, which none of the container's is.
    """

    enter: tuple[str, ...]
    container: str
    env: Mapping[str, str]

    def command(
        self, argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path
    ) -> tuple[str, ...]:
        """The command on this host that runs another in the container.

        Args:
            argv: What runs there.
            env: Its whole environment, the image's own variables left out.
            cwd: Where it runs, a directory there.
        """
        # The engine's --env could only add to the image's variables.
        variables = (f"{name}={value}" for name, value in env.items())
        there = ("/usr/bin/env", "-i", *variables, *map(str, argv))
        return (*self.enter, "--workdir", str(cwd), self.container, *there)


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks may use beside the installation.

    Attributes:
        env: The environment that probes inherit, PYTHON* and PIP_* removed; a sanitizer's options
            belong in it.
        scratch: An existing directory to write in.
        cpus: CPUs this process may use.
        compiler: The compiler for the header checks; without one they are skipped. In a container
            the checks use its own.
        inside: The container that has the installation and the scratch directory; None where they
            are on this host.
        stop: Ends the checks when set, from another thread.
    """

    env: Mapping[str, str]
    scratch: Path
    cpus: int
    compiler: Compiler | None
    inside: Inside | None = None
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


def resolved(path: Path, context: Context) -> Path:
    """A path without symbolic links, for comparing; one of a container stays as it is."""
    return path if context.inside else path.resolve()


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
        EnvironmentFault: The container engine cannot be started; or it failed because there is no
            space left.
    """
    variables = environment(context) | dict(extra or {})
    inside = context.inside
    patience = timeout * (_SANITIZED if installation.spec.sanitizer else 1)
    if inside is not None:
        done = process.capture(
            inside.command(argv, env=variables, cwd=context.scratch),
            env=inside.env,
            timeout=patience,
            stop=context.stop,
        )
        code = done.returncode
        return msgspec.structs.replace(
            done, returncode=_SIGNALLED - code if code > _SIGNALLED else code
        )
    try:
        done = process.capture(
            argv, env=variables, cwd=context.scratch, timeout=patience, stop=context.stop
        )
    except EnvironmentFault as fault:
        words = tuple(map(str, argv))
        return process.Completed(
            argv=words, returncode=_NOT_STARTED, stdout="", stderr=fault.message
        )
    if not done.ok:
        require_room(context.scratch, done.stderr)
    return done


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
