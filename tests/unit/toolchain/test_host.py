from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild.catalogue import load
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.toolchain.host import musl, read_host
from ftbuild.toolchain.libraries import absent, promised

CATALOGUE = load()
REAL = dict(os.environ)


def test_this_host() -> None:
    host = read_host(CATALOGUE, env=REAL)
    assert host.system in {"linux", "darwin"}
    assert host.libc.split()[0] in {"glibc", "musl", "macos"}
    assert host.compiler.version
    assert host.cpus >= 1
    names = [library.name for library in host.libraries]
    assert names == sorted(names)
    assert "zlib" in names


def test_everything_is_either_promised_or_absent() -> None:
    host = read_host(CATALOGUE, env=REAL)
    there = promised(host.libraries, CATALOGUE.libraries, "3.14", host.system)
    missing = absent(host.libraries, CATALOGUE.libraries, "3.14", host.system)
    modules = {module for names in missing.values() for module in names}
    assert modules.isdisjoint(there)
    assert {"zlib", "ssl", "compression.zstd", "tkinter"} <= modules.union(there)


def test_facts_are_the_same_twice() -> None:
    assert read_host(CATALOGUE, env=REAL) == read_host(CATALOGUE, env=REAL)


def test_all_that_is_missing_is_said_at_once(env: dict[str, str]) -> None:
    with pytest.raises(EnvironmentFault, match="cannot build CPython yet") as caught:
        read_host(CATALOGUE, env=env)
    assert "there is no C compiler" in caught.value.message
    assert "there is no make" in caught.value.message
    assert caught.value.hint


def test_compiler_without_c_library_headers(
    program: Callable[[str, str], Path], gcc: Callable[..., Path], env: dict[str, str]
) -> None:
    gcc()
    program("make", "echo GNU Make 4.3")
    with pytest.raises(EnvironmentFault) as caught:
        read_host(CATALOGUE, env=env)
    assert "trial program: cannot compile" in caught.value.message


def test_unknown_compiler_name(env: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        read_host(CATALOGUE, want="tcc", env=env)


def test_musl_tells_its_version_and_fails(
    program: Callable[[str, str], Path], folder: Path
) -> None:
    assert musl(folder) == "libc"
    program("ld-musl-x86_64.so.1", "echo 'musl libc (x86_64)\nVersion 1.2.5' >&2; exit 1")
    assert musl(folder) == "musl 1.2.5"
