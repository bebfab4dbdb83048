from __future__ import annotations

import gzip
import io
import lzma
import os
import random
import re
import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild import zstd
from ftbuild.errors import EnvironmentFault, Interrupted
from ftbuild.fetch import unpack as module
from ftbuild.fetch.unpack import (
    MAX_BYTES,
    MAX_MEMBERS,
    Damaged,
    first_file,
    objection,
    one_file,
    unpack,
)

TOP = "Python-3.14.7"
Entry = tuple[tarfile.TarInfo, bytes]


def entry(
    name: str,
    content: bytes = b"",
    *,
    kind: bytes = tarfile.REGTYPE,
    link: str = "",
    mode: int = 0o644,
    mtime: float = 1_000_000_000,
) -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, link, mode, mtime
    info.size = len(content)
    return info, content


def directory(name: str = TOP) -> Entry:
    return entry(name, kind=tarfile.DIRTYPE, mode=0o755)


def packed(*entries: Entry) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


def opened(tmp_path: Path, data: bytes, stop: threading.Event | None = None) -> Path:
    """Unpack an archive below `tmp_path`."""
    tarball = tmp_path / "a.tar.xz"
    tarball.write_bytes(data)
    return unpack(tarball, tmp_path / "into", stop=stop or threading.Event())


