"""A container that is there while an image's interpreters are asked, and gone afterwards."""

from __future__ import annotations

import contextlib
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ftbuild import process
from ftbuild.errors import EnvironmentFault
from ftbuild.images.engine import Engine
from ftbuild.images.stored import Stored
from ftbuild.verifying.probing import PROBES, Inside

SCRATCH = Path("/tmp")  # noqa: S108 - the container's own, in memory
"""The one directory that can be written in a container."""

_LIFE = "14400"
"""Seconds after which a container ends by itself, should nobody be left to remove it."""

_PATIENCE = 30.0
"""Seconds that an engine has to make or remove a container when Ctrl-C was pressed."""

_BRIEFLY = 0.1

_T = TypeVar("_T")

_SEEN = PROBES / "identity.py"


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """A running container.

    Attributes:
        engine: Runs it.
        name: Its name.
    """

    engine: Engine
    name: str

    @property
    def inside(self) -> Inside:
        """What the checks need to run commands in it."""
        binary, env = self.engine.binary, self.engine.env
        return Inside(enter=(binary, "exec"), container=self.name, env=env)

    def run(self, *words: str | Path, user: str = "") -> process.Completed:
        """Run a command as the image's users would, in its environment; failing is no error.

        Args:
            words: The command.
            user: `UID:GID` to run it as; empty for the container's own.

        Raises:
            EnvironmentFault: The engine cannot be started.
            Interrupted: The engine's `stop` was set.
        """
        options = ("--user", user) if user else ()
        return self.engine.run("exec", *options, self.name, *words)


@contextlib.contextmanager
def running(
    image: Stored, engine: Engine, *, user: str, folders: Sequence[Path] = ()
) -> Iterator[Container]:
    """A container of an image that does nothing, its root file system read-only.

    It has no network, and removes itself if this process cannot.

    Args:
        image: The image.
        engine: Runs it.
        user: `UID:GID` that it runs as.
        folders: Directories of this host that it sees at the same paths, beside `PROBES`.

    Raises:
        EnvironmentFault: It cannot be started, or does not see this host's directories.
        Interrupted: The engine's `stop` was set.
    """
    container = Container(engine=engine, name=f"ftbuild-verify-{secrets.token_hex(6)}")
    mounts = [
        f"--mount=type=bind,source={folder},target={folder},readonly"
        for folder in (PROBES, *folders)
    ]
    # Neither may be stopped: removing it, nor making it. Docker goes on with a container whose
    # client was killed, and what is not there yet cannot be removed. In a thread of its own, what
    # makes it does not see Ctrl-C either; it is waited for.
    steady = msgspec.structs.replace(engine, stop=threading.Event())
    try:
        done = _apart(
            steady.run,
            "run",
            "--detach",
            "--rm",
            f"--name={container.name}",
            f"--user={user}",
            "--read-only",
            "--network=none",
            f"--tmpfs={SCRATCH}:rw,exec,mode=1777",
            # On hosts with SELinux, labels would hide the mounted directories.
            "--security-opt=label=disable",
            # The first process of a container ignores SIGTERM, and podman waits for it to end.
            "--stop-signal=KILL",
            "--no-healthcheck",
            *mounts,
            "--entrypoint=sleep",
            image.id,
            _LIFE,
        )
        if not done.ok:
            raise _not_started(done, image, engine)
        if not container.run("test", "-r", _SEEN).ok:
            raise _unseen(engine, user)
        yield container
    finally:
        # With the volumes that it has for the image's VOLUMEs.
        _apart(steady.run, "rm", "--force", "--volumes", container.name)


def _apart(function: Callable[..., _T], *arguments: Any) -> _T:
    """What a function returns; it runs to its end also where this thread is interrupted.

    However often: who presses Ctrl-C does it twice.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(function, *arguments)
    pool.shutdown(wait=False)
    interrupt: KeyboardInterrupt | None = None
    deadline = math.inf
    while time.monotonic() < deadline and not future.done():
        try:
            wait([future], timeout=_BRIEFLY)
        except KeyboardInterrupt as raised:
            interrupt = raised
            deadline = min(deadline, time.monotonic() + _PATIENCE)
    if interrupt is not None:
        raise interrupt
    return future.result()


def _not_started(done: process.Completed, image: Stored, engine: Engine) -> EnvironmentFault:
    said = done.stderr.strip()
    if "bind source path does not exist" in said or "statfs" in said:
        return _unseen(engine)
    lines = [line for line in said.splitlines() if not line.startswith("See '")]
    message = f"no container of {image.reference} starts: {lines[-1] if lines else done.ending}"
    if "exec format error" in said.lower():
        return EnvironmentFault(
            message,
            hint=f"The image is for {image.platform}, which this host cannot run without emulation "
            "(QEMU and binfmt_misc).",
        )
    return EnvironmentFault(
        message, hint=f"See whether `{engine.kind} run --rm {image.reference} true` works."
    )


def _unseen(engine: Engine, user: str = "") -> EnvironmentFault:
    unreadable = f", or user {user} may not read it there" if user else ""
    return EnvironmentFault(
        f"a container does not see {PROBES}, which has the checks{unreadable}",
        hint=f"Where {engine.kind} runs on another machine, verify on that one. "
        f"On this one, `chmod -R a+rX {PROBES.parent}` lets every user read it.",
    )
