from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.store.layout import Layout
from ftbuild.store.places import forget, places, record
from tests.unit.conftest import unwritable


def test_a_place_is_remembered_once_and_by_its_kind(layout: Layout) -> None:
    assert places(layout, "path") == ()
    for _ in range(2):
        record(layout, "path", Path("/home/ä/bin"))
    record(layout, "pyenv", Path("/home/ä/bin"))
    assert places(layout, "path") == places(layout, "pyenv") == (Path("/home/ä/bin"),)
    forget(layout, "path", Path("/home/ä/bin"))
    assert (places(layout, "path"), len(places(layout, "pyenv"))) == ((), 1)
    forget(layout, "path", Path("/nowhere"))


@pytest.mark.parametrize("content", [b"", b"{}", b'{"kind": "other", "path": "/"}', b"\xff"])
def test_what_cannot_be_understood_is_passed_over(layout: Layout, content: bytes) -> None:
    record(layout, "path", Path("/bin"))
    (layout.places / "path-0.json").write_bytes(content)
    assert places(layout, "path") == (Path("/bin"),)


def test_a_root_that_may_only_be_read_forgets(layout: Layout) -> None:
    with unwritable(layout.root):
        record(layout, "path", Path("/bin"))
    assert places(layout, "path") == ()
