"""Remembers for a while which releases, and which signatures, could not be had.

A host that reaches only its distribution's archive lacks the newest releases for days. Asking for
them again on every run would make the answer "already there" wait for the network.
"""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from ftbuild.fetch.cache import keep, recall
from ftbuild.fetch.origins import printable

LATELY = 3600.0
"""Seconds for which an answer holds."""


class _Miss(msgspec.Struct, frozen=True, kw_only=True):
    """When a release was asked for in vain (seconds since the epoch), and of which mirrors."""

    at: float
    mirrors: tuple[str, ...]


class Missed:
    """The memory, in a file that may be lost or damaged without harm."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def remember(self, what: str, mirrors: tuple[str, ...]) -> None:
        """Note that a release or a file could not be had just now."""
        miss = _Miss(at=time.time(), mirrors=tuple(map(printable, mirrors)))
        known = msgspec.json.encode(self._read() | {what: miss})
        keep(self._path, known)

    def lately(self, what: str, mirrors: tuple[str, ...]) -> bool:
        """Whether it was asked of the same mirrors, in vain, and not long ago."""
        miss = self._read().get(what)
        return (
            miss is not None
            and miss.mirrors == tuple(map(printable, mirrors))
            and 0 <= time.time() - miss.at < LATELY
        )

    def _read(self) -> dict[str, _Miss]:
        try:
            return msgspec.json.decode(recall(self._path) or b"", type=dict[str, _Miss])
        except (msgspec.DecodeError, RecursionError):
            return {}
