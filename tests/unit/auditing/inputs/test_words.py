from __future__ import annotations

import contextlib
import os
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from ftbuild.auditing.inputs.words import Inputs, read_inputs
from ftbuild.errors import UsageError

PROJECT = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.9"
dependencies = ["numpy"]
[project.optional-dependencies]
Big_One = ["scipy"]
[dependency-groups]
test = ["pytest"]
"""

LOCK = """\
version = 1
[[package]]
name = "app"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "numpy" }]
[[package]]
name = "numpy"
version = "2.4.0"
source = { registry = "https://index.example/simple" }
"""


def read(
    folder: Path, *words: str, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()
) -> Inputs:
    return read_inputs(words, extras=extras, groups=groups, cwd=folder)


def texts(found: Inputs) -> list[str]:
    return [line.root.text for line in found.lines]


def write(folder: Path, **files: str) -> None:
    """Files by name; `__` in it is a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_requirements(tmp_path: Path) -> None:
    found = read(tmp_path, "numpy==1.26.4", "psycopg[binary]>=3 ; os_name == 'posix'")
    assert found.labels == ("numpy==1.26.4", "psycopg[binary]>=3 ; os_name == 'posix'")
    assert texts(found) == list(found.labels)
    assert found.files == ()
    assert found.project == tmp_path


def test_no_credential_is_in_a_label(tmp_path: Path) -> None:
    found = read(tmp_path, "app @ https://me:secret@files.example/app-1.0.tar.gz")
    assert found.labels == ("app @ https://files.example/app-1.0.tar.gz",)
    assert "me:secret@" in texts(found)[0]


def test_a_requirement_may_be_longer_than_a_file_name(tmp_path: Path) -> None:
    text = "app ; " + " or ".join(['os_name == "posix"'] * 20)
    assert texts(read(tmp_path, text)) == [text]


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)


