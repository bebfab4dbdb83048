from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbuild import render
from ftbuild.export.uv import Done, Exported, LeftOut
from ftbuild.export.uv.index import entry
from ftbuild.model.versions import BOTH, Variant
from tests.builders import build


def test_a_pre_release_is_asked_for_by_its_whole_name(capsys: pytest.CaptureFixture[str]) -> None:
    item = build(Path("/p"), Variant.FREE_THREADED, version="3.15.0rc2", debug=True)
    made = Exported(path=Path("/out/a.tar.zst"), entry=entry(item.manifest), size=1, fresh=True)
    address = "https://files.example/downloads.json"
    done = Done(
        index=Path("/out/downloads.json"),
        address=address,
        exported=(made,),
        others=(),
        left_out=(),
    )
    render.exported_uv(done, json=False)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"  uv python install 3.15.0rc2td --python-downloads-json-url {address}"


def test_an_export_for_uv(capsys: pytest.CaptureFixture[str]) -> None:
    made = tuple(
        Exported(
            path=Path("/out/a.tar.zst"),
            entry=entry(build(Path("/p"), variant).manifest),
            size=21_000_000,
            fresh=new,
        )
        for variant, new in zip(BOTH, (True, False), strict=True)
    )
    done = Done(
        index=Path("/out put/downloads.json"),
        address="/out put/downloads.json",
        exported=made,
        others=("cpython-3.13.15-linux-x86_64-gnu",),
        left_out=(LeftOut(name="cpython-3.14.7+tsan", why="there is no place"),),
    )
    render.exported_uv(done, json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    key = "cpython-3.14.7-linux-x86_64-gnu"
    assert lines[0] == f"cpython-3.14.7 {key} 21.0 MB"
    assert lines[1].endswith("21.0 MB there already")
    assert lines[2] == "cpython-3.13.15-linux-x86_64-gnu from an earlier export"
    assert lines[3] == "cpython-3.14.7+tsan is left out: there is no place"
    assert lines[-1] == (
        "uv python install 3.14 3.14t --python-downloads-json-url '/out put/downloads.json'"
    )
    render.exported_uv(done, json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["index"] == "/out put/downloads.json"
    assert [(each["key"], each["fresh"]) for each in found["archives"]] == [
        (key, True),
        ("cpython-3.14.7+freethreaded-linux-x86_64-gnu", False),
    ]
    assert found["left_out"] == [{"name": "cpython-3.14.7+tsan", "why": "there is no place"}]
