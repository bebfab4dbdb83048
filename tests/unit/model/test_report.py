from __future__ import annotations

from ftbuild.model.report import Report, Status, expect, skipped

PASSED = expect("identity.version", "3.14.7", "3.14.7", "a reason for failures only")
FAILED = expect("identity.abiflags", "t", "", "the wrong build was run")
SKIPPED = skipped("headers", "no compiler")


def test_a_reason_belongs_to_a_failure() -> None:
    assert (PASSED.status, PASSED.reason) == (Status.PASSED, "")
    assert (FAILED.status, FAILED.reason) == (Status.FAILED, "the wrong build was run")


def test_a_report_is_good_when_nothing_failed() -> None:
    good = Report(kind="verify", subject="cpython-3.14.7t", checks=(PASSED, SKIPPED))
    bad = Report(kind="verify", subject="cpython-3.14.7t", checks=(PASSED, FAILED, SKIPPED))
    assert good.ok
    assert not bad.ok
    assert bad.failed == (FAILED,)
