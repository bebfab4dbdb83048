from __future__ import annotations

import pytest

from ftbuild.auditing.findings import Status
from ftbuild.auditing.reports.baseline import Baseline, updated
from ftbuild.auditing.reports.failing import WORDS, fail_on, failing, refusal
from ftbuild.errors import UsageError
from tests.unit.auditing.examples import audit, finding, ran, told

BAD = [finding(str(status), status) for status in Status]


@pytest.mark.parametrize(
    ("texts", "statuses"),
    [
        ((), {Status.MISSING, Status.GIL, Status.CRASH, Status.FAILED}),
        (("missing",), {Status.MISSING}),
        (("gil,", "crash"), {Status.GIL, Status.CRASH, Status.FAILED}),
        ((" unknown ",), {Status.UNKNOWN, Status.SUSPICIOUS}),
        (("none",), set()),
    ],
)
def test_words_mean_verdicts(texts: tuple[str, ...], statuses: set[Status]) -> None:
    assert fail_on(texts) == statuses


def test_every_verdict_but_fine_can_fail() -> None:
    assert frozenset().union(*WORDS.values()) == set(Status) - {Status.FINE}


def test_an_unknown_word_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        fail_on(["gil,mising"])
    assert caught.value.message == "--fail-on mising: no such verdict"
    assert caught.value.hint.startswith("Did you mean missing? ")
    with pytest.raises(UsageError) as caught:
        fail_on(["xyzzy"])
    assert caught.value.hint == "There are missing, gil, crash, unknown and none."


def test_none_stands_alone() -> None:
    with pytest.raises(UsageError, match="nothing fails"):
        fail_on(["none", "gil"])


def test_what_is_asked_for_fails() -> None:
    found = failing(audit(*BAD), fail_on(["unknown"]), None)
    assert [item.status for item in found] == [Status.SUSPICIOUS, Status.UNKNOWN]
    assert not failing(audit(*BAD), fail_on(["none"]), None)


def test_what_the_baseline_knows_does_not_fail() -> None:
    before = updated(Baseline(), [audit(finding("old", Status.GIL))])
    now = audit(finding("old", Status.GIL), finding("new", Status.GIL))
    assert [item.package.name for item in failing(now, fail_on(()), before)] == ["new"]
    assert refusal(now, fail_on(()), before) == (
        "the audit for 3.14t fails: new 1.0 (switches the GIL on) since the baseline"
    )


def test_without_a_baseline_the_verdict_has_the_names() -> None:
    found = audit(*BAD, finding("more", Status.GIL))
    said = "the audit for 3.14t fails: 5 packages (1 crash, 2 gil, 1 missing, 1 failed)"
    assert refusal(found, fail_on(()), None) == said


def test_failed_tests_fail_whatever_the_baseline_knows() -> None:
    found = told(audit(), tests=ran(1))
    said = "the audit for 3.14t fails: the project's tests failed (exit status 1)"
    assert refusal(found, fail_on(["gil"]), Baseline()) == said
    assert not refusal(found, fail_on(["none"]), None)


def test_nothing_to_refuse() -> None:
    assert not refusal(audit(finding("a", Status.FINE)), fail_on(()), None)
