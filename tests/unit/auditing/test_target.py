from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

from ftbuild import process
from ftbuild.auditing.target import PROBES, accepted, builds, target_of
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.versions import Variant, parse_requests
from ftbuild.store.layout import Layout
from tests.builders import build, with_python


def abis(version: str) -> set[str]:
    return {tag.split("-")[1] for tag in accepted(version)}


def test_what_is_accepted() -> None:
    assert abis("3.14.7") == {"cp314t", "none"}
    assert abis("3.15.0rc2") == {"cp315t", "abi3t", "none"}
    assert accepted("3.13.15")[0].startswith("cp313-cp313t-")


def test_facts_of_any_python() -> None:
    done = process.capture([sys.executable, "-I", PROBES / "facts.py"], env={})
    facts = msgspec.json.decode(done.stdout)
    assert facts["markers"]["sys_platform"] == sys.platform
    assert facts["markers"]["python_version"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert any(suffix.endswith(".so") for suffix in facts["suffixes"])


def test_a_gil_build_is_explained(tmp_path: Path) -> None:
    item = build(tmp_path, Variant.GIL)
    with pytest.raises(UsageError, match="is a GIL build") as caught:
        target_of(item, os.environ)
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("t")


@pytest.mark.parametrize("word", ["3.14", "3.14+gil", "3.14.7"])
def test_a_gil_build_asked_for(word: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a GIL build"):
        builds(parse_requests([word]), Layout(root=tmp_path), default_profile="optimized")


@pytest.mark.parametrize(("words", "says"), [((), "3.14t"), (("3.13t",), "3.13t")])
def test_nothing_is_installed(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        builds(parse_requests(words), Layout(root=tmp_path), default_profile="optimized")
    assert f"ftbuild build {says}" in str(caught.value.hint)


def test_an_interpreter_that_talks_nonsense(tmp_path: Path) -> None:
    item = with_python(build(tmp_path), "echo hello")
    with pytest.raises(EnvironmentFault, match="does not run"):
        target_of(item, os.environ)
