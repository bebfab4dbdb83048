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
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
from requests.utils import get_auth_from_url

from ftbuild import __version__
from ftbuild.errors import Interrupted
from ftbuild.fetch.connections import Session, Sessions
from ftbuild.fetch.deadlines import Limits, Watch
from ftbuild.fetch.origins import clean

CHUNK = 1 << 17
"""Bytes handed on at a time, at most."""

HOPS = 5
"""Redirects that are followed. Release mirrors need one or two."""

_AHEAD = 8
_POLL = 0.1
_GRACE = 0.1
"""Seconds in which an exchange of which nobody wants more ends by itself."""

_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_ABSENT = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_RANGE = re.compile(r"bytes ([0-9]{1,20})-[0-9]{1,20}/(?:([0-9]{1,20})|\*)")
_INVALID = "cannot be asked: its address, or one it redirects to, is not valid"
_NUMBER = re.compile(r"[0-9]{1,20}")


class Failed(Exception):
    """An origin did not deliver, and asking again will not help; `said` is fit to print."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = clean(said)


class Absent(Failed):
    """It answered that it does not have the file."""


class Unreachable(Failed):
    """No connection to the host can be made at all, or next to nothing comes through it."""


class Wrong(Failed):
    """It delivers something else than what is pinned."""


class Unsatisfiable(Failed):
    """It has nothing from that offset on."""


class Unchanged(Failed):
    """It has nothing newer than what was asked about with `If-None-Match` or the like."""


class Broken(Failed):
    """It may deliver when asked again; `after` are the seconds it asked to wait, if it did."""

    def __init__(self, said: str, after: float | None = None) -> None:
        super().__init__(said)
        self.after = after


class Silent(Broken):
    """It said nothing for as long as one may."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that delivers.

    Attributes:
        start: Offset of its first byte in the file.
        total: Length of the whole file as the server claims, or None where it does not say.
        chunks: The bytes. Iterating raises `Broken` when the connection does not last.
        url: Where they come from, after redirects. May hold credentials.
        headers: Those of the answer, by lower-case name.
        partial: Whether it is the part that was asked for, not the whole file.
    """

    start: int
    total: int | None
    chunks: Iterator[bytes]
    url: str = ""
    headers: Mapping[str, str] = {}
    partial: bool = False


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask.

    Attributes:
        verify: File or directory of trusted certificates; True for those of requests.
        limits: How long it may take.
        sessions: Where connections are kept for later exchanges; None closes them.
        compressed: Whether the body may be compressed for the way: a document, never a file that
            has a hash.
    """

    verify: str | bool
    limits: Limits
    sessions: Sessions | None = None
    compressed: bool = False


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: the bytes from `offset` to before `until`, or to the end."""

    offset: int
    until: int | None = None
    headers: Mapping[str, str] = {}

    @property
    def ranged(self) -> bool:
        return bool(self.offset) or self.until is not None

    @property
    def conditional(self) -> bool:
        return any(name.lower().startswith("if-") for name in self.headers)


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str]
    url: str = ""


_Item = _Answer | bytes | Exception | None


@contextlib.contextmanager
def ask(
    url: str,
    *,
    offset: int,
    until: int | None = None,
    headers: Mapping[str, str] | None = None,
    how: Asking,
    watch: Watch | None = None,
    stop: threading.Event,
) -> Iterator[Body]:
    """Request a file from `offset` on, as far as before `until` where that is given.

    A server may answer with the whole file all the same: see `Body.start`. Further headers go to
    every server that the request is redirected to: nothing secret belongs there.

    Args:
        url: Where the file is.
        offset: The first byte.
        until: The one after the last.
        headers: Further ones.
        how: How to ask.
        watch: What the question has taken of its limits so far.
        stop: Ends it when set.

    Raises:
        Failed: It does not deliver; the subclass tells what that means for the next step.
        Interrupted: `stop` was set; within a fraction of a second, whatever the server does.
    """
    pipe = _Pipe(watch or Watch(how.limits), stop)
    question = _Question(offset=offset, until=until, headers=headers or {})
    session = how.sessions.take() if how.sessions else Session()
    threading.Thread(
        target=_exchange, args=(url, question, how, session, pipe), daemon=True
    ).start()
    try:
        answer = pipe.take()
        assert isinstance(answer, _Answer)  # noqa: S101 - it is the first thing handed over
        start, total = _judged(answer, question, compressed=how.compressed)
        yield Body(
            start=start,
            total=total,
            chunks=pipe.chunks(),
            url=answer.url,
            headers=answer.headers,
            partial=answer.status == HTTPStatus.PARTIAL_CONTENT,
        )
    finally:
        pipe.gone.set()
        if pipe.over.wait(_GRACE) and how.sessions:
            how.sessions.give_back(session)
        else:
            session.end()


class _Pipe:
    """Between the thread that makes an exchange and whoever asks.

    Attributes:
        watch: Counts what is waited for.
        gone: Set when nobody asks any more.
        over: Set when the exchange has ended.
    """

    def __init__(self, watch: Watch, stop: threading.Event) -> None:
        self.watch = watch
        self.gone = threading.Event()
        self.over = threading.Event()
        self._stop = stop
        self._items: queue.Queue[_Item] = queue.Queue(maxsize=_AHEAD)

    def hand(self, item: _Item) -> bool:
        """Hand something over; false where nobody wants it."""
        while not self.gone.is_set():
            with contextlib.suppress(queue.Full):
                self._items.put(item, timeout=_POLL)
                return True
        return False

    def take(self) -> _Answer | bytes | None:
        """What is handed over next."""
        while not self._stop.is_set():
            began = time.monotonic()
            item: _Item = b""  # no chunk is empty
            with contextlib.suppress(queue.Empty):
                item = self._items.get(timeout=_POLL)
            # Where it took much longer, this process was stopped for a while.
            self.watch.spend(min(time.monotonic() - began, 10 * _POLL))
            if isinstance(item, Exception):
                raise item
            if item is not None and (said := self.watch.overdue):
                raise Failed(said)
            if item is not None and (said := self.watch.dripping):
                raise Unreachable(said)
            if item != b"":
                return item
        raise stopped()

    def chunks(self) -> Iterator[bytes]:
        """The pieces of the body, to its end."""
        while isinstance(chunk := self.take(), bytes):
            yield chunk


def received(body: Body, *, limit: int) -> bytes:
    """All of a small body.

    Args:
        body: The answer.
        limit: Bytes that it may have.

    Raises:
        Failed: It is larger, or ends early.
        Interrupted: The exchange was stopped.
    """
    content = bytearray()
    for chunk in body.chunks:
        content += chunk
        if len(content) > limit:
            raise Failed(f"sends more than {limit:,} bytes")
    if body.total is not None and len(content) < body.total:
        raise Broken(f"ended after {len(content):,} of {body.total:,} bytes")
    return bytes(content)


def trusted(env: Mapping[str, str]) -> str | bool:
    """The certificates to trust. Requests itself does not know SSL_CERT_FILE; much else does."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    return next((env[name] for name in names if env.get(name)), True)


