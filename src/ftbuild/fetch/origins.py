"""Where a source may come from, in which order, and what came of asking."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import msgspec
from packaging.version import Version

from ftbuild import process
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.recipes import Origins
from ftbuild.model.versions import series_of

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_WITH_SERVER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_AT = re.compile(r"%40|[\uff20\ufe6b]", re.IGNORECASE)
"""What a server's name cannot have, and somebody may have meant for the end of a password."""

_LISTING = ("apt-get", "indextargets", "--format", "$(REPO_URI)")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A tarball that is wanted.

    Attributes:
        filename: Its name in the cache. Made by ftbuild; no server has a say in it.
        sha256: The pin, 64 hexadecimal digits.
        size: Exact length in bytes, or None where nobody recorded it.
    """

    filename: str
    sha256: str
    size: int | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """One place that may have a source.

    Attributes:
        name: Host or path, fit to print.
        url: `http://`, `https://` or `file://`. May hold credentials: print `printable(url)`.
    """

    name: str
    url: str

    def __repr__(self) -> str:
        return f"Origin(name={self.name!r}, url={printable(self.url)!r})"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What an origin said when it did not deliver.

    Attributes:
        origin: Who was asked.
        said: Its answer, or what went wrong, in a few words.
        absent: Whether it answered for certain that it does not have the file.
    """

    origin: Origin
    said: str
    absent: bool = False


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A verified source in the cache.

    Attributes:
        path: The file.
        origin: Who delivered it, or None where it was in the cache already.
    """

    path: Path
    origin: Origin | None


class Unavailable(EnvironmentFault):
    """No origin delivered a source. Exit 3.

    Attributes:
        attempts: Every origin asked, in order, with what it said; empty when offline.
    """

    def __init__(self, message: str, *, hint: str, attempts: tuple[Attempt, ...] = ()) -> None:
        shown = [(printable(attempt.origin.url), attempt.said) for attempt in attempts]
        width = max((len(address) for address, _ in shown), default=0)
        lines = (f"  {address:{width}}  {said}" for address, said in shown)
        super().__init__("\n".join((message, *lines)), hint=hint)
        self.attempts = attempts

    @property
    def absent(self) -> bool:
        """Whether every origin answered for certain that it does not have the file."""
        return bool(self.attempts) and all(attempt.absent for attempt in self.attempts)


def filename(version: str) -> str:
    """The name under which a release's tarball is published and cached.

    >>> filename("3.15.0rc1")
    'Python-3.15.0rc1.tar.xz'
    """
    return f"Python-{version}.tar.xz"


def origins_for(
    version: str, recipe: Origins, *, mirrors: tuple[str, ...], apt: tuple[str, ...]
) -> tuple[Origin, ...]:
    """Where the tarball of a release may be had, in the order to ask.

    The user's mirrors, the catalogue's, python.org, the host's own package archives. A mirror is
    the address of a directory that holds the tarballs, or one that is laid out like python.org's,
    with a directory for each release; both are tried.

    Args:
        version: The release, `3.15.0rc1`.
        recipe: The catalogue's mirrors and templates.
        mirrors: The user's: `http(s)://`, `file://`, or the path of a directory.
        apt: Addresses of apt archives, as from `apt_archives`.

    Raises:
        UsageError: A mirror's address is none of these, or a template has an unknown field.
    """
    fields = _fields(version)
    base = fields["base"]
    pool = _filled(recipe.apt_pool, fields)
    urls = [
        *(url for mirror in (*mirrors, *recipe.mirrors) for url in _layouts(mirror, base, version)),
        upstream_of(version, recipe),
        *(f"{directory_url(archive)}/{pool}" for archive in apt),
    ]
    return tuple(
        Origin(name=server_of(url).partition("://")[2] or printable(url), url=url)
        for url in dict.fromkeys(urls)
    )


def upstream_of(version: str, recipe: Origins) -> str:
    """Where the publisher of a release offers its tarball.

    Raises:
        UsageError: The template has an unknown field, or makes no address.
    """
    url = _filled(recipe.upstream, _fields(version))
    if not _is_address(url):
        raise UsageError(
            f"{printable(url)!r}, which `upstream` in origins.yaml makes, is no address",
            hint="Give http://, https:// or file://, and no ? or #.",
        )
    return url


def apt_archives(env: Mapping[str, str]) -> tuple[str, ...]:
    """The package archives that this machine's apt is configured with; none where it has no apt.

    Security archives come along: they answer 404 at worst.
    """
    try:
        listing = process.capture(_LISTING, env=env, timeout=20.0)
    except EnvironmentFault:
        return ()
    lines = listing.stdout.split() if listing.ok else []
    return tuple(dict.fromkeys(uri for uri in lines if _is_address(uri)))


def printable(url: str) -> str:
    """An address without credentials, query and fragment, for messages, logs and manifests.

    All that stands before the last `@` is taken for credentials, because a password may hold
    unescaped delimiters: better to show too little of an odd address than a part of a password.

    >>> printable("https://me:secret@mirror.example/python/?token=1")
    'https://mirror.example/python/'
    """
    if url.lower().startswith("file:///"):
        return clean(unquote(url[len("file://") :]))
    found = _WITH_SERVER.match(url)
    if not found:
        is_path = url.startswith((".", "/")) and not url.startswith("//")
        return clean(url if is_path else url.rpartition("@")[2])
    public, *private = re.split("[?#]", url[found.end() :], maxsplit=1)
    if any("@" in part for part in private):
        return clean(f"{found[0]}…")
    server, slash, path = public.rpartition("@")[2].partition("/")
    return clean(f"{found[0]}{_AT.split(server)[-1]}{slash}{path}")


def server_of(url: str) -> str:
    """The server of an address, fit to print.

    >>> server_of("https://me:secret@mirror.example:8443/python/?token=1")
    'https://mirror.example:8443'
    """
    scheme, mark, rest = printable(url).partition("://")
    return f"{scheme}{mark}{rest.partition('/')[0]}"


def local_path(url: str) -> Path | None:
    """The path of a `file://` address, None of any other.

    A `%00` stays as it is: no file has such a name.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme != "file":
        return None
    path = unquote_to_bytes(parts.path.encode("utf-8", "surrogatepass"))
    return Path(os.fsdecode(path.replace(b"\0", b"%00")))


