from __future__ import annotations

import pytest

from ftbuild.model.report import Report
from ftbuild.model.versions import BOTH
from ftbuild.store.layout import Layout
from ftbuild.store.pairs import read_verdict, save_verdict
from tests.builders import changed, store


def test_a_verdict_holds_for_exactly_the_builds_it_was_passed_on(layout: Layout) -> None:
    gil, free_threaded = (store(layout, variant) for variant in BOTH)
    verdict = Report(kind="pair", subject="3.14.7", checks=())
    assert read_verdict(layout, gil, free_threaded) is None
    save_verdict(layout, gil, free_threaded, verdict)
    assert read_verdict(layout, gil, free_threaded) == verdict
    other = store(layout, configure_args=("-C",))
    assert read_verdict(layout, gil, other) is None
    # What is not part of the digest does not void it.
    assert read_verdict(layout, gil, changed(free_threaded, "used", jobs=9)) == verdict


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff"])
def test_a_damaged_verdict_is_none(layout: Layout, content: bytes) -> None:
    gil, free_threaded = (store(layout, variant) for variant in BOTH)
    save_verdict(layout, gil, free_threaded, Report(kind="pair", subject="", checks=()))
    (path,) = layout.pairs.iterdir()
    path.write_bytes(content)
    assert read_verdict(layout, gil, free_threaded) is None
