from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild.catalogue import load
from ftbuild.errors import EnvironmentFault
from ftbuild.toolchain.environment import (
    keg_variables,
    library_environment,
    probe_environment,
    supported,
)

RECIPES = load().libraries


def test_systems() -> None:
    assert supported("Linux") == "linux"
    assert supported("Darwin") == "darwin"


@pytest.mark.parametrize(("system", "word"), [("Windows", "WSL"), ("FreeBSD", "Linux"), ("", "")])
def test_other_systems_are_refused(system: str, word: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        supported(system)
    assert word in caught.value.hint


def test_only_what_a_build_sees_is_seen() -> None:
    env = {"PATH": "/bin", "HOME": "/root", "CPATH": "/x", "PKG_CONFIG_PATH": "/y", "CC": "z"}
    seen = probe_environment(RECIPES, system="linux", env=env)
    assert seen == {"PATH": "/bin", "HOME": "/root"}


def test_homebrew_packages_that_are_there(
    program: Callable[[str, str], Path], env: dict[str, str], tmp_path: Path
) -> None:
    program("brew", f"echo {tmp_path}/homebrew")
    kegs = [tmp_path / "homebrew/opt" / name for name in ("openssl@3", "gdbm")]
    for keg in kegs:
        keg.mkdir(parents=True)
    found = library_environment(RECIPES, system="darwin", env=env)
    assert found == keg_variables(kegs)
    assert found["CPPFLAGS"] == f"-I{kegs[0]}/include -I{kegs[1]}/include"
    assert found["LDFLAGS"] == f"-L{kegs[0]}/lib -L{kegs[1]}/lib"
    assert found["PKG_CONFIG_PATH"] == f"{kegs[0]}/lib/pkgconfig:{kegs[1]}/lib/pkgconfig"


def test_nothing_without_homebrew(env: dict[str, str]) -> None:
    assert library_environment(RECIPES, system="darwin", env=env) == {}
    assert library_environment(RECIPES, system="linux", env=env) == {}
    assert keg_variables(()) == {}
