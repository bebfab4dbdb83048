"""Who signed real releases of CPython, by what the package archive has of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

SIGNED = ("3.13.5", "3.13.14")
"""Releases of which Debian's archive has python.org's signature beside the tarball."""

THOMAS = "7169605F62C751356D054A26A821E680E5FA6305"


def ftbuild(*words: str, root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ftbuild", *words],
        env={**os.environ, "FTBUILD_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a tarball and its signature."""
    root = tmp_path_factory.mktemp("root")
    done = ftbuild("fetch", *SIGNED, root=root)
    missing = [v for v in SIGNED if not (root / f"sources/Python-{v}.tar.xz.asc").exists()]
    if missing:
        pytest.skip(f"no origin has signatures of {', '.join(missing)}: {done.stdout}{done.stderr}")
    return root


def required(version: str, root: Path, *, code: int = 0) -> Any:
    words = ("fetch", version, "--signature", "require", "--offline", "--json")
    done = ftbuild(*words, root=root)
    assert done.returncode == code, done
    return json.loads(done.stdout) if code == 0 else done.stderr


@pytest.mark.parametrize(("version", "made"), [("3.13.5", "2025-06-11"), ("3.13.14", "2026-06-10")])
def test_thomas_signed_it(root: Path, version: str, made: str) -> None:
    (source,) = required(version, root)["sources"]
    signature = source["signature"]
    assert (signature["good"], signature["key"], signature["made"]) == (True, THOMAS, made)
    assert signature["signer"] == "Thomas Wouters <thomas@python.org>"


def test_the_signature_of_another_release(root: Path) -> None:
    there = root / "sources/Python-3.13.5.tar.xz.asc"
    right = there.read_bytes()
    there.write_bytes((root / "sources/Python-3.13.14.tar.xz.asc").read_bytes())
    try:
        assert "is not of this file" in required("3.13.5", root, code=1)
    finally:
        there.write_bytes(right)


def test_no_agent_is_left() -> None:
    lines = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))
    assert not any(b"ftbuild-gpg-" in line for line in lines)
