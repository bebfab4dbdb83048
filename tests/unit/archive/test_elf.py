from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from ftbuild.archive.elf import Needs, libraries, needs_below, needs_of, newest

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


@pytest.mark.parametrize("offset", [b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\x00\xff\xff\xff" * 2])
def test_a_damaged_file_needs_nothing(tmp_path: Path, offset: bytes) -> None:
    content = bytearray(Path("/bin/sh").resolve().read_bytes())
    content[40:48] = offset  # where its sections are said to be
    file = tmp_path / "file"
    file.write_bytes(content)
    assert needs_of(file) == Needs(libc=(), run_path=(), libraries=())


def test_a_file_that_claims_billions_of_versions_is_read_soon(tmp_path: Path) -> None:
    with Path("/bin/sh").resolve().open("rb") as file:
        content = bytearray(file.read())
        elf = ELFFile(file)
        index = elf.get_section_index(".gnu.version_r")
        assert index is not None
        header = elf["e_shoff"] + index * elf["e_shentsize"]
        start = elf.get_section(index)["sh_offset"]
    content[header + 44 : header + 48] = b"\xff" * 4  # sh_info: how many files
    content[start + 2 : start + 4] = b"\xff" * 2  # vn_cnt: how many versions of the first
    first = start + int.from_bytes(content[start + 8 : start + 12], "little")  # vn_aux
    content[start + 12 : start + 16] = bytes(4)  # vn_next: the same file again
    content[first + 12 : first + 16] = bytes(4)  # vna_next: the same version again
    (tmp_path / "file").write_bytes(content)
    assert needs_of(tmp_path / "file").libraries


def test_the_newest_is_a_matter_of_numbers() -> None:
    assert newest(["2.9", "2.34", "2.2.5"]) == "2.34"
    assert newest([]) is None


def test_binaries_are_told_by_their_content(tmp_path: Path) -> None:
    shutil.copyfile(Path(sys.executable).resolve(), tmp_path / "binary")
    (tmp_path / "text.so").write_text("INPUT ( -lz )")
    assert needs_below(tmp_path, ("binary", "text.so")).keys() == {"binary"}


def test_libraries_of_its_own_need_no_package() -> None:
    needed = {
        "bin/python3": ("libpython3.14.so.1.0", "libc.so.6"),
        "lib/libpython3.14.so.1.0": ("libm.so.6", "libc.so.6"),
    }
    assert libraries(needed) == {
        "libm.so.6": "lib/libpython3.14.so.1.0",
        "libc.so.6": "bin/python3",
    }
