from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
import threading
from pathlib import Path

import pytest

from ftbuild import zstd
from ftbuild.archive.pack import survey, write
from ftbuild.archive.read import contents, list_again, read_manifest, repoint, unpack_build
from ftbuild.archive.relocate import STAMP
from ftbuild.errors import Refused
from ftbuild.store.layout import Layout
from ftbuild.store.tree import hash_tree, parse
from tests.unit.archive.builds import installed
from tests.unit.conftest import state

FILES = {
    "bin/pip": b"#!$prefix/bin/python3.14t\n",
    "lib/data.py": b"prefix = '$prefix'",
    "lib/__pycache__/data.cpython-314.pyc": b"MAGC\0\0\0\0timesizecode",
    "lib/__pycache__/data.cpython-314.opt-1.pyc": b"MAGC\0\0\0\0timesizecode",
    "lib/other.py": b"",
    "lib/__pycache__/other.cpython-314.pyc": b"MAGC\0\0\0\0timesizecode",
    "lib/binary.so": b"\0$prefix",
}
STOP = threading.Event()


@pytest.fixture
def archive(layout: Layout, tmp_path: Path) -> Path:
    made = installed(layout, FILES)
    path = tmp_path / "a.tar.zst"
    with path.open("wb") as sink:
        write(survey(made), sink)
    return path


def test_unpacked_as_packed(archive: Path, tmp_path: Path) -> None:
    found = unpack_build(archive, tmp_path / "into", stop=STOP)
    assert found.manifest == read_manifest(archive)
    assert not (found.top / "ftbuild.json").exists(), "it is no installation yet"
    bytecode = (found.top / "lib/__pycache__/other.cpython-314.pyc").read_bytes()
    assert bytecode[8:12] == STAMP.to_bytes(4, "little")
    assert (found.top / "lib/other.py").stat().st_mtime == STAMP
    assert os.access(found.top / "bin/python3.14t", os.X_OK)
    assert (found.top / "bin/python3").readlink() == Path("python3.14t")


def test_modes_are_those_of_the_manifest(archive: Path, tmp_path: Path) -> None:
    rewrite(archive, {}, mode=0o777)  # it is no altered archive for that
    found = unpack_build(archive, tmp_path / "into", stop=STOP)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (found.top / "bin").iterdir()}
    assert modes == {"python3": 0o755, "python3.14t": 0o755, "pip": 0o644}
    assert found.manifest.result.executables == ("bin/python3.14t",)


def test_re_pointed(archive: Path, tmp_path: Path) -> None:
    found = unpack_build(archive, tmp_path / "into", stop=STOP)
    place = tmp_path / "Ω/elsewhere"
    moved = repoint(found, place, name="cpython-3.14.7t+fast", sha256="a" * 64)
    assert (found.top / "bin/pip").read_text() == f"#!{place}/bin/python3.14t\n"
    assert (found.top / "lib/data.py").read_text() == f"prefix = '{place}'"
    assert (found.top / "lib/data.py").stat().st_mtime == STAMP
    assert moved.stale == {"lib/data.py": {0, 1}}
    assert not list((found.top / "lib/__pycache__").glob("data.*"))
    assert moved.manifest.prefix == str(place)
    assert moved.manifest.name == "cpython-3.14.7t+fast"
    assert moved.manifest.archived is not None
    assert moved.manifest.archived.sha256 == "a" * 64
    assert moved.manifest.archived.prefix == found.manifest.prefix
    assert moved.digests.keys() == {
        "bin/python3.14t",
        "lib/binary.so",
        "lib/other.py",
        "lib/__pycache__/other.cpython-314.pyc",
    }
    assert contents(found.top, moved.digests) == hash_tree(found.top)


RECORD = "lib/python3.14t/site-packages/pip-26.1.dist-info/RECORD"


def row(top: Path, name: str) -> bytes:
    """How pip lists a program."""
    content = (top / name).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"../../../{name},sha256={digest},{len(content)}\r\n".encode()


