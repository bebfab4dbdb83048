from __future__ import annotations

import csv
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.archive.naming import own_name, own_program, recorded
from ftbuild.model.versions import Variant


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("bin/pip3.14", "bin/pip3.14t"),
        ("bin/2to3-3.14", "bin/2to3-3.14t"),
        ("bin/python3.14-config", "bin/python3.14t-config"),
        ("bin/python3.14t", "bin/python3.14t"),
        ("bin/python3.14td", "bin/python3.14td"),
        ("bin/python3.140", "bin/python3.140"),
        ("bin/python3", "bin/python3"),
        ("lib/pkgconfig/python-3.14.pc", "lib/pkgconfig/python-3.14.pc"),
    ],
)
def test_programs_of_the_free_threaded_build_have_names_of_its_own(name: str, own: str) -> None:
    assert own_name(name, "3.14", Variant.FREE_THREADED) == own
    assert own_name(name, "3.14", Variant.GIL) == name


@pytest.mark.parametrize(
    "name", ["python3", "pip", "python3.141", "tool-13.14", "tool-2.3.14", "python3.14t-config"]
)
def test_other_names_mean_no_build_of_the_series(name: str) -> None:
    assert own_program(name, "3.14", Variant.FREE_THREADED) == name


@given(st.text(alphabet="python3.14t-d2", max_size=16))
def test_a_name_that_has_its_t_keeps_it(name: str) -> None:
    own = own_program(name, "3.14", Variant.FREE_THREADED)
    assert own_program(own, "3.14", Variant.FREE_THREADED) == own


def test_the_list_of_a_package_is_of_what_is_there() -> None:
    folder = "lib/python3.14t/site-packages"
    text = (
        "../../../bin/pip3.14,sha256=old,1\r\n"
        "pip/w64.exe,sha256=gone,2\r\n"
        '"pip/a,b.py",sha256=old,3\r\n'
        "pip-1.dist-info/RECORD,,\r\n"
        "\r\n"
    )
    names = {
        "bin/pip3.14": "bin/pip3.14t",
        f"{folder}/pip/a,b.py": f"{folder}/pip/a,b.py",
        f"{folder}/pip-1.dist-info/RECORD": f"{folder}/pip-1.dist-info/RECORD",
    }
    digests = dict.fromkeys(names.values(), hashlib.sha256(b"").hexdigest())
    made = recorded(
        text.encode(),
        f"{folder}/pip-1.dist-info/RECORD",
        names=names,
        digests=digests,
        sizes=dict.fromkeys(names.values(), 7),
    )
    # The hash of nothing as `pip` writes it.
    spelt = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert made.decode().split("\r\n") == [
        f"../../../bin/pip3.14t,{spelt},7",
        f'"pip/a,b.py",{spelt},7',
        "pip-1.dist-info/RECORD,,",
        "",
    ]


@given(st.text(), st.lists(st.text(min_size=1)))
def test_any_list_is_read(text: str, files: list[str]) -> None:
    names = {name: name for name in files}
    try:
        made = recorded(
            text.encode(),
            "lib/a.dist-info/RECORD",
            names=names,
            digests=dict.fromkeys(names, "00"),
            sizes=dict.fromkeys(names, 0),
        )
    except csv.Error:
        return
    assert all(len(row) == 3 for row in csv.reader(io.StringIO(made.decode(), newline="")))
