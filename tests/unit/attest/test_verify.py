from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild.attest import verify
from ftbuild.catalogue import load
from ftbuild.errors import UsageError
from ftbuild.model.components import Linked
from ftbuild.model.events import Event
from ftbuild.model.recipes import Catalogue, Release
from ftbuild.model.report import Check, Report, Status
from ftbuild.store.layout import Layout
from tests.unit.attest.archives import SEEN, packed

CATALOGUE: Catalogue = msgspec.structs.replace(
    load(), releases={"3.14.7": Release(sha256="5" * 64, size=None, seen=("this test",))}
)
ON_ELF = pytest.mark.skipif(sys.platform != "linux", reason="ELF is for Linux and its like")


@pytest.fixture
def archive(layout: Layout, tmp_path: Path) -> Path:
    return packed(layout, tmp_path)


def verified(
    *words: Path | str, layout: Layout, catalogue: Catalogue = CATALOGUE
) -> tuple[Report, ...]:
    events: list[Event] = []
    return verify(
        [str(word) for word in words],
        catalogue=catalogue,
        layout=layout,
        emit=events.append,
        stop=threading.Event(),
    )


def failed(report: Report) -> dict[str, Check]:
    return {check.name: check for check in report.failed}


def beside(archive: Path, suffix: str) -> Path:
    return archive.with_name(archive.name + suffix)


