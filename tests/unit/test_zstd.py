from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild import zstd


def compressed(*pieces: bytes) -> bytes:
    sink = io.BytesIO()
    with zstd.writer(sink) as file:
        for piece in pieces:
            file.write(piece)
    return sink.getvalue()


@given(st.lists(st.binary(min_size=1, max_size=100), min_size=1, max_size=5))
def test_how_it_is_written_makes_no_difference(pieces: list[bytes]) -> None:
    assert compressed(*pieces) == compressed(b"".join(pieces))


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(compressed(b"a" * 3_000_000))
    assert path.stat().st_size < 1000
    with zstd.reader(path) as file:
        assert file.read() == b"a" * 3_000_000


@pytest.mark.parametrize("at", [2, -2])
def test_damage_is_noticed(tmp_path: Path, at: int) -> None:
    content = bytearray(compressed(bytes(range(256)) * 99))
    content[at] ^= 1
    path = tmp_path / "file"
    path.write_bytes(content)
    with zstd.reader(path) as file, pytest.raises(zstd.ZstdError):
        file.read()
