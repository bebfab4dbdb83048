from __future__ import annotations

import json
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import Refused
from ftbuild.model import text as text_
from ftbuild.model.text import (
    STORE_NAME,
    Newer,
    decode_document,
    escape_unseen,
    fitting,
    format_json,
    sanitise,
    sanitise_line,
)

ANYTHING = st.text(st.characters())
"""Halves of characters included."""

REORDERING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def may_be_shown(said: str) -> bool:
    """Whether a text has no control character but the newline, and nothing that reorders it."""
    return not any(
        (unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} and char != "\n")
        or char in REORDERING
        for char in said
    )


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("VersionText", "3.14.7 3.15.0rc1 3.9.0a4", "3.14 3.14.7t 3.014.1 -1 3.14.7.1 3.14.99999"),
        ("Word", "fast x86_64 armv7l ppc64le a.b", ".. .a a/b -a a:b"),
        ("BuildName", "cpython-3.14.7 cpython-3.14.7t+tsan", "3.14.7 cpython-3.14 cpython-3.14.7+"),
        ("Sha256", "a" * 64, f"{'A' * 64} {'a' * 63} {'g' * 64}"),
        ("Time", "2026-12-01T06:57:08.235+00:00 2026-12-01T06:57:08+00:00", ",,, 2026-12-01"),
        ("FileName", "a ... .x é", ". .. a/b /"),
        ("RelativePath", "a a/b ...", ". .. a/.. ../a a/./b a//b a/ /a"),
        ("AbsolutePath", "/install /a/é", "/ //a a /a/../b /a/"),
        ("Variable", "TSAN_OPTIONS _a", "1a a=b a-b"),
        ("Url", "https://a pkg:pypi/pip@26 cpe:2.3:a", "a https: /a"),
    ],
)
def test_a_type_holds_what_is_meant_and_nothing_else(kind: str, good: str, bad: str) -> None:
    type_ = getattr(text_, kind)
    for word in good.split():
        assert fitting(word, type_) == word
        if kind not in {"FileName", "RelativePath", "AbsolutePath"}:  # which may have any but these
            assert fitting(f"{word}\n", type_) is None
        assert fitting(f"{word}\0", type_) is None
    for word in ("", *bad.split()):
        assert fitting(word, type_) is None, word
    assert fitting(None, type_) is None


def test_the_name_of_a_prefix_in_a_store() -> None:
    for good in ("cpython-3.14.7t-1a2b3c4d", "cpython-3.15.0rc1+tsan-00000000"):
        assert STORE_NAME.fullmatch(good)
    for bad in ("cpython-3.14.7t-1a2b3c4d.aside", "cpython-3.14.7t", "cpython-3.14.7+/-1a2b3c4d"):
        assert not STORE_NAME.fullmatch(bad)


@given(ANYTHING)
def test_whatever_a_text_says_it_may_be_shown(text: str) -> None:
    assert may_be_shown(sanitise(text))
    assert sanitise(sanitise(text)) == sanitise(text)
    assert may_be_shown(sanitise_line(text))
    assert "\n" not in sanitise_line(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, and\ntwo lines", "plain, and\ntwo lines"),
        ("\x1b]0;title\x07\x1b[2J", "�]0;title��[2J"),
        ("a\tb\r\nc", "a       b\nc"),
        ("50 %\rdone", "50 %�done"),
        ("ev\u202eil", "ev�il"),
        ("\x9b2J\u2028", "�2J�"),
        ("non-breaking\u00a0space", "non-breaking space"),
        ("/srv/\u03a9/\u0645\u200c\u062e/\u65e5/\u0915\u094d\u200d\u0937", None),
    ],
)
def test_sanitise(text: str, shown: str | None) -> None:
    assert sanitise(text) == (text if shown is None else shown)


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_a_json_document_may_be_shown_and_says_the_same(value: dict[str, Any]) -> None:
    said = format_json(value)
    assert may_be_shown(said)
    assert json.loads(said) == value


def test_half_a_character_is_no_end_of_a_document() -> None:
    assert json.loads(format_json({"\udcff": ["/r\udcffot"], "n": 1})) == {"?": ["/r?ot"], "n": 1}


def test_strings_are_escaped_for_other_languages() -> None:
    assert escape_unseen('"a\u202eb\x7f é"') == '"a\\u202eb\\u007f é"'


class Document(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    text: str


@pytest.mark.parametrize(
    ("document", "error", "says"),
    [
        (b'{"format": 2}', Newer, "it has format 2; this ftbuild knows format 1: a newer one made"),
        (b'{"format": 0, "text": ""}', Refused, "it has format 0; this ftbuild knows format 1"),
        (b'{"format": 1}', Refused, "it cannot be read: .*text"),
        (b'{"format": 1, "text": "\xff"}', Refused, "it cannot be read"),
        (b'{"format": 1, "more": ' + b"[" * 100_000, Refused, "it cannot be read"),
        (b"", Refused, "it cannot be read"),
    ],
)
def test_a_document_that_is_none(document: bytes, error: type[Refused], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        decode_document(document, Document, format=1, what="it")
    assert (caught.type is Newer) == (error is Newer)
