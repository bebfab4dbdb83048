from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild import zstd
from ftbuild.archive.read import read_manifest
from ftbuild.attest import SUFFIXES, verify
from ftbuild.errors import EnvironmentFault, FtbuildError, Interrupted, Refused, UsageError
from ftbuild.export.uv import Done, export
from ftbuild.model.archive import objection
from ftbuild.model.events import Noted, Warned
from ftbuild.model.manifest import Installation
from ftbuild.model.spec import Platform
from ftbuild.model.versions import BOTH, Variant
from ftbuild.store.layout import Layout, open_root
from ftbuild.store.locks import held
from ftbuild.store.tree import digest
from tests.builders import changed
from tests.unit.archive.builds import installed
from tests.unit.conftest import unwritable
from tests.unit.provision.worlds import world

HASHES = "echo '{}'"
"""What an interpreter answers for a build without bytecode."""


def build(layout: Layout, variant: Variant = Variant.FREE_THREADED, **asked: Any) -> Installation:
    name = f"lib/python3.14{variant.suffix}/_sysconfigdata.py"
    text = b"x = '$prefix/lib'\n"
    return installed(layout, {name: text}, variant, script=HASHES, **asked)


def to(into: Path, *found: Installation, base_url: str | None = None, named: bool = True) -> Done:
    layout = Layout(root=found[0].prefix.parents[1])
    return export(found, world(layout)[0], named=named, into=into, base_url=base_url)


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def pair(layout: Layout) -> list[Installation]:
    return [build(layout, variant) for variant in BOTH]


def test_a_pair_and_its_index(pair: list[Installation], tmp_path: Path) -> None:
    done = to(tmp_path / "new/uv", *pair)
    index = json.loads(done.index.read_bytes())
    assert list(index) == [
        "cpython-3.14.7+freethreaded-linux-x86_64-gnu",
        "cpython-3.14.7-linux-x86_64-gnu",
    ]
    for entry in index.values():
        path = Path(entry["url"].removeprefix("file://"))
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
        with zstd.reader(path) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            names = archive.getnames()
        assert {name.split("/")[0] for name in names} == {"python"}
        assert names[:2] == ["python/ftbuild.json", "python/ftbuild.sha256"]
        assert all(path.with_name(path.name + suffix).is_file() for suffix in SUFFIXES)


def test_what_is_said_of_an_archive_is_true(pair: list[Installation], tmp_path: Path) -> None:
    to(tmp_path / "uv", *pair)
    ours = world(Layout(root=pair[0].prefix.parents[1]))[0]
    reports = verify(
        [str(tmp_path / "uv")],
        catalogue=ours.catalogue,
        layout=ours.layout,
        emit=ours.emit,
        stop=ours.stop,
    )
    assert [report.failed for report in reports] == [(), ()]


def test_ftbuild_itself_installs_none_of_them(pair: list[Installation], tmp_path: Path) -> None:
    done = to(tmp_path / "uv", *pair)
    manifest = read_manifest(done.exported[0].path)
    platform = Platform(system="linux", machine="x86_64", libc="glibc 2.41")
    assert "it was made for uv" in (objection(manifest, platform) or "")
    assert manifest.prefix == "/install"


def test_the_same_again_is_the_same_byte_for_byte(pair: list[Installation], tmp_path: Path) -> None:
    into = tmp_path / "uv"
    assert [item.fresh for item in to(into, *pair).exported] == [True, True]
    before = tree(into)
    times = {path.name: path.stat().st_mtime_ns for path in into.glob("*.zst")}
    assert [item.fresh for item in to(into, *pair).exported] == [False, False]
    assert tree(into) == before
    assert {path.name: path.stat().st_mtime_ns for path in into.glob("*.zst")} == times


