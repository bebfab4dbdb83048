from __future__ import annotations

import ast
import importlib.util
import json
import os
import py_compile
import sys
from pathlib import Path
from typing import Any

import pytest

from ftbuild import process
from ftbuild.verifying.probing import PROBES


@pytest.mark.parametrize("name", sorted(path.name for path in PROBES.glob("*.py")))
def test_a_probe_needs_the_standard_library_alone(name: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((PROBES / name).read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    # What those of a trial install is there when they run.
    assert imported - {"numpy"} <= sys.stdlib_module_names
    assert "numpy" not in imported or name == "wheels.py"


def _ask(probe: str, *words: object) -> Any:
    done = process.capture(
        (sys.executable, "-I", "-B", PROBES / probe, *map(str, words)), env=dict(os.environ)
    )
    assert done.ok, done.stderr
    return json.loads(done.stdout)


def _module(prefix: Path, name: str) -> Path:
    """A module below a prefix, with bytecode, and in the list of what was installed."""
    path = prefix / "lib" / "python3.14" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1\n")
    py_compile.compile(str(path), doraise=True)
    with (prefix / "ftbuild.sha256").open("a") as hashes:
        hashes.write(f"{'0' * 64}  lib/python3.14/{name}\n")
    return path


def test_bytecode_is_what_an_import_would_take(tmp_path: Path) -> None:
    modules = {name: _module(tmp_path, f"{name}.py") for name in ("good", "gone", "old", "cut")}
    Path(importlib.util.cache_from_source(str(modules["gone"]))).unlink()
    os.utime(modules["old"], (1, 1))
    Path(importlib.util.cache_from_source(str(modules["cut"]))).write_bytes(b"")
    assert _ask("bytecode.py", tmp_path) == {
        "sources": 4,
        "wanting": [f"lib/python3.14/{name}.py" for name in ("gone", "old", "cut")],
        "count": 3,
    }


@pytest.mark.parametrize(
    ("mode", "counts"),
    [
        (py_compile.PycInvalidationMode.UNCHECKED_HASH, True),
        (py_compile.PycInvalidationMode.CHECKED_HASH, False),
    ],
)
def test_bytecode_may_go_by_a_hash(
    tmp_path: Path, mode: py_compile.PycInvalidationMode, *, counts: bool
) -> None:
    path = _module(tmp_path, "a.py")
    py_compile.compile(str(path), doraise=True, invalidation_mode=mode)
    assert _ask("bytecode.py", tmp_path)["count"] == 0
    path.write_text("x = 2\n")
    assert _ask("bytecode.py", tmp_path)["count"] == (0 if counts else 1)


def test_tests_and_what_was_added_need_no_bytecode(tmp_path: Path) -> None:
    for name in ("test/bad.py", "pack/tests/bad.py", "config-3.14-x/bad.py", "contest/good.py"):
        path = _module(tmp_path, name)
        Path(importlib.util.cache_from_source(str(path))).unlink()
    (tmp_path / "lib" / "python3.14" / "added.py").touch()
    _module(tmp_path, "missing.py").unlink()
    found = _ask("bytecode.py", tmp_path)
    assert found["wanting"] == ["lib/python3.14/contest/good.py"]


def test_an_instrumented_executable_is_known_by_its_symbols(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF" + bytes(5000) + b"__tsan_init\0")
    assert _ask("sanitizers.py", program) == ["thread"]
    program.write_bytes(b"\x7fELF")
    assert _ask("sanitizers.py", program) == []


def test_an_interpreter_tells_its_surroundings() -> None:
    found = _ask("surroundings.py")
    assert found["prefix"] == sys.prefix
    assert found["user"] == str(os.getuid())
