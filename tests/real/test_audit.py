"""`ftbuild audit` as a user has it, on made-up packages and an index that is a directory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

import ftbuild as library
from tests.real.made_up import wheels

from .conftest import Pair

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the wheels are tagged for Linux"),
]

_BACKEND = """\
import subprocess, sysconfig, zipfile
def build_wheel(folder, *_):
    name = "compiled" + sysconfig.get_config_var("EXT_SUFFIX")
    include = "-I" + sysconfig.get_path("include")
    words = ["cc", "-shared", "-fPIC", include, "-x", "c", "SOURCE", "-o", name]
    subprocess.run(words, check=True)
    tag = "py3-none-any"
    with zipfile.ZipFile(f"{folder}/NAME-1.0-{tag}.whl", "w") as wheel:
        wheel.write(name)
        info = "NAME-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: NAME\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\\nTag: {tag}\\n")
        wheel.writestr(f"{info}/RECORD", f"{name},,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n")
    return f"NAME-1.0-{tag}.whl"
"""
_SOURCE = """\
#include <Python.h>
static PyModuleDef_Slot slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, NULL}};
static PyModuleDef def = {PyModuleDef_HEAD_INIT, .m_name = "compiled", .m_slots = slots};
PyMODINIT_FUNC PyInit_compiled(void) { return PyModuleDef_Init(&def); }
"""
_TESTS = "import lazy, sys; lazy.late(); sys.exit(3)"


class User:
    """Somebody with an empty home, whose pip knows one directory of packages and no index."""

    def __init__(self, folder: Path, store: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
            "HOME": str(folder),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(store),
            "COLUMNS": "100",
            "SECRET": "not for them",
        }

    def audit(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ftbuild", "audit", *words, "--root", str(self.root)],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def found(self, *words: str) -> dict[str, Any]:
        """The JSON document of an audit, whose verdict is its exit code."""
        done = self.audit(*words, "--json", "--timeout", "8")
        assert done.stdout, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (1 if document["blocking"] else 0), done.stderr
        return document


def statuses(document: dict[str, Any]) -> dict[str, str]:
    return {item["package"]["name"]: item["status"] for item in document["findings"]}


@pytest.fixture(scope="module")
def store(pair_314: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of packages: wheels for 3.14t, and two sdists."""
    store = wheels(pair_314[1], tmp_path_factory.mktemp("gemacht"))
    _sdist(store, "compiled", _SOURCE)
    _sdist(store, "broken", "#error it was never ported\n")
    return store


@pytest.fixture
def user(tmp_path: Path, store: Path, root: Path) -> User:
    return User(tmp_path, store, root)