def test_the_root_makes_no_difference(layout: Layout, tmp_path: Path) -> None:
    other = open_root(tmp_path / "another root, as it were".replace(" ", "-"))
    here, there = build(layout), build(other)
    to(tmp_path / "a", here, base_url="https://files.example/")
    to(tmp_path / "b", there, base_url="https://files.example")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_releases_come_together_in_one_index(pair: list[Installation], tmp_path: Path) -> None:
    layout, into = Layout(root=pair[0].prefix.parents[1]), tmp_path / "uv"
    to(into, *pair)
    done = to(into, build(layout, version="3.15.0rc2"))
    index = json.loads(done.index.read_bytes())
    assert len(index) == 3
    assert set(done.others) == set(index) - {done.exported[0].entry.key}


def test_all_addresses_are_below_the_one_that_is_given_last(
    pair: list[Installation], tmp_path: Path
) -> None:
    to(tmp_path / "uv", pair[0])
    done = to(tmp_path / "uv", pair[1], base_url="https://files.example/python/")
    urls = {entry["url"] for entry in json.loads(done.index.read_bytes()).values()}
    assert urls == {
        f"https://files.example/python/{path.name}" for path in (tmp_path / "uv").glob("*.zst")
    }


@pytest.mark.parametrize(
    "base_url",
    [
        *("files.example", "ftp://x/", "https://", "https://:80/a", "https://x/?a=b"),
        *("https://[x/", "https://x:99999/", "file://x/a", "file:a"),
    ],
)
def test_an_address_that_uv_does_not_read(
    pair: list[Installation], tmp_path: Path, base_url: str
) -> None:
    with pytest.raises(UsageError, match=r"no address|query"):
        to(tmp_path / "uv", *pair, base_url=base_url)
    assert not (tmp_path / "uv").exists()


def test_an_archive_that_is_gone_is_no_longer_named(
    pair: list[Installation], tmp_path: Path
) -> None:
    into = tmp_path / "uv"
    first = to(into, *pair)
    first.exported[0].path.unlink()
    ours, events = world(Layout(root=pair[1].prefix.parents[1]))
    done = export(pair[1:], ours, named=True, into=into, base_url=None)
    assert list(json.loads(done.index.read_bytes())) == [first.exported[1].entry.key]
    assert [type(event) for event in events] == [Warned, Noted]
    assert [item.fresh for item in to(into, *pair).exported] == [True, False]


def test_an_archive_that_was_damaged_is_written_again(
    pair: list[Installation], tmp_path: Path
) -> None:
    into = tmp_path / "uv"
    to(into, *pair)
    before = tree(into)
    path = next(into.glob("*.zst"))
    path.write_bytes(path.read_bytes()[:-1])
    to(into, *pair)
    assert tree(into) == before


def refused(into: Path, *found: Installation, match: str, kind: type[FtbuildError]) -> None:
    """It is refused, and nothing in the directory is changed."""
    before = tree(into)
    with pytest.raises(kind, match=match):
        to(into, *found)
    after = tree(into)
    after.pop(".ftbuild.lock", None)
    before.pop(".ftbuild.lock", None)
    assert after == before


def test_another_build_of_the_same_name_is_an_error(layout: Layout, tmp_path: Path) -> None:
    into = tmp_path / "uv"
    to(into, build(layout))
    other = build(layout, profile="optimized")
    refused(into, other, match="not cpython-3.14.7t.optimized", kind=Refused)
    next(into.glob("*.zst")).unlink()
    assert to(into, other).exported[0].fresh


def test_the_same_build_made_once_more_with_another_result(layout: Layout, tmp_path: Path) -> None:
    into = tmp_path / "uv"
    to(into, build(layout))
    again = changed(
        installed(layout, {"lib/x.py": b"other"}, script=HASHES),
        "used",
        started="2026-11-02T12:00:00+00:00",
    )
    refused(into, again, match="as it was built at", kind=Refused)


