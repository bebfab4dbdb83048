"""The main job and its neighbours, on real builds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .conftest import Pair, ftbuild

pytestmark = pytest.mark.real


def test_four_builds_are_installed_and_linked(root: Path) -> None:
    listed = json.loads(ftbuild("list", "--json", root=root).stdout)
    names = [build["name"] for build in listed["builds"] if build["linked"]]
    variants = [name.partition("+")[0][-1] == "t" for name in names]
    assert len(names) == 4
    assert variants == [False, True, False, True]


def test_a_second_build_has_nothing_to_do(root: Path, pair_314: Pair) -> None:
    version = pair_314[0].spec.version
    done = ftbuild("build", version, "--profile", "fast", "--json", root=root)
    assert done.returncode == 0
    assert {build["status"] for build in json.loads(done.stdout)["builds"]} == {"present"}


def test_launchers_name_one_build_each(root: Path, pair_314: Pair) -> None:
    for installation in pair_314:
        launcher = root / "bin" / installation.python.name
        script = "import sys; print(sys._is_gil_enabled(), sys.prefix)"
        said = subprocess.run([launcher, "-c", script], capture_output=True, text=True, check=True)
        assert said.stdout.split() == [
            str(not installation.free_threaded),
            str(installation.prefix),
        ]


def test_run_keeps_arguments_apart(root: Path, pair_314: Pair) -> None:
    assert pair_314
    done = ftbuild("run", "3.14t", "--", "-c", "import sys; print(sys.argv[1:])", "a b", root=root)
    assert done.stdout.strip() == "['a b']"


def test_which_answers_a_series_with_the_gil_build(root: Path, pair_314: Pair) -> None:
    gil, free_threaded = pair_314
    assert ftbuild("which", "3.14", root=root).stdout.strip() == str(gil.python)
    assert ftbuild("which", "3.14t", root=root).stdout.strip() == str(free_threaded.python)


def test_verify_passes_and_says_the_pair_matches(root: Path, pair_313: Pair) -> None:
    assert pair_313
    done = ftbuild("verify", "3.13", "--json", root=root)
    reports = json.loads(done.stdout)["reports"]
    assert done.returncode == 0, [r for r in reports if not r["ok"]]
    assert [report["kind"] for report in reports] == ["verify", "verify", "pair"]


def test_damage_is_found(root: Path, pair_313: Pair) -> None:
    victim = next((pair_313[1].prefix / "lib").glob("python3.13t/this.py"))
    content = victim.read_bytes()
    try:
        victim.write_bytes(content[:-1])
        done = ftbuild("verify", "3.13t", "--files", root=root)
    finally:
        victim.write_bytes(content)
    assert done.returncode == 1
    assert "this.py" in done.stdout
    assert ftbuild("verify", "3.13t", "--files", root=root).returncode == 0
