"""Turns valid documents into almost valid ones: what parsers meet on bad days, and from bad people.

Random text is refused by the first line of any parser. A document in which one byte, one word or
one value is another gets further.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import strategies as st

Edit = tuple[int, int, int]
"""What is done, where, and with what: numbers, of which any is meant modulo what there is."""

EDITS: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 1 << 20), st.integers(0, 1 << 10)), max_size=5
)

NASTY: Sequence[bytes] = (
    *(b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"nan", b"[]", b"{}", b'""', b"''"),
    *(b'"../../x"', b'"/etc/passwd"', b'"\\u0000"', b'"\\ud800"', b'"\x1b[31mred"', b'"\xff\xfe"'),
    *(b"9" * 40, b'"' + b"9" * 5000 + b'"', b"9" * 5000, b'"' + b"x" * 300 + b'"', b"[" * 3000),
    *(b'"3.97.1.0.0.tar.gz2"', b'"v3.14"', b'"3"', b'"3.14.7-1!x"', b"1.2.3.4", b"3.14"),
    *(b"1979-05-27", b"2026-13-45T99:99:99Z", b'"2026-13-45"', b'"2026-11-01"', b'"+99999-01-01"'),
    *(b'["a"]', b'{"a": "b"}', b"{a = 1}", b'[{"name": 1}]', b"\xc3\xa9", b"\xed\xa0\x80"),
    *(b'"http://[::1"', b'"http://u:p\xe2\x84\x80x/"', b'"http://h:99999/"', b'"file://x"'),
    *(b"*", b"&a", b"!!python/object:os.system", b"<<: *a", b"~", b"? x", b"'", b'"', b"\\", b"%"),
    *(b"\r\n", b"\n", b"\0", b"\t", b"\xe2\x80\xa8", b"${HOME}", b"{0.__class__}", b"{", b"}"),
)
"""Values of other kinds, and texts that something or other stumbles over."""

_WORD = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\s"\[\]{}()<>=,:;|&]+')


def mutate(document: bytes, edits: Sequence[Edit]) -> bytes:
    """A document after some edits, one after the other."""
    for kind, at, what in edits:
        document = _edited(document, kind, at, what)
    return document


def _edited(document: bytes, kind: int, at: int, what: int) -> bytes:
    place = at % (len(document) + 1)
    if kind >= 4 and (words := list(_WORD.finditer(document))):
        start, end = words[at % len(words)].span()
        if kind >= 7:
            new = NASTY[what % len(NASTY)]
        elif kind >= 5:
            new = words[what % len(words)][0]
        else:
            new = document[start:end] * 2
        return document[:start] + new + document[end:]
    if kind == 0:
        return document[:place] + bytes([what % 256]) + document[place + 1 :]
    if kind == 1:
        return document[:place]
    if kind == 2:
        return document[:place] + document[place + what :]
    return document[:place] + NASTY[what % len(NASTY)] + document[place:]
