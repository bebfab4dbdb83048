from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbuild.model.report import Check, Status
from ftbuild.verifying.details import details
from tests.builders import build, changed, with_python

from .builds import context


def document(**fields: Any) -> dict[str, Any]:
    return {
        "schema_version": "1.0",
        "base_prefix": "../..",
        "base_interpreter": "bin/python3.14t",
        "platform": "linux-x86_64",
        "language": {"version": "3.14"},
        "implementation": {"name": "cpython", "version": {}, "hexversion": 1, "cache_tag": "x"},
        "abi": {"flags": ["t"]},
        "suffixes": {"extensions": [".x.so", ".abi3.so", ".so"]},
        "c_api": {"headers": "include/python3.14t"},
        **fields,
    }


def answer(prefix: Path, text: str | None = None, **fields: Any) -> dict[str, Any]:
    """What the probe says of an installation where all is well, but for the given fields."""
    return {
        "place": f"{prefix}/lib/python3.14t/build-details.json",
        "text": json.dumps(document()) if text is None else text,
        "prefix": str(prefix),
        "base_prefix": str(prefix),
        "named": ["../..", "bin/python3.14t", "include/python3.14t"],
        "leads": {
            "base_interpreter": f"{prefix}/bin/python3.14t",
            "c_api.headers": f"{prefix}/include/python3.14t",
        },
        "headers": f"{prefix}/include/python3.14t",
        "interpreter": f"{prefix}/bin/python3.14t",
        "own": {"platform": "linux-x86_64", "abi": {"flags": ["t"]}},
        **fields,
    }


def checks(tmp_path: Path, said: dict[str, Any]) -> tuple[Check, ...]:
    made = with_python(build(tmp_path / "prefix"), f"cat <<'EOF'\n{json.dumps(said)}\nEOF")
    return details(made, context(tmp_path))


def failed(found: tuple[Check, ...]) -> dict[str, str]:
    return {check.name: check.found for check in found if check.status is Status.FAILED}


def test_all_is_well(tmp_path: Path) -> None:
    found = checks(tmp_path, answer(tmp_path / "prefix"))
    assert [check.status for check in found] == [Status.PASSED] * 5


def test_of_a_build_by_an_older_ftbuild_it_is_said_what_to_do(tmp_path: Path) -> None:
    (check,) = details(changed(build(tmp_path), "used", stages=()), context(tmp_path))
    assert check.status is Status.SKIPPED
    assert "--force" in check.reason


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("", "details.file"),
        ("{", "details.format"),
        ('{"schema_version": "1.0"}', "details.format"),
        (json.dumps(document(c_api={})), "details.format"),
        (json.dumps(document(libpython={"statik": "x"})), "details.format"),
        (json.dumps(document(schema_version="2.0")), "details.format"),
        (json.dumps(document(base_interpreter="bin/python3.14")), "details.interpreter"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str, check: str) -> None:
    assert list(failed(checks(tmp_path, answer(tmp_path / "prefix", text)))) == [check]


def test_a_path_that_is_true_in_one_place_only(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    said = answer(prefix, named=[str(prefix), "bin/python3.14t"])
    assert failed(checks(tmp_path, said)) == {"details.relative": str(prefix)}


@pytest.mark.parametrize(
    ("fields", "astray"),
    [
        ({"base_prefix": ""}, "base_prefix"),
        ({"base_prefix": "/usr"}, "base_prefix"),
        ({"leads": {"c_api.headers": "$/include/python3.14t"}}, "base_interpreter"),
        (
            {
                "leads": {
                    "base_interpreter": "$/bin/python3.14t",
                    "c_api.headers": "$/include/python3.14",
                    "libpython.static": "",
                    "libpython.dynamic": "/usr/lib/libpython3.14t.so",
                }
            },
            "c_api.headers, libpython.static, libpython.dynamic",
        ),
    ],
)
def test_paths_that_lead_astray(tmp_path: Path, fields: dict[str, Any], astray: str) -> None:
    prefix = tmp_path / "prefix"
    there = json.loads(json.dumps(fields).replace("$", str(prefix)))
    assert failed(checks(tmp_path, answer(prefix, **there))) == {"details.paths": astray}


def test_what_the_interpreter_says_otherwise(tmp_path: Path) -> None:
    own = {
        "platform": "linux-aarch64",
        "abi": {"flags": ["t", "d"]},
        "language": {"version": "3.15"},
    }
    found = failed(checks(tmp_path, answer(tmp_path / "prefix", own=own)))
    assert found == {"details.true": "platform, abi.flags, language.version"}


def test_a_stable_abi_that_a_free_threaded_build_has_not(tmp_path: Path) -> None:
    text = json.dumps(document(abi={"flags": ["t"], "stable_abi_suffix": ".abi3.so"}))
    found = failed(checks(tmp_path, answer(tmp_path / "prefix", text)))
    assert found == {"details.true": "abi.stable_abi_suffix"}
