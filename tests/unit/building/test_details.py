"""The script that writes `build-details.json`, run by this Python as if it were another."""

from __future__ import annotations

import importlib.machinery
import json
import runpy
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ftbuild.building
from tests.pep739 import VALIDATOR

SCRIPT = Path(ftbuild.building.__file__).with_name("probes") / "details.py"
SERIES = sysconfig.get_python_version()
BUILT_AT = "/build/root/store/cpython"

Write = Callable[..., dict[str, Any]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the file of an installation at `tmp_path`; keywords are variables of its Makefile."""

    def written(abi: str = "", *extensions: str, **variables: object) -> dict[str, Any]:
        own = f"{SERIES}{abi}"
        stdlib = tmp_path / "lib" / f"python{own}"
        for folder in (stdlib, tmp_path / "bin", tmp_path / f"include/python{own}"):
            folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lib/pkgconfig").mkdir(exist_ok=True)
        (tmp_path / "bin" / f"python{own}").touch()
        known = {
            "installed_base": str(tmp_path),
            "BINDIR": f"{BUILT_AT}/bin",
            "LIBDIR": f"{BUILT_AT}/lib",
            "LIBRARY": f"libpython{own}.a",
            "LDLIBRARY": f"libpython{own}.a",
            "PY3LIBRARY": "",
            "LIBPYTHON": "",
            "LIBPC": f"{BUILT_AT}/lib/pkgconfig",
            "INCLUDEPY": f"{BUILT_AT}/include/python{own}",
            "EXT_SUFFIX": f".cpython-{own}.so",
            "Py_GIL_DISABLED": int("t" in abi),
            **variables,
        }
        monkeypatch.setattr(sys, "abiflags", abi)
        monkeypatch.setattr(sysconfig, "get_path", lambda name: {"stdlib": str(stdlib)}[name])
        monkeypatch.setattr(sysconfig, "get_config_var", known.get)
        if extensions:
            monkeypatch.setattr(importlib.machinery, "EXTENSION_SUFFIXES", list(extensions))
        runpy.run_path(str(SCRIPT))
        document: dict[str, Any] = json.loads((stdlib / "build-details.json").read_text())
        VALIDATOR.validate(document)
        return document

    return written


def test_all_paths_are_relative_and_lead_to_something(write: Write, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / f"libpython{SERIES}t.a").touch()
    made = write("t")
    assert (tmp_path / f"lib/python{SERIES}t" / made["base_prefix"]).resolve() == tmp_path
    assert made["base_interpreter"] == f"bin/python{SERIES}t"
    assert made["libpython"] == {"static": f"lib/libpython{SERIES}t.a"}
    assert made["c_api"] == {
        "headers": f"include/python{SERIES}t",
        "pkgconfig_path": "lib/pkgconfig",
    }


def test_nothing_in_it_tells_where_it_was_built(write: Write, tmp_path: Path) -> None:
    text = json.dumps(write())
    assert str(tmp_path) not in text
    assert BUILT_AT not in text


def test_what_is_not_there_is_not_named(write: Write) -> None:
    """CPython's variables name a static library even where none is installed."""
    assert "libpython" not in write()


def test_a_shared_library_and_the_one_for_the_stable_abi(write: Write, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/libpythonX.so").touch()
    (tmp_path / "lib/libpython3.so").touch()
    shared = {"Py_ENABLE_SHARED": 1, "LDLIBRARY": "libpythonX.so", "PY3LIBRARY": "libpython3.so"}
    assert write(**shared)["libpython"] == {
        "dynamic": "lib/libpythonX.so",
        "dynamic_stableabi": "lib/libpython3.so",
        "link_extensions": False,
    }


@pytest.mark.parametrize(
    ("abi", "extensions", "suffix"),
    [
        ("", [".x.so", ".abi3.so", ".so"], ".abi3.so"),
        ("d", [".x.so", ".abi3.so", ".so"], ".abi3.so"),
        ("t", [".x.so", ".abi3.so", ".so"], None),  # 3.14: it looks for them and cannot use them
        ("t", [".x.so", ".abi3t-x86_64-linux-gnu.so", ".abi3t.so", ".so"], ".abi3t.so"),
    ],
)
def test_a_stable_abi_is_claimed_where_there_is_one(
    write: Write, abi: str, extensions: list[str], suffix: str | None
) -> None:
    made = write(abi, *extensions)
    assert made["abi"].get("stable_abi_suffix") == suffix
    assert made["abi"]["flags"] == list(abi)
    assert made["suffixes"]["extensions"] == extensions


def test_what_only_cpython_knows_is_kept(write: Write, tmp_path: Path) -> None:
    place = tmp_path / f"lib/python{SERIES}/build-details.json"
    place.parent.mkdir(parents=True)
    theirs = {
        "schema_version": "1.0",
        "base_prefix": BUILT_AT,
        "libpython": {"static": f"{BUILT_AT}/lib/none.a"},
        "arbitrary_data": {"kept": 1},
    }
    place.write_text(json.dumps(theirs))
    made = write()
    assert made["arbitrary_data"] == {"kept": 1}
    assert made["base_prefix"] == "../.."
    assert "libpython" not in made


def test_without_the_interpreter_there_is_nothing_to_describe(write: Write, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no bin/python"):
        write(installed_base=str(tmp_path / "other"))
