from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftbuild.toolchain.processor import processor
from tests.unit.toolchain.trees import grow

X86 = """\
processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model name\t: Intel(R) Xeon(R) Platinum 8488C
power management:

"""


def arm(*parts: str) -> str:
    return "".join(
        f"processor\t: {cpu}\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\nCPU part\t: {part}\n\n"
        for cpu, part in enumerate(parts)
    )


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (X86 + X86, "Intel(R) Xeon(R) Platinum 8488C"),
        (arm("0xd40", "0xd40"), "Arm Neoverse-V1"),
        (arm("0xd05", "0xd0b"), "Arm Cortex-A55 + Arm Cortex-A76"),
        (arm("0xd08") + "model name\t: ARMv7 rev 3 (v7l)", "ARMv7 rev 3 (v7l)"),
        (arm("0xfff"), "Arm implementer 0x41 part 0xfff"),
        (
            "processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 3800MHz",
            "POWER9, altivec supported",
        ),
        ("processor\t: 0\nmodel name\t:\n", None),
        ("", None),
    ],
)
def test_name(tmp_path: Path, info: str, name: str | None) -> None:
    assert processor(grow(tmp_path, {"proc/cpuinfo": info})) == name


def test_board_where_the_processor_has_no_name(tmp_path: Path) -> None:
    grow(tmp_path, {"proc/cpuinfo": "processor\t: 0", "proc/device-tree/model": "Demo Board 2\0"})
    assert processor(tmp_path) == "Demo Board 2"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_survived(tmp_path: Path, info: str) -> None:
    processor(grow(tmp_path, {"proc/cpuinfo": info}))