def clean(text: str) -> str:
    """Text that cannot move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _fields(version: str) -> dict[str, str]:
    """What templates may name of a release."""
    parsed = Version(version)
    base = parsed.base_version
    pre = f"~{parsed.pre[0]}{parsed.pre[1]}" if parsed.pre else ""
    return {"base": base, "version": version, "series": series_of(version), "debian": base + pre}


def _filled(template: str, fields: Mapping[str, str]) -> str:
    try:
        return template.format_map(fields)
    except (LookupError, ValueError, AttributeError):
        raise UsageError(
            f"the origin template {printable(template)!r} cannot be filled in",
            hint=f"The fields it may have are {', '.join(f'{{{name}}}' for name in fields)}.",
        ) from None


def _layouts(mirror: str, base: str, version: str) -> Iterator[str]:
    """The addresses a release has on a mirror, the likelier layout first."""
    at = directory_url(mirror)
    flat, nested = f"{at}/{filename(version)}", f"{at}/{base}/{filename(version)}"
    yield from (flat, nested) if at.startswith("file:") else (nested, flat)


def directory_url(mirror: str, *, what: str = "mirror") -> str:
    """The address of a directory, without a slash at its end.

    Args:
        mirror: What the user gave: an address or a path.
        what: What it is to be, for the message.

    Raises:
        UsageError: It is neither.
    """
    if mirror and not _SCHEME.match(mirror) and not mirror.startswith("//"):
        # Of a directory that is gone, or a name that no file can have, there is no address.
        with contextlib.suppress(OSError, ValueError):
            return Path(mirror).absolute().as_uri().rstrip("/")
    if not _is_address(mirror):
        raise UsageError(
            f"{printable(mirror)!r} is not a {what}'s address",
            hint="Give http://, https:// or file:// and where the files are, without ? and #, "
            "or the path of a directory. Special characters of a password are percent-encoded.",
        )
    parts = urlsplit(mirror)
    if parts.scheme == "file":
        return f"file://{parts.path}".rstrip("/")
    return mirror.rstrip("/")


def _is_address(url: str) -> bool:
    """Whether it is the plain address of a directory that can be asked."""
    if not url.isprintable() or re.search(r"[\s?#\\]", url):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme == "file":
        return parts.netloc in {"", "localhost"} and parts.path.startswith("/")
    return parts.scheme in {"http", "https"} and bool(host)