def _sdist(store: Path, name: str, source: str) -> None:
    files = {
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        f'backend-path = ["."]\n[project]\nname = "{name}"\nversion = "1.0"\n',
        "backend.py": _BACKEND.replace("NAME", name).replace("SOURCE", "module.c"),
        "module.c": source,
    }
    with tarfile.open(store / f"{name}-1.0.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-1.0/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def test_each_gets_its_verdict(user: User) -> None:
    expected = {
        "pure": "fine",
        "good": "fine",
        "loud": "fine",
        "forks": "fine",
        "crash-null": "crash",
        "crash-abort": "crash",
        "hang-c": "crash",
        "single": "gil",
        "lazy": "gil",
        "tagged-none": "gil",
        "lost": "failed",
        "compiled": "missing",
        # It brings in what switches the GIL on, and is not to blame.
        "chain-a": "fine",
        "chain-b": "fine",
        "chain-c": "gil",
    }
    found = user.found(*expected, "--python", "3.14t")
    assert statuses(found) == expected
    assert found["findings"][0]["status"] == "crash", "the worst first"
    by_name = {item["package"]["name"]: item for item in found["findings"]}
    crash = by_name["crash-null"]["probed"][0]
    assert crash["signal"] == "SIGSEGV"
    culprit = by_name["chain-a"]["probed"][0]["culprits"][0]
    assert culprit["distribution"] == "chain-c"
    assert culprit["chain"][0] == "chain_a"
    late = {item["module"]: item["ending"] for item in by_name["lazy"]["probed"]}
    assert late == {"lazy": "fine", "lazy._late": "gil"}


def test_a_program_gets_the_same_as_data(user: User) -> None:
    world = library.world(user.root, env=user.env)
    (found,) = library.audit("good", "single", python="3.14t", world=world)
    assert [item.package.name for item in found.blocking] == ["single"]
    (found,) = library.audit("single", how=library.How(probe=False), world=world)
    assert not found.probed


def test_a_project_that_can_switch(user: User) -> None:
    (user.folder / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\ndependencies = ["pure"]\n'
    )
    done = user.audit("--python", "3.14t")
    assert done.returncode == 0, done.stderr
    assert "this project can switch to 3.14t today" in done.stdout
    (user.folder / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    assert "No dependencies" in user.audit("--python", "3.14t").stdout


def test_formats_and_what_fails(user: User) -> None:
    (user.folder / "requirements.txt").write_text("# ours\npure\nsingle\n")
    words = ("requirements.txt", "--python", "3.14t")
    github = user.audit(*words, "--format", "github")
    assert github.returncode == 1
    assert github.stdout.startswith("::error file=requirements.txt,line=3,")
    sarif = json.loads(user.audit(*words, "--format", "sarif").stdout)
    (result,) = sarif["runs"][0]["results"]
    assert (sarif["version"], result["level"]) == ("2.1.0", "error")
    assert "| single" in user.audit(*words, "--format", "markdown").stdout
    assert user.audit(*words, "--fail-on", "missing").returncode == 0


def test_only_news_fail_against_a_baseline(user: User) -> None:
    (user.folder / "requirements.txt").write_text("single\n")
    words = ("requirements.txt", "--python", "3.14t", "--baseline", "known.json")
    assert user.audit(*words).returncode == 2, "there is none yet"
    assert user.audit(*words, "--update-baseline").returncode == 0
    assert user.audit(*words).returncode == 0
    (user.folder / "requirements.txt").write_text("single\nmulti\n")
    news = user.audit(*words)
    assert news.returncode == 1
    assert "multi 1.0 (switches the GIL on) since the baseline" in news.stderr


def test_what_has_no_wheel_is_compiled(user: User) -> None:
    found = user.found("compiled", "broken", "--python", "3.14t", "--build")
    assert statuses(found) == {"broken": "missing", "compiled": "fine"}
    by_name = {item["package"]["name"]: item for item in found["findings"]}
    assert by_name["compiled"]["installed"]["how"] == "built"
    assert any("never ported" in line for line in by_name["broken"]["installed"]["log"])


def test_the_projects_own_tests(user: User) -> None:
    found = user.audit(
        *("lazy", "pure", "--python", "3.14t", "--json"),
        *("--tests", f"python -c '{_TESTS}'"),
    )
    tests = json.loads(found.stdout)["tests"]
    assert (tests["code"], tests["gil_before"], tests["gil_after"]) == (3, False, True)
    assert tests["culprits"][0]["module"] == "lazy._late"
    assert found.returncode == 1


def test_nothing_is_run_where_nothing_must_be(user: User) -> None:
    found = user.found("crash-null", "compiled", "--python", "3.14t", "--no-probe")
    assert statuses(found) == {"crash-null": "fine", "compiled": "missing"}
    assert all(item["installed"] is None for item in found["findings"])
    assert user.audit("pure", "--no-probe", "--build").returncode == 2


def test_targets_beside_each_other(user: User) -> None:
    words = ("good", "pure", "--compare", "3.13t,3.14t", "--json")
    document = json.loads(user.audit(*words).stdout)
    assert document["kind"] == "audit-comparison"
    older, newer = document["audits"]
    assert statuses(older) == {"good": "missing", "pure": "fine"}
    assert statuses(newer) == {"good": "fine", "pure": "fine"}


def test_many_threads(user: User) -> None:
    assert statuses(user.found("races", "--python", "3.14t")) == {"races": "fine"}
    document = user.found("races", "pure", "--python", "3.14t", "--stress")
    assert statuses(document) == {"pure": "fine", "races": "crash"}
    worst = document["findings"][0]["probed"][0]
    assert (worst["stress"], worst["signal"]) == (True, "SIGABRT")
