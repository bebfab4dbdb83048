from __future__ import annotations

import json
from typing import Any

from ftbuild.auditing.findings import Advice, Status
from ftbuild.auditing.reports.baseline import Baseline, updated
from ftbuild.auditing.reports.places import Place
from ftbuild.auditing.reports.sarif import sarif
from tests.unit.auditing.examples import audit, changed, finding, package, target_at, told

BAD = [status for status in Status if status is not Status.FINE]
FOUND = audit(*(finding(str(status), status) for status in Status))


def _results(*args: Any) -> list[dict[str, Any]]:
    (run,) = sarif(*args)["runs"]
    found: list[dict[str, Any]] = run["results"]
    return found


def test_a_run_a_target_with_a_rule_a_verdict() -> None:
    later = told(FOUND, target=target_at("3.15.0"))
    found = json.loads(json.dumps(sarif([(FOUND, {}), (later, {})], None)))
    assert found["version"] == "2.1.0"
    ids = [run["automationDetails"]["id"] for run in found["runs"]]
    assert ids == ["ftbuild-audit/3.14t/", "ftbuild-audit/3.15t/"]
    for run in found["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"]
        assert [rule["id"] for rule in driver["rules"]] == BAD
        assert all(rule["shortDescription"]["text"] for rule in driver["rules"])


def test_a_result_for_each_package_that_is_not_fine() -> None:
    found = _results([(FOUND, {})], None)
    assert [result["ruleId"] for result in found] == BAD
    assert [result["ruleIndex"] for result in found] == list(range(len(BAD)))
    assert [result["level"] for result in found] == [*["error"] * 4, "warning", "note"]
    assert all(result["message"]["text"] for result in found)
    assert all("baselineState" not in result and "locations" not in result for result in found)


def test_the_location_is_relative_and_encoded() -> None:
    place = {"gil": Place(path="my reqs/é.txt", line=3), "crash": Place(path="/abs/x", line=None)}
    by_rule = {result["ruleId"]: result for result in _results([(FOUND, place)], None)}
    (location,) = by_rule["gil"]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20reqs/%C3%A9.txt", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3},
    }
    (location,) = by_rule["crash"]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "file:///abs/x"},
        "region": {"startLine": 1},
    }


def test_fingerprints_stay_when_versions_and_lines_change() -> None:
    item = finding("foo", Status.GIL)
    newer = changed(item, package=package("foo", "2.0"), detail="else")
    place = {"foo": Place(path="a.txt", line=9)}
    one, two, worse, later = (
        _results([(found, where)], None)[0]["partialFingerprints"]
        for found, where in (
            (audit(item), {}),
            (audit(newer), place),
            (audit(changed(item, status=Status.CRASH)), {}),
            (told(audit(item), target=target_at("3.15.0")), {}),
        )
    )
    assert one == two
    assert len({str(found) for found in (one, worse, later)}) == 3


def test_what_the_baseline_knows_is_unchanged() -> None:
    known = updated(Baseline(), [audit(finding("gil", Status.GIL))])
    states = {
        result["ruleId"]: result["baselineState"] for result in _results([(FOUND, {})], known)
    }
    assert states.pop("gil") == "unchanged"
    assert set(states.values()) == {"new"}


def test_advice_is_part_of_the_message() -> None:
    item = changed(finding("foo", Status.MISSING), advice=Advice(text="Take 2.0."))
    (result,) = _results([(audit(item), {})], None)
    assert result["message"]["text"] == "foo 1.0 on 3.14t: foo is missing. Take 2.0."
