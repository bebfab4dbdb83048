"""Real builds, installed by a real uv from an index of ours: by file and by http."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from ftbuild.model.manifest import Installation
from ftbuild.store.layout import Layout
from ftbuild.store.listing import installations

from .conftest import Pair, ftbuild
from .test_archives import _BACKEND, _EXTENSION, _PROJECT

pytestmark = pytest.mark.real

GIL = "import sys; print(sys._is_gil_enabled())"


class Uv:
    """A user of uv who has nothing yet; Pythons of this host are out of sight."""

    def __init__(self, home: Path, index: str) -> None:
        self.pythons = home / "Ωs"
        self.bin = home / ".local/bin"
        home.mkdir()
        kept = {k: v for k, v in os.environ.items() if k.startswith(("SSL_", "LANG"))}
        self.env = kept | {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "UV_CACHE_DIR": str(home / "cache"),
            "UV_PYTHON_INSTALL_DIR": str(self.pythons),
            "UV_PYTHON_DOWNLOADS_JSON_URL": index,
            "UV_PYTHON_PREFERENCE": "only-managed",
            "UV_NO_CONFIG": "1",
            "UV_OFFLINE": "0" if index.startswith("http") else "1",
        }

    def try_(self, *words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [find_uv_bin(), *map(str, words)]
        return subprocess.run(
            command, env=self.env, cwd=cwd, capture_output=True, text=True, check=False
        )

    def __call__(self, *words: str | Path, cwd: Path | None = None) -> str:
        done = self.try_(*words, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


def output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def exported(root: Path, pair_314: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with everything in the root that uv has a name for."""
    folder = tmp_path_factory.mktemp("export") / "für uv"
    done = ftbuild("export", "uv", "--dir", str(folder), root=root)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="module")
def prerelease(root: Path) -> Installation | None:
    """A free-threaded pre-release, where the root happens to have one."""
    found = installations(Layout(root=root))
    return next((i for i in found if "rc" in i.spec.version and i.free_threaded), None)


