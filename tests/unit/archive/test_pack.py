"""What packing looks at and writes; that it can be read again is test_read's business."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from ftbuild import zstd
from ftbuild.archive.pack import survey, write
from ftbuild.archive.relocate import STAMP
from ftbuild.errors import Refused
from ftbuild.model.manifest import Installation
from ftbuild.store.layout import Layout
from tests.builders import changed
from tests.unit.archive.builds import installed


def members(made: Installation, into: Path) -> list[tarfile.TarInfo]:
    with into.open("wb") as sink:
        write(survey(made), sink)
    with zstd.reader(into) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        return list(archive)


def test_the_record_comes_first_and_the_rest_is_sorted(layout: Layout, tmp_path: Path) -> None:
    made = installed(layout, {"lib/b.py": b"", "lib/a.py": b"", "z": b""})
    found = [member.name for member in members(made, tmp_path / "a")]
    top = made.prefix.name
    assert found[:2] == [f"{top}/ftbuild.json", f"{top}/ftbuild.sha256"]
    assert found[2:-1] == [
        f"{top}/{name}" for name in ("bin/python3.14t", "lib/a.py", "lib/b.py", "z")
    ]
    assert found[-1] == f"{top}/bin/python3"


def test_nothing_tells_who_packed_it_and_when(layout: Layout, tmp_path: Path) -> None:
    made = installed(layout, {"private": b"", "set-id": b""})
    (made.prefix / "private").chmod(0o600)
    (made.prefix / "set-id").chmod(0o4755)
    for member in members(made, tmp_path / "a"):
        assert (member.mtime, member.uid, member.gid) == (STAMP, 0, 0)
        assert (member.uname, member.gname) == ("", "")
        program = member.name.endswith(("python3.14t", "set-id"))
        assert member.issym() or member.mode == (0o755 if program else 0o644)


def test_what_is_a_program_is_what_was_recorded(layout: Layout, tmp_path: Path) -> None:
    made = installed(layout, {"lib/a.py": b""})
    made = changed(made, "result", executables=("bin/python3.14t",))
    (made.prefix / "bin" / "python3.14t").chmod(0o644)
    (made.prefix / "lib" / "a.py").chmod(0o755)
    found = {member.name.partition("/")[2]: member.mode for member in members(made, tmp_path / "a")}
    assert (found["bin/python3.14t"], found["lib/a.py"]) == (0o755, 0o644)
    assert survey(made).manifest.result.executables == ("bin/python3.14t",)


def test_equal_builds_make_equal_archives(layout: Layout, tmp_path: Path) -> None:
    made = installed(layout, {"lib/a.py": b"1"})
    members(made, tmp_path / "a")
    for path in made.prefix.rglob("*"):
        os.utime(path, (0, 0), follow_symlinks=False)
    members(made, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_texts_that_name_the_prefix(layout: Layout) -> None:
    prefix = str(layout.store)
    made = installed(
        layout,
        {"text": b"in $prefix", "json.json": b'"$prefix"', "binary": b"\0$prefix", "no": b"x"},
    )
    found = survey(made).manifest.archived
    assert found is not None
    assert found.prefix.startswith(prefix)
    assert found.pointing == ("json.json", "text")


def test_what_was_added_is_named_by_its_top(layout: Layout) -> None:
    made = installed(layout, {"lib/site/pip/a.py": b""})
    for name in ("lib/site/pip/__pycache__/a.pyc", "lib/site/new/x/y.py", "lib/site/new/z"):
        (made.prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (made.prefix / name).touch()
    found = survey(made)
    assert found.added == ("lib/site/new", "lib/site/pip/__pycache__")
    assert found.added_files == 3
    assert found.files == ("bin/python3.14t", "lib/site/pip/a.py")


@pytest.mark.parametrize("count", [1, 9])
def test_what_is_not_as_it_was_is_named(layout: Layout, count: int) -> None:
    made = installed(layout, {f"lib/{i}.py": b"x" for i in range(9)})
    for i in range(count):
        (made.prefix / f"lib/{i}.py").write_bytes(b"y")
    with pytest.raises(Refused, match=r"lib/0\.py was altered") as caught:
        survey(made)
    assert ("and 4 more" in caught.value.message) == (count == 9)


def test_a_file_that_became_a_link(layout: Layout) -> None:
    made = installed(layout, {"lib/a.py": b"x", "lib/b.py": b"x"})
    (made.prefix / "lib/a.py").unlink()
    (made.prefix / "lib/a.py").symlink_to("b.py")
    with pytest.raises(Refused, match=r"lib/a\.py was altered"):
        survey(made)


def test_a_link_that_leads_elsewhere(layout: Layout) -> None:
    made = installed(layout, {})
    (made.prefix / "bin/python3").unlink()
    (made.prefix / "bin/python3").symlink_to("/usr/bin/python3")
    with pytest.raises(Refused, match="bin/python3 is another link"):
        survey(made)


@pytest.mark.parametrize("harm", ["altered", "gone"])
def test_a_list_that_cannot_be_relied_on(layout: Layout, harm: str) -> None:
    made = installed(layout, {})
    path = made.prefix / "ftbuild.sha256"
    path.write_text("") if harm == "altered" else path.unlink()
    with pytest.raises(Refused, match=r"ftbuild\.sha256 (was altered|cannot be read)"):
        survey(made)


@pytest.mark.parametrize(("run_path", "moves"), [("$ORIGIN/../lib", True), ("{}/lib", False)])
def test_a_run_path_that_ties_it_to_its_place(
    layout: Layout, tmp_path: Path, run_path: str, moves: bool
) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    place = installed(layout, {}).prefix
    library = tmp_path / "library.so"
    option = f"-Wl,-rpath,{run_path.format(place)}"
    subprocess.run([compiler, "-shared", "-xc", "/dev/null", "-o", library, option], check=True)
    made = installed(layout, {"lib/libpython.so": library.read_bytes()})
    if moves:
        assert survey(made).manifest.archived is not None
    else:
        with pytest.raises(Refused, match=r"lib/libpython\.so looks for libraries below"):
            survey(made)


def test_what_is_written_goes_to_any_sink(layout: Layout) -> None:
    sink = io.BytesIO()
    write(survey(installed(layout, {})), sink)
    assert sink.getvalue().startswith(zstd.MAGIC)
