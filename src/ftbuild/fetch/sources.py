"""The source tarballs of releases, each fetched at most once a run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ftbuild.fetch.missed import Missed
from ftbuild.fetch.origins import (
    Fetched,
    Origin,
    Source,
    Unavailable,
    apt_archives,
    filename,
    origins_for,
)
from ftbuild.model.events import Emit
from ftbuild.model.recipes import Catalogue

if TYPE_CHECKING:
    from ftbuild.fetch.download import Downloads


class Sources:
    """Delivers the verified tarball of a release, from wherever it can be had.

    The network library is imported and apt is asked for its archives only when a release is first
    wanted: a run that finds everything installed pays for neither.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        cache: Path,
        mirrors: tuple[str, ...],
        given: Mapping[str, Path],
        env: Mapping[str, str],
        emit: Emit,
        stop: threading.Event,
        offline: bool,
    ) -> None:
        """Prepare; nothing is fetched yet.

        Args:
            catalogue: Pins and origins.
            cache: The directory of verified tarballs.
            mirrors: Base URLs or directories asked first.
            given: Tarballs the user names, by release.
            env: The caller's environment: certificates, and apt's configuration.
            emit: Receives progress.
            stop: Ends a download when set.
            offline: Use the cache alone.
        """
        self._catalogue = catalogue
        self.cache = cache
        self._mirrors = mirrors
        self._given = given
        self._env = env
        self._emit = emit
        self._stop = stop
        self._offline = offline
        self._fetched: dict[str, Fetched] = {}
        self._missed = Missed(cache / "missed.json")

    def fetch(self, version: str) -> Fetched:
        """The tarball of a release, verified.

        Raises:
            UsageError: The catalogue has no such release.
            Unavailable: No origin delivered it; every one is listed with what it said.
            EnvironmentFault: It could not be stored.
        """
        if version not in self._fetched:
            release = self._catalogue.release(version)
            source = Source(filename=filename(version), sha256=release.sha256, size=release.size)
            try:
                self._fetched[version] = self._downloads.fetch(source, self.origins(version))
            except Unavailable:
                self._missed.remember(version, self._mirrors)
                raise
        return self._fetched[version]

    def missed_lately(self, version: str) -> bool:
        """Whether a run with the same mirrors asked for a release within the last hour, in vain."""
        return self._missed.lately(version, self._mirrors)

    def origins(self, version: str) -> tuple[Origin, ...]:
        """Where a release's tarball is asked for, in order; the cache goes before all of them."""
        given = self._given.get(version)
        if given is not None:
            return (Origin(name=str(given), url=given.absolute().as_uri()),)
        return origins_for(
            version, self._catalogue.origins, mirrors=self._mirrors, apt=self._archives
        )

    def cached(self, version: str) -> bool:
        """Whether a tarball of that name is in the cache, verified or not."""
        return (self.cache / filename(version)).is_file()

    @cached_property
    def _archives(self) -> tuple[str, ...]:
        return apt_archives(self._env)

    @cached_property
    def _downloads(self) -> Downloads:
        from ftbuild.fetch.download import Downloads  # noqa: PLC0415 - see the class docstring

        return Downloads(
            cache=self.cache,
            emit=self._emit,
            stop=self._stop,
            offline=self._offline,
            env=self._env,
        )
