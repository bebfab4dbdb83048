from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.spec import Compiler
from ftbuild.toolchain.compilers import (
    LLVM_TOOLS,
    PROFILE_RUNTIME,
    find_compiler,
    find_compilers,
    lacking_tools,
    tool_version,
    trial,
)

Program = Callable[[str, str], Path]
Add = Callable[..., Path]
REAL = dict(os.environ)


def llvm(program: Program, name: str, version: str) -> Path:
    return program(name, f"echo 'LLVM (http://llvm.org/):\n  Demo LLVM version {version}'")


def complete(program: Program, major: int) -> Path:
    """Gives a clang on PATH its companions, named as distributions do; returns its runtime."""
    for tool in LLVM_TOOLS:
        llvm(program, f"{tool}-{major}", f"{major}.1.0")
    return program(f"../lib/{major}/lib/linux/libclang_rt.profile-x86_64.a", "")


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (("clang-18", "clang-19", "clang-20"), "clang-20"),
        (("clang-18", "clang-19"), "clang-19"),
        (("clang-18",), "gcc"),
        ((), "gcc"),
    ],
)
def test_auto_takes_the_newest_clang_whose_interpreters_are_fastest(
    program: Program,
    gcc: Add,
    clang: Add,
    env: dict[str, str],
    there: tuple[str, ...],
    chosen: str,
) -> None:
    gcc()
    for name in there:
        number = int(name.removeprefix("clang-"))
        clang(name, version=f"{number}.1.0")
        complete(program, number)
    assert Path(find_compiler("auto", env=env).path).name == chosen


def test_auto_leaves_a_clang_that_lacks_a_companion(
    program: Program, gcc: Add, clang: Add, env: dict[str, str]
) -> None:
    gcc()
    clang("clang-19", version="19.1.7")
    runtime = complete(program, 19)
    clang("clang-20", version="20.1.0")
    assert Path(find_compiler("auto", env=env).path).name == "clang-19"
    runtime.unlink()
    assert find_compiler("auto", env=env).family == "gcc"


def test_a_family_without_a_plain_name_is_its_newest(
    gcc: Add, clang: Add, env: dict[str, str]
) -> None:
    gcc("gcc-9", version="9.4.0")
    gcc("gcc-14", version="14.2.1")
    clang("clang-17", version="17.0.6")
    assert find_compiler("gcc", env=env).version == "14.2.1"
    assert find_compiler("clang", env=env).version == "17.0.6"
    assert find_compiler("auto", env=env).version == "14.2.1"


def test_auto_prefers_gcc_to_a_clang_without_companions(
    gcc: Add, clang: Add, env: dict[str, str]
) -> None:
    clang()
    path = gcc()
    found = find_compiler("auto", env=env)
    assert found.identity == "gcc 12.2.0 x86_64-linux-gnu"
    assert found.path == str(path)


def test_auto_takes_clang_where_there_is_no_gcc(clang: Add, env: dict[str, str]) -> None:
    clang()
    assert find_compiler("auto", env=env).identity == "clang 19.1.7 x86_64-pc-linux-gnu"


@pytest.mark.parametrize(("name", "family"), [("gcc", "gcc"), ("clang", "clang")])
def test_cc_is_asked_what_it_is(
    gcc: Add, clang: Add, env: dict[str, str], name: str, family: str
) -> None:
    {"gcc": gcc, "clang": clang}[name]("cc")
    assert find_compiler("auto", env=env).family == family
    assert find_compiler("cc", env=env).family == family


def test_a_gcc_that_is_clang_is_not_taken_for_gcc(clang: Add, env: dict[str, str]) -> None:
    clang("gcc", version="16.0.0")
    path = clang("clang", version="16.0.0")
    assert find_compiler("auto", env=env).path == str(path)
    with pytest.raises(EnvironmentFault, match="no compiler gcc on this host, only"):
        find_compiler("gcc", env=env)


def test_named_version_and_path(gcc: Add, env: dict[str, str]) -> None:
    gcc()
    path = gcc("gcc-14", version="14.2.1")
    assert find_compiler("gcc-14", env=env).version == "14.2.1"
    assert find_compiler(str(path), env={"PATH": "/nowhere"}).path == str(path)


def test_broken_gcc_is_passed_over(program: Program, clang: Add, env: dict[str, str]) -> None:
    program("gcc", "echo cannot load libisl >&2; exit 1")
    clang()
    assert find_compiler("auto", env=env).family == "clang"


@pytest.mark.parametrize("want", ["auto", "gcc", "clang-19", "/no/such/gcc"])
def test_none(env: dict[str, str], want: str) -> None:
    with pytest.raises(EnvironmentFault, match="there is no"):
        find_compiler(want, env=env)


@pytest.mark.parametrize("want", ["tcc", "gcc12", "", "clang-", "gcc-12.2"])
def test_nonsense_is_a_usage_error(env: dict[str, str], want: str) -> None:
    with pytest.raises(UsageError, match="names no compiler"):
        find_compiler(want, env=env)


def test_all_on_path_each_once(gcc: Add, clang: Add, env: dict[str, str]) -> None:
    plain = gcc()
    plain.with_name("gcc-12").symlink_to("gcc")
    gcc("gcc-14", version="14.2.1")
    gcc("gcc-ar")
    clang("clang-19")
    paths = [Path(c.path).name for c in find_compilers(env={"PATH": f":/none:{env['PATH']}"})]
    assert paths == ["clang-19", "gcc", "gcc-14"]


