from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ftbuild.archive.bytecode import compile_again, files_of, level
from ftbuild.errors import Refused
from tests.builders import build, with_python

FILES = (
    "lib/a.py",
    "lib/__pycache__/a.cpython-314.pyc",
    "lib/__pycache__/a.cpython-314.opt-2.pyc",
    "lib/__pycache__/ab.cpython-314.pyc",
    "lib/b/__pycache__/a.cpython-314.pyc",
)


def test_the_bytecode_of_a_source() -> None:
    assert files_of("lib/a.py", FILES) == FILES[1:3]
    assert files_of("lib/a.json", FILES) == ()


def test_the_level_it_was_made_with() -> None:
    assert [level(name) for name in FILES[1:]] == [0, 2, 0, 0]


def test_all_sources_are_compiled_in_one_go(tmp_path: Path) -> None:
    said = tmp_path / "said"
    made = with_python(build(tmp_path), f'echo "$@" > {said}; echo "$FTBUILD_WORK" >> {said}')
    stale = {"b.py": frozenset({0}), "a.py": frozenset({0, 2})}
    compile_again(made, stale, mark="/work", stop=threading.Event())
    assert said.read_text().splitlines() == [
        f"-I -B -m compileall -q -o 0 -o 2 {tmp_path}/a.py {tmp_path}/b.py",
        "/work",
    ]


def test_nothing_to_compile_starts_nothing(tmp_path: Path) -> None:
    compile_again(build(tmp_path), {}, mark="", stop=threading.Event())


def test_an_interpreter_that_does_not_run(tmp_path: Path) -> None:
    made = with_python(build(tmp_path), "echo libssl.so.3: no such file >&2; exit 127")
    with pytest.raises(Refused, match="does not run here: exit status 127: libssl"):
        compile_again(made, {"a.py": frozenset({0})}, mark="", stop=threading.Event())
