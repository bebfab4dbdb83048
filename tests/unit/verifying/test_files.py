from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Status
from ftbuild.store.tree import encode, hash_tree
from ftbuild.verifying import Context, files

from .builds import build, changed, context, failing, inside, named, with_python


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation with a few files, recorded as provision records it."""
    prefix = tmp_path / "prefix"
    for name in ("bin/python3.14t", "lib/a.py", "lib/b.py", "lib/c.py"):
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (prefix / "bin" / "python3").symlink_to("python3.14t")
    tree = hash_tree(prefix)
    (prefix / "ftbuild.sha256").write_bytes(encode(tree.text))
    return changed(build(prefix), "result", files_sha256=tree.sha256, links=tree.links)


def test_an_untouched_installation_passes(installation: Installation, tmp_path: Path) -> None:
    assert not failing(files(installation, context(tmp_path)))


def test_damage_is_found_and_named(installation: Installation, tmp_path: Path) -> None:
    lib = installation.prefix / "lib"
    (lib / "a.py").write_text("lib/x.py")
    (lib / "b.py").write_text("")
    (lib / "c.py").unlink()
    (installation.prefix / "bin" / "python3").unlink()
    checks = named(files(installation, context(tmp_path)))
    assert checks["files.changed"].found == "1: lib/a.py"
    assert checks["files.emptied"].found == "1: lib/b.py"
    assert checks["files.missing"].found == "1: lib/c.py"
    assert checks["files.links-changed"].found == "1: bin/python3"
    assert {c.status for c in checks.values()} == {Status.PASSED, Status.FAILED}


def test_a_shortened_file_is_a_changed_one(installation: Installation, tmp_path: Path) -> None:
    (installation.prefix / "lib" / "a.py").write_text("lib")
    assert failing(files(installation, context(tmp_path))) == {"files.changed"}


def test_a_link_in_the_place_of_a_file_is_no_file(
    installation: Installation, tmp_path: Path
) -> None:
    path = installation.prefix / "lib" / "a.py"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert failing(files(installation, context(tmp_path))) == {"files.missing"}


def test_what_users_add_is_counted_only(installation: Installation, tmp_path: Path) -> None:
    site = installation.prefix / "lib" / "site-packages"
    (site / "__pycache__").mkdir(parents=True)
    (site / "numpy.py").touch()
    (site / "__pycache__" / "numpy.pyc").touch()
    checks = named(files(installation, context(tmp_path)))
    assert not failing(tuple(checks.values()))
    assert checks["files.added"].found == "1 files"


def test_a_damaged_list_proves_nothing(installation: Installation, tmp_path: Path) -> None:
    (installation.prefix / "ftbuild.sha256").write_text("")
    checks = files(installation, context(tmp_path))
    assert failing(checks) == {"files.list"}
    assert named(checks)["files.content"].status is Status.SKIPPED


def test_a_missing_list_is_a_failure(installation: Installation, tmp_path: Path) -> None:
    (installation.prefix / "ftbuild.sha256").unlink()
    assert failing(files(installation, context(tmp_path))) == {"files.list"}


def test_many_names_are_cut_short(installation: Installation, tmp_path: Path) -> None:
    lib = installation.prefix / "lib"
    for number in range(25):
        (lib / f"m{number:02}.py").touch()
    tree = hash_tree(installation.prefix)
    (installation.prefix / "ftbuild.sha256").write_bytes(encode(tree.text))
    many = changed(installation, "result", files_sha256=tree.sha256)
    for number in range(25):
        (lib / f"m{number:02}.py").unlink()
    found = named(files(many, context(tmp_path)))["files.missing"].found
    assert found.startswith("25: lib/m00.py, lib/m01.py")
    assert found.endswith("lib/m19.py, and 5 more")


@pytest.fixture
def contained(tmp_path: Path) -> tuple[Installation, Context]:
    """An installation in a container, whose interpreter is the one that runs this test."""
    prefix = tmp_path / "prefix"
    (prefix / "lib").mkdir(parents=True)
    for name in ("a.py", "b.py", "c.py", "été.py"):
        (prefix / "lib" / name).write_text(name)
    (prefix / "lib64").symlink_to("lib")
    with_python(build(prefix), f'exec {sys.executable} "$@"')
    tree = hash_tree(prefix)
    (prefix / "ftbuild.sha256").write_bytes(encode(tree.text))
    (prefix / "ftbuild.json").touch()
    made = changed(build(prefix), "result", files_sha256=tree.sha256, links=tree.links)
    return made, msgspec.structs.replace(context(tmp_path), inside=inside(tmp_path))


def test_in_a_container_the_interpreter_tells(contained: tuple[Installation, Context]) -> None:
    installation, there = contained
    checks = named(files(installation, there))
    assert not failing(tuple(checks.values()))
    assert checks["files.added"].found == "0 files"


def test_in_a_container_damage_is_named_alike(
    contained: tuple[Installation, Context], tmp_path: Path
) -> None:
    installation, there = contained
    lib = installation.prefix / "lib"
    (lib / "a.py").write_text("changed")
    (lib / "b.py").write_text("")
    (lib / "c.py").unlink()
    (lib / "d.py").write_text("new")
    (installation.prefix / "lib64").unlink()
    assert files(installation, there) == files(installation, context(tmp_path))
    assert len(failing(files(installation, there))) == 4
    (installation.prefix / "ftbuild.sha256").write_text("other\n")
    assert failing(files(installation, there)) == {"files.list"}


def test_an_interpreter_that_cannot_tell_is_a_failed_check(
    contained: tuple[Installation, Context],
) -> None:
    installation, there = contained
    (installation.prefix / "ftbuild.sha256").unlink()
    (check,) = files(installation, there)
    assert check.name == "files.list"
    assert "FileNotFoundError" in check.found
