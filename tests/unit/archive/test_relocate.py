from __future__ import annotations

import importlib.util
import json
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ftbuild.archive.relocate import (
    STAMP,
    is_text,
    names,
    repointed,
    require_plain,
    stamped,
)
from ftbuild.errors import Refused

LETTERS = st.text(st.sampled_from("abzAZ09._-+ßΩ語"), min_size=1, max_size=12)


@st.composite
def prefixes(draw: st.DrawFn) -> str:
    """Prefixes as a store has them, of any depth."""
    root = draw(st.lists(LETTERS, min_size=1, max_size=4))
    return f"/{'/'.join(root)}/store/cpython-3.14.7t-{draw(st.integers(0, 9))}a2b3c4d"


PIECES = st.lists(st.text(max_size=20).filter(lambda t: "store/cpython" not in t), max_size=5)


@given(pieces=PIECES, old=prefixes(), new=prefixes())
def test_there_and_back(pieces: list[str], old: str, new: str) -> None:
    content = old.join(pieces).encode(errors="surrogatepass")
    assume(not content.startswith(b"#!"))
    assume(os.fsencode(new) not in content)
    moved = repointed("Makefile", content, old, new)
    assert names(content, old) == (len(pieces) > 1)
    assert moved == new.join(pieces).encode(errors="surrogatepass")
    assert repointed("Makefile", moved, new, old) == content


@given(old=prefixes(), new=prefixes())
def test_json_there_and_back(old: str, new: str) -> None:
    """CPython writes it with letters beyond ASCII escaped."""
    content = json.dumps({"prefix": old, "paths": [f"{old}/lib", "Ω"]}).encode()
    moved = repointed("build-details.json", content, old, new)
    assert names(content, old)
    assert json.loads(moved) == {"prefix": new, "paths": [f"{new}/lib", "Ω"]}
    assert repointed("build-details.json", moved, new, old) == content


@pytest.mark.parametrize("letters", ["short", "a-long-name-" * 20, "語" * 60])
def test_a_script_runs_wherever_it_goes(tmp_path: Path, letters: str) -> None:
    """The system reads only the beginning of the first line."""
    prefix = tmp_path / letters
    try:
        (prefix / "bin").mkdir(parents=True)
    except OSError:
        prefix = tmp_path.joinpath(*[letters[i : i + 30] for i in range(0, len(letters), 30)])
        (prefix / "bin").mkdir(parents=True)
    (prefix / "bin/python").symlink_to(sys.executable)
    script = tmp_path / "script"
    content = b"#!/old/bin/python\nimport sys; print(sys.argv[1:])\n"
    script.write_bytes(repointed("bin/script", content, "/old", str(prefix)))
    script.chmod(0o755)
    done = subprocess.run([script, "a b", "c"], capture_output=True, text=True, check=True)
    assert done.stdout == "['a b', 'c']\n"


def test_other_scripts_stay_scripts() -> None:
    content = b"#!/bin/sh\nprefix=/old\n"
    assert repointed("python3-config", content, "/old", "/n" * 99) == (
        b"#!/bin/sh\nprefix=" + b"/n" * 99 + b"\n"
    )


@pytest.mark.parametrize("prefix", ["/a/b-c_d.e+f@g~h=i", "/prüfung-Ω/x", "/C3PO"])
def test_a_plain_prefix(prefix: str) -> None:
    require_plain(prefix)


@pytest.mark.parametrize("letter", " '\"\\$`#;&|<>(){}*?!%\n\udcff")
def test_a_prefix_that_would_need_quoting(letter: str) -> None:
    with pytest.raises(Refused, match="cannot be written into scripts"):
        require_plain(f"/a{letter}b")


def test_text_and_what_is_none() -> None:
    assert is_text(b"")
    assert is_text("# ü".encode())
    assert not is_text(Path(sys.executable).read_bytes())


@pytest.mark.parametrize("mode", list(py_compile.PycInvalidationMode))
def test_stamped_bytecode_is_used(tmp_path: Path, mode: py_compile.PycInvalidationMode) -> None:
    """A source whose time is STAMP, and bytecode that was made when it was another."""
    source = tmp_path / "module.py"
    source.write_text("print('hello')")
    compiled = Path(importlib.util.cache_from_source(str(source)))
    py_compile.compile(str(source), invalidation_mode=mode, doraise=True)
    content = stamped(compiled.read_bytes())
    compiled.write_bytes(content)
    os.utime(source, (STAMP, STAMP))
    done = subprocess.run(
        [sys.executable, "-v", "-c", "import module"],
        cwd=tmp_path,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "hello" in done.stdout
    assert f"{compiled} matches {source}" in done.stderr


def test_what_is_no_bytecode_stays() -> None:
    assert stamped(b"") == b""
    assert stamped(b"short\0\0\0\0") == b"short\0\0\0\0"
