"""Hostile tarballs, made here and now: as a source whose pin they match, and as a packed build."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from ftbuild import zstd
from ftbuild.errors import EnvironmentFault
from ftbuild.fetch.unpack import MAX_BYTES, unpack
from tests.integration.driver import NEW, Ftbuild
from tests.integration.fake_cpython import write_recipes

TOP = f"Python-{NEW}"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a tarball."""

    name: str
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    data: bytes = b"escaped\n"
    size: int | None = None


HOSTILE: dict[str, tuple[Entry, ...]] = {
    "dots": (Entry(name="{top}/../../escaped"),),
    "dots inside": (Entry(name="{top}/a/../../../escaped"),),
    "absolute name": (Entry(name="{victim}/escaped"),),
    "another top": (Entry(name="other/escaped"),),
    "symbolic link to a directory outside, and a file below it": (
        Entry(name="{top}/out", kind=tarfile.SYMTYPE, link="{victim}"),
        Entry(name="{top}/out/escaped"),
    ),
    "two symbolic links that only together lead out": (
        Entry(name="{top}/a/b", kind=tarfile.SYMTYPE, link=".."),
        Entry(name="{top}/c", kind=tarfile.SYMTYPE, link="a/b/../.."),
        Entry(name="{top}/c/escaped"),
    ),
    "symbolic link, then a file of its name": (
        Entry(name="{top}/x", kind=tarfile.SYMTYPE, link="{victim}/precious"),
        Entry(name="{top}/x"),
    ),
    "hard link to a file outside": (
        Entry(name="{top}/x", kind=tarfile.LNKTYPE, link="{victim}/precious"),
        Entry(name="{top}/x"),
    ),
    "hard link to a symbolic link": (
        Entry(name="{top}/s", kind=tarfile.SYMTYPE, link="../../victim/precious"),
        Entry(name="{top}/x", kind=tarfile.LNKTYPE, link="{top}/s"),
    ),
    "hard link with dots": (
        Entry(name="{top}/x", kind=tarfile.LNKTYPE, link="{top}/../../victim/precious"),
    ),
    "character device": (Entry(name="{top}/dev", kind=tarfile.CHRTYPE),),
    "block device": (Entry(name="{top}/dev", kind=tarfile.BLKTYPE),),
    "FIFO": (Entry(name="{top}/fifo", kind=tarfile.FIFOTYPE),),
    "name of a directory for a file": (
        Entry(name="{top}/d", kind=tarfile.DIRTYPE),
        Entry(name="{top}/d"),
    ),
    "empty name": (Entry(name=""),),
}


@pytest.fixture
def victim(ftbuild: Ftbuild) -> Iterator[Path]:
    """A directory outside, which must stay as it is."""
    folder = ftbuild.folder / "victim"
    folder.mkdir()
    (folder / "precious").write_text("precious")
    yield folder
    assert [path.name for path in folder.iterdir()] == ["precious"]
    assert (folder / "precious").read_text() == "precious"
    assert not list(ftbuild.folder.rglob("escaped"))