def test_what_another_ftbuild_made_of_the_same_build_is_made_again(
    layout: Layout, tmp_path: Path
) -> None:
    into = tmp_path / "uv"
    first = to(into, build(layout))
    other = to(into, installed(layout, {"lib/x.py": b"other"}, script=HASHES))
    assert [item.fresh for item in other.exported] == [True]
    assert other.exported[0].path == first.exported[0].path
    index = json.loads(other.index.read_bytes())
    assert [entry["sha256"] for entry in index.values()] == [digest(other.exported[0].path)]


def test_a_build_that_was_altered_is_not_exported(pair: list[Installation], tmp_path: Path) -> None:
    into = tmp_path / "uv"
    to(into, pair[0])
    (pair[1].prefix / "lib/python3.14t/_sysconfigdata.py").write_bytes(b"x")
    refused(into, *pair, match="is not what was installed", kind=Refused)


@pytest.mark.parametrize("name", ["notes.txt", "index.html", ".hidden", "cpython-mine.zip"])
def test_a_directory_that_holds_something_else(layout: Layout, tmp_path: Path, name: str) -> None:
    into = tmp_path / "uv"
    into.mkdir()
    (into / name).write_text("mine")
    refused(into, build(layout), match=f"has {name} in it", kind=UsageError)


def test_a_directory_in_it_and_a_file_for_it(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "uv/cpython-a-directory.tar.zst").mkdir(parents=True)
    with pytest.raises(UsageError, match="which ftbuild did not put there"):
        to(tmp_path / "uv", build(layout))
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a directory"):
        to(tmp_path / "file", build(layout))


@pytest.mark.parametrize("text", ["", "{}", '{"cpython-3.9": {"name": "cpython"}}'])
def test_an_index_of_somebody_else(layout: Layout, tmp_path: Path, text: str) -> None:
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv/downloads.json").write_text(text)
    refused(tmp_path / "uv", build(layout), match="no index that ftbuild wrote", kind=UsageError)


def test_a_file_that_has_the_name_of_an_archive(layout: Layout, tmp_path: Path) -> None:
    item = build(layout)
    name = to(tmp_path / "a", item).exported[0].path.name
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / name).write_text("mine")
    refused(tmp_path / "b", item, match="not the archive that would be written", kind=UsageError)


def test_what_a_killed_run_left_is_no_hindrance(layout: Layout, tmp_path: Path) -> None:
    """It was about to write the index: one archive is whole and one is not."""
    item = build(layout)
    done = to(tmp_path / "a", item)
    before = tree(tmp_path / "a")
    done.index.unlink()
    (tmp_path / "a" / f".{done.exported[0].path.name}.0123abcd.ftbuild").write_text("half")
    (tmp_path / "a" / ".downloads.json.0123abcd.ftbuild").write_text("half")
    to(tmp_path / "a", item)
    assert tree(tmp_path / "a") == before


def test_a_directory_that_cannot_be_written(layout: Layout, open_directory: Path) -> None:
    item = build(layout)
    with unwritable(open_directory), pytest.raises(EnvironmentFault, match="Permission denied"):
        to(open_directory / "uv", item)


def test_nothing_to_export(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no build is installed"):
        export((), world(layout)[0], named=False, into=tmp_path / "uv", base_url=None)
    assert not (tmp_path / "uv").exists()


def test_two_runs_on_one_directory_wait_for_each_other(layout: Layout, tmp_path: Path) -> None:
    item = build(layout)
    into = tmp_path / "uv"
    into.mkdir()
    ours, events = world(layout)

    def stop(event: Any) -> None:
        events.append(event)
        ours.stop.set()

    waiting = msgspec.structs.replace(ours, emit=stop)
    with held(into / ".ftbuild.lock"), pytest.raises(Interrupted):
        export((item,), waiting, named=True, into=into, base_url=None)
    assert "another run is at it" in str(events[-1])
    ours.stop.clear()
    assert export((item,), ours, named=True, into=into, base_url=None).exported
