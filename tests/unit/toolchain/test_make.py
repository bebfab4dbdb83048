from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault
from ftbuild.toolchain.make import find_make

Program = Callable[[str, str], Path]


@pytest.mark.parametrize(
    ("version", "fifo"), [("3.81", False), ("4.3", False), ("4.4", True), ("4.4.1", True)]
)
def test_version_and_fifo(program: Program, env: dict[str, str], version: str, fifo: bool) -> None:
    path = program("make", f"echo GNU Make {version}; echo Built for somewhere")
    make = find_make(env=env)
    assert (make.path, make.version, make.fifo) == (str(path), version, fifo)


def test_newer_gmake_is_preferred(program: Program, env: dict[str, str]) -> None:
    program("make", "echo GNU Make 3.81")
    gmake = program("gmake", "echo GNU Make 4.4.1")
    assert find_make(env=env).path == str(gmake)


def test_two_names_of_one_make_are_one(program: Program, env: dict[str, str]) -> None:
    make = program("make", "echo GNU Make 4.3")
    make.with_name("gmake").symlink_to("make")
    assert find_make(env=env).path == str(make)


def test_gnu_make_beside_another(program: Program, env: dict[str, str]) -> None:
    program("make", "echo usage: make >&2; exit 2")
    gmake = program("gmake", "echo GNU Make 4.4.1")
    assert find_make(env=env).path == str(gmake)


def test_bsd_make_is_refused(program: Program, env: dict[str, str]) -> None:
    make = program("make", "echo usage: make >&2; exit 2")
    with pytest.raises(EnvironmentFault, match="no GNU make") as caught:
        find_make(env=env)
    assert str(make) in caught.value.message
    assert "gmake" in caught.value.hint


def test_none(env: dict[str, str]) -> None:
    with pytest.raises(EnvironmentFault, match="no make on PATH"):
        find_make(env=env)


def test_this_hosts_make() -> None:
    assert find_make(env=dict(os.environ)).version
