from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.model.recipes import LibraryRecipe
from ftbuild.model.spec import Compiler, Library
from ftbuild.toolchain.compilers import find_compiler
from ftbuild.toolchain.libraries import (
    absent,
    answers,
    promised,
    questions,
    relevant,
    survey,
    usable,
)

Program = Callable[[str, str], Path]
REAL = dict(os.environ)

RECIPES = {
    "ssl": LibraryRecipe(
        modules=("_ssl",),
        imports=("ssl", "_hashlib"),
        header="demo/ssl.h",
        pkg_config="openssl",
        minimum="1.1.1",
    ),
    "zstd": LibraryRecipe(
        modules=("_zstd",),
        imports=("compression.zstd",),
        header="demo/zstd.h",
        version=("DEMO_MAJOR", "DEMO_MINOR"),
        since="3.14",
    ),
    "ndbm": LibraryRecipe(modules=("_dbm",), imports=("dbm.ndbm",), header="demo/ndbm.h"),
    "db": LibraryRecipe(modules=("_dbm",), imports=("dbm.ndbm",), header="demo/db.h"),
    "mac": LibraryRecipe(
        modules=("_mac",), imports=("mac",), header="demo/mac.h", platforms=("darwin",)
    ),
    "decimal": LibraryRecipe(modules=("_decimal",), header="demo/decimal.h"),
}


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return find_compiler("auto", env=REAL)


def headers(tmp_path: Path, **texts: str) -> dict[str, str]:
    """An environment in which the real compiler finds these headers and there is no pkg-config."""
    demo = tmp_path / "include" / "demo"
    demo.mkdir(parents=True)
    for name, text in texts.items():
        (demo / f"{name}.h").write_text(text)
    return {"PATH": "/nowhere", "CPPFLAGS": f"-I{demo.parent}"}


def libraries(*names: str, version: str = "") -> tuple[Library, ...]:
    return tuple(Library(name=name, version=version) for name in names)


def test_headers_and_their_versions(compiler: Compiler, tmp_path: Path) -> None:
    env = headers(
        tmp_path,
        zstd='#define DEMO_MAJOR 1\n#define DEMO_MINOR "5.7"\n',
        ndbm="#error never included: it tells no version\n",
    )
    found = survey(RECIPES, compiler=compiler, env=env)
    assert found.c_headers
    assert found.libraries == (*libraries("ndbm"), *libraries("zstd", version="1.5.7"))


def test_broken_header_costs_its_version_only(compiler: Compiler, tmp_path: Path) -> None:
    env = headers(tmp_path, zstd="#include <demo/none.h>\n", db="", ndbm="")
    found = survey(RECIPES, compiler=compiler, env=env)
    assert found.libraries == libraries("db", "ndbm", "zstd")


def test_undefined_macro_is_no_version(compiler: Compiler, tmp_path: Path) -> None:
    env = headers(tmp_path, zstd="#define DEMO_MAJOR 1\n")
    assert survey(RECIPES, compiler=compiler, env=env).libraries == libraries("zstd")


def test_missing_c_library_headers_are_noticed(compiler: Compiler, tmp_path: Path) -> None:
    env = headers(tmp_path)
    env["CPPFLAGS"] += " -nostdinc"
    assert not survey(RECIPES, compiler=compiler, env=env).c_headers


PKG_CONFIG = """\
case "$1" in
--list-all) echo "openssl   OpenSSL - Secure Sockets"; echo "other   Other - not asked for";;
--print-provides) shift; for name in "$@"; do echo "$name = {version}"; done;;
esac
"""


def test_pkg_config_goes_before_the_header(program: Program, env: dict[str, str]) -> None:
    program("pkg-config", PKG_CONFIG.format(version="3.0.22"))
    found = survey(RECIPES, compiler=None, env=env)
    assert found.libraries == libraries("ssl", version="3.0.22")


def test_too_old_is_no_use(program: Program, env: dict[str, str]) -> None:
    program("pkg-config", PKG_CONFIG.format(version="1.0.2k"))
    there = survey(RECIPES, compiler=None, env=env).libraries
    assert there == libraries("ssl", version="1.0.2k")
    assert usable(there, RECIPES) == ()


def test_a_library_counts_from_its_first_series_and_on_its_platforms() -> None:
    assert "zstd" not in relevant(RECIPES, system="linux", series=("3.13",))
    assert "zstd" in relevant(RECIPES, system="linux", series=("3.13", "3.14"))
    assert "mac" not in relevant(RECIPES, system="linux", series=("3.13",))
    assert "mac" in relevant(RECIPES, system="darwin", series=("3.13",))


def test_what_the_libraries_promise() -> None:
    found = libraries("zstd", "ssl", "decimal", "mac")
    assert promised(found, RECIPES, "3.13", "linux") == ("_hashlib", "ssl")
    assert promised(found, RECIPES, "3.15", "linux") == ("_hashlib", "compression.zstd", "ssl")


def test_what_will_be_missing_and_what_would_bring_it() -> None:
    assert absent((), RECIPES, "3.13", "linux") == {
        "ssl": ("ssl", "_hashlib"),
        "ndbm": ("dbm.ndbm",),
    }
    assert absent(libraries("db", "ssl"), RECIPES, "3.14", "linux") == {
        "zstd": ("compression.zstd",)
    }


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
VERSIONS = st.lists(st.integers(0, 99999), min_size=1, max_size=3)


@given(st.dictionaries(NAMES, VERSIONS, max_size=5), st.text(alphabet="x (){};\n", max_size=20))
def test_answers_are_found_among_any_code(told: dict[str, list[int]], code: str) -> None:
    lines = (f'"ftbuild" "{name}" {" ".join(map(str, v))} "end"' for name, v in told.items())
    found = answers(code + f" {code}\n".join((*lines, "")))
    assert found == {name: ".".join(map(str, v)) for name, v in told.items()}


def test_all_headers_are_looked_for_before_the_first_is_included() -> None:
    source = questions(RECIPES)
    assert source.rindex("DEMO_MAJOR") > source.index("#include") > source.rindex("decimal.h")
