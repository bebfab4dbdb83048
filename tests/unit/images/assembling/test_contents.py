from __future__ import annotations

import pytest

from ftbuild.images.assembling.contents import Contents, contents, launchers
from ftbuild.images.names import Flavour
from ftbuild.model.versions import Variant

LIB = "lib/python3.14t"
RUNS = (
    f"{LIB}/os.py",
    f"{LIB}/__pycache__/os.cpython-314.pyc",
    f"{LIB}/LICENSE.txt",
    f"{LIB}/unittest/case.py",
    f"{LIB}/doctest.py",
    f"{LIB}/lib-dynload/_ctypes.cpython-314t-x86_64-linux-gnu.so",
    f"{LIB}/ensurepip/_bundled/pip-26.2-py3-none-any.whl",
    f"{LIB}/site-packages/test/__init__.py",
    f"{LIB}/config-3.14t-x86_64-linux-gnu/Makefile",
    "lib/libpython3.14t.so.1.0",
    "include/python3.14t/Python.h",
)
DOES_NOT = (
    f"{LIB}/test/test_os.py",
    f"{LIB}/test/__pycache__/test_os.cpython-314.pyc",
    f"{LIB}/turtle.py",
    f"{LIB}/__pycache__/turtle.cpython-314.pyc",
    f"{LIB}/tkinter/__init__.py",
    f"{LIB}/idlelib/help.html",
    f"{LIB}/lib-dynload/_testcapi.cpython-314t-x86_64-linux-gnu.so",
    f"{LIB}/lib-dynload/_tkinter.cpython-314t-x86_64-linux-gnu.so",
    f"{LIB}/lib-dynload/xxlimited_35.cpython-314t-x86_64-linux-gnu.so",
    f"{LIB}/site-packages/pip/_vendor/distlib/w64.exe",
    f"{LIB}/config-3.14t-x86_64-linux-gnu/libpython3.14t.a",
    f"{LIB}/config-3.14t-x86_64-linux-gnu/python.o",
    "lib/libpython3.14t.a",
    "share/man/man1/python3.14.1",
    "bin/idle3.14",
)
OPTIMISED = (f"{LIB}/__pycache__/os.cpython-314.opt-1.pyc",)
BIN = ("bin/python3.14", "bin/python3.14t", "bin/pip", "bin/pip3", "bin/pip3.14")
LINKS = {
    "bin/python3": "python3.14",
    "bin/python3-config": "python3.14-config",
    "bin/python3.14-config": "python3.14t-config",
    "bin/idle3": "idle3.14",
    "lib/pkgconfig/python3.pc": "python-3.14.pc",
    "lib/pkgconfig/python-3.14.pc": "python-3.14t.pc",
}


def found(
    *names: str,
    flavour: Flavour = Flavour.SLIM,
    variant: Variant = Variant.FREE_THREADED,
    links: dict[str, str] | None = None,
) -> Contents:
    return contents(names, links or {}, series="3.14", variant=variant, flavour=flavour)


def test_what_programs_need_stays() -> None:
    kept = found(*RUNS, *DOES_NOT, *OPTIMISED)
    assert set(kept.files) == set(RUNS)


def test_what_is_left_out_is_named() -> None:
    left_out = found(*RUNS, *DOES_NOT).left_out
    assert {"test", "tkinter", "_tkinter", "turtle", "idlelib", "_testcapi"} < set(left_out)
    assert not {"unittest", "doctest", "_ctypes", "os", ""} & set(left_out)


@pytest.mark.parametrize("flavour", [Flavour.DEV, Flavour.TSAN])
def test_other_flavours_have_all_but_optimised_bytecode(flavour: Flavour) -> None:
    kept = found(*RUNS, *DOES_NOT, *OPTIMISED, flavour=flavour)
    assert set(kept.files.values()) == {*RUNS, *DOES_NOT}
    assert kept.left_out == ()


def test_the_free_threaded_build_answers_to_no_name_of_the_other() -> None:
    kept = found(*BIN, "bin/python3.14t-config", "lib/pkgconfig/python-3.14t.pc", links=LINKS)
    assert {k: v for k, v in kept.files.items() if k.startswith("bin/")} == {
        "bin/pip": "bin/pip",
        "bin/pip3": "bin/pip3",
        "bin/pip3.14t": "bin/pip3.14",
        "bin/python3.14t": "bin/python3.14t",
        "bin/python3.14t-config": "bin/python3.14t-config",
    }
    assert kept.links == {
        "bin/python": "python3",
        "bin/python-config": "python3-config",
        "bin/python3": "python3.14t",
        "bin/python3-config": "python3.14t-config",
        "lib/pkgconfig/python-3.14.pc": "python-3.14t.pc",
        "lib/pkgconfig/python3.pc": "python-3.14.pc",
    }


def test_the_other_build_keeps_its_names() -> None:
    kept = found("bin/python3.14", links={"bin/python3": "python3.14"}, variant=Variant.GIL)
    assert kept.files == {"bin/python3.14": "bin/python3.14"}
    assert kept.links == {"bin/python": "python3", "bin/python3": "python3.14"}


def test_a_debug_build_gets_the_name_that_people_look_for() -> None:
    kept = found("bin/python3.14td", "bin/python3.14")
    assert kept.files == {
        "bin/python3.14t": "bin/python3.14",
        "bin/python3.14td": "bin/python3.14td",
    }


def test_links_that_would_dangle_are_left_out() -> None:
    links = {"a": "b", "b": "gone", "lib/up": "../bin", "out": "/usr/bin/python3", "self": "self/x"}
    assert found("bin/x", links=links).links == {"lib/up": "../bin"}


def test_launchers_of_the_build_that_the_image_is_named_for() -> None:
    kept = found(*BIN, links={"bin/python3": "python3.14"})
    scripts = launchers(
        kept, "/opt/python/3.14t", series="3.14", variant=Variant.FREE_THREADED, primary=True
    )
    assert set(scripts) == {"pip", "pip3", "pip3.14t", "python", "python3", "python3.14t"}
    assert scripts["pip3"] == '#!/bin/sh\nexec /opt/python/3.14t/bin/pip3 "$@"\n'


def test_launchers_of_the_other_build_have_its_own_names_only() -> None:
    kept = found(*BIN, links={"bin/python3": "python3.14"})
    scripts = launchers(
        kept, "/opt/python/3.14t", series="3.14", variant=Variant.FREE_THREADED, primary=False
    )
    assert set(scripts) == {"pip3.14t", "python3.14t"}
