from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.bench.document import load
from ftbuild.bench.outputs import outputs
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.store.layout import Layout

from .examples import results


def test_a_document_has_a_place_below_the_root(layout: Layout) -> None:
    found = outputs(layout, output="", folder="", html="")
    assert found.document is not None
    assert found.document.parent == layout.bench
    done = results(("logs",))
    found.keep(done)
    assert load(found.document) == done
    assert found.write(done) == (found.document,)


def test_without_a_root_there_is_none(tmp_path: Path) -> None:
    found = outputs(Layout(root=tmp_path / "nowhere"), output="", folder="", html="")
    assert found.document is None
    found.keep(results(("logs",)))
    assert found.write(results(("logs",))) == ()


def test_everything_that_is_asked_for_is_written(layout: Layout, tmp_path: Path) -> None:
    found = outputs(
        layout,
        output=str(tmp_path / "a.json"),
        folder=str(tmp_path / "plots"),
        html=str(tmp_path / "pages" / "a.html"),
    )
    written = found.write(results(("logs",)))
    assert [path.name for path in written] == [
        *("a.json", "speedup.png", "speedup.svg", "cost.png", "cost.svg", "a.html")
    ]
    assert all(path.stat().st_size for path in written)


@pytest.mark.parametrize("option", ["output", "html"])
def test_a_folder_is_no_file(layout: Layout, tmp_path: Path, option: str) -> None:
    given = {"output": "", "folder": "", "html": ""} | {option: str(tmp_path)}
    with pytest.raises(UsageError, match="is a folder"):
        outputs(layout, **given)


def test_what_cannot_be_written_is_said(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = outputs(layout, output="", folder="", html=str(tmp_path / "file" / "a.html"))
    with pytest.raises(EnvironmentFault, match="file"):
        found.write(results(("logs",)))
