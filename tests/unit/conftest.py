from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbuild.store.layout import Layout, open_root


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A root of its own."""
    return open_root(tmp_path / "root")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount:
        pytest.skip("no file system can be mounted without a mount command")
    command = [mount, "-t", "tmpfs", "-o", "size=256k", "none", str(disk)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system here")
    try:
        yield disk
    finally:
        subprocess.run([umount, "-l", str(disk)], check=True)


@contextlib.contextmanager
def unwritable(directory: Path) -> Iterator[None]:
    """A directory that may be read only, root being somebody else for the while."""
    directory.chmod(0o555)
    user = os.geteuid()
    try:
        if not user:
            os.seteuid(65534)
        yield
    finally:
        os.seteuid(user)
        directory.chmod(0o755)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
