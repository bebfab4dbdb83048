from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from ctypes import Array
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


def state(path: Path) -> tuple[int, int, int]:
    """What a look does not change: reading a directory or a link is an access."""
    status = path.lstat()
    return status.st_mode, status.st_size, status.st_mtime_ns


_DAC_OVERRIDE = 1 << 1 | 1 << 2
"""Linux's CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: root writes and reads where nobody may."""


def _capabilities(call: str, data: Array[ctypes.c_uint32]) -> None:
    """Read or set those of this thread (capget(2), version 3 of its header)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if getattr(ctypes.CDLL(None, use_errno=True), call)(header, data):
        raise OSError(ctypes.get_errno(), f"{call} failed")


@contextlib.contextmanager
def unwritable(directory: Path) -> Iterator[None]:
    """A directory that may be read only, root being like anybody else for the while.

    Root stays root: as another user it could not read the code that runs here.
    """
    directory.chmod(0o555)
    held = (ctypes.c_uint32 * 6)()
    try:
        if not os.geteuid():
            _capabilities("capget", held)
            _capabilities("capset", (ctypes.c_uint32 * 6)(held[0] & ~_DAC_OVERRIDE, *held[1:]))
        yield
    finally:
        if held[0]:
            _capabilities("capset", held)
        directory.chmod(0o755)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
