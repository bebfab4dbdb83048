from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild.model.spec import Make
from ftbuild.model.versions import Variant
from ftbuild.verifying import compare

from .builds import GCC, build, changed, failing, named

STORE = Path("/home/user/.local/share/ftbuild/store")
GIL = build(STORE / "cpython-3.14.7-11111111", Variant.GIL)
FREE_THREADED = build(STORE / "cpython-3.14.7t-22222222")


def test_a_matched_pair_passes() -> None:
    report = compare(GIL, FREE_THREADED)
    assert report.ok
    assert report.kind == "pair"
    assert report.subject == "3.14.7"


@pytest.mark.parametrize(
    ("part", "values", "check"),
    [
        ("spec", {"version": "3.14.6"}, "pair.version"),
        ("spec", {"source_sha256": "6" * 64}, "pair.source"),
        ("spec", {"compiler": "clang 19.1.7 x86_64-linux-gnu"}, "pair.compiler"),
        ("spec", {"profile": "debug"}, "pair.profile"),
        ("spec", {"lto": True}, "pair.asked"),
        ("spec", {"flags": ("--disable-gil", "--with-lto")}, "pair.flags"),
        ("spec", {"configure_args": ("--enable-shared",)}, "pair.configure-args"),
        ("spec", {"libraries": ()}, "pair.libraries"),
        ("used", {"compiler": msgspec.structs.replace(GCC, path="/opt/gcc")}, "pair.compiler"),
        ("used", {"make": Make(path="/usr/bin/make", version="4.4", fifo=True)}, "pair.make"),
        ("used", {"configure": ("configure", "--with-lto")}, "pair.configure"),
        ("used", {"environment": {"TSAN_OPTIONS": "halt_on_error=1"}}, "pair.environment"),
        ("used", {"promised": ("ssl", "sqlite3")}, "pair.modules"),
        ("used", {"libc": "glibc 2.41"}, "pair.host"),
        ("used", {"ftbuild": "0.2.0"}, "pair.ftbuild"),
        ("used", {"compile_command": "gcc -c -O2 -o a.o a.c"}, "pair.compile-flags"),
        ("used", {"link_command": "gcc -flto -o python a.o"}, "pair.link-flags"),
        ("result", {"missing": ()}, "pair.missing-modules"),
        ("result", {"pgo": True}, "pair.achieved"),
    ],
)
def test_any_other_difference_is_found(part: str, values: dict[str, Any], check: str) -> None:
    report = compare(GIL, changed(FREE_THREADED, part, **values))
    assert failing(report) == {check} or (check == "pair.version" and check in failing(report))


def test_two_builds_of_one_kind_are_no_pair() -> None:
    assert failing(compare(GIL, GIL)) == {"pair.variants", "pair.abiflags"}


def test_a_failure_shows_what_only_one_of_them_has() -> None:
    other = changed(FREE_THREADED, "used", compile_command="gcc -c -O3 -Wall -fwrapv a.c")
    check = named(compare(GIL, other))["pair.compile-flags"]
    assert check.expected == "GIL build: -I{prefix}/include/python3.14"
    assert check.found == "free-threaded build: -fwrapv"


def test_the_same_in_another_order_is_shown_whole() -> None:
    gil = changed(GIL, "spec", flags=("--with-lto", "--with-pydebug"))
    free_threaded = changed(
        FREE_THREADED, "spec", flags=("--with-pydebug", "--with-lto", "--disable-gil")
    )
    check = named(compare(gil, free_threaded))["pair.flags"]
    assert check.found == "free-threaded build: --with-pydebug --with-lto"


def test_what_follows_from_disable_gil_is_no_difference() -> None:
    gil = changed(
        GIL,
        "used",
        environment={"TSAN_OPTIONS": "suppressions=/p/tsan/suppressions.txt"},
        compile_command="gcc -fprofile-use=/work/cpython-3.14.7-11111111/p -flto=1 a.c",
        link_command=f"gcc -flto=1 -Wl,-rpath,{GIL.prefix}/lib -lpython3.14 -o python",
    )
    free_threaded = changed(
        FREE_THREADED,
        "used",
        environment={"TSAN_OPTIONS": "suppressions=/p/tsan/suppressions_free_threading.txt"},
        compile_command="gcc -fprofile-use=/work/cpython-3.14.7t-22222222/p -flto=2 a.c",
        link_command=f"gcc -flto=2 -Wl,-rpath,{FREE_THREADED.prefix}/lib -lpython3.14t -o python",
    )
    assert compare(gil, free_threaded).ok


def test_thin_and_full_link_time_optimisation_differ() -> None:
    gil = changed(GIL, "used", link_command="clang -flto=thin -o python")
    free_threaded = changed(FREE_THREADED, "used", link_command="clang -flto=full -o python")
    assert failing(compare(gil, free_threaded)) == {"pair.link-flags"}
