from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ftbuild.auditing.inputs.locks import Locked, read_lock
from ftbuild.errors import UsageError

FOLDER = Path("/work/project")
INDEX = 'source = { registry = "https://index.example/simple" }'


def read(
    name: str, text: str, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()
) -> Locked:
    found = read_lock(FOLDER / name, tomllib.loads(text), extras=extras, groups=groups)
    for line in (*found.pins, *(root.text for root in found.roots)):
        Requirement(line)
    return found


def texts(found: Locked) -> list[str]:
    return [root.text for root in found.roots]


UV = f"""
version = 1
revision = 3
requires-python = ">=3.10"

[[package]]
name = "app"
version = "1"
source = {{ editable = "." }}
dependencies = [
    {{ name = "lib" }},
    {{ name = "numpy", version = "1.26.4", {INDEX}, marker = "python_full_version < '3.12'" }},
    {{ name = "numpy", version = "2.4.0", {INDEX}, marker = "python_full_version >= '3.12'" }},
    {{ name = "psycopg", extra = ["binary", "pool"] }},
    {{ name = "vcs" }},
    {{ name = "direct" }},
]

[package.optional-dependencies]
x = [{{ name = "attrs" }}]

[package.dev-dependencies]
dev = [{{ name = "pytest", marker = "sys_platform == 'linux'" }}]

[[package]]
name = "lib"
version = "1"
source = {{ directory = "../lib" }}
dependencies = [{{ name = "click", marker = "sys_platform != 'win32'" }}]

[[package]]
name = "numpy"
version = "1.26.4"
{INDEX}
resolution-markers = ["python_full_version < '3.11'", "python_full_version == '3.11.*'"]

[[package]]
name = "numpy"
version = "2.4.0"
{INDEX}
resolution-markers = ["python_full_version >= '3.12'"]

[[package]]
name = "psycopg"
version = "3.3.0"
{INDEX}

[[package]]
name = "attrs"
version = "26.1.0"
{INDEX}

[[package]]
name = "click"
version = "8.3.0"
{INDEX}

[[package]]
name = "pytest"
version = "9.0.0"
{INDEX}

[[package]]
name = "vcs"
version = "0.1"
source = {{ git = "https://git.example/vcs?subdirectory=py&rev=main#0123abcd" }}

[[package]]
name = "direct"
version = "0.1"
source = {{ url = "https://files.example/direct-0.1.tar.gz" }}
"""


def test_uv_lock() -> None:
    found = read("uv.lock", UV)
    assert texts(found) == [
        "numpy==1.26.4 ; python_full_version < '3.12'",
        "numpy==2.4.0 ; python_full_version >= '3.12'",
        "psycopg[binary,pool]",
        "vcs @ git+https://git.example/vcs@0123abcd#subdirectory=py",
        "direct @ https://files.example/direct-0.1.tar.gz",
        "click ; sys_platform != 'win32'",
    ]
    assert found.pins == (
        "numpy==1.26.4 ; (python_full_version < '3.11') or (python_full_version == '3.11.*')",
        "numpy==2.4.0 ; python_full_version >= '3.12'",
        "psycopg==3.3.0",
        "attrs==26.1.0",
        "click==8.3.0",
        "pytest==9.0.0",
    )
    assert found.python == ">=3.10"
    assert found.notes == ("part of the project and not from an index: lib",)


def test_extras_and_groups_of_uv_lock() -> None:
    found = read("uv.lock", UV, extras=("X",), groups=("dev",))
    assert texts(found)[-3:] == [
        "attrs",
        "pytest ; sys_platform == 'linux'",
        "click ; sys_platform != 'win32'",
    ]


def test_a_workspace_without_a_project_of_its_own() -> None:
    text = f"""
version = 1
[manifest]
members = ["one", "two"]
[[package]]
name = "one"
version = "1"
source = {{ virtual = "one" }}
dependencies = [{{ name = "two" }}, {{ name = "click" }}]
[[package]]
name = "two"
source = {{ editable = "two" }}
dependencies = [{{ name = "one" }}]
[[package]]
name = "click"
version = "8"
{INDEX}
"""
    assert texts(read("uv.lock", text)) == ["click"]


@pytest.mark.parametrize("marker", ["", "resolution-markers = [\"extra == 'extra-3-app-cpu'\"]"])
def test_versions_that_cannot_be_told_apart(marker: str) -> None:
    text = "version = 1\n" + "".join(
        f'[[package]]\nname = "torch"\nversion = "{version}"\n{INDEX}\n{marker}\n'
        for version in ("2.6.0", "2.7.0")
    )
    found = read("uv.lock", text)
    assert found.pins == ()
    assert "torch is locked at several versions" in found.notes[0]


