"""How long the network may take: the only place that says so. docs/network.md has the same figures.

Whoever makes an exchange counts, on a `Watch`, the time it waits and the bytes that arrive. Time
spent otherwise (on a slow disk, stopped by Ctrl-Z) is not the server's, and not counted.
"""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is waited for. The defaults are those for sources and wheels.

    Attributes:
        connect: Seconds for a connection to one address of a host, and once more for TLS. What
            pip and uv allow.
        silence: Seconds without a byte, after which the server is asked again. What apt, dnf and
            uv allow.
        rate: Bytes a second that must arrive: dnf's `minrate`.
        window: Seconds over which the rate is taken. No bytes but those of the body count; names,
            proxies, TLS, redirects, headers and further tries take their time out of it. A server
            is silent once and asked again within a minute.
        total: Seconds for all of it: 24 MB at 7 kB/s.
        tries: How often a server is asked where asking again may help.
        backoff: Seconds before it is asked again, doubled each time.
        pause: Seconds before it is asked again at most, whatever it wishes.
    """

    connect: float = 10.0
    silence: float = 30.0
    rate: float = 1000.0
    window: float = 45.0
    total: float = 3600.0
    tries: int = 5
    backoff: float = 0.5
    pause: float = 30.0


SOURCE = Limits()
"""For sources and wheels."""

SIGNATURE = 60.0
"""Seconds in all for what lies beside a source, of some kilobytes."""

INDEX = Limits(total=120.0, tries=3, pause=5.0)
"""For a page of a package index, and for all that is asked of one file: 41 MB, the largest page
known, at 350 kB/s."""

DOCUMENT = Limits(connect=5.0, silence=10.0, total=20.0, tries=1)
"""For records of archives and answers of python.org's API, of some kilobytes: less patience,
because whoever asks has another way, or can be asked again."""

ARCHIVE = Limits(connect=5.0, silence=10.0, total=120.0, tries=2)
"""For an archive: about what the `fast` profile takes to compile."""


class Watch:
    """What one question has taken of its limits, its redirects and further tries included."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._arrived = self._counted = 0
        self._spent = self._lean = 0.0

    def count(self, size: int) -> None:
        """Note bytes that arrived; from whichever thread reads them."""
        self._arrived += size

    def spend(self, seconds: float) -> None:
        """Note time that was waited."""
        self._spent += seconds
        self._lean += seconds
        if self._arrived - self._counted >= self.limits.rate * self.limits.window:
            self.open_window()

    def open_window(self) -> None:
        """Begin a new window: the next question is asked, or the last window had its bytes."""
        self._counted, self._lean = self._arrived, 0.0

    @property
    def left(self) -> float:
        """Seconds that may be waited yet, if nothing arrives."""
        return min(self.limits.total - self._spent, self.limits.window - self._lean)

    @property
    def overdue(self) -> str | None:
        """What to say where the whole takes too long."""
        total = self.limits.total
        return f"too slow: not all there after {total:g} s" if self._spent > total else None

    @property
    def dripping(self) -> str | None:
        """What to say where too little arrives."""
        if self._lean <= self.limits.window:
            return None
        size = self._arrived - self._counted
        return f"too slow: {size:,} bytes in {self.limits.window:g} s"
