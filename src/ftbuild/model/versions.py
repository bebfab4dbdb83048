"""Versions, variants and the way people ask for them: `3.14`, `3.14t`, `3.14.7+gil`, `3.14t+tsan`.

A *release* is a `packaging.version.Version` (`3.14.7`, `3.15.0rc1`); a *series* is its first two
numbers as text (`"3.14"`). A request leaves open what it does not name.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterable

import msgspec
from packaging.version import Version

from ftbuild.errors import UsageError


class Variant(enum.StrEnum):
    """Which of the two builds of a release."""

    GIL = "gil"
    FREE_THREADED = "free-threaded"

    @property
    def suffix(self) -> str:
        """What CPython appends to its version: `t` for the free-threaded build, else nothing."""
        return "t" if self is Variant.FREE_THREADED else ""


BOTH: tuple[Variant, Variant] = (Variant.GIL, Variant.FREE_THREADED)
"""The two builds of a matched pair, the GIL build first."""

_WORDS = {"gil": Variant.GIL, "freethreaded": Variant.FREE_THREADED}
_REQUEST = re.compile(
    r"(?P<series>[0-9]{1,4}\.[0-9]{1,4})"
    r"(?P<rest>\.[0-9]{1,4}(?:(?:a|b|rc)[0-9]{1,4})?)?"
    r"(?P<t>t)?"
    r"(?P<words>(?:\+[a-z][a-z0-9-]*)*)"
)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked for, decoded but not yet resolved against a catalogue or a store.

    Attributes:
        text: The request as it was written, for messages.
        series: `"3.14"`.
        release: The exact release, or None when only the series was named.
        variant: The one build asked for, or None for the pair.
        profile: The profile named with `+tsan`, or None.
    """

    text: str
    series: str
    release: str | None = None
    variant: Variant | None = None
    profile: str | None = None

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The builds this request means, in the order they are listed everywhere."""
        return BOTH if self.variant is None else (self.variant,)


def series_of(version: str) -> str:
    """The series a release belongs to.

    >>> series_of("3.15.0rc1")
    '3.15'
    """
    parsed = Version(version)
    return f"{parsed.major}.{parsed.minor}"


def is_prerelease(version: str) -> bool:
    """Whether a release is an alpha, beta or release candidate."""
    return Version(version).is_prerelease


def newest_first(versions: Iterable[str]) -> tuple[str, ...]:
    """Releases from the newest to the oldest, as versions rather than as text."""
    return tuple(sorted(versions, key=Version, reverse=True))


def parse_request(text: str) -> Request:
    """Decode one request; the name of a build or of a launcher means that build alone.

    >>> parse_request("3.14t").variant
    <Variant.FREE_THREADED: 'free-threaded'>

    Raises:
        UsageError: The text is no version request; the message shows the forms that are.
    """
    bare = text.strip().removeprefix("cpython-").removeprefix("python")
    match = _REQUEST.fullmatch(bare)
    if match is None:
        raise UsageError(
            f"{text!r} is not a Python version",
            hint="Write a series or a release, alone for the pair of builds or for one of them: "
            "3.14, 3.14t, 3.14+gil, 3.14.7, 3.15.0rc1t. Separate several by commas.",
        )
    variant = Variant.FREE_THREADED if match["t"] else None
    profile = None
    for word in filter(None, match["words"].split("+")):
        named = _WORDS.get(word)
        if named is None and profile is None:
            profile = word
        elif named is None or (variant is not None and variant is not named):
            raise UsageError(
                f"{text!r} contradicts itself: {word!r} does not go with what stands before it",
                hint="One of t (free-threaded) and +gil, and at most one profile: 3.14t+debug.",
            )
        else:
            variant = named
    if variant is None and bare != text.strip():
        variant = Variant.GIL  # cpython-3.14.7, python3.14: the names of one build
    series = series_of(match["series"])
    release = str(Version(match["series"] + match["rest"])) if match["rest"] else None
    return Request(text=text, series=series, release=release, variant=variant, profile=profile)


def parse_requests(texts: Iterable[str]) -> tuple[Request, ...]:
    """Decode comma-separated requests, in order, each once.

    Raises:
        UsageError: One of them is no version request.
    """
    words = (word.strip() for text in texts for word in text.split(","))
    return tuple(dict.fromkeys(parse_request(word) for word in words if word))


def build_name(version: str, variant: Variant, profile: str, default_profile: str) -> str:
    """The friendly name of a build: `cpython-3.14.7t`, `cpython-3.14.7t+tsan`."""
    tail = "" if profile == default_profile else f"+{profile}"
    return f"cpython-{version}{variant.suffix}{tail}"


def nearest(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The known words most like a mistyped one, best first; versions by distance in numbers."""
    candidates = tuple(known)
    try:
        wanted = Version(word)
        versions = {text: Version(text) for text in candidates}
    except ValueError:
        return tuple(difflib.get_close_matches(word, candidates, count, 0.5))

    def distance(text: str) -> tuple[int, ...]:
        other = versions[text]
        return (
            abs(other.major - wanted.major),
            abs(other.minor - wanted.minor),
            abs(other.micro - wanted.micro),
            int(other.is_prerelease != wanted.is_prerelease),
        )

    return tuple(sorted(candidates, key=lambda text: (distance(text), text))[:count])