@given(name=NAMES, version=st.integers(0, 99), extra=NAMES, spaces=st.sampled_from(["", " "]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_requirement_is_taken_as_it_is(
    tmp_path: Path, name: str, version: int, extra: str, spaces: str
) -> None:
    text = f"{name}[{extra}]{spaces}>={spaces}{version}"
    assert [str(Requirement(line)) for line in texts(read(tmp_path, text))] == [
        f"{name}[{extra}]>={version}"
    ]


@given(
    st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_word_is_read_or_refused(tmp_path: Path, word: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir(exist_ok=True)
    with contextlib.suppress(UsageError):
        assert read(empty, word).labels


def test_the_current_directory_is_the_default(tmp_path: Path) -> None:
    write(tmp_path, pyproject__toml=PROJECT)
    found = read(tmp_path)
    assert found.labels == ("pyproject.toml",)
    assert [(file.path, file.label) for file in found.files] == [
        (tmp_path / "pyproject.toml", "pyproject.toml")
    ]
    assert found.pythons == (("pyproject.toml", ">=3.9"),)
    assert (found.lines, found.pins, found.notes) == ((), (), ())


def test_a_project_with_a_lock(tmp_path: Path) -> None:
    write(tmp_path / "sub", pyproject__toml=PROJECT, uv__lock=LOCK, poetry__lock="")
    for word in ("sub", "sub/uv.lock"):
        found = read(tmp_path, word)
        assert found.labels == ("sub/pyproject.toml with uv.lock",)
        assert found.pins == ("numpy==2.4.0",)
        assert [file.label for file in found.files] == ["sub/pyproject.toml"]
        assert found.project == tmp_path / "sub"


def test_a_lock_alone(tmp_path: Path) -> None:
    write(tmp_path, uv__lock=LOCK)
    found = read(tmp_path, "uv.lock")
    assert (found.labels, texts(found), found.files) == (("uv.lock",), ["numpy"], ())


def test_extras_and_groups(tmp_path: Path) -> None:
    write(tmp_path, pyproject__toml=PROJECT)
    found = read(tmp_path, ".", extras=("big-one",), groups=("Test",))
    assert found.extras == ("big-one",)
    assert found.groups == ((tmp_path / "pyproject.toml", "test"),)


@pytest.mark.parametrize(
    ("extras", "groups", "says", "hint"),
    [
        (("zz",), (), "has no extra 'zz'", "It has: Big_One"),
        ((), ("zz",), "has no dependency group 'zz'", "It has: test"),
    ],
)
def test_what_is_not_there(
    tmp_path: Path, extras: tuple[str, ...], groups: tuple[str, ...], says: str, hint: str
) -> None:
    write(tmp_path, pyproject__toml=PROJECT)
    with pytest.raises(UsageError, match=says) as caught:
        read(tmp_path, extras=extras, groups=groups)
    assert caught.value.hint == hint


def test_extras_of_what_has_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no project among numpy that could have the extra 'x'"):
        read(tmp_path, "numpy", extras=("x",))


def test_groups_without_a_project(tmp_path: Path) -> None:
    write(
        tmp_path, pyproject__toml='[dependency-groups]\ntest = ["pytest"]\n', requirements__txt=""
    )
    assert read(tmp_path, groups=("test",)).groups == ((tmp_path / "pyproject.toml", "test"),)
    assert read(tmp_path).labels == ("requirements.txt",)


def test_what_poetry_declares(tmp_path: Path) -> None:
    text = """
[tool.poetry.dependencies]
python = "^3.9"
requests = "^2.31"
[tool.poetry.group.test.dependencies]
pytest = "*"
"""
    write(tmp_path, pyproject__toml=text)
    found = read(tmp_path, groups=("test",))
    assert texts(found) == ["requests>=2.31,<3", "pytest"]
    assert {line.label for line in found.lines} == {"pyproject.toml"}
    assert found.pythons == (("pyproject.toml", ">=3.9,<4"),)
    assert found.files == ()


def test_a_constraint_that_is_none(tmp_path: Path) -> None:
    write(tmp_path, pyproject__toml='[tool.poetry.dependencies]\nlib = "about 2"\n')
    with pytest.raises(
        UsageError, match=r"pyproject\.toml: \[tool\.poetry\]: the dependency lib: "
    ):
        read(tmp_path)


def test_dependencies_that_a_build_tells(tmp_path: Path) -> None:
    text = '[project]\nname = "app"\nversion = "1"\ndynamic = ["dependencies"]\n'
    write(tmp_path, pyproject__toml=text)
    found = read(tmp_path)
    assert [file.label for file in found.files] == ["pyproject.toml"]
    assert "leaves its dependencies to its build" in found.notes[0]
    write(tmp_path, uv__lock=LOCK)
    assert texts(read(tmp_path)) == ["numpy"]
    assert read(tmp_path).files == ()


def test_a_directory_of_requirements(tmp_path: Path) -> None:
    write(tmp_path, requirements_dev__txt="")
    write(tmp_path, requirements_test__txt="")
    both = read(tmp_path)
    assert both.labels == ("requirements_dev.txt", "requirements_test.txt")
    write(tmp_path, requirements__txt="", pyproject__toml="[tool.ruff]\n")
    found = read(tmp_path)
    assert found.labels == ("requirements.txt",)
    assert found.notes == (
        "not audited, because not named: requirements_dev.txt, requirements_test.txt",
    )


def test_files_of_requirements(tmp_path: Path) -> None:
    write(tmp_path / "sub", base__in="", dev__txt="")
    found = read(tmp_path, "sub/base.in", "sub/dev.txt")
    assert [file.label for file in found.files] == ["sub/base.in", "sub/dev.txt"]
    # As with pip, relative paths in them count from where the user is.
    assert found.project == tmp_path


def test_the_name_of_a_folder_may_be_a_package(tmp_path: Path) -> None:
    (tmp_path / "requests").mkdir()
    assert texts(read(tmp_path, "requests")) == ["requests"]
    with pytest.raises(UsageError, match="nothing to audit in it"):
        read(tmp_path, "./requests")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("gone.txt", "gone.txt does not exist"),
        ("./gone", "./gone does not exist"),
        ("uv.lock", "uv.lock does not exist"),
        ("foo bar", "'foo bar' is no file, no directory and no requirement"),
        ("data.csv", "data.csv is of no kind that can be audited"),
        (".", ". is a directory with nothing to audit in it"),
    ],
)
def test_what_is_refused(tmp_path: Path, word: str, says: str) -> None:
    write(tmp_path, data__csv="")
    with pytest.raises(UsageError, match=says) as caught:
        read(tmp_path, word)
    assert "requirements.txt" in caught.value.hint


def test_what_is_neither_file_nor_directory(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="pipe is neither a file nor a directory"):
        read(tmp_path, "pipe")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[project]\nname = 'a'\ndependencies = [\n  'numpy',\n  'x y',\n]\n",
            r"toml, line 5: 'x y' is no requirement",
        ),
        ("[project]\nname = \n", r"toml, line 2: not TOML"),
        ("name = " + "9" * 5000, r"toml is no TOML that can be read"),
        ("name = " + "[" * 3000, r"toml is no TOML that can be read"),
        ("project = 3\n", "project is no table"),
        ("[tool.ruff]\n", "declares no dependencies"),
    ],
)
def test_a_broken_project(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path, pyproject__toml=text)
    with pytest.raises(UsageError, match=says):
        read(tmp_path, "pyproject.toml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not text in UTF-8"):
        read(tmp_path)


def test_a_virtual_environment(tmp_path: Path) -> None:
    write(tmp_path / "venv", pyvenv__cfg="version = 3.12.4\n")
    write(
        tmp_path / "venv" / "lib" / "python3.12" / "site-packages" / "app-1.0.dist-info",
        METADATA="Metadata-Version: 2.1\nName: app\nVersion: 1.0\n\n",
    )
    found = read(tmp_path, "venv")
    assert (found.labels, texts(found), found.pins) == (("venv",), ["app==1.0"], ("app==1.0",))
    assert found.project == tmp_path


def test_several_words(tmp_path: Path) -> None:
    write(tmp_path / "a", pyproject__toml=PROJECT)
    write(tmp_path / "b", pyproject__toml=PROJECT)
    found = read(tmp_path, "numpy", "a", "b")
    assert found.labels == ("numpy", "a/pyproject.toml", "b/pyproject.toml")
    assert found.project == tmp_path / "a"
    assert read(tmp_path / "a", ".", "../b").project == tmp_path / "a"