POETRY = """
[[package]]
name = "Requests"
version = "2.32.0"
optional = false
groups = ["main", "dev"]
markers = "python_version >= '3.9'"

[[package]]
name = "pytest"
version = "8.0"
optional = false
groups = ["dev"]

[[package]]
name = "fast"
version = "1.0"
optional = true
groups = ["main"]

[package.markers]
main = "extra == 'x'"
dev = "sys_platform == 'linux'"

[[package]]
name = "mirrored"
version = "1.0"
optional = false

[package.source]
type = "legacy"
url = "https://mirror.example/simple"

[[package]]
name = "vcs"
version = "1.0"
optional = false

[package.source]
type = "git"
url = "https://git.example/vcs.git"
reference = "main"
resolved_reference = "0123abcd"

[[package]]
name = "near"
version = "1.0"
optional = false

[package.source]
type = "directory"
url = "../near"

[extras]
x = ["fast"]

[metadata]
lock-version = "2.1"
python-versions = "^3.9"
"""


def test_poetry_lock() -> None:
    found = read("poetry.lock", POETRY.replace("extra == 'x'", "os_name == 'posix'"))
    assert texts(found) == [
        "requests==2.32.0 ; python_version >= '3.9'",
        "mirrored==1.0",
        "vcs @ git+https://git.example/vcs.git@0123abcd",
    ]
    assert "pytest==8.0" in found.pins
    assert "fast==1.0 ; (os_name == 'posix') or (sys_platform == 'linux')" in found.pins
    assert not any(pin.startswith("vcs") for pin in found.pins)
    assert found.python == ">=3.9,<4"
    assert found.notes == ("not from an index: near",)


def test_extras_and_groups_of_poetry_lock() -> None:
    text = POETRY.replace("extra == 'x'", "os_name == 'posix'")
    assert "pytest==8.0" in texts(read("poetry.lock", text, groups=("dev",)))
    assert any(
        text.startswith("fast==1.0") for text in texts(read("poetry.lock", text, extras=("x",)))
    )


def _package(name: str, more: str) -> str:
    return f'[[packages]]\nname = "{name}"\n{more}\n'


FILES = (
    'version = "1.0"\nwheels = [{ url = "https://files.example/%s-1.0-py3-none-any.whl", '
    'hashes = { sha256 = "00" } }]'
)
PYLOCK = "".join(
    (
        'lock-version = "1.0"\ncreated-by = "hand"\nrequires-python = ">=3.13"\nextras = ["x"]\n',
        _package("plain", FILES % "plain"),
        _package("posix", FILES % "posix" + "\nmarker = \"os_name == 'posix'\""),
        _package("more", FILES % "more" + "\nmarker = \"'x' in extras\""),
        _package(
            "vcs", 'vcs = { type = "git", url = "https://git.example/v", commit-id = "0123" }'
        ),
        _package(
            "archive",
            'archive = { url = "https://files.example/a.zip", hashes = { sha256 = "00" } }',
        ),
        _package("near", 'directory = { path = "../near" }'),
    )
)


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.dev.toml"])
def test_pylock(name: str) -> None:
    found = read(name, PYLOCK)
    assert [(root.text, root.marker) for root in found.roots] == [
        ("plain==1.0", ""),
        ("posix==1.0", 'os_name == "posix"'),
        ("more==1.0", '"x" in extras'),
        ("vcs @ git+https://git.example/v@0123", ""),
        ("archive @ https://files.example/a.zip", ""),
    ]
    assert found.pins == ("plain==1.0", 'posix==1.0 ; os_name == "posix"')
    assert found.notes == ("not from an index: near",)
    assert found.python == ">=3.13"


@pytest.mark.parametrize(
    ("name", "text"), [("uv.lock", UV), ("poetry.lock", POETRY), ("pylock.toml", PYLOCK)]
)
def test_an_extra_that_is_not_there(name: str, text: str) -> None:
    with pytest.raises(UsageError, match="has no extra 'zz'") as caught:
        read(name, text, extras=("zz",))
    assert caught.value.hint == "It has: x"


@pytest.mark.parametrize(("name", "text"), [("uv.lock", UV), ("poetry.lock", POETRY)])
def test_a_group_that_is_not_there(name: str, text: str) -> None:
    with pytest.raises(UsageError, match="has no dependency group 'zz'") as caught:
        read(name, text, groups=("zz",))
    assert "dev" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("uv.lock", "version = 2", "version 2 of its format; 1 is understood"),
        ("uv.lock", "version = 1\n[[package]]\nversion = '1'", "'name' is missing"),
        ("poetry.lock", "package = 3", "not what a poetry.lock looks like"),
        ("poetry.lock", "[metadata]\npython-versions = 'any'", "no version constraint"),
        ("pylock.toml", "lock-version = '3.0'", "pylock.toml looks like"),
    ],
)
def test_what_is_no_lock(name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read(name, text)
