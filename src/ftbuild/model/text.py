r"""Text that comes from outside: types that cannot hold nonsense, and how the rest is shown.

What is read back from a file, or arrives in an archive, a record or an index, may say anything.
What of it becomes a version, a time, a number or a part of a path has one of the types here, which
msgspec holds while it decodes; what is only shown goes through `sanitise` at the edge.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from ftbuild.errors import Refused

# \A and \Z, because msgspec searches, and `$` would let a newline pass.
_VERSION = r"(?:0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,3})){2}(?:(?:a|b|rc)(?:0|[1-9]\d{0,3}))?"
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_BUILD = rf"cpython-{_VERSION}t?(?:\+{_WORD})?"
_URL = r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\0-\x1f\x7f-\x9f]+"
_PART = r"(?!\.{0,2}(?:/|\Z))[^/\0]+"
"""A name in a path: none of nothing, `.` and `..`."""

VersionText = Annotated[str, Meta(pattern=rf"(?a)\A{_VERSION}\Z")]
"""A release as ftbuild writes it: `3.14.7`, `3.15.0rc1`."""

Word = Annotated[str, Meta(pattern=rf"\A{_WORD}\Z")]
"""A name that may be part of a file's name: of a profile, a system, a machine."""

BuildName = Annotated[str, Meta(pattern=rf"(?a)\A{_BUILD}\Z")]
"""A friendly name: `cpython-3.14.7t+tsan`."""

STORE_NAME = re.compile(rf"{_BUILD}-[0-9a-f]{{8}}", re.ASCII)
"""The name of a prefix in a store: a friendly name and eight digits of a digest."""

Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]

Time = Annotated[str, Meta(pattern=r"(?a)\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?\+00:00\Z")]
"""A time in UTC, ISO 8601; whether there is such a day, the struct that has it looks."""

FileName = Annotated[str, Meta(pattern=rf"\A{_PART}\Z")]
"""The name of a file in a directory, and in no other."""

RelativePath = Annotated[str, Meta(pattern=rf"\A{_PART}(?:/{_PART})*\Z")]
"""A path that stays below where it begins."""

AbsolutePath = Annotated[str, Meta(pattern=rf"\A(?:/{_PART})+\Z")]
"""A path from the top, never the top itself."""

Argument = Annotated[str, Meta(pattern=r"\A[^\0]*\Z")]
"""What a program can be given."""

Variable = Annotated[str, Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]*\Z")]
"""The name of an environment variable."""

Url = Annotated[str, Meta(pattern=rf"\A{_URL}\Z")]
"""An address with its scheme: `https://…`, `pkg:pypi/…`, `cpe:2.3:…`."""

MaybeUrl = Annotated[str, Meta(pattern=rf"\A(?:{_URL})?\Z")]
"""An address, or nothing."""

Count = Annotated[int, Meta(ge=0, le=1 << 53)]
"""A number of things, or of bytes: what JSON readers in other languages can hold."""

Seconds = Annotated[float, Meta(ge=0, le=1e10)]

T = TypeVar("T")


class Newer(Refused):
    """A document is of a format that a newer ftbuild has. Exit 1."""


class _Formats(msgspec.Struct, frozen=True, kw_only=True):
    """The one field that every version of a document has."""

    format: int


def decode_document(document: bytes, kind: type[T], *, format: int, what: str) -> T:  # noqa: A002
    """A JSON document of ours as it was read.

    Args:
        document: The text.
        kind: What it is; it has a field `format`.
        format: The format that is known here.
        what: What it is called, for messages: `its record`.

    Raises:
        Newer: It is of a later format.
        Refused: It is of another format, or no such document.
    """
    try:
        # First of all the format: what a newer ftbuild wrote is not damaged.
        there = msgspec.json.decode(document, type=_Formats).format
        if there == format:
            return msgspec.json.decode(document, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # No reader is helped by a regular expression; where it was, msgspec tells, too.
        said = re.sub(r"Expected `str` matching regex '.*'", "a text without sense", str(error))
        raise Refused(f"{what} cannot be read: {said}") from None
    known = f"{what} has format {there}; this ftbuild knows format {format}"
    if there > format:
        raise Newer(f"{known}: a newer one made it", hint="Use the newer ftbuild.")
    raise Refused(known, hint="It was altered since it was made.")


def fitting(text: str | None, kind: Any) -> str | None:
    """A text, or None where it is not of a type of this module."""
    try:
        found: str = msgspec.convert(text, kind)
    except msgspec.ValidationError:
        return None
    return found


_UNUSUAL = re.compile(r"[^\n -~]+")

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""With which some scripts write words, and so names of files; Python calls them not printable."""


def sanitise(text: str) -> str:
    """A text as it may be shown: nothing in it commands a terminal or reorders what is read."""
    if "\r" in text or "\t" in text:
        text = text.replace("\r\n", "\n").expandtabs()
    return _UNUSUAL.sub(lambda found: "".join(map(_shown, found[0])), text)


def sanitise_line(text: str) -> str:
    """The same of what has one line: a cell, a name, a line that a program printed."""
    return sanitise(text.rstrip("\r\n")).replace("\n", " ")


def escape_unseen(text: str) -> str:
    r"""Strings as JSON, TOML and Python all write them, with `\u202e` for such characters."""
    return _UNUSUAL.sub(lambda found: "".join(map(_escaped, found[0])), text)


def _shown(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    return " " if unicodedata.category(char) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def _escaped(char: str) -> str:
    return char if char == _shown(char) or char > "\uffff" else f"\\u{ord(char):04x}"


def format_json(value: object, enc_hook: Callable[[Any], Any] | None = None) -> str:
    """A value as an indented JSON document that may be shown."""
    try:
        encoded = msgspec.json.encode(value, enc_hook=enc_hook)
    except UnicodeEncodeError:  # of a name that is not UTF-8, JSON has only so much
        encoded = msgspec.json.encode(_whole(msgspec.to_builtins(value, enc_hook=enc_hook)))
    return escape_unseen(msgspec.json.format(encoded, indent=2).decode())


def _whole(value: Any) -> Any:
    """A value without halves of characters."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_whole(key): _whole(item) for key, item in value.items()}
        case list() | tuple():
            return [_whole(item) for item in value]
        case _:
            return value
