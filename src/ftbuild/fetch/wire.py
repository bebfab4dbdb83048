"""One HTTP exchange: a request, its redirects, the answer's body piece by piece.

The exchange runs in a thread of its own, so that the caller can walk away from a server that is
silent: requests offers no way to interrupt a connect or a read. Everything that can go wrong
becomes a `Failed` in our own words, because those of requests quote addresses with credentials.
"""

from __future__ import annotations

import contextlib
import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
from requests.utils import get_auth_from_url

from ftbuild import __version__
from ftbuild.errors import Interrupted

CHUNK = 1 << 17
"""Bytes handed on at a time. A piece under way is lost when a connection breaks: not a megabyte."""

HOPS = 5
"""Redirects that are followed. Release mirrors need one or two."""

_AHEAD = 8
_POLL = 0.1
_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_ABSENT = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_RANGE = re.compile(r"bytes ([0-9]{1,20})-[0-9]{1,20}/(?:([0-9]{1,20})|\*)")
_INVALID = "cannot be asked: its address, or one it redirects to, is not valid"
_NUMBER = re.compile(r"[0-9]{1,20}")


class Failed(Exception):
    """An origin did not deliver, and asking again will not help; `said` is fit to print."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Absent(Failed):
    """It answered that it does not have the file."""


class Unreachable(Failed):
    """No connection to the host can be made at all."""


class Wrong(Failed):
    """It delivers something else than what is pinned."""


class Unsatisfiable(Failed):
    """It has nothing from that offset on."""


class Broken(Failed):
    """It may deliver when asked again; `after` are the seconds it asked to wait, if it did."""

    def __init__(self, said: str, after: float | None = None) -> None:
        super().__init__(said)
        self.after = after


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that delivers.

    Attributes:
        start: Offset of its first byte in the file.
        total: Length of the whole file as the server claims, or None where it does not say.
        chunks: The bytes. Iterating raises `Broken` when the connection does not last.
    """

    start: int
    total: int | None
    chunks: Iterator[bytes]


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask.

    Attributes:
        verify: File or directory of trusted certificates; True for those of requests.
        connect: Seconds in which a connection must be made.
        read: Seconds that a server may be silent.
    """

    verify: str | bool
    connect: float
    read: float


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str]


_Item = _Answer | bytes | Exception | None


@contextlib.contextmanager
def ask(url: str, *, offset: int, how: Asking, stop: threading.Event) -> Iterator[Body]:
    """Request a file from `offset` on.

    A server may answer with the whole file all the same: see `Body.start`.

    Raises:
        Failed: It does not deliver; the subclass tells what that means for the next step.
        Interrupted: `stop` was set; within a fraction of a second, whatever the server does.
    """
    items: queue.Queue[_Item] = queue.Queue(maxsize=_AHEAD)
    gone = threading.Event()

    def hand(item: _Item) -> bool:
        while not gone.is_set():
            with contextlib.suppress(queue.Full):
                items.put(item, timeout=_POLL)
                return True
        return False

    def take() -> _Answer | bytes | None:
        while not stop.is_set():
            with contextlib.suppress(queue.Empty):
                item = items.get(timeout=_POLL)
                if isinstance(item, Exception):
                    raise item
                return item
        raise stopped()

    def chunks() -> Iterator[bytes]:
        while isinstance(chunk := take(), bytes):
            yield chunk

    threading.Thread(target=_exchange, args=(url, offset, how, hand), daemon=True).start()
    try:
        answer = take()
        assert isinstance(answer, _Answer)  # noqa: S101 - it is the first thing handed over
        start, total = _judged(answer, offset)
        yield Body(start=start, total=total, chunks=chunks())
    finally:
        gone.set()


def trusted(env: Mapping[str, str]) -> str | bool:
    """The certificates to trust. Requests itself does not know SSL_CERT_FILE; much else does."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    return next((env[name] for name in names if env.get(name)), True)


def stopped() -> Interrupted:
    """What a download raises when it is told to stop."""
    return Interrupted(
        "the download was stopped", hint="The same command goes on where it stopped."
    )


def _exchange(url: str, offset: int, how: Asking, hand: Callable[[_Item], bool]) -> None:
    """The thread: hand over the answer, then its chunks, then None; or what went wrong."""
    answered = False
    try:
        with requests.Session() as session, _followed(session, url, offset, how) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            answered = hand(_Answer(status=response.status_code, headers=headers))
            for chunk in response.iter_content(CHUNK):
                if not hand(chunk):
                    return
        hand(None)
    except (requests.RequestException, OSError, ValueError) as error:
        hand(_broken(error, how) if answered else _refused(error, how))
    except Exception as error:  # noqa: BLE001 - raised again on the other side
        hand(error)


