from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftbuild.attest.judge import difference, judge_sbom, judge_statement
from ftbuild.attest.provenance import statement
from ftbuild.attest.sbom import sbom
from ftbuild.model.report import Check, Status
from tests.unit.attest.archives import manifest

STATEMENT = statement(manifest(), sha256="a" * 64, name="a.tar.zst")
SBOM = sbom(manifest(), sha256="a" * 64)
BARE = sbom(manifest(bundled=None, linked=None), sha256="a" * 64)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def failed(checks: tuple[Check, ...]) -> list[str]:
    return [check.name for check in checks if check.status is Status.FAILED]


def definition(document: Any) -> Any:
    return document["predicate"]["buildDefinition"]


def test_what_is_true_passes() -> None:
    assert failed(judge_statement(STATEMENT, STATEMENT, "a.json.")) == []
    assert failed(judge_sbom(SBOM, SBOM, "a.json.")) == []


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("type", lambda d: d.update(_type="https://in-toto.io/Statement/v0.1")),
        ("type", lambda d: d.pop("_type")),
        ("subject", lambda d: d["subject"][0]["digest"].update(sha256="b" * 64)),
        ("subject", lambda d: d["subject"].append(d["subject"][0])),
        ("subject", lambda d: d.update(subject={})),
        ("predicate-type", lambda d: d.update(predicateType="https://slsa.dev/provenance/v0.2")),
        ("build-type", lambda d: definition(d).update(buildType="urn:x-ftbuild:build:v2")),
        ("source", lambda d: definition(d)["resolvedDependencies"][0].pop("digest")),
        ("source", lambda d: definition(d)["resolvedDependencies"].clear()),
        ("parameters", lambda d: definition(d)["externalParameters"].update(profile="x")),
        ("toolchain", lambda d: definition(d)["internalParameters"]["flags"].append("--x")),
        ("toolchain", lambda d: definition(d)["internalParameters"].update(pgo=0)),
        ("run", lambda d: d["predicate"]["runDetails"]["builder"].update(id="x")),
        ("other", lambda d: d.update(more=1)),
    ],
)
def test_each_part_of_a_statement(part: str, change: Callable[[Any], None]) -> None:
    said = copy.deepcopy(STATEMENT)
    change(said)
    checks = judge_statement(said, STATEMENT, "a.provenance.json.")
    assert failed(checks) == [f"provenance.{part}"]
    assert all("a.provenance.json" in c.reason for c in checks if c.status is Status.FAILED)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("format", lambda d: d.update(bomFormat="x")),
        ("version", lambda d: d.update(specVersion="1.5")),
        ("subject", lambda d: d["metadata"]["component"]["hashes"][0].update(content="b" * 64)),
        ("bundled", lambda d: d["components"].remove(d["components"][0])),
        ("bundled", lambda d: d["components"].append(d["components"][0])),
        ("bundled", lambda d: d["components"][0].update(version="2.8.3")),
        ("dependencies", lambda d: d["dependencies"].pop()),
        ("completeness", lambda d: d["compositions"][0].update(aggregate="complete")),
        ("other", lambda d: d["components"].append({"name": "x", "type": "library"})),
        ("other", lambda d: d.update(serialNumber="urn:uuid:0")),
        ("other", lambda d: d["metadata"].update(timestamp="")),
    ],
)
def test_each_part_of_a_bill(part: str, change: Callable[[Any], None]) -> None:
    said = copy.deepcopy(SBOM)
    change(said)
    assert failed(judge_sbom(said, SBOM, "a.cdx.json.")) == [f"sbom.{part}"]


def test_a_library_less() -> None:
    said = copy.deepcopy(SBOM)
    said["components"] = [
        each
        for each in said["components"]
        if not any(one["value"] == "system" for one in each["properties"])
    ]
    assert failed(judge_sbom(said, SBOM, "")) == ["sbom.linked"]


def test_the_order_of_components_and_who_wrote_them_do_not_matter() -> None:
    said = copy.deepcopy(SBOM)
    said["components"].reverse()
    said["metadata"]["tools"] = {"components": []}
    assert failed(judge_sbom(said, SBOM, "")) == []


@settings(max_examples=40)
@given(said=JSON)
def test_anything_can_be_judged_and_nothing_else_passes(said: Any) -> None:
    assert failed(judge_statement(said, STATEMENT, ""))
    assert failed(judge_sbom(said, SBOM, ""))
    # Valid at the top and anything below.
    assert failed(judge_statement({**STATEMENT, "predicate": said}, STATEMENT, ""))
    checks = judge_sbom({**SBOM, "components": said}, SBOM, "")
    assert failed(checks)
    assert bool(failed(judge_sbom({**BARE, "components": said}, BARE, ""))) == (said != [])


@settings(max_examples=40)
@given(one=JSON, other=JSON)
def test_a_difference_is_found_where_there_is_one(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert bool(difference(one, other)) != same
    assert difference(one, one) == ()


def test_long_values_are_cut() -> None:
    (line,) = difference({"a": "x" * 5000}, {"a": "y"})
    assert len(line) < 300
    check = judge_statement({**STATEMENT, "_type": "x" * 5000}, STATEMENT, "")[0]
    assert len(check.found) < 300


def test_a_deep_value_is_a_difference() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert len(difference({"a": deep}, {"a": "y"})) == 1
