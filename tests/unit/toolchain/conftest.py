"""Stand-ins for other people's programs: small shell scripts in a folder that is the whole PATH."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "bin"
    path.mkdir()
    return path


@pytest.fixture
def env(folder: Path) -> dict[str, str]:
    return {"PATH": str(folder)}


@pytest.fixture
def program(folder: Path) -> Callable[[str, str], Path]:
    """Puts a shell script on that PATH; a name with a slash lies elsewhere."""

    def add(name: str, body: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + textwrap.dedent(body))
        path.chmod(0o755)
        return path

    return add


@pytest.fixture
def gcc(program: Callable[[str, str], Path]) -> Callable[..., Path]:
    """Adds a gcc that tells who it is and no more."""

    def add(name: str = "gcc", version: str = "12.2.0") -> Path:
        return program(
            name,
            f"""\
            test "$1" = -v || exit 1
            echo "Target: x86_64-linux-gnu
            gcc version {version} (Demo 1-2)" >&2
            """,
        )

    return add


@pytest.fixture
def clang(program: Callable[[str, str], Path], tmp_path: Path) -> Callable[..., Path]:
    """Adds a clang whose other programs lie in a folder of their own."""

    def add(name: str = "clang", version: str = "19.1.7") -> Path:
        resources = tmp_path / "lib" / version.partition(".")[0]
        return program(
            name,
            f"""\
            test "$1" = -print-resource-dir && echo {resources} && exit
            test "$1" = -v || exit 1
            echo "Demo clang version {version} (3~demo)
            Target: x86_64-pc-linux-gnu
            InstalledDir: {tmp_path}/llvm/bin" >&2
            """,
        )

    return add
