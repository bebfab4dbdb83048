from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import EnvironmentFault
from ftbuild.images.assembling.needs import (
    apk_owners,
    directories,
    dpkg_owners,
    libraries,
    located,
    packages,
)

STOP = threading.Event()
ENV = {"PATH": os.environ.get("PATH", os.defpath)}


def test_libraries_of_its_own_need_no_package() -> None:
    needed = {
        "bin/python3": ("libpython3.14.so.1.0", "libc.so.6"),
        "lib/libpython3.14.so.1.0": ("libm.so.6", "libc.so.6"),
    }
    assert libraries(needed) == {
        "libm.so.6": "lib/libpython3.14.so.1.0",
        "libc.so.6": "bin/python3",
    }


@pytest.mark.parametrize(
    ("machine", "folder"),
    [("x86_64", "x86_64-linux-gnu"), ("i686", "i386-linux-gnu"), ("armv7l", "arm-linux-gnueabihf")],
)
def test_the_architectures_own_directory_comes_first(
    tmp_path: Path, machine: str, folder: str
) -> None:
    for name in (folder, "sparc64-linux-gnu"):
        (tmp_path / "usr/lib" / name).mkdir(parents=True)
    assert directories(tmp_path, machine)[0] == tmp_path / "usr/lib" / folder
    assert not [path for path in directories(tmp_path, machine) if path.name.startswith("sparc")]


def test_the_first_place_counts(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "b/libz.so.1").touch()
    (tmp_path / "c/libz.so.1").touch()
    places = [tmp_path / name for name in ("a", "b", "c")]
    assert located({"libz.so.1": "x"}, places) == {"libz.so.1": tmp_path / "b/libz.so.1"}


def test_a_library_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"bin/x needs libgone\.so\.1"):
        located({"libgone.so.1": "bin/x"}, [tmp_path])


def test_what_dpkg_says() -> None:
    said = (
        "libssl3t64:amd64: /usr/lib/x86_64-linux-gnu/libssl.so.3\n"
        "libc6:i386, libc6:amd64: /usr/share/doc/libc6\n"
        "diversion by dash from: /bin/sh\n"
        "dpkg-query: no path found matching pattern /x\n"
    )
    assert dpkg_owners(said) == {
        "/usr/lib/x86_64-linux-gnu/libssl.so.3": "libssl3t64",
        "/usr/share/doc/libc6": "libc6",
    }


def test_what_apk_says() -> None:
    said = (
        "/usr/lib/libssl.so.3 is owned by libssl3-3.5.1-r0\n"
        "/usr/lib/libgdbm_compat.so.4 symlink target is owned by gdbm-1.24-r0\n"
        "/lib/ld-musl-x86_64.so.1 is owned by musl-1.2.5-r10\n"
        "ERROR: /x: Could not find owner package\n"
    )
    assert apk_owners(said) == {
        "/usr/lib/libssl.so.3": "libssl3",
        "/usr/lib/libgdbm_compat.so.4": "gdbm",
        "/lib/ld-musl-x86_64.so.1": "musl",
    }


@given(st.text())
def test_anything_may_be_said(said: str) -> None:
    for owners in (dpkg_owners(said), apk_owners(said)):
        assert all(path.startswith("/") and package for path, package in owners.items())


def test_nothing_is_asked_for_nothing() -> None:
    assert packages({}, env={"PATH": "/nowhere"}, stop=STOP) == ()


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is for Linux and its like")
def test_no_package_manager(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="neither dpkg-query nor apk"):
        packages({"sh": Path("/bin/sh").resolve()}, env={"PATH": str(tmp_path)}, stop=STOP)


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no Debian, nor its like")
def test_the_c_library_goes_without_saying() -> None:
    assert packages({"sh": Path("/bin/sh").resolve()}, env=ENV, stop=STOP) == ()


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no Debian, nor its like")
def test_a_library_that_no_package_brought(tmp_path: Path) -> None:
    """A package manager that knows nothing."""
    program = tmp_path / "dpkg-query"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(EnvironmentFault, match=r"sh needs libc\.so\.6, and no package brought"):
        packages(
            {"sh": Path("/bin/sh").resolve()}, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, stop=STOP
        )


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no Debian, nor its like")
def test_a_library_of_a_package(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    made = tmp_path / "made.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-xc", "-", "-o", made, "-Wl,--no-as-needed", "-lgcc_s"],
        input=b"",
        check=True,
    )
    assert packages({"made": made}, env=ENV, stop=STOP) == ("libgcc-s1",)