def stopped() -> Interrupted:
    """What a download raises when it is told to stop."""
    return Interrupted(
        "the download was stopped", hint="The same command goes on where it stopped."
    )


def _exchange(url: str, question: _Question, how: Asking, session: Session, pipe: _Pipe) -> None:
    """The thread: hand over the answer, then its chunks, then None; or what went wrong."""
    answered = False
    try:
        with _followed(session, url, question, how) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            status, address = response.status_code, response.url
            answered = pipe.hand(_Answer(status=status, headers=headers, url=address))
            raw, read = response.raw, 0
            # As it comes: requests' way waits until it has all the bytes of a chunk.
            while chunk := raw.read1(CHUNK, decode_content=how.compressed):
                pipe.watch.count(raw.tell() - read)
                read = raw.tell()
                if not pipe.hand(chunk):
                    return
        pipe.hand(None)
    except Failed as failed:
        pipe.hand(failed)
    except Exception as error:  # noqa: BLE001 - what three libraries raise for an odd answer
        pipe.hand(_broken(error, how) if answered else _refused(error, how))
    finally:
        session.release()
        pipe.over.set()


def _followed(
    session: requests.Session, url: str, question: _Question, how: Asking
) -> requests.Response:
    """The answer at the end of the redirects.

    Requests would follow them itself, but reads the body of each redirect to its end, however
    long that is, and goes from https to http.
    """
    headers = {**question.headers, "User-Agent": f"ftbuild/{__version__}"}
    # Whoever recompresses a tarball on the way changes its bytes.
    headers["Accept-Encoding"] = "gzip" if how.compressed else "identity"
    if question.ranged:
        last = "" if question.until is None else question.until - 1
        headers["Range"] = f"bytes={question.offset}-{last}"
    credentials = get_auth_from_url(url)
    for _ in range(HOPS + 1):
        response = session.get(
            url,
            headers=headers,
            auth=credentials if any(credentials) else None,
            stream=True,
            allow_redirects=False,
            timeout=(how.limits.connect, how.limits.silence),
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


def _judged(
    answer: _Answer, question: _Question, *, compressed: bool = False
) -> tuple[int, int | None]:
    """Where the body starts and how long the file is, if the answer delivers."""
    status, headers, offset = answer.status, answer.headers, question.offset
    said = f"answered {_phrase(status)}"
    if status in _ABSENT:
        raise Absent(said)
    if status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Broken(said, _retry_after(headers.get("retry-after", "")))
    if status == HTTPStatus.NOT_MODIFIED and question.conditional:
        raise Unchanged(said)
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and question.ranged:
        raise Unsatisfiable(said)
    plain = headers.get("content-encoding", "identity").lower() == "identity"
    if not plain and not compressed:
        raise Failed("sends the file compressed once more, although asked not to")
    # The length of what is compressed is not that of the document.
    length = _NUMBER.fullmatch(headers.get("content-length", "")) if plain else None
    if status == HTTPStatus.OK:
        return 0, int(length[0]) if length else None
    if status == HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(headers.get("content-range", ""))
        if found is None or int(found[1]) != offset or not question.ranged:
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
        (requests.ConnectTimeout, Unreachable, f"no connection within {how.limits.connect:g} s"),
        (requests.exceptions.ProxyError, Unreachable, f"the proxy cannot be used: {reason}"),
        (requests.exceptions.SSLError, Unreachable, f"no secure connection: {reason}"),
        (requests.Timeout, Silent, f"silent for {how.limits.silence:g} s"),
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
        return Silent(f"silent for {how.limits.silence:g} s")
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
