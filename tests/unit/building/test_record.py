from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ftbuild.building.engine import Built
from ftbuild.building.record import Ingredients, Source, manifest_of
from ftbuild.model.components import Component
from ftbuild.model.manifest import Manifest, StageRecord
from ftbuild.store.tree import Tree
from tests.builders import HOST, OPENSSL

from .lines import LINK, LIST
from .plans import PROFILES, planned

EXPAT = Component(name="expat", version="2.8.2")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "03-compile.log"


def recorded(log: Path, profile: str = "fast", **asked: Any) -> Manifest:
    """The manifest of a build whose log is given and whose work directory lies beside it."""
    plan = planned(profile, work=log.parent / "work", libraries=(OPENSSL,), **asked)
    return manifest_of(
        plan,
        Built(stages=(StageRecord(name="compile", seconds=1.0),), compile_log=log),
        source=Source(
            origin="https://example.org/x.tar.xz",
            upstream="https://files.example/x.tar.xz",
            size=7,
            tree=plan.source,
        ),
        ingredients=Ingredients(bundled=(EXPAT,), linked=None),
        host=HOST,
        profile=PROFILES[profile],
        promised=("ssl",),
        missing=("tkinter",),
        contents=Tree(text="", links={"bin/python3": "python3.14t"}, size=9, count=1),
        settled=(StageRecord(name="pip", seconds=2.0),),
        jobs=3,
        started=datetime(2026, 11, 1, 12, 0, 0, 999, tzinfo=UTC),
        training="trained",
    )


def test_what_was_asked_used_and_came_out(log: Path) -> None:
    log.write_text(f"{LIST}\n{LINK}\n")
    made = recorded(log)
    assert made.name == "cpython-3.14.7t"
    assert made.digest == made.spec.digest
    assert made.used.started == "2026-11-01T12:00:00.000+00:00"
    assert made.used.upstream == "https://files.example/x.tar.xz"
    assert (made.used.bundled, made.used.linked) == ((EXPAT,), None)
    assert [stage.name for stage in made.used.stages] == ["compile", "pip"]
    assert (made.used.compile_command, made.used.link_command) == (LIST, LINK)
    assert (made.result.size, made.result.files) == (9, 1)
    assert made.result.links == {"bin/python3": "python3.14t"}
    assert (made.result.pgo, made.result.lto, made.result.training_profile) == (False, False, None)


def test_the_scratch_directory_of_the_run_is_left_out(log: Path) -> None:
    command = LIST.replace("/src/", f"{log.parent}/source/")
    log.write_text(f"{command} -fprofile-use={log.parent}/work/build/a.gcda\n")
    made = recorded(log)
    assert str(log.parent) not in made.used.compile_command
    assert "-Isource/Include/internal" in made.used.compile_command
    assert made.used.configure[0] == "../../source/configure"


def test_optimisation_is_recorded_where_it_happened_not_where_it_was_asked(log: Path) -> None:
    log.write_text(f"{LIST}\n{LINK} -flto\n")
    without = recorded(log, "optimized")
    assert (without.result.pgo, without.result.lto) == (False, True)
    data = log.parent / "work" / "build" / "Objects" / "a.gcda"
    data.parent.mkdir(parents=True)
    data.write_bytes(b"counts")
    trained = recorded(log, "optimized")
    assert trained.result.pgo
    assert trained.result.training_profile is not None


def test_a_sanitizer_s_options_name_the_installed_list(log: Path) -> None:
    log.touch()
    made = recorded(log, "tsan")
    assert made.result.environment["TSAN_OPTIONS"] == (
        "suppressions=/root/store/cpython-3.14.7t-12345678/share/ftbuild/suppressions.txt"
    )