def _followed(session: requests.Session, url: str, offset: int, how: Asking) -> requests.Response:
    """The answer at the end of the redirects.

    Requests would follow them itself, but reads the body of each redirect to its end, however
    long that is, and goes from https to http.
    """
    # Whoever recompresses a tarball on the way changes its bytes.
    headers = {"User-Agent": f"ftbuild/{__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    credentials = get_auth_from_url(url)
    for _ in range(HOPS + 1):
        response = session.get(
            url,
            headers=headers,
            auth=credentials if any(credentials) else None,
            stream=True,
            allow_redirects=False,
            timeout=(how.connect, how.read),
            verify=how.verify,
        )
        target = session.get_redirect_target(response)
        if target is None:
            return response
        response.close()
        following = urljoin(url, target)
        schemes = urlsplit(url).scheme.lower(), urlsplit(following).scheme.lower()
        if schemes[1] not in {"http", "https"}:
            raise Failed("redirects to something that is not http or https")
        if schemes == ("https", "http"):
            raise Failed("redirects from https to http")
        if session.should_strip_auth(url, following):  # type: ignore[no-untyped-call]
            credentials = get_auth_from_url(following)
        url = following
    raise Failed(f"redirects more than {HOPS} times")


def _judged(answer: _Answer, offset: int) -> tuple[int, int | None]:
    """Where the body starts and how long the file is, if the answer delivers."""
    status, headers = answer.status, answer.headers
    said = f"answered {_phrase(status)}"
    if status in _ABSENT:
        raise Absent(said)
    if status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Broken(said, _retry_after(headers.get("retry-after", "")))
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
        raise Unsatisfiable(said)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Failed("sends the file compressed once more, although asked not to")
    length = _NUMBER.fullmatch(headers.get("content-length", ""))
    if status == HTTPStatus.OK:
        return 0, int(length[0]) if length else None
    if status == HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(headers.get("content-range", ""))
        if found is None or int(found[1]) != offset or not offset:
            raise Failed(f"was asked for the bytes from {offset:,} on and sends others")
        if found[2]:
            return offset, int(found[2])
        return offset, offset + int(length[0]) if length else None
    raise Failed(said)


def _phrase(status: int) -> str:
    """A status in our own words: those a server sends could be anything."""
    with contextlib.suppress(ValueError):
        return f"{status} {HTTPStatus(status).phrase}"
    return str(status)


def _retry_after(value: str) -> float | None:
    """Seconds, from either form of the Retry-After header; None where it is neither."""
    if _NUMBER.fullmatch(value):
        return float(value)
    with contextlib.suppress(ValueError, OverflowError):
        when = parsedate_to_datetime(value)
        return max(
            0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
        )
    return None


def _refused(error: Exception, how: Asking) -> Failed:
    """What stopped an exchange before there was an answer."""
    reason = _reason(error)
    # urllib3 gives up connecting with a reason; a connection that is lost later has none.
    lost = error.args and getattr(error.args[0], "reason", None) is None
    # The first kind that fits counts: the later ones are bases of the earlier.
    kinds: tuple[tuple[type[Exception], type[Failed], str], ...] = (
        (requests.ConnectTimeout, Unreachable, f"no connection within {how.connect:g} s"),
        (requests.exceptions.ProxyError, Unreachable, f"the proxy cannot be used: {reason}"),
        (requests.exceptions.SSLError, Unreachable, f"no secure connection: {reason}"),
        (requests.Timeout, Broken, f"silent for {how.read:g} s"),
        (
            requests.ConnectionError,
            Broken if lost else Unreachable,
            f"connection lost: {reason}" if lost else f"cannot be reached: {reason}",
        ),
        (requests.RequestException, Failed, _INVALID),
        # The one check that requests makes of the file system: whether the certificates are there.
        (OSError, Unreachable, f"no secure connection: there are no certificates at {how.verify}"),
        (Exception, Failed, _INVALID),
    )
    return next(failure(said) for kind, failure, said in kinds if isinstance(error, kind))


def _broken(error: Exception, how: Asking) -> Broken:
    """What ended an exchange within the body."""
    if any(isinstance(cause, TimeoutError) for cause in _chain(error)):
        return Broken(f"silent for {how.read:g} s")
    return Broken(f"connection lost: {_reason(error)}")


def _reason(error: Exception) -> str:
    """What the operating system or the TLS library said, deep in the chain of exceptions."""
    for cause in _chain(error):
        if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException):
            said = getattr(cause, "verify_message", None) or cause.strerror
            if said:
                return str(said)
    return "closed by the other side"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
