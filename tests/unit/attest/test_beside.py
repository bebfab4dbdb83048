from __future__ import annotations

from pathlib import Path

import msgspec

from ftbuild.attest import SUFFIXES, write_beside
from tests.unit.attest.archives import manifest


def test_both_documents_have_the_archives_name(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.zst"
    write_beside(archive, manifest(), sha256="a" * 64)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.tar.zst.provenance.json", "a.tar.zst.cdx.json"}
    statement, bill = (
        msgspec.json.decode((tmp_path / f"a.tar.zst{suffix}").read_bytes()) for suffix in SUFFIXES
    )
    assert statement["subject"][0]["name"] == "a.tar.zst"
    assert bill["bomFormat"] == "CycloneDX"


def test_twice_the_same(tmp_path: Path) -> None:
    written = []
    for _ in range(2):
        write_beside(tmp_path / "a.tar.zst", manifest(), sha256="a" * 64)
        written.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert written[0] == written[1]
