from __future__ import annotations

import platform
from pathlib import Path

import pytest

from ftbuild.errors import UsageError
from ftbuild.toolchain.processor import highest_level, processor

V2 = "fpu lm cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"
V3 = f"{V2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        (V4, "x86-64-v4"),
        (V3, "x86-64-v3"),
        (V2, "x86-64-v2"),
        ("fpu lm", "x86-64"),
        ("", "x86-64"),
        (V4.replace("avx2 ", ""), "x86-64-v2"),
    ],
)
def test_a_level_counts_only_with_all_below_it(flags: str, level: str) -> None:
    assert highest_level(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t: x\n") == level


def test_native_is_resolved_and_a_name_is_itself(tmp_path: Path) -> None:
    assert processor("armv8.2-a+crypto") == "armv8.2-a+crypto"
    if platform.machine() == "x86_64":
        (tmp_path / "cpuinfo").write_text(f"flags : {V3}\n")
        assert processor("native", cpuinfo=tmp_path / "cpuinfo") == "x86-64-v3"
    with pytest.raises(UsageError, match="x86-64 on Linux only"):
        processor("native", cpuinfo=tmp_path / "nothing")


@pytest.mark.parametrize("word", ["-mavx", "a b", "x86;rm", "$(x)"])
def test_what_is_no_name_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="names no processor"):
        processor(word)
