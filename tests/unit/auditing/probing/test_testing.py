"""Running a project's tests, with the Python of these tests; it has a GIL, always."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from ftbuild import process
from ftbuild.auditing import findings
from ftbuild.auditing.probing.environment import Environment
from ftbuild.auditing.probing.testing import read_records, run_tests, scrubbed
from ftbuild.errors import Interrupted
from ftbuild.model.events import Event


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """The skeleton of one, without an interpreter: nothing here starts Python."""
    path = tmp_path / "venv"
    (path / "lib" / "python3.14t" / "site-packages").mkdir(parents=True)
    (path / "bin").mkdir()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Environment(
        path=path, python=path / "bin" / "python", scratch=scratch, search="/usr/bin:/bin"
    )


def ignore(_: Event) -> None:
    """Nobody watches."""


def ran(command: str, environment: Environment, timeout: float = 30.0) -> findings.TestsRun:
    return run_tests(
        command, environment, environment.path.parent, timeout=timeout, stop=threading.Event(),
        emit=ignore,
    )  # fmt: skip


def test_a_command_of_the_shell_in_the_projects_directory(environment: Environment) -> None:
    found = ran('echo "$VIRTUAL_ENV"; pwd; echo oops >&2; exit 3', environment)
    assert (found.code, found.ending) == (3, "exit status 3")
    assert found.tail == (str(environment.path), str(environment.path.parent), "oops")
    assert (found.gil_before, found.gil_after) == (None, None)  # its interpreter never ran


def test_only_the_search_path_is_the_callers(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    found = scrubbed(environment, tmp_path)
    assert found["PATH"] == f"{environment.path}/bin:/usr/bin:/bin"
    assert found["HOME"] == str(tmp_path / "home")
    assert not {"SECRET_TOKEN", "PYTHONPATH", "PYTHON_GIL"} & set(found)
    assert "SECRET" not in "\n".join(ran("env", environment).tail)


def test_what_processes_wrote_down_is_joined(environment: Environment) -> None:
    seen = "{'before': False, 'after': %s, 'culprits': [%s]}"
    culprit = "{'module': 'a._b', 'file': '/a.so', 'chain': ['%s', 'a._b']}"
    command = "; ".join(
        f'echo "{text}" > "$FTBUILD_WITNESS/{number}"'
        for number, text in enumerate(
            [
                seen % ("None", ""),
                seen % ("True", culprit % "first"),
                seen % ("True", culprit % "second"),
                "{'cut off",
            ]
        )
    )
    found = ran(command, environment)
    assert (found.gil_before, found.gil_after) == (False, True)
    assert [item.chain for item in found.culprits] == [("first", "a._b")]


def test_the_hook_is_there_for_the_run_only(environment: Environment) -> None:
    found = ran(f"ls {environment.packages}", environment)
    assert found.tail == ("0-ftbuild_witness.pth", "ftbuild_witness.py")
    assert not list(environment.packages.iterdir())


def test_the_hook_writes_what_a_process_saw(environment: Environment, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    script = (
        "import sys, ftbuild_witness as w; w.record(); w._create\n"
        "assert w.imports(sys._getframe())[0] == []\n"
    )
    ran(f"cp {environment.packages}/*.py {tmp_path}", environment)
    done = process.capture(
        (sys.executable, "-c", script),
        env={"FTBUILD_WITNESS": str(seen), "PYTHONPATH": str(tmp_path)},
    )
    assert done.ok, done.stderr
    (record,) = read_records(seen)
    assert (record.before, record.after, record.culprits) == (True, True, ())


def test_tests_that_never_end_are_ended(environment: Environment) -> None:
    found = ran("echo begun; exec sleep 600", environment, timeout=0.2)
    assert found.ending.startswith("took longer than")
    assert found.code < 0


def test_tests_that_are_stopped_are_interrupted(environment: Environment) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        run_tests(
            "exec sleep 600", environment, environment.path.parent, timeout=60.0, stop=stop,
            emit=ignore,
        )  # fmt: skip
    assert not list(environment.packages.iterdir())
