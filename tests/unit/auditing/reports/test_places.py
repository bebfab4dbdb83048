from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.findings import Status
from ftbuild.auditing.reports.places import Place, places
from tests.unit.auditing.examples import audit, changed, finding, required

REQUIREMENTS = """# c-ext is not what we want
-r base.txt
c-ext-plus==1
C_Ext[fast] >= 2 ; python_version > "3.8"
web  # and what it needs
"""
PROJECT = """[project]
name = "mine"
dependencies = ["numpy<2", "c-ext>=1",
    'web']
"""
LOCK = """[[package]]
name = "web"
dependencies = [{ name = "c-ext" }]
[[package]]
name = "c-ext"
"""


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("requirements.txt", REQUIREMENTS, 4),
        ("pyproject.toml", PROJECT, 3),
        ("uv.lock", LOCK, 5),
        ("environment.yml", "dependencies:\n  - c.ext=1\n", 2),
        ("requirements.txt", "unrelated\n", None),
        ("requirements.txt", "other  # instead of c-ext\n", None),
    ],
)
def test_a_package_is_found_where_it_is_named(
    tmp_path: Path, file: str, text: str, line: int | None
) -> None:
    (tmp_path / file).write_text(text)
    assert _places(tmp_path, file) == {"c-ext": Place(path=file, line=line)}


def _places(cwd: Path, label: str, *chain: str) -> dict[str, Place]:
    item = finding("c-ext", Status.GIL)
    package = msgspec.structs.replace(item.package, chain=(label, *chain))
    return places(audit(changed(item, package=package)), cwd)


def test_what_another_requires_is_where_that_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS)
    assert _places(tmp_path, "requirements.txt", "web", "frame")["c-ext"].line == 5


def test_a_project_is_its_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    expected = {"c-ext": Place(path="pyproject.toml", line=3)}
    assert _places(tmp_path, ".") == expected
    assert _places(tmp_path, "pyproject.toml with uv.lock") == expected


@pytest.mark.parametrize("label", ["c-ext>=1", "no.txt", "c-ext @ https://x", "\0", "x" * 5000])
def test_what_no_file_names_has_no_place(tmp_path: Path, label: str) -> None:
    assert _places(tmp_path, label) == {}


def test_a_file_elsewhere_keeps_its_whole_path(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("c-ext\n")
    (tmp_path / "cwd").mkdir()
    found = _places(tmp_path / "cwd", "../requirements.txt")
    assert found == {"c-ext": Place(path=str(path.resolve()), line=1)}


@given(text=st.text())
def test_no_text_is_too_odd_to_be_searched(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    cwd = tmp_path_factory.getbasetemp()
    (cwd / "odd.txt").write_text(text, encoding="utf-8", errors="replace")
    found = _places(cwd, "odd.txt")["c-ext"].line
    assert found is None or found >= 1


def test_each_package_has_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS)
    items = [
        changed(finding(name, Status.FINE), package=required(name, *via))
        for name, via in (("web", ()), ("c-ext", ("web",)))
    ]
    found = places(audit(*items), tmp_path)
    assert {name: place.line for name, place in found.items()} == {"web": 5, "c-ext": 5}
