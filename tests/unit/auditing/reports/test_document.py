from __future__ import annotations

import msgspec

from ftbuild.auditing.findings import Audit, Grade, Status
from ftbuild.auditing.reports.document import document
from tests.unit.auditing.examples import audit, finding, ran, target_at, told

FOUND = told(
    audit(finding("numpy", Status.MISSING, Grade.GIL_ONLY), finding("attrs", Status.FINE)),
    tests=ran(),
)


def test_a_document_holds_the_audit_and_what_follows_from_it() -> None:
    found = document([FOUND])
    assert (found["kind"], found["format"]) == ("audit", 1)
    assert found["blocking"] == ["numpy"]
    assert found["verdict"].startswith("1 of 2 blocks 3.14t")
    assert found["counts"]["packages"] == 2
    assert found["counts"]["status"]["missing"] == 1
    assert found["counts"]["grade"]["free-threaded"] == 1
    assert found["counts"]["status"].keys() == set(Status)


def test_everything_but_the_tags_can_be_read_back() -> None:
    found = document([FOUND])
    assert "tags" not in found["target"]
    found["target"]["tags"] = FOUND.target.tags
    for added in ("verdict", "blocking", "counts"):
        del found[added]
    assert msgspec.json.decode(msgspec.json.encode(found), type=Audit) == FOUND
    assert msgspec.to_builtins(FOUND) == msgspec.to_builtins(msgspec.convert(found, Audit))


def test_several_audits_are_a_comparison() -> None:
    later = told(FOUND, target=target_at("3.15.0"))
    found = document([FOUND, later])
    assert (found["kind"], found["format"]) == ("audit-comparison", 1)
    assert [one["target"]["label"] for one in found["audits"]] == ["3.14t", "3.15t"]
    assert all(one["verdict"] for one in found["audits"])
