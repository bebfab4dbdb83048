"""Whatever a project's files hold: an error of ours, or none."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ftbuild.auditing.inputs.environments import read_environment
from ftbuild.auditing.inputs.words import read_inputs
from ftbuild.errors import FtbuildError, UsageError
from ftbuild.wheels.uv import _toml_of

KEYS = (
    *("project", "name", "version", "dependencies", "optional-dependencies", "dynamic"),
    *("requires-python", "dependency-groups", "tool", "poetry", "uv", "build-system", "group"),
    *("python", "extras", "markers", "git", "url", "path", "rev", "package", "packages", "source"),
    *("registry", "editable", "manifest", "members", "marker", "metadata", "python-versions"),
    *("lock-version", "created-by", "archive", "vcs", "type", "commit-id", "hashes", "groups"),
    *("dev-dependencies", "resolution-markers", "extra", "optional", "subdirectory", "index"),
)
TEXTS = (
    *("numpy", "numpy>=1", "^1.2", "~=3", "1.0", ">=3.9", "x @ http://[", "python_version ~= 'a'"),
    *("(" * 3000, "os_name == '" + "a" * 30, "1." * 50, "git@x:y", "legacy", "9" * 5000, "\0"),
)
LEAVES = st.sampled_from(TEXTS) | st.text(max_size=8) | st.integers() | st.booleans()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)
FILES = ("pyproject.toml", "uv.lock", "poetry.lock", "pylock.toml")

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


def read(path: Path) -> None:
    for asked in ((), ("x",)):
        with contextlib.suppress(FtbuildError):
            read_inputs([path.name], extras=asked, groups=asked, cwd=path.parent)


@pytest.mark.parametrize("name", FILES)
@quick
@given(document=DOCUMENTS)
def test_any_document(tmp_path: Path, name: str, document: dict[str, Any]) -> None:
    whole = document
    if name == "uv.lock":
        whole = {"version": 1, **document}
    if name == "pylock.toml":
        whole = {"lock-version": "1.0", "created-by": "x", "packages": [document]}
    (tmp_path / name).write_text(_toml_of(whole), encoding="utf-8")
    read(tmp_path / name)


@pytest.mark.parametrize("key", ["project", "dependency-groups", "tool", "package", "metadata"])
@pytest.mark.parametrize("name", FILES[:3])
@quick
@given(table=DOCUMENTS | st.lists(DOCUMENTS, max_size=2))
def test_any_table(tmp_path: Path, name: str, key: str, table: Any) -> None:
    (tmp_path / name).write_text(_toml_of({"version": 1, key: table}), encoding="utf-8")
    read(tmp_path / name)


@pytest.mark.parametrize("name", FILES)
@quick
@given(
    content=st.binary(max_size=64) | st.text(alphabet='[]{}="a.1\n', max_size=64).map(str.encode)
)
@example(b"a = " + b"[" * 5000)
@example(b"a = " + b"9" * 5000)
def test_any_bytes(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    read(tmp_path / name)


@quick
@given(word=st.text() | st.sampled_from(TEXTS).map(lambda text: f"x; {text}"))
def test_any_word(tmp_path: Path, word: str) -> None:
    with contextlib.suppress(FtbuildError):
        read_inputs([word], extras=(), groups=(), cwd=tmp_path)


@quick
@given(record=VALUES, metadata=st.text(), configuration=st.text())
def test_any_environment(tmp_path: Path, record: Any, metadata: str, configuration: str) -> None:
    info = tmp_path / "lib" / "python3.12" / "site-packages" / "a-1.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    text = f"Name: a\nVersion: 1\nRequires-Dist: b; python_version ~= 'x'\n{metadata}"
    (info / "METADATA").write_bytes(text.encode("utf-8", "replace"))
    (info / "direct_url.json").write_text(json.dumps(record))
    (tmp_path / "pyvenv.cfg").write_bytes(configuration.encode("utf-8", "replace"))
    with contextlib.suppress(FtbuildError):
        read_environment(tmp_path)


def test_an_environment_with_a_file_without_an_end(tmp_path: Path) -> None:
    info = tmp_path / "lib" / "python3.12" / "site-packages" / "a-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").symlink_to("/dev/zero")
    (tmp_path / "pyvenv.cfg").touch()
    with pytest.raises(UsageError, match="neither a regular file nor a pipe"):
        read_environment(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_beyond_all_measure(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UsageError, match="has more than"):
        read_inputs([name], extras=(), groups=(), cwd=tmp_path)
