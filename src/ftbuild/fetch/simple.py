"""What a package index offers: the page of one project, and the names of all.

The Simple API, as JSON (PEP 691) or HTML (PEP 503). A page is kept for a while, since an audit
asks for the same ones again and again; a name that is kept says nothing of who may see it.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import msgspec
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from ftbuild.fetch import wire
from ftbuild.fetch.access import OFFLINE, Access, unavailable
from ftbuild.fetch.cache import keep, open_regular, recall
from ftbuild.fetch.deadlines import Watch
from ftbuild.fetch.origins import local_path, printable

FRESH = 600.0
"""Seconds for which a page is not asked for again: `Cache-Control: max-age` of the public index."""

DAY = 86_400.0
"""Seconds for which the names of all projects are not asked for again."""

LIMIT = 256 << 20
"""Bytes a page may have. The largest known, with all the names of the public index, has 41
million; those of projects stay below 10 million."""

_LARGEST = (1 << 63) - 1
_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_LINK = re.compile(rb"""<a\s[^>]*?href\s*=\s*["']?(?:[^"'>]*/)?([^"'>/]+)/?["'>]""", re.IGNORECASE)
_FORMAT = "pages-1"


class Offered(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A file that an index offers.

    Attributes:
        name: File name of the wheel or sdist.
        url: Where it is, without credentials.
        size: Bytes, or None where the index does not say.
        sha256: Its hash, or None where the index does not say.
        requires_python: The Pythons it is for, a version specifier; empty where any will do.
        yanked: Whether it was withdrawn.
        metadata: Whether its metadata can be asked for on its own (PEP 658).
    """

    name: str
    url: str
    size: int | None = None
    sha256: str | None = None
    requires_python: str = ""
    yanked: bool = False
    metadata: bool = False


class _Kept(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A page in the cache; `files` is None for a project that the index does not have."""

    at: float
    etag: str
    modified: str
    files: tuple[Offered, ...] | None


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    filename: str
    url: str
    hashes: dict[str, str] = {}
    size: int | None = None
    requires_python: str | None = None
    yanked: bool | str = False
    core_metadata: bool | dict[str, str] | None = None
    dist_info_metadata: bool | dict[str, str] | None = None


class _Page(msgspec.Struct, frozen=True):
    files: tuple[_File, ...]


class _Project(msgspec.Struct, frozen=True):
    name: str


class _Root(msgspec.Struct, frozen=True):
    projects: tuple[_Project, ...]


def page(index: str, name: str, *, access: Access, cache: Path) -> tuple[Offered, ...] | None:
    """The files of a project, or None where the index does not have it.

    Args:
        index: The index: `http://`, `https://`, or `file://` of a directory that is laid out like
            an index or holds the files themselves.
        name: The project.
        access: How to ask.
        cache: Directory where pages are kept; made if need be.

    Raises:
        Unavailable: The index does not deliver it, or it is not in the cache and we are offline.
        Interrupted: The run was stopped.
    """
    name = canonicalize_name(name)
    folder = local_path(index)
    if folder is not None:
        return _in_directory(folder, name)
    url = f"{index.rstrip('/')}/{name}/"
    path = cache / _FORMAT / _digest(index) / f"{name}.msgpack"
    kept = _read(path)
    if kept is not None and (access.offline or 0 <= time.time() - kept.at < FRESH):
        return kept.files
    if access.offline:
        raise unavailable(url, OFFLINE)
    try:
        found = access.ask(url, lambda watch: _asked(url, access, kept, watch))
    except wire.Failed as failed:
        raise unavailable(url, failed.said) from None
    keep(path, msgspec.msgpack.encode(found))
    return found.files


def names(index: str, *, access: Access, cache: Path) -> tuple[str, ...]:
    """The normalized names of all the projects of an index: tens of megabytes on a public one.

    Raises:
        Unavailable: The index does not deliver them, or they are not in the cache and we are
            offline.
        Interrupted: The run was stopped.
    """
    folder = local_path(index)
    if folder is not None:
        with contextlib.suppress(OSError):
            return tuple(sorted({_project(each.name) for each in folder.iterdir()} - {""}))
        return ()
    path = cache / _FORMAT / _digest(index) / "names"
    with contextlib.suppress(OSError):
        if access.offline or 0 <= time.time() - path.stat().st_mtime < DAY:
            listed = recall(path, limit=LIMIT)
            if listed is not None:
                return tuple(listed.decode("ascii", errors="replace").split())
    url = f"{index.rstrip('/')}/"
    if access.offline:
        raise unavailable(url, OFFLINE)
    try:
        content, _ = access.ask(url, lambda watch: _fetched(url, access, {}, watch))
    except wire.Failed as failed:
        raise unavailable(url, failed.said) from None
    try:
        found = [each.name for each in msgspec.json.decode(content, type=_Root).projects]
    except (msgspec.DecodeError, RecursionError):
        found = [unquote(link.decode("ascii", "replace")) for link in _LINK.findall(content)]
    # Not canonicalize_name: 700,000 calls of it take a second.
    tidy = tuple(re.sub(r"[-_.]+", "-", "\n".join(found)).lower().split())
    keep(path, "\n".join(tidy).encode())
    return tidy


def _asked(url: str, access: Access, kept: _Kept | None, watch: Watch) -> _Kept:
    """The page, from the server; or what was kept, where that is what it would send."""
    headers = {}
    if kept is not None and kept.etag:
        headers["If-None-Match"] = kept.etag
    if kept is not None and kept.modified:
        headers["If-Modified-Since"] = kept.modified
    now = time.time()
    try:
        content, body = _fetched(url, access, headers, watch)
    except wire.Unchanged:
        assert kept is not None  # noqa: S101 - else no condition was set
        return msgspec.structs.replace(kept, at=now)
    except wire.Absent:
        return _Kept(at=now, etag="", modified="", files=None)
    return _Kept(
        at=now,
        etag=body.headers.get("etag", ""),
        modified=body.headers.get("last-modified", ""),
        files=parsed(content, body.url or url),
    )


def _fetched(
    url: str, access: Access, headers: dict[str, str], watch: Watch
) -> tuple[bytes, wire.Body]:
    with wire.ask(
        access.address(url),
        offset=0,
        headers={"Accept": _ACCEPT, **headers},
        how=access.how(compressed=True),
        watch=watch,
        stop=access.stop,
    ) as body:
        return wire.received(body, limit=LIMIT), body


def parsed(content: bytes, url: str) -> tuple[Offered, ...]:
    """The files on a project's page, JSON or HTML.

    Args:
        content: The page.
        url: Its address, which links may be relative to.

    Raises:
        wire.Failed: It is neither.
    """
    if content.lstrip()[:1] == b"{":
        try:
            files = msgspec.json.decode(content, type=_Page).files
        except (msgspec.DecodeError, RecursionError) as error:
            raise wire.Failed(f"sends a page that cannot be read: {error}") from None
        found = (_offered(file, url) for file in files)
    else:
        anchors = _Anchors()
        try:
            anchors.feed(content.decode(errors="replace"))
            anchors.close()
            base = urljoin(url, anchors.base)
        except (ValueError, AssertionError) as error:  # html.parser's word for odd declarations
            raise wire.Failed(f"sends a page that cannot be read: {error}") from None
        found = (_linked(link, base) for link in anchors.found)
    return tuple(offered for offered in found if offered is not None)


def _offered(file: _File, url: str) -> Offered | None:
    address = _public(url, file.url)
    if address is None:
        return None
    return Offered(
        name=file.filename,
        url=address,
        size=file.size if file.size is not None and 0 <= file.size <= _LARGEST else None,
        sha256=_sha256(file.hashes.get("sha256", "")),
        requires_python=file.requires_python or "",
        yanked=file.yanked is not False,
        metadata=bool(file.core_metadata or file.dist_info_metadata),
    )


class _Anchors(HTMLParser):
    """Collects the attributes of the links of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base = ""
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "base" and not self.base:
            self.base = values.get("href", "")
        elif tag == "a" and "href" in values:
            self.found.append(values)


def _linked(link: dict[str, str], url: str) -> Offered | None:
    address, _, fragment = link["href"].partition("#")
    public = _public(url, address)
    if public is None:
        return None
    hashed = re.search(r"(?:^|&)sha256=([0-9a-fA-F]+)", fragment)
    metadata = link.get("data-core-metadata") or link.get("data-dist-info-metadata")
    return Offered(
        name=unquote(urlsplit(public).path.rpartition("/")[2]),
        url=public,
        sha256=_sha256(hashed[1]) if hashed else None,
        requires_python=link.get("data-requires-python", ""),
        yanked="data-yanked" in link,
        metadata=metadata not in {None, "false"},
    )


def _public(url: str, link: str) -> str | None:
    """Where a link leads to, without credentials; None where that is nowhere."""
    try:
        parts = urlsplit(urljoin(url, link))
    except ValueError:
        return None
    if parts.scheme not in {"http", "https", "file"}:
        return None
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def _sha256(value: str) -> str | None:
    value = value.lower()
    return value if re.fullmatch("[0-9a-f]{64}", value) else None


def _in_directory(folder: Path, name: str) -> tuple[Offered, ...] | None:
    """The files of a project below a directory: its own index page, or the files themselves."""
    try:
        own = next(
            (each for each in folder.iterdir() if canonicalize_name(each.name) == name), None
        )
        if own is not None and own.is_dir():
            listing = own / "index.html"
            if listing.is_file():
                with open_regular(listing, follow=True) as file:
                    return parsed(file.read(LIMIT), f"{own.as_uri()}/")
            return _listed(own.iterdir(), name)
        return _listed(folder.iterdir(), name) or None
    except (OSError, wire.Failed):
        return None


def _listed(paths: Iterable[Path], name: str) -> tuple[Offered, ...]:
    return tuple(
        Offered(name=path.name, url=path.absolute().as_uri(), size=path.stat().st_size)
        for path in sorted(paths)
        if path.is_file() and _project(path.name) == name
    )


def _project(filename: str) -> str:
    """The project that a file belongs to, or a directory is for; empty for any other file."""
    with contextlib.suppress(InvalidWheelFilename, InvalidSdistFilename):
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[0]
        if filename.endswith((".tar.gz", ".zip")):
            return parse_sdist_filename(filename)[0]
    return "" if "." in filename else canonicalize_name(filename)


def _digest(index: str) -> str:
    return hashlib.sha256(printable(index).rstrip("/").encode()).hexdigest()[:16]


def _read(path: Path) -> _Kept | None:
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return msgspec.msgpack.decode(recall(path, limit=LIMIT) or b"", type=_Kept)
    return None
