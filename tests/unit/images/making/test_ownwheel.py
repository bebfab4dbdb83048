from __future__ import annotations

import csv
import io
import os
import re
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.utils import parse_wheel_filename
from packaging.version import Version

import ftbuild
from ftbuild import process
from ftbuild.catalogue import own_recipes
from ftbuild.errors import EnvironmentFault
from ftbuild.images.making.ownwheel import own_project, own_wheel


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_wheel(tmp_path_factory.mktemp("made"))


def test_what_is_in_it(made: Path) -> None:
    name, version, _, _ = parse_wheel_filename(made.name)
    assert (name, version) == ("ftbuild", Version(ftbuild.__version__))
    package = Path(ftbuild.__file__).parent
    names = {str(path.relative_to(package.parent)) for path in package.rglob("*.py")}
    own = own_recipes()
    recipes = (path.relative_to(own) for path in own.rglob("*") if path.is_file())
    names |= {f"ftbuild/recipes/{path}" for path in recipes}
    with zipfile.ZipFile(made) as archive:
        there = set(archive.namelist())
    assert names <= there
    assert "ftbuild/images/making/Dockerfile.j2" in there
    assert not [name for name in there if re.search(r"__pycache__|\.pyc$|README|/tests/", name)]


def test_its_metadata(made: Path) -> None:
    with zipfile.ZipFile(made) as archive:
        about = f"ftbuild-{ftbuild.__version__}.dist-info"
        found = Metadata.from_email(archive.read(f"{about}/METADATA"))
        commands = archive.read(f"{about}/entry_points.txt").decode()
        rows = list(csv.reader(io.StringIO(archive.read(f"{about}/RECORD").decode())))
        members = {info.filename: info.file_size for info in archive.infolist()}
    assert found.requires_python is not None
    assert "3.11" in found.requires_python
    names = {requirement.name for requirement in found.requires_dist or ()}
    assert {"msgspec", "backports.zstd", "requests"} <= names
    # What extras bring is not part of it.
    assert not names & {"matplotlib", "pytest", "ftbuild"}
    assert "ftbuild = ftbuild.__main__:main" in commands.splitlines()
    assert {row[0] for row in rows} == members.keys()
    assert all(not row[2] or int(row[2]) == members[row[0]] for row in rows)


def test_equal_content_gives_equal_bytes(made: Path, tmp_path: Path) -> None:
    assert own_wheel(tmp_path).read_bytes() == made.read_bytes()
    with zipfile.ZipFile(made) as archive:
        members = archive.infolist()
    # Neither when nor with which permissions a file was checked out shows.
    assert {(member.date_time, member.external_attr >> 16) for member in members} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644)
    }
    assert [member.filename for member in members] == sorted(member.filename for member in members)


def test_an_installed_one_makes_the_same(made: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(made) as archive:
        archive.extractall(site)
    script = (
        "import sys; from ftbuild.images.making.ownwheel import *; "
        "print(own_wheel(Path(sys.argv[1])))"
    )
    # Alone on the path with its dependencies: the checkout must not come in.
    paths = os.pathsep.join((str(site), sysconfig.get_path("purelib")))
    env = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    done = process.capture([sys.executable, "-c", script, tmp_path], env=env, cwd=tmp_path)
    assert done.ok, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == made.read_bytes()


def test_it_runs_without_what_a_build_does_not_use(made: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(made) as archive:
        archive.extractall(site)
    script = (
        "import sys; sys.modules.update(uv=None, jinja2=None, markupsafe=None);"
        "sys.argv = ['ftbuild', 'build', '--help'];"
        "from ftbuild.cli import main; main()"
    )
    paths = os.pathsep.join((str(site), sysconfig.get_path("purelib")))
    env = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    done = process.capture([sys.executable, "-c", script], env=env, cwd=tmp_path)
    assert done.ok, done.stderr
    assert "--profile" in done.stdout


def test_the_project_is_the_checkouts() -> None:
    project = own_project()
    assert project.commands == {"ftbuild": "ftbuild.__main__:main"}
    assert [requirement.name for requirement in project.requires] == sorted(
        (requirement.name for requirement in project.requires), key=str.lower
    )


def test_a_full_disk(small_disk: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be written: No space left"):
        own_wheel(small_disk)
