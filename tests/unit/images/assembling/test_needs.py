from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault
from ftbuild.images.assembling.needs import located, packages

STOP = threading.Event()
ENV = {"PATH": os.environ.get("PATH", os.defpath)}


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


def test_nothing_is_asked_for_nothing() -> None:
    assert packages({}, env={"PATH": "/nowhere"}, stop=STOP) == ()


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is for Linux and its like")
def test_no_package_manager(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="none of dpkg-query, apk, rpm is here"):
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
