"""Documents that somebody damaged: the same JSON with a value of it put in another's place."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

WORDS = st.sampled_from(
    (
        *(
            "",
            ".",
            "..",
            "../..",
            "x/../..",
            "/",
            "a\0b",
            "-1",
            ",,,",
            "\x1b[31m",
            "\u202e",
            "a\nb",
        ),
        *("9" * 5000, "3.14.7", "2026-02-30T12:00:00+00:00", "cpython-3.14.7t", "0" * 64, "a\nb"),
    )
)
NUMBERS = st.sampled_from([-1, 0, 1, 2**53, 2**64, 10**400, -0.5, 1e308])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=3,
)


@st.composite
def mutated(draw: st.DrawFn, document: bytes) -> bytes:
    """The document with one to three of its values replaced, removed or renamed; or cut short."""
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(document) - 1))
        return (
            document[:at] + draw(st.binary(max_size=3)) + document[at + draw(st.integers(0, 3)) :]
        )
    root = copy.deepcopy(json.loads(document))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(root))
        if not places:
            break
        inside, key = draw(st.sampled_from(places))
        match draw(st.integers(0, 3)):
            case 0:
                del inside[key]
            case 1 if isinstance(inside, dict):
                inside[draw(WORDS)] = inside.pop(key)
            case _:
                inside[key] = draw(VALUES)
    return json.dumps(root).encode()


def _places(value: Any) -> Any:
    """Where there are values in a document: what each is in, and under which key."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
