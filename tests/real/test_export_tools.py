"""Real builds in the hands of pyenv, tox, nox, virtualenv and the library behind setup-python.

Each finds both builds, makes an environment with each and runs it; and wherever the directory of
the free-threaded build comes first, `python3.14` is still not that one.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from ftbuild.model.versions import series_of

from .conftest import Pair, ftbuild

pytestmark = pytest.mark.real

_GIL = "import sys; print('GIL', sys._is_gil_enabled(), sys.version.split()[0].rstrip('+'))"
_NO_TOOLS = "{} cannot be had: {}"


@pytest.fixture(scope="module")
def own(root: Path, pair_314: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the 3.14 pair that may be changed; the shared one stays as it is."""
    folder = tmp_path_factory.mktemp("handed-Ω")
    version = f"{pair_314[0].spec.version}+fast"
    done = ftbuild("pack", version, "--output", str(folder / "archives"), root=root)
    assert done.returncode == 0, done.stdout
    done = ftbuild("install", str(folder / "archives"), root=folder / "root")
    assert done.returncode == 0, done.stdout
    return folder / "root"


@pytest.fixture(scope="module")
def series(pair_314: Pair) -> str:
    return series_of(pair_314[0].spec.version)


@pytest.fixture(scope="module")
def release(pair_314: Pair) -> str:
    return pair_314[0].spec.version


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of tox, nox and virtualenv, from the index that this machine is set up for."""
    return programs(tmp_path_factory.mktemp("tools"), "tox", "nox", "virtualenv")


def programs(folder: Path, *requirements: str) -> Path:
    """The programs of some packages, in a virtual environment of their own."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [str(folder / "bin/pip"), "install", "--quiet", *requirements]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(_NO_TOOLS.format(" and ".join(requirements), done.stderr.splitlines()[-1]))
    return folder / "bin"


@pytest.fixture(scope="module")
def trap(own: Path, pair_314: Pair) -> str:
    """A PATH on which the free-threaded build's own directory comes first."""
    folder = own / pair_314[1].manifest.name / "bin"
    assert (folder / pair_314[0].python.name).exists()  # the name that it must not answer to
    return f"{folder}:{own / 'bin'}:{os.defpath}"


