"""The tasks that hand builds to other tools, as they are typed."""

from __future__ import annotations

import json
import os
import signal
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbuild.model.versions import BOTH
from ftbuild.store.layout import Layout
from tests.builders import store
from tests.unit.test_cli import Ftbuild


@pytest.fixture(autouse=True)
def _own_home(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FTBUILD_ROOT", str(layout.root))
    monkeypatch.setenv("PATH", os.defpath)
    for name in ("PYENV_ROOT", "RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    terminated = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, terminated)


@pytest.fixture
def ftbuild_(layout: Layout, capsys: pytest.CaptureFixture[str]) -> Ftbuild:
    for variant in BOTH:
        store(layout, variant)
    return Ftbuild(layout, capsys)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("link path", "no directory was named"),
        ("link pyenv", "there is no pyenv root"),
        ("link pyenv 3.13", "no installed build matches 3.13"),
        ("unlink path 3.14.7t", "a series, not to a release"),
        ("export toolcache", "no tool cache was named"),
        ("export toolcache --dir /a\tb", "cannot be written into scripts"),
        ("export tox 3.13", "no installed build matches 3.13"),
        ("export tox --root /nowhere", "nothing is installed in /nowhere"),
    ],
)
def test_bad_input_exits_2_and_says_why(ftbuild_: Ftbuild, line: str, says: str) -> None:
    ended = ftbuild_(*line.split(" "))
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err


def test_launchers_come_and_go(ftbuild_: Ftbuild, tmp_path: Path) -> None:
    ended = ftbuild_("link", "path", "--into", "~/bin", "3.14")
    assert ended.code == 0
    assert f'export PATH="{tmp_path}/bin:$PATH"' in ended.out
    assert "fish_add_path" in ended.out
    again = ftbuild_("link", "path", "--into", "~/bin", "--json").json
    assert {link["status"] for link in again["links"]} == {"already"}
    assert again["found_first"] is False
    assert len(ftbuild_("unlink", "path", "--json").json["links"]) == 2
    assert "nothing of this root to unlink" in ftbuild_("unlink", "path").out


def test_no_snippet_where_none_is_needed(
    ftbuild_: Ftbuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.defpath}")
    assert "export PATH" not in ftbuild_("link", "path", "--into", "~/bin").out


def test_a_name_that_is_taken_exits_1_and_the_others_are_there(
    ftbuild_: Ftbuild, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3.14").touch()
    ended = ftbuild_("link", "path", "--into", "~/bin")
    assert ended.code == 1
    assert f"{tmp_path}/bin/python3.14 exists and is not ours: a file" in ended.err
    assert (tmp_path / "bin" / "python3.14t").is_symlink()


def test_pyenv_is_looked_for_where_pyenv_looks(
    ftbuild_: Ftbuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".pyenv").mkdir()
    (tmp_path / "other").mkdir()
    assert "pyenv rehash" in ftbuild_("link", "pyenv", "3.14t").out
    assert (tmp_path / ".pyenv/versions/3.14.7t/bin/python").exists()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "other"))
    assert ftbuild_("link", "pyenv", "3.14+gil").code == 0
    assert (tmp_path / "other/versions/3.14.7/bin/python").exists()
    assert len(ftbuild_("unlink", "pyenv", "--json").json["links"]) == 4


def test_remove_takes_the_links_along(ftbuild_: Ftbuild, tmp_path: Path) -> None:
    (tmp_path / ".pyenv").mkdir()
    ftbuild_("link", "pyenv")
    ftbuild_("link", "path", "--into", "~/bin")
    ended = ftbuild_("remove", "3.14t", "--json")
    gone = {link["name"] for link in ended.json["links"]}
    assert gone == {"3.14.7t", "fast-3.14.7t", "python3.14t"}
    assert [path.name for path in (tmp_path / "bin").iterdir()] == ["python3.14"]


def test_a_snippet_can_be_piped_into_its_file(ftbuild_: Ftbuild) -> None:
    assert set(tomllib.loads(ftbuild_("export", "tox", "3.14").out)["env"]) == {"3.14", "3.14t"}
    document = ftbuild_("export", "nox", "3.14t", "--json").json
    assert document["file"] == "noxfile.py"
    assert list(document["interpreters"]) == ["3.14t"]


def test_the_runners_variables_name_the_cache(
    ftbuild_: Ftbuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As setup-python has it: AGENT_TOOLSDIRECTORY is the one that counts."""
    for name in ("RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY"):
        taken = tmp_path / name / "Python/3.14.7/x64"
        taken.mkdir(parents=True)
        monkeypatch.setenv(name, str(tmp_path / name))
        ended = ftbuild_("export", "toolcache", "3.14+gil")
        assert ended.code == 1
        assert f"{taken} is there already" in ended.err


def test_doctor_tells_of_the_path_and_its_document_keeps_its_shape(
    ftbuild_: Ftbuild, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{layout.bin}:{os.environ['PATH']}")
    document = json.loads(ftbuild_("doctor", "--json").out)
    assert document.keys() >= {"format", "diagnosis", "ok", "command", "path"}
    assert {item["status"] for item in document["path"]} == {"ok"}
    monkeypatch.setenv("PATH", os.defpath)
    assert "python3.14t" in ftbuild_("doctor").out.partition("On the PATH")[2]
