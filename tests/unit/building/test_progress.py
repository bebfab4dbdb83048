from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.building.progress import compiles, trained, units_in

from .lines import COMPILES, OTHER


@pytest.mark.parametrize("line", COMPILES)
def test_a_command_that_makes_an_object(line: str) -> None:
    assert compiles(line)


@pytest.mark.parametrize("line", OTHER)
def test_any_other_line(line: str) -> None:
    assert not compiles(line)


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("0:00:00 load avg: 1.20 [ 3/43] test_base64", (3, 43)),
        ("0:00:05 load avg: 2.02 mem: 52 MiB [12/43] test_bytes passed", (12, 43)),
        ("0:01:15 load avg: 2.02 [43/43/1] test_xml_etree_c -- test_re failed", (43, 43)),
        ("Ran 3/4 of what there was", None),
        ("[1/2", (1, 2)),
        ("", None),
    ],
)
def test_training(line: str, done: tuple[int, int] | None) -> None:
    assert trained(line) == done


@given(st.text())
def test_any_line_may_come(line: str) -> None:
    compiles(line)
    trained(line)


def test_objects_are_counted_once_and_variables_not_at_all() -> None:
    makefile = """\
LIBRARY_OBJS= Modules/getbuildinfo.o Objects/abstract.o $(MODOBJS)
Objects/abstract.o: $(srcdir)/Objects/abstract.c $(PYTHON_HEADERS)
Modules/_io/iobase.o Programs/_freeze_module.o: a.old b.options
\t$(CC) -c -o $@ $<
%.o: %.c
"""
    assert units_in(makefile) == len(set(re.findall(r"[A-Z]\w+/\S+\.o\b", makefile)))
