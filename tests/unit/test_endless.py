"""Files without an end, or beyond all measure, wherever a user may name one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild import catalogue
from ftbuild.archive.stores import Archives
from ftbuild.attest.verify import _read as read_statement
from ftbuild.auditing.reports import baseline
from ftbuild.bench import document
from ftbuild.errors import FtbuildError
from ftbuild.model.archive import RECORD_SUFFIX
from ftbuild.store.profiles import read_profile


def record(path: Path) -> object:
    stores = Archives(env={}, emit=lambda _: None, stop=threading.Event())
    return stores.at(path.as_uri().removesuffix(RECORD_SUFFIX))


READERS: dict[str, Callable[[Path], object]] = {
    "baseline.json": lambda path: baseline.load(path, may_be_absent=True),
    "bench.json": document.load,
    "cpython.yaml": lambda path: catalogue.load([path.parent]),
    "profile.tar.xz": read_profile,
    f"a.tar.zst{RECORD_SUFFIX}": record,
    "a.intoto.jsonl": read_statement,
}


@pytest.mark.parametrize("name", [name for name in READERS if "zst" not in name])
def test_a_device(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(FtbuildError, match="neither a regular file nor a pipe"):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_a_terabyte(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FtbuildError, match="has more than"):
        READERS[name](tmp_path / name)
