"""Made-up libraries, linked by the real compiler and loaded by the real loader."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbuild.model.recipes import LibraryRecipe
from ftbuild.model.spec import Compiler
from ftbuild.toolchain.compilers import find_compiler
from ftbuild.toolchain.linking import (
    Trial,
    explain_unloaded,
    other_pkg_config,
    try_libraries,
)
from tests.prefixes import Prefix

REAL = dict(os.environ)
pytestmark = pytest.mark.skipif(os.uname().sysname != "Linux", reason="ELF files are looked at")

Program = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return find_compiler("auto", env=REAL)


RECIPE = LibraryRecipe(
    modules=("_demo",),
    header="ftdemo.h",
    pkg_config="ftdemo",
    symbol="ftdemo_open",
    link=("ftdemo",),
)


@pytest.fixture
def prefix(tmp_path: Path, compiler: Compiler) -> Prefix:
    return Prefix(tmp_path / "a b", compiler)


@pytest.fixture
def plain(tmp_path: Path, compiler: Compiler) -> Prefix:
    return Prefix(tmp_path / "brew", compiler)


def attempt(env: dict[str, str], compiler: Compiler, *, elsewhere: bool = False) -> Trial | None:
    found = try_libraries({"demo": RECIPE}, compiler=compiler, env=env, elsewhere=elsewhere)
    return found.get("demo")


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_library_that_links_and_does_not_load(
    plain: Prefix, compiler: Compiler, *, elsewhere: bool
) -> None:
    plain.share()
    trial = attempt(plain.tell(), compiler, elsewhere=elsewhere)
    assert trial is not None
    assert trial.unloaded == (f"libftdemo.so.7 is in {plain.lib}, where the loader does not look")
    assert f"--configure-arg LDFLAGS=-Wl,-rpath,{plain.lib}`" in trial.way


def test_the_way_out_works(plain: Prefix, compiler: Compiler) -> None:
    file = plain.share()
    env = plain.tell() | {"LDFLAGS": f"-Wl,-rpath,{plain.lib}"}
    assert attempt(env, compiler) == Trial(file=str(file))


def test_a_folder_with_a_space(prefix: Prefix, compiler: Compiler) -> None:
    prefix.share()
    trial = attempt(prefix.tell(f"-L{prefix.lib.parent.parent}/a\\\\ b/lib -lftdemo"), compiler)
    assert trial is not None
    assert trial.unloaded.startswith(f"libftdemo.so.7 is in {prefix.lib},")
    assert f"-rpath,'{prefix.lib}'" in trial.way


def test_one_that_is_part_of_the_program(plain: Prefix, compiler: Compiler) -> None:
    plain.archive()
    assert attempt(plain.tell(), compiler) == Trial()


def test_another_file_is_loaded_than_linked_with(
    plain: Prefix, tmp_path: Path, compiler: Compiler
) -> None:
    linked = plain.share()
    loaded = Prefix(tmp_path / "other", compiler).share()
    env = plain.tell(f"-L{plain.lib} -lftdemo -Wl,-rpath,{loaded.parent}")
    assert attempt(env, compiler) == Trial(file=str(loaded), linked=str(linked.with_suffix("")))


def test_what_a_library_needs_itself(plain: Prefix, tmp_path: Path, compiler: Compiler) -> None:
    other = Prefix(tmp_path / "other", compiler, "ftother")
    other.share()
    plain.share(f"-L{other.lib}", "-Wl,--no-as-needed", "-lftother")
    libs = f"-L{plain.lib} -lftdemo -L{other.lib} -Wl,-rpath,{plain.lib}"
    trial = attempt(plain.tell(f"{libs} -Wl,-rpath-link,{other.lib}"), compiler)
    assert trial is not None
    assert trial.unloaded.startswith(f"libftother.so.7 is in {other.lib},")


def test_one_that_does_not_link(plain: Prefix, compiler: Compiler) -> None:
    trial = attempt(plain.tell(), compiler)
    assert trial is not None
    assert "ftdemo" in trial.unlinked


def test_a_name_for_the_linker_may_be_another_one_here(compiler: Compiler) -> None:
    assert attempt({"PATH": REAL["PATH"]}, compiler) is None


def test_nothing_is_tried_where_all_is_in_standard_places(
    plain: Prefix, compiler: Compiler
) -> None:
    env = plain.tell("-lm")
    assert attempt(env, compiler, elsewhere=True) is None


def test_what_cannot_run_for_another_reason_says_nothing(plain: Prefix, compiler: Compiler) -> None:
    plain.source += "__attribute__((constructor)) static void trap(void) { __builtin_trap(); }"
    plain.share()
    env = plain.tell(f"-L{plain.lib} -lftdemo -Wl,-rpath,{plain.lib}")
    assert attempt(env, compiler) is None


def test_the_next_pkg_config_is_the_way_out(
    plain: Prefix, tmp_path: Path, compiler: Compiler
) -> None:
    plain.share()
    env = plain.tell()
    system = tmp_path / "system one" / "bin"
    system.mkdir(parents=True)
    shutil.copy(plain.bin / "pkg-config", system)
    again = tmp_path / "again"
    again.symlink_to(plain.bin)  # as /bin is /usr/bin
    tools = Path(compiler.path).parent
    env["PATH"] = f"{plain.bin}:{again}:{system}:{tools}"
    assert other_pkg_config(env) == (
        plain.bin / "pkg-config",
        f"""export PATH='{system}':"$PATH\"""",
    )
    trial = attempt(env, compiler)
    assert trial is not None
    assert f"`export PATH='{system}':" in trial.way


@pytest.mark.parametrize(
    "said",
    [
        "x: error while loading shared libraries: libz.so.9: cannot open shared object file: No",
        "libz.so.9: cannot open shared object file: No such file or directory",
        "Error loading shared library libz.so.9: No such file or directory (needed by _z.so)",
        "dlopen(_z.so, 2): Library not loaded: @rpath/libz.so.9\n  Referenced from: _z.so",
    ],
)
def test_what_loaders_say(said: str, tmp_path: Path) -> None:
    assert explain_unloaded(said, (), {})[0] == "there is no libz.so.9 where it is looked for"
    (tmp_path / "libz.so.9").touch()
    why, way = explain_unloaded(said, ("/nowhere", str(tmp_path)), {"PATH": ""})
    assert why == f"libz.so.9 is in {tmp_path}, where the loader does not look"
    assert str(tmp_path) in way


def test_what_is_wrong_with_a_library_that_is_found() -> None:
    said = "/lib/libz.so.1: version `Z_9' not found (required by _z.so)"
    assert explain_unloaded(said, (), {}) == (
        said,
        "`ftbuild doctor` says from which file each library is loaded.",
    )
