"""What is said of archives, from the build to `attest verify`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.integration.driver import NEW, Ftbuild

NAME = "cpython-3.97.2t"


@pytest.fixture(scope="module")
def packer(tmp_path_factory: pytest.TempPathFactory) -> Ftbuild:
    """A user who has packed a pair; not to be changed."""
    user = Ftbuild(tmp_path_factory.mktemp("packer"))
    user.release(NEW)
    user("build", "3.97")
    user("pack", "3.97")
    return user


@pytest.fixture
def store(packer: Ftbuild, tmp_path: Path) -> Path:
    """A copy of what was packed."""
    return Path(shutil.copytree(packer.archives, tmp_path / "store"))


def archive_in(store: Path) -> Path:
    (path,) = store.glob(f"{NAME}-*.tar.zst")
    return path


def beside(archive: Path, suffix: str) -> Path:
    return archive.with_name(archive.name + suffix)


def failed(user: Ftbuild, *words: str | Path) -> dict[str, dict[str, Any]]:
    """The checks that `attest verify` says failed."""
    done = user("attest", "verify", *map(str, words), "--json", code=1)
    (report,) = done.json["reports"]
    assert not report["ok"]
    return {check["name"]: check for check in report["checks"] if check["status"] == "failed"}


def test_what_was_packed_is_as_it_is_said(packer: Ftbuild, store: Path) -> None:
    done = packer("attest", "verify", str(store), "--json")
    reports = done.json["reports"]
    assert len(reports) == 2
    assert all(report["ok"] for report in reports)
    assert "sbom.linked" in packer("attest", "verify", str(store), "--verbose").out


def test_what_was_compiled_is_listed_and_what_was_not_is_not(store: Path) -> None:
    bill = json.loads(beside(archive_in(store), ".cdx.json").read_text())
    names = {part["name"]: part for part in bill["components"]}
    assert names["list"]["licenses"] == [{"expression": "MIT"}]
    assert "expat" not in names


def test_the_source_is_named_with_its_hash(packer: Ftbuild, store: Path) -> None:
    statement = json.loads(beside(archive_in(store), ".provenance.json").read_text())
    (source,) = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["uri"].endswith(f"/Python-{NEW}.tar.xz")
    record = json.loads(beside(archive_in(store), ".json").read_text())
    assert source["digest"]["sha256"] == record["manifest"]["spec"]["source_sha256"]


def test_packing_again_changes_no_byte(packer: Ftbuild, tmp_path: Path) -> None:
    packer("pack", "3.97", "--output", str(tmp_path))
    for path in packer.archives.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_an_altered_archive(packer: Ftbuild, store: Path) -> None:
    archive = archive_in(store)
    with archive.open("r+b") as file:
        file.seek(-20, os.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    assert {"provenance.subject", "sbom.subject"} <= failed(packer, archive).keys()


@pytest.mark.parametrize(
    ("suffix", "check"), [(".provenance.json", "provenance.file"), (".cdx.json", "sbom.file")]
)
def test_a_document_that_is_missing(packer: Ftbuild, store: Path, suffix: str, check: str) -> None:
    path = beside(archive_in(store), suffix)
    path.unlink()
    found = failed(packer, archive_in(store))
    assert found.keys() == {check}
    assert path.name in found[check]["expected"]


def test_what_differs_is_told(packer: Ftbuild, store: Path) -> None:
    path = beside(archive_in(store), ".provenance.json")
    path.write_text(path.read_text().replace('"profile": "fast"', '"profile": "optimized"'))
    done = packer("attest", "verify", str(archive_in(store)), code=1)
    assert "provenance.parameters" in done.err
    assert "profile is 'optimized', not 'fast'" in done.err


def test_stores_and_install_take_no_notice(packer: Ftbuild, store: Path, tmp_path: Path) -> None:
    for path in store.glob("*.provenance.json"):
        path.write_text("nonsense")
    other = Ftbuild(tmp_path / "other")
    shutil.copytree(packer.recipes, other.recipes)
    other("install", str(store))
    assert len(other.installed) == 2
    other.end()


def test_no_archive_is_a_mistake(packer: Ftbuild) -> None:
    assert "no archive was named" in packer("attest", "verify", code=2).err