def changed(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def test_an_archive_as_it_was_packed(archive: Path, layout: Layout) -> None:
    (report,) = verified(archive, layout=layout)
    assert report.subject == archive.name
    assert failed(report) == {}
    passed = {check.name for check in report.checks if check.status is Status.PASSED}
    assert {"archive.files", "archive.record", "source.pin", "archive.linked"} <= passed
    assert not [path for path in layout.work.iterdir() if path.is_dir()]


def test_a_directory_means_all_archives(layout: Layout, tmp_path: Path) -> None:
    first = packed(layout, tmp_path)
    second = packed(layout, tmp_path, configure_args=("--with-x",))
    reports = verified(tmp_path, first, layout=layout)
    assert {report.subject for report in reports} == {first.name, second.name}
    assert all(report.ok for report in reports)


def test_a_renamed_archive_is_the_same(archive: Path, layout: Layout, tmp_path: Path) -> None:
    for path in tmp_path.glob(f"{archive.name}*"):
        path.rename(path.with_name(path.name.replace(archive.name, "mine.tar.zst")))
    (report,) = verified(tmp_path / "mine.tar.zst", layout=layout)
    assert report.ok


@pytest.mark.parametrize("at", [0.01, 0.5, 0.99])
def test_a_byte_of_the_archive(archive: Path, layout: Layout, at: float) -> None:
    content = bytearray(archive.read_bytes())
    content[int(len(content) * at)] ^= 1
    archive.write_bytes(content)
    (report,) = verified(archive, layout=layout)
    wrong = failed(report)
    assert "provenance.subject" in wrong
    assert "sbom.subject" in wrong
    if "archive.files" in wrong:  # else it was of no consequence to what is unpacked
        assert archive.name in wrong["archive.files"].found


@pytest.mark.parametrize(
    ("suffix", "check"), [(".provenance.json", "provenance.file"), (".cdx.json", "sbom.file")]
)
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[" * 100_000, b'{"a": 1, "a": 1}'])
def test_a_document_that_is_none(
    archive: Path, layout: Layout, suffix: str, check: str, content: bytes | None
) -> None:
    path = beside(archive, suffix)
    path.unlink() if content is None else path.write_bytes(content)
    (report,) = verified(archive, layout=layout)
    (wrong,) = report.failed
    assert wrong.name == check
    assert path.name in wrong.expected


def test_a_part_that_stands_twice_in_a_document(archive: Path, layout: Layout) -> None:
    path = beside(archive, ".provenance.json")
    other = b'"subject": [{"name": "evil", "digest": {"sha256": "00"}}], "subject"'
    path.write_bytes(path.read_bytes().replace(b'"subject"', other))
    (report,) = verified(archive, layout=layout)
    assert failed(report).keys() == {"provenance.file"}


@pytest.mark.parametrize("name", [None, 1, ["x"], {"x": 1}, ""])
def test_a_subject_whose_name_is_none(archive: Path, layout: Layout, name: object) -> None:
    changed(beside(archive, ".provenance.json"), lambda d: d["subject"][0].update(name=name))
    (report,) = verified(archive, layout=layout)
    assert failed(report).keys() == {"provenance.subject"}


def test_nothing_in_a_document_moves_the_cursor(archive: Path, layout: Layout) -> None:
    evil = {"_type": "\x1b[2J\nok", "\x1b[2J\ud800": 1}
    changed(beside(archive, ".provenance.json"), lambda d: d.update(evil))
    (report,) = verified(archive, layout=layout)
    assert failed(report).keys() == {"provenance.type", "provenance.other"}
    assert all(check.found.isprintable() for check in report.checks)


def test_a_document_that_is_a_directory(archive: Path, layout: Layout) -> None:
    path = beside(archive, ".cdx.json")
    path.unlink()
    path.mkdir()
    (report,) = verified(archive, layout=layout)
    assert failed(report).keys() == {"sbom.file"}


def test_the_documents_of_another_archive(layout: Layout, tmp_path: Path) -> None:
    first = packed(layout, tmp_path)
    second = packed(layout, tmp_path, configure_args=("--with-x",))
    for suffix in (".provenance.json", ".cdx.json", ".json"):
        one, other = beside(first, suffix), beside(second, suffix)
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)
    for report in verified(tmp_path, layout=layout):
        wrong = failed(report)
        assert {"provenance.subject", "provenance.parameters", "sbom.subject"} <= wrong.keys()
        assert "archive.record" in wrong


def test_a_statement_on_another_source(archive: Path, layout: Layout) -> None:
    """The digests of the archive are right, what is said of it is not."""
    path = beside(archive, ".provenance.json")

    def change(document: Any) -> None:
        source = document["predicate"]["buildDefinition"]["resolvedDependencies"][0]
        source["digest"]["sha256"] = "6" * 64

    changed(path, change)
    (report,) = verified(archive, layout=layout)
    (wrong,) = report.failed
    assert wrong.name == "provenance.source"
    assert "0.digest.sha256 is '666666" in wrong.found
    assert path.name in wrong.reason


def test_a_source_that_is_not_the_catalogues(archive: Path, layout: Layout) -> None:
    other = msgspec.structs.replace(
        CATALOGUE, releases={"3.14.7": Release(sha256="7" * 64, size=None, seen=("x",))}
    )
    (report,) = verified(archive, layout=layout, catalogue=other)
    assert failed(report).keys() == {"source.pin"}


def test_a_release_that_the_catalogue_does_not_have(archive: Path, layout: Layout) -> None:
    (report,) = verified(
        archive, layout=layout, catalogue=msgspec.structs.replace(CATALOGUE, releases={})
    )
    assert report.ok
    (check,) = (check for check in report.checks if check.name == "source.pin")
    assert check.reason == "3.14.7 is not a release in the catalogue"


@ON_ELF
@pytest.mark.parametrize(
    ("linked", "said"),
    [
        ((), "lib/module.so needs lib"),
        (
            (*SEEN["linked"], Linked(name="libssl.so.3", path=None, package=None)),
            "nothing needs libssl.so.3",
        ),
    ],
)
def test_libraries_that_are_not_those_of_the_binaries(
    layout: Layout, tmp_path: Path, linked: tuple[Linked, ...], said: str
) -> None:
    """Manifest, statement and bill agree with each other, and not with what is in the archive."""
    (report,) = verified(packed(layout, tmp_path, used={"linked": linked}), layout=layout)
    (wrong,) = report.failed
    assert wrong.name == "archive.linked"
    assert said in wrong.found


def test_a_build_of_an_older_ftbuild(layout: Layout, tmp_path: Path) -> None:
    """It recorded nothing of the kind: told, and no failure."""
    (report,) = verified(packed(layout, tmp_path, used={}), layout=layout)
    assert report.ok
    assert [c.name for c in report.checks if c.status is Status.SKIPPED] == ["archive.linked"]


def test_a_manifest_without_a_time(layout: Layout, tmp_path: Path) -> None:
    archive = packed(layout, tmp_path, used={"started": "yesterday"}, said=False)
    beside(archive, ".cdx.json").write_text("{}")
    (report,) = verified(archive, layout=layout)
    assert "its manifest cannot be read" in failed(report)["archive.files"].found


def test_a_record_with_another_manifest(archive: Path, layout: Layout) -> None:
    changed(beside(archive, ".json"), lambda d: d["manifest"]["used"].update(jobs=99))
    (report,) = verified(archive, layout=layout)
    assert failed(report).keys() == {"archive.record"}


def test_an_archive_without_a_record(archive: Path, layout: Layout) -> None:
    beside(archive, ".json").unlink()
    (report,) = verified(archive, layout=layout)
    assert report.ok


def test_something_else_than_an_archive(layout: Layout, tmp_path: Path) -> None:
    path = tmp_path / "x.tar.zst"
    path.write_bytes(b"nothing of the kind")
    (report,) = verified(path, layout=layout)
    assert failed(report).keys() == {"archive.files"}


def test_words_that_name_nothing(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        verified(tmp_path / "x.tar.zst", layout=layout)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="holds no archive"):
        verified(empty, layout=layout)
