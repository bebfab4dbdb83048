from __future__ import annotations

import tarfile
from pathlib import Path

from ftbuild import zstd
from ftbuild.archive.members import Member, lay_out, listed, write
from ftbuild.archive.relocate import STAMP
from ftbuild.store.tree import hash_tree

PROGRAM = Member(name="bin/a", content=b"a", executable=True)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    everything = (
        PROGRAM,
        Member(name="b", content=tmp_path / "file"),
        Member(name="c", link="bin/a"),
    )
    with (tmp_path / "archive").open("wb") as sink:
        write("top", everything, sink)
    with zstd.reader(tmp_path / "archive") as packed, tarfile.open(fileobj=packed, mode="r") as tar:
        found = {member.name: member for member in tar}
        read = tar.extractfile(found["top/b"])
        assert read is not None
        assert read.read() == b"from a file"
    assert [(f"{m.mode:o}", m.mtime, m.linkname) for m in found.values()] == [
        ("755", STAMP, ""),
        ("644", STAMP, ""),
        ("644", STAMP, "bin/a"),
    ]


def test_what_is_in_it_is_listed_as_it_is_laid_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    (tmp_path / "file").chmod(0o700)
    everything = (
        Member(name="z", link="bin/a"),
        Member(name="b", content=tmp_path / "file"),
        PROGRAM,
    )
    top = tmp_path / "top"
    lay_out(everything, top)
    assert listed(everything) == hash_tree(top)
    assert (top / "z").readlink() == Path("bin/a")
    found = [(top / name).stat() for name in ("bin/a", "b")]
    assert [(f"{each.st_mode & 0o777:o}", each.st_mtime) for each in found] == [
        ("755", STAMP),
        ("644", STAMP),
    ]