def refused(tmp_path: Path, data: bytes) -> str:
    """What is said about an archive that must leave nothing behind."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(EnvironmentFault) as caught:
        opened(tmp_path, data)
    after = [path for path in sorted(tmp_path.rglob("*")) if path.name != "a.tar.xz"]
    assert after == [path for path in before if path.name != "a.tar.xz"]
    assert caught.value.hint
    return caught.value.message


def test_a_tree(tmp_path: Path) -> None:
    top = opened(
        tmp_path,
        lzma.compress(
            packed(
                directory(),
                entry(f"{TOP}/configure", b"#!/bin/sh\n", mode=0o4775, mtime=1_700_000_000.5),
                entry(f"{TOP}/a/b/deep", b"x" * 3_000_000),
                entry(f"{TOP}/a/up", kind=tarfile.SYMTYPE, link="../configure"),
                entry(f"{TOP}/same", kind=tarfile.LNKTYPE, link=f"{TOP}/configure"),
                directory(f"{TOP}/a"),
            )
        ),
    )
    assert top == tmp_path / "into" / TOP
    assert stat.S_IMODE(top.parent.stat().st_mode) == 0o700
    configure = (top / "configure").stat()
    assert configure.st_mtime == 1_700_000_000.5
    assert stat.S_IMODE(configure.st_mode) & 0o7700 == 0o700
    assert (top / "same").stat().st_ino == configure.st_ino
    assert (top / "a" / "up").read_bytes() == b"#!/bin/sh\n"
    assert not os.access(top / "a" / "b" / "deep", os.X_OK)
    assert (top / "a" / "b" / "deep").stat().st_size == 3_000_000


def test_gzip_and_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir(mode=0o755)
    top = opened(tmp_path, gzip.compress(packed(entry(f"{TOP}/README", b"hi"))))
    assert (top / "README").read_text() == "hi"
    assert stat.S_IMODE(top.parent.stat().st_mode) == 0o700


LINK = entry(f"{TOP}/l", kind=tarfile.SYMTYPE, link="sub")
HOSTILE = {
    "absolute": [entry("/etc/x")],
    "leads upwards": [directory(), entry(f"{TOP}/../../x")],
    "top directory of the others": [directory(), entry("other/x")],
    "not in a directory": [entry("x")],
    "'/etc', outside": [directory(), entry(f"{TOP}/l", kind=tarfile.SYMTYPE, link="/etc")],
    "'../..', outside": [directory(), entry(f"{TOP}/d/l", kind=tarfile.SYMTYPE, link="../..")],
    "not a file unpacked before": [
        directory(),
        entry(f"{TOP}/l", kind=tarfile.LNKTYPE, link="../a.tar.xz"),
    ],
    "'/etc/passwd', which is not": [
        directory(),
        entry(f"{TOP}/l", kind=tarfile.LNKTYPE, link="/etc/passwd"),
    ],
    f"'{TOP}/l', which is not a file": [
        LINK,
        entry(f"{TOP}/h", kind=tarfile.LNKTYPE, link=f"{TOP}/l"),
    ],
    "is not a directory": [LINK, entry(f"{TOP}/l/x")],
    "neither file": [directory(), entry(f"{TOP}/null", kind=tarfile.CHRTYPE)],
    "directory nor link": [directory(), entry(f"{TOP}/pipe", kind=tarfile.FIFOTYPE)],
    "a member of that name": [LINK, entry(f"{TOP}/l", b"over the link")],
    "of that name before": [entry(f"{TOP}/x"), directory(f"{TOP}/x")],
    "through other links": [
        directory(),
        directory(f"{TOP}/d"),
        entry(f"{TOP}/d/back", kind=tarfile.SYMTYPE, link=".."),
        entry(f"{TOP}/out", kind=tarfile.SYMTYPE, link="d/back/../x"),
    ],
    "no proper name": [directory(), entry(".")],
    "is empty": [],
}


@pytest.mark.parametrize("why", HOSTILE)
def test_hostile_members(tmp_path: Path, why: str) -> None:
    assert why in refused(tmp_path, lzma.compress(packed(*HOSTILE[why])))


def test_a_bomb_of_one_member(tmp_path: Path) -> None:
    info, _ = entry(f"{TOP}/bomb")
    info.size = MAX_BYTES + 1
    assert "goes beyond" in refused(tmp_path, lzma.compress(info.tobuf()))


def test_a_bomb_of_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_MEMBERS > 10_000
    monkeypatch.setattr(module, "MAX_MEMBERS", 10)
    entries = [entry(f"{TOP}/{count}") for count in range(11)]
    assert "goes beyond" in refused(tmp_path, lzma.compress(packed(*entries)))


def test_a_bomb_in_a_header(tmp_path: Path) -> None:
    info, _ = entry("././@PaxHeader", kind=tarfile.XHDTYPE)
    info.size = 1 << 40  # more than any memory
    said = refused(tmp_path, lzma.compress(info.tobuf(tarfile.GNU_FORMAT)))
    # tarfile itself notices from 3.14.8 on.
    assert re.search("header of absurd size|empty header", said)


def test_a_bomb_behind_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    data = packed(entry(f"{TOP}/x", b"x")) + bytes(200_000)
    assert "holds more than" in refused(tmp_path, lzma.compress(data))


def test_damage(tmp_path: Path) -> None:
    tar = packed(entry(f"{TOP}/x", os.urandom(100_000)))
    for data in (lzma.compress(tar), gzip.compress(tar)):
        for broken in (data[:-1], data[: len(data) // 2], data[:-20] + bytes(20)):
            assert "cannot be unpacked" in refused(tmp_path, broken)
    assert "cannot be unpacked" in refused(tmp_path, lzma.compress(tar[:50_000]))
    assert "cannot be unpacked" in refused(tmp_path, lzma.compress(b"nonsense" * 1000))
    assert "no .tar.xz, .tar.zst or .tgz" in refused(tmp_path, b"nonsense")
    assert "no .tar.xz, .tar.zst or .tgz" in refused(tmp_path, tar)


def test_no_archive(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be read: No such file"):
        unpack(tmp_path / "none", tmp_path / "into", stop=threading.Event())


def test_a_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "precious").touch()
    assert "cannot be made" in refused(tmp_path, lzma.compress(packed(entry(f"{TOP}/x"))))


def test_stopping(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        opened(tmp_path, lzma.compress(packed(entry(f"{TOP}/x"))), stop)
    assert not (tmp_path / "into").exists()


def test_a_full_disk(small_disk: Path) -> None:
    data = lzma.compress(packed(entry(f"{TOP}/x", bytes(1_000_000))))
    assert "No space left" in refused(small_disk, data)


def test_a_python_without_lzma(tmp_path: Path) -> None:
    tarball = tmp_path / "a.tar.xz"
    tarball.write_bytes(lzma.compress(packed(entry(f"{TOP}/x"))))
    script = (
        "import sys, threading; from pathlib import Path; sys.modules['_lzma'] = None\n"
        "from ftbuild.errors import EnvironmentFault\n"
        "from ftbuild.fetch.unpack import unpack\n"
        "try: unpack(Path(sys.argv[1]), Path(sys.argv[2]), stop=threading.Event())\n"
        "except EnvironmentFault as fault: print(fault.message)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", script, str(tarball), str(tmp_path / "into")]
    said = subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout
    assert "has no lzma module" in said


PARTS = st.sampled_from(["", ".", "..", TOP, "a", "b", "\0"])
NAMES = st.lists(PARTS, min_size=1, max_size=6).map("/".join)
TYPES = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE]
)


@given(name=NAMES, link=NAMES, kind=TYPES)
def test_what_is_not_objected_to_stays_inside(name: str, link: str, kind: bytes) -> None:
    seen = {TOP: tarfile.DIRTYPE, f"{TOP}/a": tarfile.SYMTYPE, f"{TOP}/b": tarfile.REGTYPE}
    member, _ = entry(name, kind=kind, link=link)
    if objection(member, seen) is not None:
        return
    path = os.path.normpath(name)
    assert path == TOP or path.startswith(f"{TOP}/")
    assert not path.startswith((f"{TOP}/a", f"{TOP}/b/"))
    assert kind != tarfile.FIFOTYPE
    if kind == tarfile.SYMTYPE:
        target = os.path.normpath(Path(path).parent / link)
        assert (target + "/").startswith(f"{TOP}/")
    if kind == tarfile.LNKTYPE:
        assert os.path.normpath(link) == f"{TOP}/b"


def test_zstandard(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with zstd.writer(sink) as file:
        file.write(packed(directory(), entry(f"{TOP}/a", b"content")))
    top = opened(tmp_path, sink.getvalue())
    assert (top / "a").read_bytes() == b"content"


def test_the_first_file_is_had_without_the_rest(tmp_path: Path) -> None:
    tarball = tmp_path / "a.tgz"
    tarball.write_bytes(gzip.compress(packed(entry(f"{TOP}/a", b"first"), entry("b", b"x"))))
    assert first_file(tarball) == (f"{TOP}/a", b"first")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]


@pytest.mark.parametrize("entries", [(), (directory(),)])
def test_there_is_no_first_file(tmp_path: Path, entries: tuple[Entry, ...]) -> None:
    tarball = tmp_path / "a.tgz"
    tarball.write_bytes(gzip.compress(packed(*entries)))
    with pytest.raises(Damaged, match="does not begin with a file"):
        first_file(tarball)


def test_a_first_file_that_is_cut_short(tmp_path: Path) -> None:
    tarball = tmp_path / "a.tgz"
    data = gzip.compress(packed(entry("a", random.Random(0).randbytes(9999))))  # noqa: S311
    for length in (20, 300, 5000):
        tarball.write_bytes(data[:length])
        with pytest.raises(Damaged, match="cannot be unpacked"):
            first_file(tarball)


def test_one_file_is_had_by_its_path_below_the_top(tmp_path: Path) -> None:
    tarball = tmp_path / "a.tgz"
    entries = (directory(), entry(f"{TOP}/x/b", b"other"), entry(f"{TOP}/b", b"it"))
    tarball.write_bytes(gzip.compress(packed(*entries)))
    assert one_file(tarball, "b") == b"it"
    assert one_file(tarball, "x/b") == b"other"
    assert one_file(tarball, "x") is None
    assert one_file(tarball, "c") is None
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]


def test_one_file_of_a_tarball_that_is_cut_short(tmp_path: Path) -> None:
    tarball = tmp_path / "a.tgz"
    content = random.Random(0).randbytes(9999)  # noqa: S311
    data = gzip.compress(packed(directory(), entry(f"{TOP}/b", content)))
    for length in (20, 5000):
        tarball.write_bytes(data[:length])
        with pytest.raises(Damaged, match="cannot be unpacked"):
            one_file(tarball, "b")