@pytest.fixture(scope="module")
def uv(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Uv:
    """A user who has installed both pairs, by file."""
    user = Uv(tmp_path_factory.mktemp("by") / "file", str(exported / "downloads.json"))
    user("python", "install", "3.14", "3.14t", "3.13t", "3.13")
    return user


@pytest.mark.parametrize(("request_", "gil"), [("3.14", True), ("3.14t", False)])
def test_each_is_found_and_run(uv: Uv, pair_314: Pair, request_: str, gil: bool) -> None:
    found = Path(uv("python", "find", request_))
    assert found.is_relative_to(uv.pythons)
    assert found.name == f"python{request_}"
    assert uv("run", "--no-project", "-p", request_, "python", "-c", GIL) == str(gil)
    version = uv("run", "--no-project", "-p", request_, "python", "-V")
    assert version == f"Python {pair_314[0].spec.version}"


@pytest.mark.parametrize("series", ["3.13", "3.14"])
def test_the_launchers_are_the_two_builds(uv: Uv, series: str) -> None:
    for name, gil in ((f"python{series}", True), (f"python{series}t", False)):
        done = subprocess.run(
            [uv.bin / name, "-c", GIL], capture_output=True, text=True, check=True
        )
        assert done.stdout == f"{gil}\n"
    # 3.13 answers to the plain request with the GIL build, by rule; 3.14 because it is there.
    assert Path(uv("python", "find", series)).name == f"python{series}"


def test_the_free_threaded_directory_answers_to_no_name_of_the_other(uv: Uv) -> None:
    (place,) = uv.pythons.glob("cpython-3.14.*+freethreaded-*")
    for path in (place / "bin").iterdir():
        assert "3.14t" in path.name or path.name == "python"
        assert path.exists()
    assert (place / "bin/python").readlink().name == "python3.14t"


@pytest.mark.parametrize(("request_", "gil"), [("3.14", True), ("3.14t", False), ("3.13t", False)])
def test_a_virtual_environment_with_a_c_extension(
    uv: Uv, tmp_path: Path, request_: str, gil: bool
) -> None:
    """It is compiled by what sysconfig says where uv has put the build."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "tiny.c").write_text(_EXTENSION)
    (project / "backend.py").write_text(_BACKEND)
    (project / "pyproject.toml").write_text(_PROJECT)
    venv = tmp_path / "venv"
    uv("venv", "-p", request_, venv)
    python = venv / "bin/python"
    uv("pip", "install", "-p", python, "--offline", "--no-build-isolation", project)
    script = "import sys, tiny; print(tiny.answer(), sys._is_gil_enabled())"
    assert uv("run", "--no-project", "-p", python, "python", "-c", script) == f"42 {gil}"


def test_its_programs_work_where_uv_has_put_them(uv: Uv, tmp_path: Path) -> None:
    for place in uv.pythons.glob("cpython-3.1?.*"):
        if place.is_symlink():
            continue
        suffix = "t" if "freethreaded" in place.name else ""
        series = place.name.removeprefix("cpython-")[:4]
        own = f"{series}{suffix}"

        def said(program: str, *words: str, folder: Path = place) -> str:
            return output(folder / "bin" / program, *words).strip()

        assert str(place) in said(f"pip{own}", "--version")
        assert "Help on package json" in said(f"pydoc{own}", "json")
        assert said(f"python{own}-config", "--prefix") == str(place)
        include = said(f"python{own}-config", "--includes").partition(" -I")[0]
        assert (place / "include" / f"python{own}" / "Python.h").exists()
        assert include == f"-I{place}/include/python{own}"
        variables = ["LIBDIR", "INCLUDEPY", "BINDIR", "LIBPL", "DESTSHARED"]
        code = f"import sysconfig; print(*map(sysconfig.get_config_var, {variables}), sep=chr(10))"
        for path in said(f"python{own}", "-I", "-c", code).splitlines():
            assert Path(path).is_dir()
            assert Path(path).is_relative_to(place)


def test_bytecode_is_used_as_it_was_shipped(uv: Uv) -> None:
    python = uv("python", "find", "3.14t")
    done = subprocess.run(
        [python, "-I", "-v", "-c", "import asyncio, email.message, json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count(" matches ") > 50
    assert "stale" not in done.stderr
    assert "wrote " not in done.stderr


def test_it_is_the_same_again(exported: Path, root: Path, uv: Uv) -> None:
    before = {path.name: path.read_bytes() for path in exported.iterdir()}
    done = ftbuild("export", "uv", "--dir", str(exported), "--json", root=root)
    assert done.returncode == 0, done.stdout
    assert {archive["fresh"] for archive in json.loads(done.stdout)["archives"]} == {False}
    assert {path.name: path.read_bytes() for path in exported.iterdir()} == before


def test_a_pre_release(uv: Uv, prerelease: Installation | None) -> None:
    if prerelease is None:
        pytest.skip("the root of these tests has no free-threaded pre-release")
    version = prerelease.spec.version
    request = f"{version}+freethreaded"
    uv("python", "install", request)
    assert uv("run", "--no-project", "-p", request, "python", "-c", GIL) == "False"
    assert uv("run", "--no-project", "-p", request, "python", "-V") == f"Python {version}"


def test_a_wrong_hash_is_refused(exported: Path, tmp_path: Path) -> None:
    index = json.loads((exported / "downloads.json").read_text())
    for entry in index.values():
        entry["sha256"] = "0" * 64
    (tmp_path / "downloads.json").write_text(json.dumps(index))
    user = Uv(tmp_path / "home", str(tmp_path / "downloads.json"))
    done = user.try_("python", "install", "3.14t")
    assert done.returncode != 0
    assert "ash mismatch" in done.stderr
    assert list(user.pythons.glob("cpython*")) == []


@pytest.fixture
def served(exported: Path, root: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a copy of the directory, exported once more for that address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    folder = tmp_path / "served"
    shutil.copytree(exported, folder)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        done = ftbuild("export", "uv", "--dir", str(folder), "--base-url", address, root=root)
        assert done.returncode == 0, done.stdout
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{address}/downloads.json"
        server.shutdown()


def test_by_http(served: str, tmp_path: Path) -> None:
    user = Uv(tmp_path / "home", served)
    listed = user("python", "list", "--only-downloads")
    assert "cpython-3.14" in listed
    assert "+freethreaded" in listed
    user("python", "install", "3.14t")
    assert user("run", "--no-project", "-p", "3.14t", "python", "-c", GIL) == "False"
    # Where only the free-threaded build is installed, uv goes and gets the other one.
    user("python", "install", "3.14")
    assert user("run", "--no-project", "-p", "3.14", "python", "-c", GIL) == "True"
