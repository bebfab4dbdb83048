from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild.catalogue import load
from ftbuild.model.recipes import PackageManager
from ftbuild.toolchain.packages import (
    command_line,
    compiler_packages,
    distribution,
    fast_compiler_packages,
    install_command,
    installed_packages,
    library_packages,
    only_root,
    package_manager,
)

CATALOGUE = load()
APT = CATALOGUE.managers["apt"]


@pytest.mark.parametrize(
    ("os_release", "manager"),
    [
        ("ID=debian\n", "apt"),
        ('PRETTY_NAME="Pop"\nID=pop\nID_LIKE="ubuntu debian"\n', "apt"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf"),
        ("ID=fedora\n", "dnf"),
        ("ID=alpine\n", "apk"),
        ("ID='manjaro'\nID_LIKE=arch\n", "pacman"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "zypper"),
        ("ID=nixos\n", None),
        ("", None),
    ],
)
def test_the_distribution_decides(
    program: Callable[[str, str], Path],
    env: dict[str, str],
    tmp_path: Path,
    os_release: str,
    manager: str | None,
) -> None:
    for known in CATALOGUE.managers.values():
        program(known.install[0], "")
    file = tmp_path / "os-release"
    file.write_text(os_release)
    assert package_manager(CATALOGUE.managers, system="linux", env=env, os_release=file) == manager


def test_the_program_must_be_there_too(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text("ID=debian\n")
    managers = CATALOGUE.managers
    assert package_manager(managers, system="linux", env=env, os_release=file) is None
    none = tmp_path / "none"
    assert package_manager(managers, system="linux", env=env, os_release=none) is None


def test_macos_has_homebrew(program: Callable[[str, str], Path], env: dict[str, str]) -> None:
    program("brew", "")
    assert package_manager(CATALOGUE.managers, system="darwin", env=env) == "brew"


def test_words_of_the_distribution() -> None:
    assert distribution('VERSION_ID="12"\nID=debian\n') == ("debian",)
    assert distribution("NAME=x") == ()


def test_commands_as_root_and_with_sudo() -> None:
    assert install_command(("gcc", "make"), APT, root=True) == (
        ("apt-get", "update"),
        ("apt-get", "install", "-y", "gcc", "make"),
    )
    commands = install_command(("gcc",), APT, root=False)
    assert command_line(commands) == "sudo apt-get update && sudo apt-get install -y gcc"
    assert command_line((("apt-get", "update"),), by_root=True) == "as root: apt-get update"


def test_only_root_installs_where_there_is_no_sudo(
    program: Callable[[str, str], Path], env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert only_root(APT, env)
    assert not only_root(CATALOGUE.managers["brew"], env)
    program("sudo", "")
    assert not only_root(APT, env)


def test_a_clang_that_makes_faster_interpreters_is_the_first_that_can_be_had(
    program: Callable[[str, str], Path], env: dict[str, str]
) -> None:
    assert fast_compiler_packages(CATALOGUE.managers["apk"], env) == ()
    program("apt-cache", "test $2 = clang-21 -o $2 = clang-22")
    assert fast_compiler_packages(APT, env)[0] == "clang-21"
    program("apt-cache", "exit 100")
    assert fast_compiler_packages(APT, env) == ()


def test_homebrew_never_runs_as_root() -> None:
    commands = install_command(("xz",), CATALOGUE.managers["brew"], root=False)
    assert commands == (("brew", "install", "xz"),)


def test_nothing_to_install() -> None:
    assert install_command((), APT, root=True) == ()


def test_packages_of_libraries() -> None:
    recipes = CATALOGUE.libraries
    assert library_packages(("gdbm", "ndbm"), recipes, "dnf") == ("gdbm-devel",)
    assert library_packages(("gdbm", "ndbm"), recipes, "apt") == (
        "libgdbm-dev",
        "libgdbm-compat-dev",
    )
    assert library_packages(("zlib", "xz"), recipes, "brew") == ("xz",)
    assert library_packages(("zlib",), recipes, None) == ()


@pytest.mark.parametrize(
    ("want", "packages"),
    [
        ("auto", APT.build),
        ("gcc", APT.build),
        ("clang", ("clang", "llvm", "lld")),
        ("clang-19", ("clang-19", "llvm-19", "lld-19", "libclang-rt-19-dev")),
        ("gcc-13", ("gcc-13", "libc6-dev")),
        ("/opt/my-gcc-13", ()),
        ("cc", ()),
    ],
)
def test_packages_of_compilers(want: str, packages: tuple[str, ...]) -> None:
    assert compiler_packages(want, APT) == packages


def test_a_manager_without_versioned_names() -> None:
    manager = PackageManager(distributions=("x",), install=("x",), build=("gcc",))
    assert compiler_packages("clang-19", manager) == ()


def test_what_is_installed(program: Callable[[str, str], Path], env: dict[str, str]) -> None:
    manager = load().managers["apt"]
    wanted = ("tk-dev", "gone", "unknown", "zlib1g-dev")
    assert installed_packages(wanted, manager, env=env) == frozenset(), "nobody can tell"
    program(
        "dpkg-query",
        """\
        test "$1 $2" = '--show --showformat=${db:Status-Status}' || exit 2
        case $3 in
        *-dev) echo installed;;
        gone) printf config-files;;
        *) echo "no packages found matching $3" >&2; exit 1;;
        esac
        """,
    )
    assert installed_packages(wanted, manager, env=env) == {"tk-dev", "zlib1g-dev"}
