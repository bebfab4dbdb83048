"""The scripts that import modules, run by the Python of these tests, which has a GIL."""

from __future__ import annotations

import ast
import json
import os
import runpy
import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ftbuild import process
from ftbuild.auditing.target import PROBES

HIDES_FROM_ALL = """
import os
if not os.fork():
    os.setsid()
    if not os.fork():
        with open(os.environ["HOME"] + "/../../told", "w") as file:
            file.write(str(os.getpid()))
        os.execve("/bin/sleep", ["sleep", "600"], {})
    os._exit(0)
os.wait()
"""

MODULES = {
    "fine": "",
    "loud": "import os\nos.write(2, b'y' * 2**18 + b'last words')\nos.kill(os.getpid(), 9)",
    "leaves": "import os\nos._exit(0)",
    "exits": "raise SystemExit(3)",
    "odd": "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd",
    "lacks": "try:\n    import gone.inner\nexcept ImportError:\n    raise ImportError('no')",
    "aborts": "import os\ndef deep():\n    os.abort()\ndeep()",
    "sleeps": "import time\ntime.sleep(600)",
    "forks": "import os\nos.fork()",
    "leaver": "import os, time\nif not os.fork():\n    os.setsid()\n    time.sleep(600)",
    "killer": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n" + HIDES_FROM_ALL,
    "hider": HIDES_FROM_ALL,
    "group/__init__": "",
    "group/a": "",
    "group/b": "import os\nos.kill(os.getpid(), 11)",
    "group/c": "import group.d",
    "group/d": "from group.c import nothing",
    "stuck/__init__": "import time\ntime.sleep(600)",
    "stuck/a": "",
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with these modules."""
    folder = tmp_path_factory.mktemp("venv")
    made = process.capture(
        (sys.executable, "-m", "venv", "--without-pip", folder), env=dict(os.environ)
    )
    assert made.ok, made.stderr
    (packages,) = folder.glob("lib/python*/site-packages")
    for name, text in MODULES.items():
        (packages / f"{name}.py").parent.mkdir(exist_ok=True)
        (packages / f"{name}.py").write_text(text)
    return folder / "bin" / "python"


def planned(
    python: Path, folder: Path, tasks: Sequence[tuple[str | None, list[str]]], timeout: float
) -> Path:
    """A plan, for the supervisor to read."""
    plan = {
        "python": str(python),
        "importing": str(PROBES / "importing.py"),
        "stressing": str(PROBES / "stressing.py"),
        "folder": str(folder),
        "env": {"PATH": os.defpath},
        "mark": process.MARK,
        "jobs": 2,
        "timeout": timeout,
        "seconds": 0.1,
        "threads": 2,
        "limits": {"RLIMIT_CORE": 0, "RLIMIT_NO_SUCH_THING": 1},
        "tasks": [
            {"package": package, "modules": names, "stress": False} for package, names in tasks
        ],
    }
    path = folder / "plan.json"
    path.write_text(json.dumps(plan))
    return path


def streamed(
    python: Path, folder: Path, *tasks: tuple[str | None, list[str]]
) -> tuple[dict[str, dict[str, Any]], int]:
    """What the supervisor tells when it is run as an audit does it, and how it ends."""
    found: list[str] = []
    code = process.stream(
        (*SUPERVISE, planned(python, folder, tasks, 60.0)),
        env={"PATH": os.defpath, process.MARK: str(folder)},
        cwd=folder,
        log=folder / "log",
        on_line=found.append,
        stop=threading.Event(),
    )
    lines = [json.loads(line) for line in found]
    return {line["module"]: line for line in lines}, code


SUPERVISE = (sys.executable, "-I", "-S", "-B", PROBES / "supervise.py")


def supervised(
    python: Path, folder: Path, *tasks: tuple[str | None, list[str]], timeout: float = 60.0
) -> dict[str, dict[str, Any]]:
    plan = planned(python, folder, tasks, timeout)
    done = process.capture((*SUPERVISE, plan), env={"PATH": os.defpath})
    assert done.ok, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert not list(folder.glob("[0-9]*")), "directories of processes are left"
    assert process.end_marked(str(folder)) == 0
    return {line["module"]: line for line in lines}


def test_what_comes_of_modules(python: Path, tmp_path: Path) -> None:
    names = ["fine", "loud", "leaves", "exits", "odd", "lacks", "aborts", "forks", "leaver"]
    found = supervised(python, tmp_path, *((None, [name]) for name in names))
    assert set(found) == set(names)
    reports = {name: line["report"] for name, line in found.items()}
    for name in ("fine", "forks", "leaver"):
        assert reports[name]["error"] is None
    assert reports["exits"]["error"] == "SystemExit: 3"
    assert reports["odd"]["error"] == "Odd: …"
    assert (reports["lacks"]["error"], reports["lacks"]["lacks"]) == ("ImportError: no", "gone")
    assert (reports["leaves"], found["leaves"]["code"]) == (None, 0)
    assert (found["loud"]["code"], found["loud"]["said"][-10:]) == (-9, "last words")
    assert found["aborts"]["code"] == -6
    assert "in deep" in found["aborts"]["fault"]


@pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux's")
@pytest.mark.parametrize("name", ["hider", "killer"])
def test_nothing_outlives_a_run(python: Path, tmp_path: Path, name: str) -> None:
    """Neither what has left its parents, session and environment, nor the orphans of the run."""
    found, code = streamed(python, tmp_path, (None, [name]), (None, ["leaver"]))
    assert code == (-9 if name == "killer" else 0)
    assert name == "killer" or found["hider"]["report"]["error"] is None
    told = tmp_path / "told"
    assert name == "killer" or told.exists()
    assert not told.exists() or not Path("/proc", told.read_text()).exists()
    assert process.end_marked(str(tmp_path)) == 0
    shutil.rmtree(tmp_path)  # nobody is left to write to it


def test_a_group_is_tried_in_forks_and_what_fails_alone(python: Path, tmp_path: Path) -> None:
    found = supervised(python, tmp_path, ("group", ["group.a", "group.b", "group.c"]))
    assert found["group.a"]["report"]["error"] is None
    assert (found["group.b"]["report"], found["group.b"]["code"]) == (None, -11)
    assert "cannot import name 'nothing'" in found["group.c"]["report"]["error"]


def test_a_package_that_hangs_is_waited_for_once(python: Path, tmp_path: Path) -> None:
    tasks = [(None, ["stuck"]), ("stuck", ["stuck.a", "stuck.b"]), (None, ["stuck.c"])]
    found = supervised(python, tmp_path, *tasks, timeout=0.5)
    assert found["stuck"]["late"]
    assert "stuck/__init__.py" in found["stuck"]["fault"]
    assert {found[f"stuck.{name}"]["within"] for name in "abc"} == {"stuck"}


def test_a_module_of_a_circle_is_imported_by_the_way_that_programs_take(
    python: Path, tmp_path: Path
) -> None:
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    (packages / "inner.py").write_text("import outer\nname = 1\n")
    (packages / "outer.py").write_text("import sys\nif 'seen' in sys.modules:\n    import inner\n"
        "else:\n    sys.modules['seen'] = sys\n    from inner import name\n")  # fmt: skip
    found = supervised(python, tmp_path, (None, ["inner"]))
    assert found["inner"]["report"]["error"] is None


def test_a_witness_tells_which_modules_are_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = runpy.run_path(str(PROBES / "witness.py"))
    (tmp_path / "first.py").write_text("import second.inner")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "__init__.py").write_text("")
    (tmp_path / "second" / "inner.py").write_text("import sys\nsys.told(sys._getframe())")
    monkeypatch.syspath_prepend(str(tmp_path))
    told: list[tuple[list[str], str]] = []

    def tell(frame: Any) -> None:
        told.append(witness["imports"](frame))

    monkeypatch.setattr(sys, "told", tell, raising=False)
    __import__("first")
    names, file = told[0]
    assert names[-2:] == ["first", "second.inner"]
    assert file == str(tmp_path / "second" / "inner.py")
    for name in ("first", "second", "second.inner"):
        monkeypatch.delitem(sys.modules, name)


def test_what_ends_waits_or_removes_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = runpy.run_path(str(PROBES / "stressing.py"))["harmless"]
    kept = {"count", "hexdigest", "Element", "asarray", "readable"}
    left = {"wait_all", "runTests", "_private", "System", "remove_all", "read", "KillSwitch"}
    assert {name for name in kept | left if harmless(name)} == kept


def test_calling_from_many_threads_ends_with_a_report(python: Path, tmp_path: Path) -> None:
    done = process.capture(
        (python, "-I", "-B", PROBES / "stressing.py", tmp_path, "0.1", "3", "fine", "exits"),
        env={},
    )
    assert done.ok, done.stderr
    assert ast.literal_eval((tmp_path / "0").read_text())["error"] is None
