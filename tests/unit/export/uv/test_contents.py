from __future__ import annotations

import hashlib
import importlib.util
import py_compile
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ftbuild.archive.members import Member
from ftbuild.archive.pack import survey
from ftbuild.archive.relocate import checked
from ftbuild.export.uv.contents import members, relocatable, sources
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout
from tests.unit.archive.builds import installed

LIB = "lib/python3.14t"


def archive(
    layout: Layout, files: Mapping[str, bytes], variant: Variant = Variant.FREE_THREADED
) -> dict[str, Member]:
    found = survey(installed(layout, files, variant))
    hashes = {name: hashlib.sha256(name.encode()).digest()[:8] for name in sources(found)}
    made = list(members(found, hashes))
    assert len({member.name for member in made}) == len(made)
    return {member.name: member for member in made}


def content(member: Member) -> bytes:
    return member.content if isinstance(member.content, bytes) else member.content.read_bytes()


FILES = {
    "bin/python3.14": b"\x7fELF, the same once more",
    "bin/python3.14t-config": b"#!/bin/sh\nprefix=$prefix\n",
    "bin/pip": b"#!$prefix/bin/python3.14t\nimport pip\n",
    "bin/pip3": b"#!$prefix/bin/python3.14t\nimport pip\n",
    "bin/pip3.14": b"#!$prefix/bin/python3.14t\nimport pip\n",
    f"{LIB}/_sysconfigdata_t.py": b"x = '$prefix/lib /usr/bin/install'\n",
    f"{LIB}/plain.py": b"x = 1\n",
    "lib/pkgconfig/python-3.14t.pc": b"prefix=$prefix\n",
    "share/man/man1/python3.14.1": b"manual",
}


def test_the_free_threaded_build_answers_to_no_name_of_the_other(layout: Layout) -> None:
    made = archive(layout, FILES)
    assert {name for name in made if name.startswith("bin/")} == {
        *("bin/pip3.14t", "bin/python", "bin/python3.14t", "bin/python3.14t-config"),
    }
    assert made["bin/python"].link == "python3.14t"
    assert "share/man/man1/python3.14.1" in made


def test_the_other_build_keeps_its_names(layout: Layout) -> None:
    files = {"bin/pip": b"", "bin/pip3.14": b"", "bin/python3.14-config": b""}
    made = archive(layout, files, Variant.GIL)
    assert {name for name in made if name.startswith("bin/")} == {
        *files,
        *("bin/python", "bin/python3", "bin/python3.14"),
    }
    assert (made["bin/python3"].link, made["bin/python"].link) == ("python3.14", "python3.14")


def test_texts_name_the_prefix_that_uv_looks_for_and_nothing_else_changes(layout: Layout) -> None:
    made = archive(layout, FILES)
    assert content(made[f"{LIB}/_sysconfigdata_t.py"]) == b"x = '/install/lib /usr/bin/install'\n"
    assert content(made["lib/pkgconfig/python-3.14t.pc"]) == b"prefix=/install\n"
    assert content(made["bin/python3.14t-config"]) == b"#!/bin/sh\nprefix=/install\n"
    assert content(made[f"{LIB}/plain.py"]) == b"x = 1\n"


def test_bytecode_is_valid_by_content_and_left_out_where_uv_changes_the_source(
    layout: Layout,
) -> None:
    compiled = {
        f"{LIB}/__pycache__/{name}.cpython-314.pyc": b"MAGC" + bytes(4) + b"timesizeCODE"
        for name in ("plain", "_sysconfigdata_t", "orphan")
    }
    made = archive(layout, {**FILES, **compiled})
    source = hashlib.sha256(f"{LIB}/plain.py".encode()).digest()[:8]
    kept = made[f"{LIB}/__pycache__/plain.cpython-314.pyc"]
    assert content(kept) == b"MAGC\x03\0\0\0" + source + b"CODE"
    assert f"{LIB}/__pycache__/_sysconfigdata_t.cpython-314.pyc" not in made
    assert content(made[f"{LIB}/__pycache__/orphan.cpython-314.pyc"])[4:8] == bytes(4)


def test_such_bytecode_is_what_python_itself_would_make(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    mode = py_compile.PycInvalidationMode
    paths = [
        py_compile.compile(
            str(tmp_path / "a.py"), str(tmp_path / each.name), invalidation_mode=each
        )
        for each in (mode.TIMESTAMP, mode.CHECKED_HASH)
    ]
    timed, hashed = (Path(str(path)).read_bytes() for path in paths)
    assert checked(timed, importlib.util.source_hash(b"x = 1\n")) == hashed
    assert checked(hashed, b"12345678") == hashed


def test_the_list_of_pips_files_is_true(layout: Layout) -> None:
    record = f"{LIB}/site-packages/pip-1.dist-info/RECORD"
    text = (
        b"../../../bin/pip,sha256=x,1\n../../../bin/pip3.14,sha256=x,1\npip-1.dist-info/RECORD,,\n"
    )
    made = archive(layout, {**FILES, record: text})
    lines = content(made[record]).decode().splitlines()
    length = len(content(made["bin/pip3.14t"]))
    assert len(lines) == 2
    assert lines[0].startswith("../../../bin/pip3.14t,sha256=")
    assert lines[0].endswith(f",{length}")


def test_details_that_name_the_old_prefix_stay_out(layout: Layout) -> None:
    name = f"{LIB}/build-details.json"
    assert name not in archive(layout, {name: b'{"base_prefix": "$prefix"}'})
    assert name in archive(layout, {name: b'{"base_prefix": "../.."}'})


SCRIPTS = {
    "as it was installed": b"#!/old/bin/python3.14t\nimport x\n",
    "long": b"#!/bin/sh\n'''exec' /old/bin/python3.14t \"$0\" \"$@\"\n' '''\nimport x\n",
    "quoted": b"#!/bin/sh\n'''exec' \"/old/bin/python3.14t\" \"$0\" \"$@\"\n' '''\nimport x\n",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts_find_the_interpreter_beside_them(tmp_path: Path, script: bytes) -> None:
    """From wherever they are, by way of links, and with blanks in every name."""
    place = tmp_path / "wherever it is"
    (place / "bin").mkdir(parents=True)
    (place / "bin/python3.14t").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (place / "bin/python3.14t").chmod(0o755)
    tool = place / "bin/tool"
    made = relocatable(script, "/old", "python3.14t", "bin")
    tool.write_bytes(made.replace(b"import x", b"import sys; print(sys.argv)"))
    tool.chmod(0o755)
    link = tmp_path / "a link"
    link.symlink_to(tool)
    done = subprocess.run([link, "a b"], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout == f"{[str(link), 'a b']}\n"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"#!/bin/sh\necho /old/bin/python3.14t\n",
        b"#!/older/bin/python3.14t\n",
        b"import x\n#!/old/bin/python3.14t\n",
    ],
)
def test_other_texts_stay_as_they_are(text: bytes) -> None:
    assert relocatable(text, "/old", "python3.14t", "bin") == text


def test_a_script_outside_bin_finds_it_too() -> None:
    made = relocatable(
        b"#!/old/bin/python3.14\n", "/old", "python3.14", "lib/python3.14/config-3.14"
    )
    assert b'$0")")/../../../bin/python3.14"' in made
