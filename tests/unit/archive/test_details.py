from __future__ import annotations

import json

from ftbuild.archive.details import without

THERE = ("bin/python3.14", "lib/libpython3.14.a", "include/python3.14/Python.h")


def document(**libraries: object) -> bytes:
    details = {"base_prefix": "../..", "libpython": libraries, "c_api": {"headers": "include"}}
    return json.dumps(details, indent=2).encode() + b"\n"


def test_where_all_is_there_nothing_changes() -> None:
    whole = document(static="lib/libpython3.14.a")
    assert without(whole, THERE) == whole


def test_a_library_that_is_left_out_is_not_named() -> None:
    static = {"static": "lib/libpython3.14.a"}
    shared = {"dynamic": "lib/libpython3.14.so", "link_extensions": False}
    there = ("lib/libpython3.14.so",)
    assert without(document(**static, **shared), there) == document(**shared)
    assert json.loads(without(document(**static), there)) == {
        "base_prefix": "../..",
        "c_api": {"headers": "include"},
    }


def test_a_file_as_cpython_writes_it_stays_as_it_is() -> None:
    absolute = document(static="/usr/lib/libpython3.14.a")
    assert without(absolute, ()) == absolute
    assert without(b'{"base_prefix": "/usr"}', ()) == b'{"base_prefix": "/usr"}'