def tarball(entries: tuple[Entry, ...], **fields: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in (Entry(name="{top}/configure"), *entries):
            member = tarfile.TarInfo(entry.name.format(**fields))
            member.type, member.linkname = entry.kind, entry.link.format(**fields)
            member.mode = 0o755
            data = entry.data if entry.kind == tarfile.REGTYPE else b""
            member.size = len(data) if entry.size is None else entry.size
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def publish(ftbuild: Ftbuild, packed: bytes) -> None:
    """Have these bytes pinned: whoever pinned them was fooled, or the release itself is hostile."""
    (ftbuild.mirror / f"{TOP}.tar.xz").write_bytes(packed)
    ftbuild.pins[NEW] = hashlib.sha256(packed).hexdigest()
    write_recipes(ftbuild.recipes, ftbuild.pins, upstream=ftbuild.folder / "up", disk=1)


def refused(ftbuild: Ftbuild, *words: str) -> None:
    done = ftbuild.start(*words).done(90)
    assert done.code in {1, 3}, done
    assert "Traceback" not in done.err
    assert ftbuild.names == []
    assert ftbuild.litter == []
    assert ftbuild.trace == []


CHAIN = ("dots", "symbolic link to a directory outside, and a file below it", "block device")
"""Those that are tried by the command line; the others as it would try them."""


@pytest.mark.parametrize("kind", CHAIN)
def test_a_hostile_source_is_not_built(ftbuild: Ftbuild, victim: Path, kind: str) -> None:
    packed = lzma.compress(tarball(HOSTILE[kind], top=TOP, victim=str(victim)), preset=0)
    publish(ftbuild, packed)
    refused(ftbuild, "build", f"{NEW}t")


@pytest.mark.parametrize("suffix", ["xz", "zst", "tgz"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_tarball(tmp_path: Path, kind: str, suffix: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("precious")
    content = tarball(HOSTILE[kind], top=TOP, victim=str(victim))
    path = tmp_path / f"x.tar.{suffix}"
    buffer = io.BytesIO()
    with zstd.writer(buffer) as writer:
        writer.write(content)
    packed = {"xz": lzma.compress(content, preset=0), "tgz": gzip.compress(content, 1)}
    path.write_bytes(packed.get(suffix, buffer.getvalue()))
    with pytest.raises(EnvironmentFault):
        unpack(path, tmp_path / "into", stop=threading.Event())
    assert [path.name for path in victim.iterdir()] == ["precious"]
    assert (victim / "precious").read_text() == "precious"
    assert not list(tmp_path.rglob("escaped"))
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize("kind", ["dots", "FIFO"])
def test_a_hostile_packed_build(ftbuild: Ftbuild, victim: Path, kind: str) -> None:
    """With a record that fits it, as a hostile store would have."""
    ftbuild("build", f"{NEW}t")
    ftbuild("pack", f"{NEW}t", "--output", "packed")
    ftbuild("remove", f"{NEW}t")
    ftbuild.unhook()
    (archive,) = (ftbuild.folder / "packed").glob("*.tar.zst")
    with zstd.reader(archive) as reader:
        good = reader.read().rstrip(b"\0")
    top = archive.name.partition("-linux")[0]
    fields = {"top": good.partition(b"/")[0].decode() or top, "victim": str(victim)}
    extra = tarball(HOSTILE[kind], **fields)
    padded = good + bytes(-len(good) % 512)
    buffer = io.BytesIO()
    with zstd.writer(buffer) as writer:
        writer.write(padded + extra)
    archive.write_bytes(buffer.getvalue())
    record = archive.with_name(f"{archive.name}.json")
    document = json.loads(record.read_text())
    document["size"] = len(buffer.getvalue())
    document["sha256"] = hashlib.sha256(buffer.getvalue()).hexdigest()
    record.write_text(json.dumps(document))
    refused(ftbuild, "install", "packed")


def zeros(size: int) -> bytes:
    """A file of so many zeros, packed: a few kilobytes for a gigabyte.

    xz takes streams one after the other, so that one of them is made and put there many times.
    """
    header = tarfile.TarInfo(f"{TOP}/zeros")
    header.size = size
    block = lzma.compress(bytes(1 << 24), preset=0)
    return lzma.compress(header.tobuf(), preset=0) + block * (size >> 24)


@pytest.mark.parametrize(
    "bomb",
    [lambda: zeros(MAX_BYTES + (1 << 25)), lambda: lzma.compress(lzma.compress(bytes(1 << 25)))],
    ids=["one file", "compressed twice"],
)
def test_a_decompression_bomb(ftbuild: Ftbuild, victim: Path, bomb: Callable[[], bytes]) -> None:
    publish(ftbuild, bomb())
    refused(ftbuild, "build", f"{NEW}t")
    size = sum(path.stat().st_size for path in ftbuild.root.rglob("*") if path.is_file())
    assert size < 50_000_000


@pytest.mark.parametrize("cut", [1, 95], ids=lambda part: f"{part} %")
def test_a_source_that_is_cut_short(ftbuild: Ftbuild, victim: Path, cut: int) -> None:
    whole = (ftbuild.mirror / f"{TOP}.tar.xz").read_bytes()
    publish(ftbuild, whole[: len(whole) * cut // 100])
    refused(ftbuild, "build", f"{NEW}t")
