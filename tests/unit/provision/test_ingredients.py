from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

from ftbuild.archive.elf import needs_of
from ftbuild.provision.ingredients import linked_libraries

STOP = threading.Event()
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ELF is for Linux and its like")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    shutil.copyfile(Path("/bin/sh").resolve(), tmp_path / "module.so")
    (tmp_path / "module.py").write_text("")
    return tmp_path


def test_libraries_are_found_with_their_packages(prefix: Path) -> None:
    env = {"PATH": os.environ["PATH"]}
    found = linked_libraries(prefix, ("module.so", "module.py"), env=env, stop=STOP)
    assert found is not None
    assert {each.name for each in found} == set(needs_of(prefix / "module.so").libraries)
    assert all(each.path is not None and Path(each.path).exists() for each in found)
    if shutil.which("dpkg-query"):
        assert all(each.package is not None for each in found)


def test_without_a_package_manager_the_packages_are_unknown(prefix: Path) -> None:
    found = linked_libraries(prefix, ("module.so",), env={"PATH": "/nowhere"}, stop=STOP)
    assert found
    assert all(each.package is None for each in found)


def test_a_file_that_cannot_be_read_stops_nothing(prefix: Path) -> None:
    assert linked_libraries(prefix, ("gone.so",), env={"PATH": ""}, stop=STOP) is None