def test_llvm_tools_beside_the_compiler_go_first(
    program: Program, clang: Add, env: dict[str, str]
) -> None:
    clang("clang-19")
    ours = llvm(program, "../llvm/bin/llvm-profdata", "19.1.7")
    llvm(program, "llvm-profdata", "19.1.7")
    found = find_compiler("clang-19", env=env).tools["llvm-profdata"]
    assert Path(found).samefile(ours)


def test_suffixed_llvm_tool(program: Program, clang: Add, env: dict[str, str]) -> None:
    clang()
    llvm(program, "llvm-ar", "14.0.6")
    suffixed = llvm(program, "llvm-ar-19", "19.1.4")
    assert find_compiler("clang", env=env).tools == {"llvm-ar": str(suffixed)}


def test_plain_llvm_tool_counts_if_it_says_the_same_version(
    program: Program, clang: Add, env: dict[str, str]
) -> None:
    clang()
    plain = program("ld.lld", "echo 'Demo LLD 19.1.7 (compatible with GNU linkers)'")
    assert find_compiler("clang", env=env).tools == {"ld.lld": str(plain)}


def test_llvm_tools_of_another_release_are_not_taken(
    program: Program, clang: Add, env: dict[str, str]
) -> None:
    clang()
    for tool in LLVM_TOOLS:
        llvm(program, tool, "14.0.6")
    llvm(program, "../llvm/bin/llvm-profdata", "18.1.0")
    llvm(program, "llvm-ar-19", "1.19.0")
    assert find_compiler("clang", env=env).tools == {}


def test_old_profdata_tells_its_version_after_a_command_only(
    program: Program, env: dict[str, str]
) -> None:
    tool = program(
        "llvm-profdata", 'test "$1" = merge || exit 1; echo "  Debian LLVM version 14.0.6"'
    )
    assert tool_version(tool, env=env) == "14.0.6"


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("gcc", "gcc-ar"),
        ("gcc-12", "gcc-ar-12"),
        ("x86_64-linux-gnu-gcc-12", "x86_64-linux-gnu-gcc-ar-12"),
    ],
)
def test_gcc_ar_is_named_like_its_gcc(
    program: Program, gcc: Add, env: dict[str, str], name: str, twin: str
) -> None:
    path = gcc(name)
    ar = program(twin, "")
    program("gcc-ar-11", "")
    assert find_compiler(str(path), env=env).tools == {"gcc-ar": str(ar)}


def test_gcc_ar_behind_links(program: Program, gcc: Add, env: dict[str, str]) -> None:
    real = gcc("../usr/gcc-12")
    ar = program("../usr/gcc-ar-12", "")
    link = Path(env["PATH"], "cc")
    link.symlink_to(real)
    found = find_compiler("cc", env=env).tools["gcc-ar"]
    assert Path(found).samefile(ar)


def test_gcc_ar_of_another_version_is_not_taken(
    program: Program, gcc: Add, env: dict[str, str]
) -> None:
    gcc("gcc-12")
    program("gcc-ar", "")
    program("gcc-ar-11", "")
    assert find_compiler("gcc-12", env=env).tools == {}


def fake(path: Path) -> Compiler:
    return Compiler(family="gcc", version="1", target="none", path=str(path))


def test_trial_names_the_first_error(program: Program, env: dict[str, str]) -> None:
    path = program("gcc", "echo note >&2; echo 'x.c:1: fatal error: stdio.h: none' >&2; exit 1")
    assert "fatal error: stdio.h" in trial(fake(path), env=env)


def test_trial_runs_what_was_made(program: Program, env: dict[str, str]) -> None:
    body = 'while test "$1" != -o; do shift; done; {}; echo exit 3 >>"$2"'
    broken = program("gcc", body.format('echo \'#!/bin/sh\' >"$2"; /bin/chmod +x "$2"'))
    assert trial(fake(broken), env=env) == "what it makes does not run: exit status 3"


def test_real_trial() -> None:
    compiler = find_compiler("auto", env=REAL)
    assert trial(compiler, env=REAL) == ""
    assert "cannot compile" in trial(compiler, "-include", "no-such.h", env=REAL)


@pytest.mark.skipif(shutil.which("clang-19") is None, reason="clang-19 is not installed")
def test_real_clang_and_its_tools() -> None:
    compiler = find_compiler("clang-19", env=REAL)
    assert compiler.version.startswith("19.")
    assert Path(compiler.tools[PROFILE_RUNTIME]).is_file()
    for tool in LLVM_TOOLS:
        assert tool_version(Path(compiler.tools[tool]), env=REAL).startswith("19.")


@pytest.mark.parametrize(
    ("pgo", "lto", "lacking"),
    [
        (False, False, ()),
        (True, False, ("llvm-profdata", "profile-runtime")),
        (False, True, ("ld.lld",)),
        (True, True, ("llvm-profdata", "profile-runtime", "ld.lld")),
    ],
)
def test_a_clang_without_all_its_companions(pgo: bool, lto: bool, lacking: tuple[str, ...]) -> None:
    clang = Compiler(
        family="clang",
        version="19.1.7",
        target="x86_64-pc-linux-gnu",
        path="/usr/bin/clang-19",
        tools={"llvm-ar": "/usr/bin/llvm-ar-19"},
    )
    assert lacking_tools(clang, pgo=pgo, lto=lto, system="linux") == lacking
    assert lacking_tools(clang, pgo=pgo, lto=lto, system="darwin") == ()
