"""The servers that a run asks: again where that may help, and no more where it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from ftbuild.fetch import wire
from ftbuild.fetch.deadlines import Watch
from ftbuild.fetch.origins import server_of

T = TypeVar("T")


class NotAsked(wire.Failed):
    """Its server could not be reached earlier in this run, or sent next to nothing."""


class Servers:
    """What a run learnt of its servers. Threads may share one."""

    def __init__(self) -> None:
        self._useless: dict[str, str] = {}

    def ask(
        self,
        url: str,
        exchange: Callable[[Watch], T],
        *,
        watch: Watch,
        stop: threading.Event,
        tell: Callable[[str], None] = lambda _: None,
    ) -> T:
        """What comes of an exchange, which is made again where that may help.

        Args:
            url: What is asked for.
            exchange: Makes the exchange, and counts what it takes.
            watch: The limits, and what earlier questions took of them.
            stop: Ends it when set.
            tell: Called before each further try with what went wrong.

        Raises:
            wire.Failed: Nothing comes of it.
            Interrupted: `stop` was set.
        """
        server = server_of(url)
        if server in self._useless:
            raise NotAsked(f"not asked again: {self._useless[server]}")
        watch.open_window()
        delay = watch.limits.backoff
        for tried in count(1):
            try:
                return exchange(watch)
            except wire.Unreachable as failed:
                self._useless[server] = failed.said
                raise
            except wire.Broken as broken:
                wait = min(delay if broken.after is None else broken.after, watch.limits.pause)
                late = wait >= watch.left
                if late or tried >= watch.limits.tries:
                    said = f"{broken.said} (asked {tried} times)" if tried > 1 else broken.said
                    if late or isinstance(broken, wire.Silent):
                        self._useless[server] = said
                    raise wire.Failed(said) from None
                tell(f"{broken.said}; again in {wait:.3g} s")
                watch.spend(wait)
                delay *= 2
                if stop.wait(wait):
                    raise wire.stopped() from None
        raise AssertionError  # the last try returns or raises
