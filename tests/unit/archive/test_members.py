from __future__ import annotations

import tarfile
from pathlib import Path

from ftbuild import zstd
from ftbuild.archive.members import Member, listed, write
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


def test_what_is_in_it_is_listed_as_it_will_be_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    everything = (
        Member(name="z", link="bin/a"),
        Member(name="b", content=tmp_path / "file"),
        PROGRAM,
    )
    top = tmp_path / "top"
    (top / "bin").mkdir(parents=True)
    (top / "bin" / "a").write_bytes(b"a")
    (top / "b").write_bytes(b"from a file")
    (top / "z").symlink_to("bin/a")
    assert listed(everything) == hash_tree(top)
