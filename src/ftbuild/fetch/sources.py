"""The source tarballs of releases, each fetched at most once a run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ftbuild.fetch.missed import Missed
from ftbuild.fetch.origins import (
    Fetched,
    Origin,
    Source,
    Unavailable,
    apt_archives,
    filename,
    origins_for,
    upstream_of,
)
from ftbuild.fetch.signing.verdict import Signature, Unsigned
from ftbuild.model.events import Emit
from ftbuild.model.recipes import Catalogue, Release, Signer
from ftbuild.model.versions import series_of

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

    def signature(self, version: str, *, insist: bool) -> Signature | Unsigned:
        """The signature of a release's tarball, which is fetched if need be.

        Args:
            version: The release.
            insist: Whether to ask the origins once more for what they did not have lately.

        Raises:
            Refused: A signature was found that does not hold.
            UsageError: The catalogue has no such release, or is wrong about a key.
            EnvironmentFault: The tarball cannot be had, or a tool does not work.
        """
        from ftbuild.fetch.signing import signatures  # noqa: PLC0415 - see the class docstring

        tarball = self.fetch(version).path
        source = signatures.Signed(
            tarball=tarball,
            sha256=self._catalogue.release(version).sha256,
            signer=self._catalogue.signers.get(series_of(version), Signer()),
            origins=() if self._offline else self.origins(version),
        )
        search = signatures.Search(
            downloads=None if self._offline else self._downloads,
            missed=None if insist else self._missed,
            mirrors=self._mirrors,
            env=self._env,
            emit=self._emit,
        )
        return signatures.find(source, search)

    def knowing(self, releases: Mapping[str, Release]) -> Sources:
        """The same, for further releases that the catalogue does not have yet."""
        known = msgspec.structs.replace(
            self._catalogue, releases={**self._catalogue.releases, **releases}
        )
        return Sources(
            catalogue=known,
            cache=self.cache,
            mirrors=self._mirrors,
            given=self._given,
            env=self._env,
            emit=self._emit,
            stop=self._stop,
            offline=self._offline,
        )

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

    def upstream(self, version: str) -> str:
        """Where a release's publisher offers its tarball; empty for one that the user names."""
        return "" if version in self._given else upstream_of(version, self._catalogue.origins)

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
