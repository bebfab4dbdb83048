from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.toolchain.kernel import cpu_list, told


@given(st.lists(st.integers(0, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 20)))))
def test_ranges_in_their_order(runs: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}" if more else f"{first}" for first, more in runs)
    wanted = [cpu for first, more in runs for cpu in range(first, first + more + 1)]
    assert list(cpu_list(text)) == wanted


@pytest.mark.parametrize(
    "text", ["a", ",", "1,", "1-", "-1", "3-1", "1-2-3", "0x1", "1.5", "\u0661", "0-99999999999"]
)
def test_what_is_no_list(text: str) -> None:
    with pytest.raises(ValueError, match="CPU"):
        cpu_list(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert all(cpu >= 0 for cpu in cpu_list(text))
    except ValueError as error:
        assert "CPU" in str(error)  # noqa: PT017 - either is right


def test_text_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.write_bytes(b" Board\xff 5\n\0")
    assert told(file) == "Board\ufffd 5"
    assert not told(tmp_path)
    assert not told(tmp_path / "none")
