"""Stand-ins for /proc and /sys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def grow(root: Path, files: Mapping[str, str]) -> Path:
    """Writes files below a folder, by their paths there."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def core(cpu: int, siblings: str, *, package: int = 0) -> dict[str, str]:
    """The topology of one logical CPU."""
    folder = f"sys/devices/system/cpu/cpu{cpu}/topology"
    return {
        f"{folder}/core_cpus_list": siblings,
        f"{folder}/physical_package_id": str(package),
    }
