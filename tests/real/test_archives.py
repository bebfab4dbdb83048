"""A real pair, moved to another root by way of archives; the root it came from stays untouched."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .conftest import Pair, ftbuild

pytestmark = pytest.mark.real

_EXTENSION = """
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *args) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", "", 0, methods, slots};
PyMODINIT_FUNC PyInit_tiny(void) { return PyModuleDef_Init(&module); }
"""

_BACKEND = '''
"""Builds a wheel of one C file with what sysconfig says, so that nothing has to be downloaded."""

import subprocess
import sysconfig
import zipfile
from pathlib import Path


def build_wheel(directory, config_settings=None, metadata_directory=None):
    module = "tiny" + sysconfig.get_config_var("EXT_SUFFIX")
    compiler = sysconfig.get_config_var("CC").split()
    flags = [*sysconfig.get_config_var("CFLAGS").split(), "-fPIC", "-shared"]
    include = "-I" + sysconfig.get_path("include")
    subprocess.run([*compiler, *flags, include, "tiny.c", "-o", module], check=True)
    with zipfile.ZipFile(Path(directory, "tiny-1-py3-none-any.whl"), "w") as wheel:
        wheel.write(module)
        for name, lines in {
            "METADATA": ["Metadata-Version: 2.1", "Name: tiny", "Version: 1"],
            "WHEEL": ["Wheel-Version: 1.0", "Root-Is-Purelib: false", "Tag: py3-none-any"],
            "RECORD": [],
        }.items():
            wheel.writestr(f"tiny-1.dist-info/{name}", "".join(line + chr(10) for line in lines))
    return "tiny-1-py3-none-any.whl"
'''

_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1"
"""


@pytest.fixture(scope="module")
def moved(root: Path, pair_314: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another root with the 3.14 pair; nothing in it may need the one it was built in."""
    folder = tmp_path_factory.mktemp("moved")
    version = pair_314[0].spec.version
    done = ftbuild("pack", f"{version}+fast", "--output", str(folder / "archives"), root=root)
    assert done.returncode == 0, done.stdout
    other = folder / "a-root-with-a-path-that-is-longer-by-quite-a-bit-Ω"
    done = ftbuild("install", str(folder / "archives"), root=other)
    assert done.returncode == 0, done.stdout
    assert "a matched pair" in done.stdout
    return other


@pytest.fixture(scope="module")
def pythons(moved: Path, pair_314: Pair) -> tuple[Path, Path]:
    """The interpreters of the pair in its new place."""
    gil, free_threaded = (moved / "bin" / item.python.name for item in pair_314)
    return gil, free_threaded


def run(*words: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_check_passes_in_its_new_place(moved: Path) -> None:
    for words in ((), ("--files",)):
        done = ftbuild("verify", *words, "--json", root=moved)
        assert done.returncode == 0, done.stdout


def test_no_file_for_people_or_tools_names_the_old_prefix(moved: Path, pair_314: Pair) -> None:
    for item in pair_314:
        place = moved / "store" / item.prefix.name
        listed = (place / "ftbuild.sha256").read_text().splitlines()
        naming = [
            name
            for name in (line.split("  ", 1)[1] for line in listed)
            if b"\0" not in (content := (place / name).read_bytes())[:8192]
            and str(item.prefix).encode() in content
        ]
        assert naming == []


def test_sysconfig_names_the_new_one(pythons: tuple[Path, Path]) -> None:
    script = (
        "import json, sysconfig; from pathlib import Path\n"
        "details = Path(sysconfig.get_path('stdlib'), 'build-details.json')\n"
        "print(json.dumps([sysconfig.get_config_var('prefix'),"
        " sysconfig.get_config_var('LIBDIR'), sysconfig.get_makefile_filename(),"
        " str(Path(details.parent, json.loads(details.read_bytes())['base_prefix']).resolve())]))"
    )
    for python in pythons:
        prefix = python.resolve().parents[1]
        found = json.loads(run(python, "-I", "-c", script))
        assert found[0] == found[3] == str(prefix)
        assert all(path.startswith(str(prefix)) for path in found)


def test_bytecode_is_used_and_not_written_again(pythons: tuple[Path, Path]) -> None:
    for python in pythons:
        prefix = python.resolve().parents[1]
        before = {path: path.stat().st_mtime_ns for path in prefix.rglob("*.pyc")}
        modules = "json, email.message, sysconfig, asyncio; sysconfig.get_config_vars()"
        said = run(python, "-I", "-v", "-c", f"import {modules}")
        assert said.count(" matches ") > 50
        assert "wrote " not in said
        assert {path: path.stat().st_mtime_ns for path in prefix.rglob("*.pyc")} == before


def test_python_config_and_pip_are_programs(pythons: tuple[Path, Path]) -> None:
    for python in pythons:
        folder = python.resolve().parent
        config = folder / f"{python.resolve().name}-config"
        assert run(config, "--prefix").strip() == str(folder.parent)
        assert str(folder.parent) in run(folder / "pip3", "--version")


def test_a_virtual_environment_with_a_c_extension(
    pythons: tuple[Path, Path], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "tiny.c").write_text(_EXTENSION)
    (project / "backend.py").write_text(_BACKEND)
    (project / "pyproject.toml").write_text(_PROJECT)
    for python, gil in zip(pythons, (True, False), strict=True):
        venv = tmp_path / python.name
        run(python, "-m", "venv", venv)
        pip = (venv / "bin/python", "-m", "pip", "install", "--no-index", "--quiet")
        run(*pip, "--no-build-isolation", project)
        script = "import sys, tiny; print(tiny.answer(), sys._is_gil_enabled())"
        assert run(venv / "bin/python", "-c", script).split() == ["42", str(gil)]


def test_a_build_takes_the_archive(moved: Path, root: Path, pair_314: Pair) -> None:
    """Both builds of a pair within seconds, verified; what they need of a source is nothing."""
    other = moved.with_name("third")
    version = pair_314[0].spec.version
    done = ftbuild(
        "build",
        *(f"{version}+fast", "--json", "--offline"),
        *("--archive-store", str(moved.with_name("archives"))),
        root=other,
    )
    assert done.returncode == 0, done.stdout
    builds = json.loads(done.stdout)["builds"]
    assert {build["status"] for build in builds} == {"installed"}
    assert max(build["seconds"] for build in builds) < 60
