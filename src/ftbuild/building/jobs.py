"""One budget of parallel jobs for all the makes of a run: a GNU make jobserver.

The protocol (GNU make manual, "POSIX Jobserver Interaction"): a pipe or FIFO holds one byte for
every job that may start now. A make takes a byte for each job beyond its first and puts it back
afterwards; its first job it owns without asking. So ftbuild takes one byte on behalf of each build
that runs and returns it when the build ends. A build in a serial phase (configure, training, a
link) thereby uses one slot and leaves the others to its neighbours, without anyone planning it.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from packaging.version import InvalidVersion, Version

from ftbuild.errors import Interrupted
from ftbuild.model.spec import Make

_TOKEN = b"+"
_WAIT = 0.2
"""Seconds after which somebody who waits looks whether the run was stopped."""


class JobBudget:
    """A jobserver with a fixed number of slots; a context manager.

    The FIFO is opened twice. One description is for the makes: make 4.3 switches what it inherits
    to non-blocking reads, make 3.81 would fail on those. The other is ours, always non-blocking.
    """

    def __init__(self, slots: int, *, directory: Path, make: Make) -> None:
        """Make the FIFO in a directory that nobody else uses.

        Args:
            slots: Jobs that may run at once, over all builds; at least 1.
            directory: Where the FIFO is made.
            make: Decides how makes are told of it.
        """
        self.slots = slots
        self._path = directory / "jobserver"
        self._make = make
        self._lock = threading.Lock()
        self._running = 0
        self._turn = threading.Condition()
        self._waiting: deque[object] = deque()

    def __enter__(self) -> Self:
        os.mkfifo(self._path, 0o600)
        self._theirs = os.open(self._path, os.O_RDWR)
        self._ours = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        os.write(self._ours, _TOKEN * self.slots)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._theirs)
        os.close(self._ours)
        self._path.unlink(missing_ok=True)

    @property
    def makeflags(self) -> str:
        """The value of MAKEFLAGS that makes a make draw on this budget."""
        if self._make.fifo:
            return f"-j{self.slots} --jobserver-auth=fifo:{self._path}"
        option = "auth" if _at_least(self._make.version, "4.2") else "fds"
        return f"-j{self.slots} --jobserver-{option}={self._theirs},{self._theirs}"

    @property
    def inherited(self) -> tuple[int, ...]:
        """File descriptors a make must inherit."""
        return () if self._make.fifo else (self._theirs,)

    @contextlib.contextmanager
    def slot(self, stop: threading.Event) -> Iterator[None]:
        """Hold one slot: a build's own, for as long as it runs. First come, first served.

        Raises:
            Interrupted: `stop` was set before a slot came free.
        """
        self._take(stop)
        try:
            yield
        finally:
            self._give_back()

    def _take(self, stop: threading.Event) -> None:
        ticket = object()
        with self._turn:
            self._waiting.append(ticket)
        try:
            while not stop.is_set():
                with self._turn:
                    if self._waiting[0] is not ticket:
                        self._turn.wait(_WAIT)
                        continue
                select.select([self._ours], [], [], _WAIT)
                with self._lock, contextlib.suppress(BlockingIOError):
                    os.read(self._ours, 1)
                    self._running += 1
                    return
            raise Interrupted("stopped before it began")
        finally:
            with self._turn:
                self._waiting.remove(ticket)
                self._turn.notify_all()

    def _give_back(self) -> None:
        with self._lock:
            self._running -= 1
            if self._running:
                os.write(self._ours, _TOKEN)
                return
            # A make that was killed keeps what it held. When no build runs, every slot is free.
            with contextlib.suppress(BlockingIOError):
                while os.read(self._ours, self.slots + 1):
                    pass
            os.write(self._ours, _TOKEN * self.slots)


def _at_least(version: str, wanted: str) -> bool:
    try:
        return Version(version) >= Version(wanted)
    except InvalidVersion:
        return True