def test_lists_of_packages_are_true_of_what_was_re_pointed(layout: Layout, tmp_path: Path) -> None:
    made = installed(
        layout, FILES | {RECORD: b"../../../bin/pip,sha256=old,1\r\nlib/gone.py,,\r\n"}
    )
    path = tmp_path / "a.tar.zst"
    with path.open("wb") as sink:
        write(survey(made), sink)
    found = unpack_build(path, tmp_path / "into", stop=STOP)
    moved = repoint(found, tmp_path / "there", name=made.manifest.name, sha256="")
    assert (found.top / RECORD).read_bytes() == row(found.top, "bin/pip")
    assert (found.top / RECORD).stat().st_mtime == STAMP
    assert RECORD not in moved.digests
    assert contents(found.top, moved.digests) == hash_tree(found.top)

    (found.top / "bin/pip").rename(found.top / "bin/pipt")
    again = list_again(found.top, moved.digests, renamed={"bin/pip": "bin/pipt"})
    assert (found.top / RECORD).read_bytes() == row(found.top, "bin/pipt")
    assert contents(found.top, again) == hash_tree(found.top)


def test_lists_of_packages_that_are_true_stay(layout: Layout, tmp_path: Path) -> None:
    top = installed(layout, FILES).prefix
    (top / RECORD).parent.mkdir(parents=True)
    (top / RECORD).write_bytes(row(top, "bin/pip"))
    before, digests = state(top / RECORD), parse(hash_tree(top).text)
    assert list_again(top, digests, renamed={}) == digests
    assert state(top / RECORD) == before


def test_a_list_of_another_archive(archive: Path, tmp_path: Path) -> None:
    rewrite(archive, {"ftbuild.sha256": b"0\n"})
    with pytest.raises(Refused, match=r"ftbuild\.sha256 is no list of hashes"):
        unpack_build(archive, tmp_path / "into", stop=STOP)


def test_a_list_that_is_right_and_not_the_manifests(archive: Path, tmp_path: Path) -> None:
    found = unpack_build(archive, tmp_path / "into", stop=STOP)
    listed = (found.top / "ftbuild.sha256").read_text()
    other = hashlib.sha256(b"other").hexdigest()
    mine = hashlib.sha256(b"").hexdigest()
    rewrite(
        archive,
        {"lib/other.py": b"other", "ftbuild.sha256": listed.replace(mine, other).encode()},
    )
    with pytest.raises(Refused, match="is not the one that its manifest names"):
        unpack_build(archive, tmp_path / "again", stop=STOP)


@pytest.mark.parametrize("without", ["ftbuild.sha256", "lib/other.py"])
def test_something_is_lacking(archive: Path, tmp_path: Path, without: str) -> None:
    rewrite(archive, {}, without=without)
    with pytest.raises(Refused, match=without):
        unpack_build(archive, tmp_path / "into", stop=STOP)


def test_a_tarball_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other.tar.zst"
    with path.open("wb") as sink, zstd.writer(sink) as packed:
        opened = tarfile.open(fileobj=packed, mode="w|")  # noqa: SIM115
        opened.addfile(tarfile.TarInfo("top/file"))
        opened.close()
    with pytest.raises(Refused, match="is no archive that `ftbuild pack` made"):
        read_manifest(path)


def test_every_cut_is_noticed(archive: Path, tmp_path: Path) -> None:
    content = archive.read_bytes()
    for length in range(0, len(content), max(1, len(content) // 40)):
        archive.write_bytes(content[:length])
        with pytest.raises(Refused):
            unpack_build(archive, tmp_path / f"into-{length}", stop=STOP)


def rewrite(
    archive: Path, changes: dict[str, bytes], *, without: str = "", mode: int | None = None
) -> None:
    """Write an archive anew, with other content for some files, or another mode for all."""
    buffer = io.BytesIO()
    with (
        zstd.reader(archive) as old,
        tarfile.open(fileobj=old, mode="r|") as source,
        zstd.writer(buffer) as new,
        tarfile.open(fileobj=new, mode="w|") as target,
    ):
        for member in source:
            name = member.name.partition("/")[2]
            file = source.extractfile(member) if member.isreg() else None
            content = changes.get(name, file.read() if file else b"")
            member.size = len(content)
            member.mode = member.mode if mode is None else mode
            if name != without:
                target.addfile(member, io.BytesIO(content))
    archive.write_bytes(buffer.getvalue())
