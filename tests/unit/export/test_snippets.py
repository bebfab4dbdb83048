from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ftbuild.export.snippets import interpreters, nox, tox
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout
from ftbuild.store.listing import installations
from tests.builders import DEFAULT, store

PYTHONS = {"3.14": Path("/ä b/bin/python3.14"), "3.14t": Path("/ä b/bin/python3.14t")}


def named(layout: Layout) -> dict[str, Path]:
    return interpreters(layout, installations(layout), default_profile=DEFAULT)


def test_each_build_goes_by_its_launcher(layout: Layout) -> None:
    store(layout, Variant.GIL)
    store(layout)
    assert named(layout) == {
        "3.14": layout.bin / "python3.14",
        "3.14t": layout.bin / "python3.14t",
    }


def test_an_older_release_goes_by_its_own_name(layout: Layout) -> None:
    older = store(layout)
    store(layout, version="3.14.8")
    found = named(layout)
    assert list(found) == ["3.14t", "3.14.7t"]
    assert found["3.14.7t"] == layout.root / "cpython-3.14.7t" / "bin" / "python3.14t"
    assert found["3.14.7t"].resolve() == older.python


def test_the_plain_name_where_a_build_has_two(layout: Layout) -> None:
    store(layout, profile="tsan")
    assert list(named(layout)) == ["3.14t"]
    store(layout)
    assert sorted(named(layout)) == ["3.14t", "3.14t-tsan"]


def test_a_build_that_was_replaced_is_not_offered(layout: Layout) -> None:
    store(layout, configure_args=("--with-a",))
    newer = store(layout, configure_args=("--with-b",), started="2026-11-02T12:00:00+00:00")
    (path,) = named(layout).values()
    assert path.resolve() == newer.python


def test_tox_gets_an_environment_for_each() -> None:
    read = tomllib.loads(tox(PYTHONS))
    assert read["env_list"] == ["3.14", "3.14t"]
    assert {name: env["base_python"] for name, env in read["env"].items()} == {
        name: [str(path)] for name, path in PYTHONS.items()
    }


def test_nox_gets_a_session_for_each() -> None:
    calls = [node for node in ast.walk(ast.parse(nox(PYTHONS))) if isinstance(node, ast.Call)]
    params = [call for call in calls if ast.unparse(call.func) == "nox.param"]
    assert {
        ast.literal_eval(call.keywords[0].value): ast.literal_eval(call.args[0]) for call in params
    } == {name: str(path) for name, path in PYTHONS.items()}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\x7f"), min_size=1))
def test_any_path_is_quoted_rightly(path: str) -> None:
    pythons = {"3.14t": Path("/", path)}
    assert tomllib.loads(tox(pythons))["env"]["3.14t"]["base_python"] == [str(pythons["3.14t"])]
    assert repr(str(pythons["3.14t"])) in ast.unparse(ast.parse(nox(pythons)))