def said(*words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What a command says on both streams; it must succeed."""
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def results(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("GIL ")]


# pyenv


class Pyenv:
    """The pyenv of this machine, with a root of its own."""

    def __init__(self, program: str, root: Path) -> None:
        self.program = program
        self.root = root
        root.mkdir()

    def __call__(self, *words: str, version: str = "system") -> str:
        return said(self.program, *words, env=self.env(version)).strip()

    def env(self, version: str) -> dict[str, str]:
        path = f"{self.root / 'shims'}:{Path(self.program).parent}:{os.defpath}"
        return {"PYENV_ROOT": str(self.root), "PYENV_VERSION": version, "PATH": path}

    def fails(self, *words: str, version: str) -> bool:
        """Whether a command fails, or gives something that is not from this root."""
        done = subprocess.run(
            [self.program, *words],
            env={**os.environ, **self.env(version)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode != 0 or not done.stdout.startswith(str(self.root))


@pytest.fixture
def pyenv(own: Path, tmp_path: Path) -> Iterator[Pyenv]:
    program = shutil.which("pyenv")
    if program is None:
        pytest.skip("there is no pyenv here")
    made = Pyenv(program, tmp_path / "pyenv")
    done = ftbuild("link", "pyenv", "--pyenv-root", str(made.root), root=own)
    assert done.returncode == 0, done.stdout
    made("rehash")
    yield made
    done = ftbuild("unlink", "pyenv", root=own)
    assert done.returncode == 0, done.stdout
    assert list((made.root / "versions").iterdir()) == []


def test_pyenv_sees_and_runs_both(pyenv: Pyenv, release: str) -> None:
    assert {release, f"{release}t"} <= set(pyenv("versions", "--bare").split())
    for version, gil in ((release, "True"), (f"{release}t", "False")):
        top = pyenv.root / "versions" / version
        assert pyenv("which", "python", version=version) == str(top / "bin/python")
        assert pyenv("exec", "python", "-c", _GIL, version=version).split()[1] == gil
        assert pyenv("prefix", version) == str(top)
        # By way of the shims that `pyenv init` puts on the PATH.
        assert said("python", "-c", _GIL, env=pyenv.env(version)).split()[1] == gil


def test_pyenv_shell_chooses_one(pyenv: Pyenv, release: str) -> None:
    script = f'eval "$(pyenv init - bash)"; pyenv shell {release}t; python -c "{_GIL}"'
    said_ = said("bash", "--norc", "-c", script, env=pyenv.env("system"))
    assert results(said_) == [f"GIL False {release}"]


def test_pyenv_never_takes_the_free_threaded_build_for_the_other(
    pyenv: Pyenv, series: str, release: str
) -> None:
    assert pyenv("latest", series) == release
    assert pyenv("latest", f"{series}t") == f"{release}t"
    for name in (f"python{series}", f"pip{series}"):
        assert pyenv.fails("which", name, version=f"{release}t")
        both = f"{release}t:{release}"
        expected = str(pyenv.root / "versions" / release / "bin" / name)
        assert pyenv("which", name, version=both) == expected
    assert pyenv.fails("which", f"python{series}t", version=release)


def test_an_environment_from_pyenv_survives_a_new_link(
    pyenv: Pyenv, own: Path, release: str, tmp_path: Path
) -> None:
    for version, gil in ((release, "True"), (f"{release}t", "False")):
        pyenv("exec", "python", "-m", "venv", str(tmp_path / version), version=version)
        ftbuild("unlink", "pyenv", version, root=own)
        ftbuild("link", "pyenv", version, "--pyenv-root", str(pyenv.root), root=own)
        python = tmp_path / version / "bin/python"
        script = (
            f"{_GIL}; import sysconfig, pathlib;"
            "assert pathlib.Path(sysconfig.get_path('include'), 'Python.h').is_file()"
        )
        assert said(python, "-c", script).split()[1] == gil
        said(tmp_path / version / "bin/pip", "--version")


# tox, nox, virtualenv


@pytest.mark.parametrize("place", ["anywhere", "trap"])
def test_tox_runs_the_snippet_as_it_was_printed(
    own: Path, tools: Path, trap: str, series: str, release: str, tmp_path: Path, place: str
) -> None:
    (tmp_path / "tox.toml").write_text(ftbuild("export", "tox", series, root=own).stdout)
    path = trap if place == "trap" else os.defpath
    output = said(tools / "tox", "run", cwd=tmp_path, env={"PATH": path})
    assert [line for line in output.splitlines() if line.startswith("GIL enabled")] == [
        "GIL enabled: True",
        "GIL enabled: False",
    ]
    script = said(tmp_path / ".tox" / f"{series}t" / "bin/python", "-c", _GIL)
    assert script.split() == ["GIL", "False", release]


def test_an_older_tox_gets_one_that_knows_free_threaded_builds(
    own: Path, series: str, tmp_path: Path
) -> None:
    """Of itself it would run 3.14t with the Python that it runs on, or not at all."""
    older = programs(tmp_path / "older", "tox==4.30.0")
    (tmp_path / "tox.toml").write_text(ftbuild("export", "tox", series, root=own).stdout)
    output = said(older / "tox", "run", cwd=tmp_path, env={"PATH": os.defpath})
    assert "GIL enabled: True" in output
    assert "GIL enabled: False" in output


@pytest.mark.parametrize("place", ["anywhere", "trap"])
def test_nox_runs_the_snippet_as_it_was_printed(
    own: Path, tools: Path, trap: str, series: str, tmp_path: Path, place: str
) -> None:
    (tmp_path / "noxfile.py").write_text(ftbuild("export", "nox", series, root=own).stdout)
    path = trap if place == "trap" else os.defpath
    output = said(
        tools / "nox", "--default-venv-backend=virtualenv", cwd=tmp_path, env={"PATH": path}
    )
    assert [line for line in output.splitlines() if line.startswith("GIL enabled")] == [
        "GIL enabled: True",
        "GIL enabled: False",
    ]
    alone = said(
        *(tools / "nox", "-s", f"tests({series}t)", "--default-venv-backend=virtualenv"),
        cwd=tmp_path,
        env={"PATH": path},
    )
    assert "GIL enabled: False" in alone


@pytest.mark.parametrize("place", ["launchers", "link path", "trap"])
def test_virtualenv_finds_both_by_their_names(
    own: Path, tools: Path, trap: str, series: str, release: str, tmp_path: Path, place: str
) -> None:
    path = f"{own / 'bin'}:{os.defpath}"
    if place == "trap":
        path = trap
    elif place == "link path":
        folder = tmp_path / "bin"
        assert ftbuild("link", "path", "--into", str(folder), root=own).returncode == 0
        path = f"{folder}:{os.defpath}"
    for name, gil in ((series, "True"), (f"{series}t", "False")):
        said(tools / "virtualenv", "--quiet", "-p", name, tmp_path / name, env={"PATH": path})
        python = tmp_path / name / "bin/python"
        assert said(python, "-c", _GIL).split() == ["GIL", gil, release]
    ftbuild("unlink", "path", root=own)
    assert not list(tmp_path.glob("bin/*"))


def test_launchers_are_what_a_shell_finds(
    own: Path, series: str, release: str, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    assert ftbuild("link", "path", "--into", str(folder), root=own).returncode == 0
    path = f"{folder}:{os.defpath}"
    for name, gil in ((f"python{series}", "True"), (f"python{series}t", "False")):
        assert said(name, "-c", _GIL, env={"PATH": path}).split() == ["GIL", gil, release]
    ftbuild("unlink", "path", root=own)


def test_doctor_sees_the_trap(own: Path, trap: str, series: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ftbuild", "doctor", "--json", "--root", str(own)],
        env={**os.environ, "PATH": f"{trap}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    wrong = [item for item in json.loads(done.stdout)["path"] if item["status"] == "wrong"]
    assert {item["what"] for item in wrong} == {f"python{series}"}
    assert "is free-threaded" in wrong[0]["note"]


# The tool cache


@pytest.fixture(scope="module")
def cache(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runner") / "_tool"
    done = ftbuild("export", "toolcache", "--dir", str(path), root=own)
    assert done.returncode == 0, done.stdout
    return path


@pytest.fixture(scope="module")
def find(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script that asks @actions/tool-cache, which setup-python asks."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm here")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"name": "find", "version": "1.0.0", "private": true}')
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "@actions/tool-cache"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(_NO_TOOLS.format("@actions/tool-cache", done.stderr.strip() or done.stdout))
    script = folder / "find.mjs"
    script.write_text(
        "const tools = await import('@actions/tool-cache');\n"
        "const [version, architecture] = process.argv.slice(2);\n"
        "console.log('FOUND ' + tools.find('Python', version, architecture));\n"
    )
    return script


def found(script: Path, cache: Path, version: str, architecture: str) -> str:
    output = said(
        *("node", script, version, architecture),
        cwd=script.parent,
        env={"RUNNER_TOOL_CACHE": str(cache)},
    )
    (line,) = (line for line in output.splitlines() if line.startswith("FOUND "))
    return line.removeprefix("FOUND ")


def architectures(cache: Path, release: str) -> Sequence[str]:
    markers = (cache / "Python" / release).glob("*.complete")
    return sorted((marker.stem for marker in markers), key=len)


def test_setup_pythons_library_finds_both(
    find: Path, cache: Path, series: str, release: str
) -> None:
    plain, free_threaded = architectures(cache, release)
    assert free_threaded == f"{plain}-freethreaded"
    for architecture, gil in ((plain, "True"), (free_threaded, "False")):
        top = cache / "Python" / release / architecture
        for version in (series, release):
            assert found(find, cache, version, architecture) == str(top)
        # setup-python puts both on the PATH: the directory itself and its bin.
        path = f"{top}:{top / 'bin'}:{os.defpath}"
        assert said("python", "-c", _GIL, env={"PATH": path}).split() == ["GIL", gil, release]
        assert str(top) in said("pip", "--version", env={"PATH": path})


def test_in_the_free_threaded_one_nothing_answers_to_the_other(
    cache: Path, series: str, release: str
) -> None:
    _, free_threaded = architectures(cache, release)
    top = cache / "Python" / release / free_threaded
    for name in (f"python{series}", f"pip{series}", f"python{series}-config"):
        assert shutil.which(name, path=f"{top}:{top / 'bin'}") is None
    assert shutil.which(f"python{series}t", path=str(top / "bin")) is not None
    (details,) = top.glob("lib/python*/build-details.json")
    said_there = json.loads(details.read_text())
    interpreter = details.parent / said_there["base_prefix"] / said_there["base_interpreter"]
    assert interpreter.resolve() == top / "bin" / f"python{series}t"
    check = ["sha256sum", "--check", "--quiet", "ftbuild.sha256"]
    assert subprocess.run(check, cwd=top, check=False).returncode == 0


def test_what_a_package_lists_is_there_and_as_listed(cache: Path, release: str) -> None:
    for architecture in architectures(cache, release):
        top = cache / "Python" / release / architecture
        (record,) = top.glob("lib/python*/site-packages/pip-*.dist-info/RECORD")
        with record.open(newline="") as file:
            rows = [(record.parents[1] / row[0], row[1]) for row in csv.reader(file)]
        assert not [path for path, _ in rows if not path.exists()]
        listed = {path.resolve(): spelt for path, spelt in rows if spelt}
        for path in (top / "bin").glob("pip*"):
            digest = hashlib.sha256(path.read_bytes()).digest()
            spelt = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            assert listed[path] == f"sha256={spelt}"


def test_a_copy_needs_nothing_of_the_root(cache: Path, own: Path, release: str) -> None:
    hidden = own.with_name("hidden")
    own.rename(hidden)
    try:
        for architecture in architectures(cache, release):
            top = cache / "Python" / release / architecture
            venv = top.parents[3] / f"venv-{architecture}"
            said(top / "python", "-m", "venv", venv)
            gil = str(not architecture.endswith("freethreaded"))
            assert said(venv / "bin/python", "-c", _GIL).split() == ["GIL", gil, release]
            assert str(top) in said(top / "bin" / "pip3", "--version")
            config = next(
                path
                for path in (top / "bin").iterdir()
                if path.name.startswith("python3.") and path.name.endswith("-config")
            )
            assert said(config, "--prefix").strip() == str(top)
    finally:
        hidden.rename(own)
