from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild.auditing.findings import Audit, Grade, Status
from ftbuild.auditing.inputs.words import read_inputs
from ftbuild.auditing.steps import How, audit
from ftbuild.errors import UsageError
from ftbuild.model.events import Measuring, Noted
from ftbuild.store.layout import Layout
from tests.unit.auditing.examples import TARGET
from tests.unit.provision.worlds import world
from tests.unit.wheels.tiny import wheel

# What resolves for the target has to run here; what it accepts is 3.14t's all the same.
HERE = msgspec.structs.replace(TARGET, python=sys.executable)
GIL = "cp314-cp314-manylinux_2_17_x86_64"


def index(folder: Path) -> Path:
    """The wheels of a directory as an index has them."""
    for path in folder.glob("*.whl"):
        page = folder / "simple" / path.name.partition("-")[0] / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as file:
            file.write(f'<a href="{path.as_uri()}">{path.name}</a>\n')
    return folder / "simple"


def audited(layout: Layout, folder: Path, *words: str, **how: Any) -> tuple[Audit, list[object]]:
    """An audit against a directory of packages, and what was told meanwhile."""
    made, events = world(layout)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "UV_CACHE_DIR": str(folder / "cache"),
        "PIP_INDEX_URL": index(folder).as_uri(),
    }
    inputs = read_inputs(words, extras=(), groups=(), cwd=folder)
    options = How(**{"probe": False, "timeout": 3.0, "jobs": 1} | how)
    (found,) = audit(inputs, [HERE], options, msgspec.structs.replace(made, env=env))
    return found, list(events)


def test_from_requirements_to_verdicts(layout: Layout, tmp_path: Path) -> None:
    wheel(tmp_path, "app", "1.0", "native")
    wheel(tmp_path, "native", "2.0", tag=GIL)
    found, events = audited(layout, tmp_path, "app")
    native, app = found.findings
    assert (native.package.name, native.status) == ("native", Status.MISSING)
    assert native.package.chain == ("app",)
    assert native.advice is not None
    assert (app.grading.grade, app.status) == (Grade.PURE, Status.FINE)
    assert not found.probed
    assert set(found.seconds) == {"resolve", "grade", "advise"}
    assert any(isinstance(event, Measuring) for event in events)
    assert not any(isinstance(event, Noted) for event in events), "nobody's code is run"
    assert list(layout.work.iterdir()) == []


def test_the_index_that_a_requirement_file_names(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "corp").mkdir()
    wheel(tmp_path / "corp", "ours", "1.0")
    where = index(tmp_path / "corp").as_uri()
    (tmp_path / "requirements.txt").write_text(f"--index-url {where}\nours\n")
    wheel(tmp_path, "other", "1.0")
    found, _ = audited(layout, tmp_path, "requirements.txt")
    (ours,) = found.findings
    assert (ours.package.index, ours.status) == (where, Status.FINE)


def test_nothing_is_required(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# nothing yet\n")
    found, _ = audited(layout, tmp_path, "requirements.txt")
    assert found.findings == ()


def test_the_nearest_version_and_who_forbids_it(layout: Layout, tmp_path: Path) -> None:
    wheel(tmp_path, "app", "1.0", "native<2")
    wheel(tmp_path, "native", "1.0", tag=GIL)
    wheel(tmp_path, "native", "2.0", tag=GIL.replace("-cp314-", "-cp314t-"))
    found, _ = audited(layout, tmp_path, "app")
    advice = found.findings[0].advice
    assert advice is not None
    assert (advice.version, advice.allowed) == ("2.0", False)
    assert "app" in advice.forbidden_by


def test_what_only_a_lock_forbids(layout: Layout, tmp_path: Path) -> None:
    wheel(tmp_path, "native", "1.0", tag=GIL)
    wheel(tmp_path, "native", "2.0", tag=GIL.replace("-cp314-", "-cp314t-"))
    project = tmp_path / "shop"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\ndependencies = ["native"]\n'
    )
    (project / "poetry.lock").write_text(
        '[[package]]\nname = "native"\nversion = "1.0"\ngroups = ["main"]\n'
        '[metadata]\nlock-version = "2.1"\n'
    )
    found, _ = audited(layout, tmp_path, "shop")
    (native,) = found.findings
    assert native.package.version == "1.0"
    assert native.advice is not None
    assert native.advice.allowed
    assert "lock file" in native.advice.text


@pytest.mark.parametrize("option", ["build", "stress", "tests"])
def test_running_something_and_nothing(option: str, layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"--{option} does"):
        audited(layout, tmp_path, "app", **{option: True})
