"""Where archives are kept: directories, and the same behind plain http(s).

A store is asked for one name, which follows from what is wanted; so it needs no listing, and any
server of files will do. Whether it can be believed is for its reader to find out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import msgspec

from ftbuild.errors import Refused
from ftbuild.fetch import Origin, Source, Unavailable, directory_url, local_path, printable
from ftbuild.fetch.deadlines import ARCHIVE, DOCUMENT, Limits
from ftbuild.files import read_file
from ftbuild.model.archive import RECORD_SUFFIX, Record, decode_record
from ftbuild.model.events import Downloaded, Downloading, Emit, Event, Warned
from ftbuild.model.text import FileName, fitting
from ftbuild.store.tree import digest

_LIMIT = 4 << 20
"""Bytes a record may have: as many as from a server."""


_LONGEST = 200
"""Bytes of an archive's name; beside it lie files with a longer one, and none may pass 255."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An archive that a store says it has.

    Attributes:
        name: Its file name.
        url: `file://`, `http://` or `https://`. May hold credentials: print `place`.
        record: What the store says of it.
    """

    name: str
    url: str
    record: Record

    @property
    def place(self) -> str:
        """Where it is, fit to print."""
        return printable(self.url)

    def __repr__(self) -> str:
        return f"Offer({self.place!r})"


class Archives:
    """The stores of a run, in the order they are asked. One that fails is not asked again.

    Args:
        places: Directories and addresses.
        env: The environment, for the file of trusted certificates.
        emit: Receives progress and warnings.
        stop: Ends a download when set.
        offline: Whether only directories are asked.
        limits: How long a server may take with a record, and with an archive; None for the usual.

    Raises:
        UsageError: One of the places is neither a directory's path nor an address.
    """

    def __init__(
        self,
        places: tuple[str, ...] = (),
        *,
        env: Mapping[str, str],
        emit: Emit,
        stop: threading.Event,
        offline: bool = False,
        limits: Limits | None = None,
    ) -> None:
        urls = (directory_url(place, what="store") for place in places)
        self._urls = [url for url in urls if not offline or url.startswith("file:")]
        self._env = env
        self._emit = emit
        self._stop = stop
        self._limits = limits
        self._offers: dict[str, tuple[Offer, ...]] = {}

    def offers(self, name: str) -> tuple[Offer, ...]:
        """What the stores offer under a name, the first store's first; asked once a run.

        Raises:
            Interrupted: The run was stopped.
        """
        if name not in self._offers:
            found = (self._asked(url, name) for url in tuple(self._urls))
            self._offers[name] = tuple(offer for offer in found if offer is not None)
        return self._offers[name]

    def at(self, url: str) -> Offer | None:
        """What is said of the archive at an address; None where nothing is.

        Raises:
            Refused: It cannot be understood.
            Unavailable: The server does not deliver it.
            Interrupted: The run was stopped.
        """
        document = self._read(url + RECORD_SUFFIX)
        if document is None:
            return None
        name = unquote(urlsplit(url).path).rpartition("/")[2]
        if fitting(name, FileName) is None or len(os.fsencode(name)) > _LONGEST:
            raise Refused(f"{name!r} is no name of a file")
        return Offer(name=name, url=url, record=decode_record(document))

    def fetch(self, offer: Offer, into: Path) -> Path:
        """The archive on this machine, and the one that its record describes.

        Args:
            offer: What is wanted.
            into: A directory for what has to be downloaded.

        Raises:
            Refused: It is another file than its record says.
            Unavailable: Its server does not deliver that file, or takes too long.
            EnvironmentFault: It cannot be written.
            Interrupted: The run was stopped.
        """
        path = local_path(offer.url)
        if path is not None:
            _require_recorded(path, offer.record)
            return path
        from ftbuild.fetch.download import Downloads  # noqa: PLC0415 - requests takes its time

        downloads = Downloads(
            cache=into,
            env=self._env,
            emit=self._pass_on,
            stop=self._stop,
            limits=self._limits or ARCHIVE,
        )
        source = Source(filename=offer.name, sha256=offer.record.sha256, size=offer.record.size)
        origin = Origin(name=printable(offer.url), url=offer.url)
        return downloads.fetch(source, [origin]).path

    def _asked(self, store: str, name: str) -> Offer | None:
        try:
            return self.at(f"{store}/{quote(name)}")
        except Refused as error:
            self._emit(Warned(text=f"{printable(store)}: {name}: {error.message}"))
        except Unavailable as error:
            self._urls.remove(store)
            said = error.attempts[0].said
            self._emit(Warned(text=f"{printable(store)}: {said}; done without this store"))
        return None

    def _read(self, url: str) -> bytes | None:
        path = local_path(url)
        if path is None:
            from ftbuild.fetch.access import read_document  # noqa: PLC0415 - requests

            limits = self._limits or DOCUMENT
            return read_document(url, env=self._env, stop=self._stop, limits=limits)
        try:
            return read_file(path, limit=_LIMIT) if path.is_file() else None
        except OSError as error:
            raise Refused(f"its record cannot be read: {error.strerror}") from error

    def _pass_on(self, event: Event) -> None:
        """Progress only: what went wrong is told once, by whoever wanted the archive."""
        if isinstance(event, Downloading | Downloaded):
            self._emit(event)


def _require_recorded(path: Path, record: Record) -> None:
    try:
        right = path.stat().st_size == record.size and digest(path) == record.sha256
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    if not right:
        raise Refused(
            f"{path} is cut short or altered: it is not the file that its record describes",
            hint="Pack the build again, or copy the archive and its record once more.",
        )
