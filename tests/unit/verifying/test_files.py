from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Status
from ftbuild.store.tree import encode, hash_tree, set_modes
from ftbuild.verifying import Context, files

from .builds import build, changed, context, failing, inside, named, with_python

LIBRARY = "lib/python3.14t"
SITE = f"{LIBRARY}/site-packages"


def recorded(installation: Installation) -> Installation:
    """What lies in a prefix, recorded as provision records it."""
    prefix = installation.prefix
    set_modes(prefix)
    tree = hash_tree(prefix)
    (prefix / "ftbuild.sha256").write_bytes(encode(tree.text))
    return changed(
        installation,
        "result",
        files_sha256=tree.sha256,
        links=tree.links,
        executables=tree.executables,
    )


def add(installation: Installation, name: str, text: str = "") -> Path:
    """Put a file into a prefix."""
    path = installation.prefix / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation with a few files, recorded as provision records it."""
    made = build(tmp_path / "prefix")
    for name in ("lib/a.py", "lib/b.py", "lib/c.py", "bin/python3.14t"):
        add(made, name, name).chmod(0o755 if "bin" in name else 0o644)
    for name in ("os.py", "json/__init__.py", "lib-dynload/_ssl.cpython-314t-x86_64-linux-gnu.so"):
        add(made, f"{LIBRARY}/{name}", name)
    (made.prefix / "bin" / "python3").symlink_to("python3.14t")
    return recorded(made)


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


@pytest.mark.parametrize(
    ("name", "mode", "found"),
    [
        ("bin/python3.14t", 0o777, "1: bin/python3.14t (0777, not 0755)"),
        ("bin/python3.14t", 0o644, "1: bin/python3.14t (0644, not 0755)"),
        ("bin/python3.14t", 0o4755, "1: bin/python3.14t (4755, not 0755)"),
        ("lib/a.py", 0o664, "1: lib/a.py (0664, not 0644)"),
        ("lib/a.py", 0o755, "1: lib/a.py (0755, not 0644)"),
        (LIBRARY, 0o777, f"1: {LIBRARY} (0777, not 0755)"),
        (".", 0o757, "1: . (0757, not 0755)"),
        ("ftbuild.sha256", 0o666, "1: ftbuild.sha256 (0666, not 0644)"),
    ],
)
def test_a_mode_that_is_not_the_recorded_one(
    installation: Installation, tmp_path: Path, name: str, mode: int, found: str
) -> None:
    (installation.prefix / name).chmod(mode)
    checks = named(files(installation, context(tmp_path)))
    assert failing(tuple(checks.values())) == {"files.modes"}
    assert checks["files.modes"].found == found
    os.system(checks["files.modes"].reason.partition(": ")[2])  # noqa: S605 - it can be pasted
    assert not failing(files(installation, context(tmp_path)))


def test_a_prefix_may_be_closed_to_others(installation: Installation, tmp_path: Path) -> None:
    installation.prefix.chmod(0o700)
    assert not failing(files(installation, context(tmp_path)))


def test_modes_that_nobody_recorded(installation: Installation, tmp_path: Path) -> None:
    earlier = changed(installation, "result", executables=None)
    (installation.prefix / "bin/python3.14t").chmod(0o775)
    checks = named(files(earlier, context(tmp_path)))
    assert not failing(tuple(checks.values()))
    assert checks["files.modes"].status is Status.SKIPPED
    assert "earlier ftbuild" in checks["files.modes"].reason
    (installation.prefix / "lib" / "a.py").chmod(0o666)
    assert failing(files(earlier, context(tmp_path))) == {"files.modes"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_an_owner_who_is_neither_root_nor_the_prefixs(
    installation: Installation, tmp_path: Path
) -> None:
    os.chown(installation.prefix / "lib" / "a.py", 12345, -1)
    checks = named(files(installation, context(tmp_path)))
    assert checks["files.owners"].found == "1: lib/a.py (user 12345)"
    os.chown(installation.prefix, 12345, -1)
    assert not failing(files(installation, context(tmp_path)))


HOOKS = [
    f"{SITE}/sitecustomize.py",
    f"{SITE}/usercustomize/__init__.py",
    f"{LIBRARY}/sitecustomize.py",
    f"{LIBRARY}/lib-dynload/usercustomize.cpython-314t-x86_64-linux-gnu.so",
    f"{LIBRARY}/sitecustomize.pyc",
    f"{SITE}/mine.pth",
    f"{SITE}/mine.start",
    "pyvenv.cfg",
    "bin/pyvenv.cfg",
    "bin/python3.14t._pth",
    "bin/pybuilddir.txt",
    "bin/Modules/Setup.local",
    f"bin/{LIBRARY}/os.py",
    "lib/libpython3.14t.so.1.0._pth",
    "lib/python314t.zip",
]


@pytest.mark.parametrize("name", HOOKS)
def test_what_runs_at_the_start_is_a_warning(
    installation: Installation, tmp_path: Path, name: str
) -> None:
    add(installation, name)
    checks = named(files(installation, context(tmp_path)))
    assert not failing(tuple(checks.values()))
    assert checks["files.hooks"].status is Status.WARNED
    assert checks["files.hooks"].found == f"1: {name}"


@pytest.mark.parametrize(
    "name",
    [
        f"{LIBRARY}/os/__init__.py",
        f"{LIBRARY}/os.cpython-314t-x86_64-linux-gnu.so",
        f"{LIBRARY}/os.so",
        f"{LIBRARY}/_ssl.py",
        f"{LIBRARY}/json/__init__.so",
        "bin/json.py",
    ],
)
def test_what_python_imports_in_the_place_of_what_was_installed_fails(
    installation: Installation, tmp_path: Path, name: str
) -> None:
    add(installation, name)
    checks = named(files(installation, context(tmp_path)))
    assert failing(tuple(checks.values())) == {"files.shadowing"}
    assert checks["files.shadowing"].found == f"1: {name}"


def test_a_link_to_a_package_elsewhere(installation: Installation, tmp_path: Path) -> None:
    (installation.prefix / LIBRARY / "os").symlink_to("/nowhere")
    (installation.prefix / LIBRARY / "mine").symlink_to("/nowhere")
    checks = named(files(installation, context(tmp_path)))
    assert checks["files.shadowing"].found == f"1: {LIBRARY}/os (-> /nowhere)"
    assert checks["files.standard-library"].found == f"1: {LIBRARY}/mine (-> /nowhere)"


def test_programs_are_no_modules(installation: Installation, tmp_path: Path) -> None:
    add(installation, "bin/json")
    (installation.prefix / "bin" / "os").symlink_to("python3")
    checks = named(files(installation, context(tmp_path)))
    assert not failing(tuple(checks.values()))
    assert checks["files.added"].found == "2 files: bin/json, bin/os (-> python3)"


@pytest.mark.parametrize(
    "name",
    [
        f"{LIBRARY}/mine.py",
        f"{LIBRARY}/os.pyc",
        f"{LIBRARY}/lib-dynload/_mine.so",
        f"{LIBRARY}/json/mine.py",
        "lib/libc.so.6",
    ],
)
def test_what_is_added_to_the_standard_library_is_a_warning(
    installation: Installation, tmp_path: Path, name: str
) -> None:
    add(installation, name)
    checks = named(files(installation, context(tmp_path)))
    assert not failing(tuple(checks.values()))
    assert checks["files.standard-library"].status is Status.WARNED
    assert checks["files.standard-library"].found == f"1: {name}"


def test_bytecode_of_an_installed_source_that_was_not_installed(
    installation: Installation, tmp_path: Path
) -> None:
    add(installation, f"{LIBRARY}/__pycache__/os.cpython-314.opt-1.pyc")
    add(installation, f"{LIBRARY}/__pycache__/mine.cpython-314.pyc")  # nobody imports it
    add(installation, f"{SITE}/__pycache__/theirs.cpython-314.pyc")
    checks = named(files(installation, context(tmp_path)))
    assert not failing(tuple(checks.values()))
    assert checks["files.bytecode"].found == f"1: {LIBRARY}/__pycache__/os.cpython-314.opt-1.pyc"
    told = {name for name, check in checks.items() if check.status is not Status.PASSED}
    assert told == {"files.bytecode"}


def install_package(installation: Installation, release: str, contents: dict[str, str]) -> None:
    """Do what pip does with a wheel; empty hashes are of files that pip has made."""
    rows = []
    for name, text in contents.items():
        add(installation, f"{SITE}/{name}", text)
        raw = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        rows.append(f"{name},sha256={raw.decode()},{len(text)}")
    record = f"{release}.dist-info/RECORD"
    add(installation, f"{SITE}/{record}", "\n".join([*rows, f"{record},,"]))


def test_what_users_add_is_a_note(installation: Installation, tmp_path: Path) -> None:
    contents = {"numpy/__init__.py": "x", "../../../libmkl.so.2": "y"}
    install_package(installation, "numpy-2.5.5", contents)
    add(installation, f"{SITE}/numpy/__pycache__/__init__.cpython-314t.pyc")
    add(installation, f"{SITE}/stray.py")
    add(installation, "share/man/x")
    add(installation, "share/man/y")
    checks = named(files(installation, context(tmp_path)))
    told = {name for name, check in checks.items() if check.status is not Status.PASSED}
    assert told == {"files.added"}
    assert checks["files.added"].status is Status.NOTED
    assert checks["files.added"].found == (
        f"6 files: 1 packages: numpy 2.5.5; and {SITE}/stray.py, share"
    )


@pytest.mark.parametrize("text", ["", "one\n", '"open', "\0", "a,sha256=?,1\n", "\n" * 9])
def test_a_damaged_list_of_a_package_claims_nothing(
    installation: Installation, tmp_path: Path, text: str
) -> None:
    add(installation, f"{SITE}/mine-1.dist-info/RECORD", text)
    (installation.prefix / SITE / "mine-1.dist-info" / "other").write_bytes(b"\xff")
    checks = named(files(installation, context(tmp_path)))
    assert not failing(tuple(checks.values()))
    assert "mine 1" in checks["files.added"].found


def test_a_pip_that_was_upgraded_is_no_damage(installation: Installation, tmp_path: Path) -> None:
    old = {"pip/__init__.py": "26.2", "pip/gone.py": "", "../../../bin/pip": "old"}
    install_package(installation, "pip-26.2", old)
    made = recorded(installation)
    for name in ("pip/gone.py", "pip-26.2.dist-info/RECORD"):
        (made.prefix / SITE / name).unlink()
    new = {"pip/__init__.py": "26.3", "pip/new.py": "", "../../../bin/pip": "new"}
    install_package(made, "pip-26.3", new)
    checks = named(files(made, context(tmp_path)))
    assert not failing(tuple(checks.values()))
    assert checks["files.replaced"].found == "1: pip 26.2 by 26.3"
    add(made, f"{SITE}/pip/__init__.py", "altered")
    assert failing(files(made, context(tmp_path))) == {"files.changed"}


def test_a_package_that_was_removed_is_missing(installation: Installation, tmp_path: Path) -> None:
    install_package(installation, "pip-26.2", {"pip/__init__.py": "26.2"})
    made = recorded(installation)
    (made.prefix / SITE / "pip-26.2.dist-info/RECORD").unlink()
    assert failing(files(made, context(tmp_path))) == {"files.missing"}


def test_nothing_waits_for_a_pipe(installation: Installation, tmp_path: Path) -> None:
    for name in ("lib/pipe", "lib/a.py"):
        (installation.prefix / name).unlink(missing_ok=True)
        os.mkfifo(installation.prefix / name)
    checks = named(files(installation, context(tmp_path)))
    assert failing(tuple(checks.values())) == {"files.missing"}
    assert checks["files.special"].found == "2: lib/a.py, lib/pipe"
    (installation.prefix / "ftbuild.sha256").unlink()
    os.mkfifo(installation.prefix / "ftbuild.sha256")
    (check,) = files(installation, context(tmp_path))
    assert "it is not a regular file" in check.found


def test_other_names_of_a_file_are_told(installation: Installation, tmp_path: Path) -> None:
    lib = installation.prefix / "lib"
    (lib / "d.py").hardlink_to(lib / "b.py")
    assert named(files(installation, context(tmp_path)))["files.elsewhere"].found == "none"
    (tmp_path / "outside").hardlink_to(lib / "a.py")
    checks = named(files(installation, context(tmp_path)))
    assert checks["files.elsewhere"].found == "1: lib/a.py"
    assert checks["files.elsewhere"].status is Status.NOTED


def test_additions_that_anybody_may_alter(installation: Installation, tmp_path: Path) -> None:
    add(installation, f"{SITE}/open.py").chmod(0o666)
    add(installation, f"{SITE}/setuid").chmod(0o4755)
    checks = named(files(installation, context(tmp_path)))
    (installation.prefix / "share").mkdir()
    (installation.prefix / "share").chmod(0o2777)
    checks = named(files(installation, context(tmp_path)))
    assert checks["files.writable"].status is Status.WARNED
    assert checks["files.writable"].found == f"3: {SITE}/open.py, {SITE}/setuid, share"


def test_modes_of_everything_are_more_than_a_command_can_mend(
    installation: Installation, tmp_path: Path
) -> None:
    for number in range(25):
        add(installation, f"lib/m{number}.py")
    made = recorded(installation)
    for path in made.prefix.rglob("*"):
        path.chmod(0o777)
    check = named(files(made, context(tmp_path)))["files.modes"]
    assert "more" in check.found
    assert "chmod" not in check.reason


def test_a_command_for_names_that_are_no_text(installation: Installation, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(installation.prefix) + b"/\xff"))
    path.touch()
    made = recorded(installation)
    path.chmod(0o666)
    msgspec.json.encode(files(made, context(tmp_path)))
    made = changed(made, "result", executables=())
    msgspec.json.encode(files(made, context(tmp_path)))


def test_names_that_are_no_text(installation: Installation, tmp_path: Path) -> None:
    for name in (b"\xff.py", b"\x1b[31m.py", b"a\nb.py"):
        Path(os.fsdecode(os.fsencode(installation.prefix / LIBRARY) + b"/" + name)).touch()
    (installation.prefix / "lib" / "a.py").unlink()
    checks = files(installation, context(tmp_path))
    found = named(checks)["files.standard-library"].found
    assert found.isprintable()
    assert "\\xff.py" in found
    assert "\\x1b[31m.py" in found
    msgspec.json.encode(checks)


def test_directories_below_each_other_without_end(
    installation: Installation, tmp_path: Path
) -> None:
    folder = os.open(installation.prefix, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("d", dir_fd=folder)
        deeper = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = deeper
    os.close(folder)
    try:
        checks = files(installation, context(tmp_path))
    finally:  # too deep for pytest to clear away
        subprocess.run(("/bin/rm", "-r", installation.prefix / "d"), check=True)
    assert failing(checks) <= {"files.unreadable"}


def test_a_directory_that_cannot_be_read(installation: Installation, tmp_path: Path) -> None:
    folder = installation.prefix / LIBRARY / "json"
    folder.chmod(0)
    if os.access(folder, os.R_OK):
        pytest.skip("root may read everything")
    try:
        checks = named(files(installation, context(tmp_path)))
    finally:
        folder.chmod(0o755)
    assert checks["files.unreadable"].found == f"1: {LIBRARY}/json (Permission denied)"
    assert checks["files.missing"].found == "none"


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
    many = recorded(installation)
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
    (prefix / "ftbuild.json").touch()
    return recorded(build(prefix)), msgspec.structs.replace(
        context(tmp_path), inside=inside(tmp_path)
    )


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
    (lib / "été.py").chmod(0o600)
    os.mkfifo(lib / "pipe")
    assert files(installation, there) == files(installation, context(tmp_path))
    assert len(failing(files(installation, there))) == 5
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
