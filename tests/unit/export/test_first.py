from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbuild.export.first import found_first
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout
from ftbuild.toolchain import Finding, Grade
from tests.builders import DEFAULT, store


def found(layout: Layout, *path: Path) -> list[Finding]:
    env = {"PATH": ":".join(map(str, (*path, "/bin")))}
    return list(found_first(layout, default_profile=DEFAULT, env=env))


def stranger(folder: Path, name: str, *, free_threaded: bool) -> Path:
    """Somebody's Python, which says what it is."""
    answer = {"version": "3.14.2", "free_threaded": free_threaded, "executable": "/opt/x/python"}
    return program(folder, name, f"echo '{json.dumps(answer)}'")


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return folder


def statuses(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.what, finding.status.value) for finding in findings]


def test_nothing_is_said_where_nothing_is_installed(layout: Layout) -> None:
    assert found(layout) == []


def test_not_on_the_path(layout: Layout) -> None:
    store(layout)
    (finding,) = found(layout)
    assert (finding.what, finding.status) == ("python3.14t", Grade.OPTIONAL)
    assert f'export PATH="{layout.bin}:$PATH"' in finding.note


def test_found_first(layout: Layout, tmp_path: Path) -> None:
    store(layout, Variant.GIL)
    store(layout)
    after = stranger(tmp_path / "other", "python3.14", free_threaded=False)
    assert statuses(found(layout, layout.bin, after)) == [
        ("python3.14", "ok"),
        ("python3.14t", "ok"),
    ]


def test_another_comes_first(layout: Layout, tmp_path: Path) -> None:
    store(layout)
    other = stranger(tmp_path / "other", "python3.14t", free_threaded=True)
    (finding,) = found(layout, other, layout.bin)
    assert (finding.status, finding.found) == (Grade.WRONG, str(other / "python3.14t"))
    assert "free-threaded 3.14.2, /opt/x/python" in finding.note
    assert f'export PATH="{layout.bin}:$PATH"' in finding.note


def test_our_own_free_threaded_prefix_comes_first(layout: Layout) -> None:
    """CPython has a python3.14 in there, too: it is known for what it is without being asked."""
    store(layout, Variant.GIL)
    free_threaded = store(layout)
    folder = free_threaded.python.parent
    program(folder, "python3.14", "exit 1")
    findings = found(layout, folder, layout.bin)
    assert statuses(findings) == [
        ("python3.14", "wrong"),
        ("python3.14t", "ok"),
        ("python3.14", "wrong"),
    ]
    assert f"Take {folder} off the PATH" in findings[-1].note


def test_a_directory_that_is_on_the_path_twice_is_told_of_once(layout: Layout) -> None:
    folder = store(layout).python.parent
    program(folder, "python3.14", "exit 1")
    findings = found(layout, folder, layout.bin, folder)
    assert statuses(findings) == [("python3.14t", "ok"), ("python3.14", "wrong")]


def test_an_empty_entry_is_the_current_directory(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(layout)
    monkeypatch.chdir(layout.bin)
    (finding,) = found_first(layout, default_profile=DEFAULT, env={"PATH": ":/bin"})
    assert finding.status == Grade.OK


def test_a_free_threaded_python_behind_ours_is_told_too(layout: Layout, tmp_path: Path) -> None:
    """uv and tox look at all there are."""
    store(layout, Variant.GIL)
    other = stranger(tmp_path / "other", "python3.14", free_threaded=True)
    assert statuses(found(layout, layout.bin, other)) == [
        ("python3.14", "ok"),
        ("python3.14", "wrong"),
    ]


def test_one_that_only_has_the_free_threaded_build_is_warned_of_impostors(
    layout: Layout, tmp_path: Path
) -> None:
    store(layout)
    other = stranger(tmp_path / "other", "python3.14", free_threaded=True)
    assert statuses(found(layout, layout.bin, other)) == [
        ("python3.14t", "ok"),
        ("python3.14", "wrong"),
    ]


@pytest.mark.parametrize("script", ["exit 127", "echo no JSON", "kill -9 $$", "echo '{}'"])
def test_a_program_that_does_not_answer(layout: Layout, tmp_path: Path, script: str) -> None:
    """A shim of pyenv, say, for which no version was chosen."""
    store(layout, Variant.GIL)
    other = program(tmp_path / "other", "python3.14", script)
    (finding,) = found(layout, other, layout.bin)
    assert (finding.status, "does not answer" in finding.note) == (Grade.WRONG, True)


def test_an_active_virtual_environment_is_passed_over(layout: Layout, tmp_path: Path) -> None:
    store(layout, Variant.GIL)
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    inside = stranger(tmp_path / "venv" / "bin", "python3.14", free_threaded=True)
    assert statuses(found(layout, inside, layout.bin)) == [("python3.14", "ok")]
