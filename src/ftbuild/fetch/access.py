"""How one run asks package indexes, and servers of documents: certificates, credentials, patience.

Where credentials come from: an address of an index in the environment that holds them, or, for an
index that has a name, uv's variables for it. `~/.netrc` is read by requests. They go to the host
they are for, and are never printed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from operator import eq
from typing import TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from ftbuild.fetch import wire
from ftbuild.fetch.connections import Sessions
from ftbuild.fetch.deadlines import DOCUMENT, INDEX, Limits, Watch
from ftbuild.fetch.origins import Attempt, Origin, Unavailable, printable
from ftbuild.fetch.servers import Servers

_ADDRESSES = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"),
)
"""Variables that hold addresses of indexes, several of them separated by white space."""

_NAMED = re.compile(r"([A-Za-z0-9_.-]+)=(?=[A-Za-z]+:)")

LIMIT = 4 << 20
"""Bytes a document may have. The largest known, the record of a debug build, has 30,000."""

OFFLINE = "not in the cache, and ftbuild is offline"

T = TypeVar("T")


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask package indexes; threads may share one.

    Attributes:
        env: The caller's environment: certificates, credentials, proxies.
        stop: Ends every exchange when set.
        offline: Whether nothing is asked at all.
        addresses: Further addresses of indexes that may hold credentials, `NAME=URL` or `URL`.
        sessions: The open connections.
        servers: What was learnt of the servers.
        limits: How long each page, and all that is asked of one file, may take.
    """

    env: Mapping[str, str]
    stop: threading.Event
    offline: bool = False
    addresses: tuple[str, ...] = ()
    sessions: Sessions = msgspec.field(default_factory=Sessions)
    servers: Servers = msgspec.field(default_factory=Servers)
    limits: Limits = INDEX

    def address(self, url: str) -> str:
        """An address with the credentials that are known for it."""
        return with_credentials(url, logins(self.env, self.addresses))

    def how(self, *, compressed: bool = False) -> wire.Asking:
        """How to make an exchange."""
        return wire.Asking(
            verify=wire.trusted(self.env),
            limits=self.limits,
            sessions=self.sessions,
            compressed=compressed,
        )

    def ask(self, url: str, exchange: Callable[[Watch], T], *, watch: Watch | None = None) -> T:
        """Make an exchange, a few times where it breaks.

        Raises:
            wire.Failed: It does not deliver.
            Interrupted: `stop` was set.
        """
        watch = watch or Watch(self.limits)
        return self.servers.ask(url, exchange, watch=watch, stop=self.stop)


def read_document(
    url: str, *, env: Mapping[str, str], stop: threading.Event, limits: Limits = DOCUMENT
) -> bytes | None:
    """A small document that nothing pins, or None where its server answers that there is none.

    Args:
        url: `http://` or `https://`.
        env: The environment, for the file of trusted certificates.
        stop: Ends it when set.
        limits: How long it may take.

    Raises:
        Unavailable: The server does not deliver it.
        Interrupted: `stop` was set.
    """
    how = wire.Asking(verify=wire.trusted(env), limits=limits)

    def exchange(watch: Watch) -> bytes:
        with wire.ask(url, offset=0, how=how, watch=watch, stop=stop) as body:
            return wire.received(body, limit=LIMIT)

    try:
        return Servers().ask(url, exchange, watch=Watch(limits), stop=stop)
    except wire.Absent:
        return None
    except wire.Failed as failed:
        raise Unavailable(
            f"{printable(url)}: {failed.said}",
            hint="Is the address right, and the server up?",
            attempts=(Attempt(origin=Origin(name=printable(url), url=url), said=failed.said),),
        ) from None


def unavailable(url: str, said: str) -> Unavailable:
    """The error that an index, or a file of one, cannot be had."""
    origin = Origin(name=printable(url), url=url)
    return Unavailable(
        f"{printable(url)}: {said}",
        hint="Is the address right, and the server up? Credentials belong into the index's "
        "address, UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD, or ~/.netrc.",
        attempts=(Attempt(origin=origin, said=said),),
    )


def logins(env: Mapping[str, str], addresses: Iterable[str] = ()) -> tuple[str, ...]:
    """The addresses of indexes that have credentials, each with them inside.

    Args:
        env: The environment.
        addresses: Further addresses, `NAME=URL` or `URL`.
    """
    words = (*addresses, *(word for name in _ADDRESSES for word in env.get(name, "").split()))
    return tuple(url for word in words if (url := _login(word, env)) is not None)


def with_credentials(url: str, known: Iterable[str]) -> str:
    """An address with the credentials of the address that is most like it, of the same server.

    >>> with_credentials("https://pkg.example/a/x.whl", ["https://me:secret@pkg.example/a/simple"])
    'https://me:secret@pkg.example/a/x.whl'
    >>> with_credentials("https://other.example/x.whl", ["https://me:secret@pkg.example/a/simple"])
    'https://other.example/x.whl'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if "@" in parts.netloc or parts.scheme not in {"http", "https"}:
        return url
    same = [each for each in map(urlsplit, known) if _server(each.geturl()) == _server(url)]
    if not same:
        return url
    nearest = max(same, key=lambda each: _shared(each.path, parts.path))
    login = nearest.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


def _login(word: str, env: Mapping[str, str]) -> str | None:
    named = _NAMED.match(word)
    url = word[named.end() :] if named else word
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"}:
        return None
    if "@" in parts.netloc:
        return url
    if named is None:
        return None
    # As uv does it: capitals, and an underscore for whatever is neither letter nor digit.
    name = re.sub(r"[^A-Z0-9]", "_", named[1].upper())
    user = env.get(f"UV_INDEX_{name}_USERNAME", "")
    password = env.get(f"UV_INDEX_{name}_PASSWORD", "")
    if not user and not password:
        return None
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc}"
    return urlunsplit(parts._replace(netloc=netloc))


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)


def _shared(one: str, other: str) -> int:
    """How many directories two paths have in common."""
    pairs = zip(_steps(one), _steps(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: eq(*pair), pairs))


def _steps(path: str) -> Iterator[str]:
    return (step for step in path.split("/") if step)
