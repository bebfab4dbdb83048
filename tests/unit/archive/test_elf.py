from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ftbuild.archive.elf import Needs, needs_of, newest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ELF is for Linux and its like")


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_a_run_path(tmp_path: Path, tags: str) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path / "library.so"
    option = f"-Wl,{tags},-rpath,/opt/a/lib:$ORIGIN/../lib"
    subprocess.run([compiler, "-shared", "-xc", "/dev/null", "-o", library, option], check=True)
    assert needs_of(library).run_path == ("/opt/a/lib", "$ORIGIN/../lib")


def test_this_interpreter_needs_a_libc() -> None:
    needs = needs_of(Path(sys.executable).resolve())
    assert all(version[0].isdigit() for version in needs.libc)


def test_this_interpreter_is_linked_with_it() -> None:
    libraries = needs_of(Path(sys.executable).resolve()).libraries
    assert any(name.startswith("libc.") for name in libraries)


def test_what_is_no_elf_file_needs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"", b"\x7fELF", b"\x7fELF" + bytes(100), b"#!/bin/sh\n"):
        file.write_bytes(content)
        assert needs_of(file) == Needs(libc=(), run_path=(), libraries=())


def test_the_newest_is_a_matter_of_numbers() -> None:
    assert newest(["2.9", "2.34", "2.2.5"]) == "2.34"
    assert newest([]) is None
