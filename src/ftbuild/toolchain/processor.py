"""What the processor is called (Linux)."""

from __future__ import annotations

import re
from pathlib import Path

from ftbuild.toolchain.kernel import told

_PARTS = {
    ("0x41", "0xd03"): "Arm Cortex-A53",
    ("0x41", "0xd05"): "Arm Cortex-A55",
    ("0x41", "0xd07"): "Arm Cortex-A57",
    ("0x41", "0xd08"): "Arm Cortex-A72",
    ("0x41", "0xd0b"): "Arm Cortex-A76",
    ("0x41", "0xd0c"): "Arm Neoverse-N1",
    ("0x41", "0xd40"): "Arm Neoverse-V1",
    ("0x41", "0xd49"): "Arm Neoverse-N2",
    ("0x41", "0xd4f"): "Arm Neoverse-V2",
    ("0x41", "0xd83"): "Arm Neoverse-V3AE",
    ("0x41", "0xd84"): "Arm Neoverse-V3",
    ("0x41", "0xd8e"): "Arm Neoverse-N3",
    ("0xc0", "0xac3"): "Ampere-1",
    ("0xc0", "0xac4"): "Ampere-1a",
}
"""Names of cores by implementer and part, as lscpu has them; 64-bit Arm kernels tell only these."""

_FIELD = re.compile(r"^([^:\n\t]+?)[ \t]*:[ \t]*(.*)$", re.MULTILINE)


def processor(root: Path) -> str | None:
    """The model of the processor, several joined with ` + `; None where nothing tells it.

    Args:
        root: Where /proc is.
    """
    fields = [(key, value.strip()) for key, value in _FIELD.findall(told(root / "proc/cpuinfo"))]
    named = [value for key, value in fields if key in {"model name", "cpu model", "cpu"}]
    makers = [value for key, value in fields if key == "CPU implementer"]
    parts = [value for key, value in fields if key == "CPU part"]
    cores = [
        _PARTS.get(core, f"Arm implementer {core[0]} part {core[1]}")
        for core in zip(makers, parts, strict=False)
    ]
    board = told(root / "proc/device-tree/model")
    models = (name for name in named or cores or [board] if name)
    return " + ".join(dict.fromkeys(models)) or None
