from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path

import pytest

from ftbuild.archive import bytecode
from ftbuild.archive.bytecode import compile_again, files_of, level, source_hashes, source_of
from ftbuild.errors import EnvironmentFault, Refused
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


def test_a_machine_that_is_busy_does_not_lack_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode, "_TIMEOUT", 0.1)
    made = with_python(build(tmp_path), "sleep 600")
    busy = r"took longer than \d+ s; is the machine busy\?"
    with pytest.raises(EnvironmentFault, match=busy) as caught:
        compile_again(made, {"a.py": frozenset({0})}, mark="", stop=threading.Event())
    assert "libraries" not in caught.value.hint
    with pytest.raises(EnvironmentFault, match=busy):
        source_hashes(made, ["a.py"], stop=threading.Event())


def test_a_full_disk_is_none_of_its_faults(tmp_path: Path) -> None:
    made = with_python(build(tmp_path), "echo a.pyc: No space left on device >&2; exit 1")
    with pytest.raises(EnvironmentFault, match="no space left"):
        compile_again(made, {"a.py": frozenset({0})}, mark="", stop=threading.Event())


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("lib/__pycache__/a.cpython-314.pyc", "lib/a.py"),
        ("lib/__pycache__/a.cpython-314.opt-2.pyc", "lib/a.py"),
        ("lib/a.pyc", ""),
        ("lib/__pycache__/a.txt", ""),
    ],
)
def test_the_source_of_bytecode(file: str, source: str) -> None:
    assert source_of(file) == source
    assert not source or file in files_of(source, [file])


def test_the_hashes_of_sources_are_those_of_the_interpreter(tmp_path: Path) -> None:
    made = with_python(build(tmp_path), f'exec "{sys.executable}" "$@"')
    (tmp_path / "a Ω.py").write_bytes(b"x = 1\n")
    found = source_hashes(made, ("a Ω.py",), stop=threading.Event())
    assert found == {"a Ω.py": importlib.util.source_hash(b"x = 1\n")}


@pytest.mark.parametrize("script", ["exit 3", "echo '{}'", "echo nonsense", "kill -SEGV $$"])
def test_an_interpreter_that_does_not_hash(tmp_path: Path, script: str) -> None:
    made = with_python(build(tmp_path), script)
    with pytest.raises(Refused, match="does not run here"):
        source_hashes(made, ("a.py",), stop=threading.Event())
