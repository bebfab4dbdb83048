from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild import process
from ftbuild.errors import EnvironmentFault
from ftbuild.store.tree import _line, digest, encode, hash_tree, parse, scan, set_modes, tree_of

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

NAMES = ("bin/python", "with space", "back\\slash", "new\nline", "re\rturn", "ünïcode", "\udcff")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A prefix with awkward names, links and ftbuild's own files."""
    top = tmp_path / "prefix"
    for name in NAMES:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, errors="surrogateescape")
    (top / "bin" / "python3").symlink_to("python")
    (top / "lib64").symlink_to("lib")
    (top / "dangling").symlink_to("./nowhere")
    for name in ("ftbuild.json", "ftbuild.sha256", "ftbuild.incomplete"):
        (top / name).write_text("ours")
    return top


def test_a_tree_is_sorted_and_leaves_out_our_own_files(prefix: Path) -> None:
    tree = hash_tree(prefix)
    assert list(parse(tree.text)) == sorted(NAMES)
    assert tree.count == len(NAMES)
    assert tree.size == sum((prefix / name).stat().st_size for name in NAMES)
    assert tree.links == {"bin/python3": "python", "dangling": "./nowhere", "lib64": "lib"}


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_sha256sum_agrees(prefix: Path) -> None:
    text = hash_tree(prefix).text
    (prefix / "ftbuild.sha256").write_bytes(encode(text))
    command = ("sha256sum", "--strict", "-c", "ftbuild.sha256")
    env = dict(os.environ)
    assert process.capture(command, env=env, cwd=prefix).returncode == 0
    (prefix / "new\nline").write_text("changed")
    assert process.capture(command, env=env, cwd=prefix).returncode == 1


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
        st.text("0123456789abcdef", min_size=64, max_size=64),
    )
)
def test_any_name_survives(digests: dict[str, str]) -> None:
    assert parse("".join(map(_line, digests, digests.values()))) == digests


@pytest.mark.parametrize("text", ["\n", "nonsense", f"{EMPTY}", f"{EMPTY}  a\n\n", "abc  file"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(EnvironmentFault, match=r"line \d: neither a hash nor a path"):
        parse(text)


def test_an_empty_list_is_one() -> None:
    assert parse("") == {}


def test_a_directory_behind_a_link_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    (tmp_path / "prefix").mkdir()
    (tmp_path / "prefix" / "link").symlink_to("../outside")
    entries = scan(tmp_path / "prefix")
    assert not entries.files
    assert entries.links == {"link": "../outside"}


def test_hashes_that_are_known_need_no_reading(prefix: Path) -> None:
    known = hash_tree(prefix)
    assert tree_of(scan(prefix), parse(known.text)) == known


def modes(top: Path) -> dict[str, int]:
    """The permissions of everything below a directory, and its own."""
    return {
        str(path.relative_to(top)): stat.S_IMODE(path.lstat().st_mode)
        for path in (top, *top.rglob("*"))
        if not path.is_symlink()
    }


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    top = tmp_path / "prefix"
    before = os.umask(umask)
    try:
        for name in ("bin/python", "lib/a.py", "lib/__pycache__/a.cpython-314.pyc"):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).touch()
    finally:
        os.umask(before)
    (top / "bin" / "python").chmod(0o7700)
    # Python gives bytecode the mode of its source.
    (top / "lib" / "__pycache__" / "a.cpython-314.pyc").chmod(0o700)
    (top / "lib" / "nowhere").symlink_to("/nowhere")
    assert scan(top).executables == {"bin/python"}
    set_modes(top)
    assert modes(top) == {
        **dict.fromkeys((".", "bin", "lib", "lib/__pycache__", "bin/python"), 0o755),
        **dict.fromkeys(("lib/a.py", "lib/__pycache__/a.cpython-314.pyc"), 0o644),
    }


def test_what_is_a_program_can_be_said(prefix: Path) -> None:
    (prefix / "ünïcode").chmod(0o755)
    set_modes(prefix, {"bin/python"})
    programs = {name for name, mode in modes(prefix).items() if mode == 0o755}
    assert programs == {".", "bin", "bin/python"}
    assert hash_tree(prefix).executables == ("bin/python",)


def test_what_a_link_leads_to_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "outside").touch(mode=0o600)
    (tmp_path / "prefix").mkdir()
    (tmp_path / "prefix" / "link").symlink_to("../outside")
    set_modes(tmp_path / "prefix")
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o600


def test_nothing_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        digest(tmp_path / "pipe")
    assert not hash_tree(tmp_path).count
