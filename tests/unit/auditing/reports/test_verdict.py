from __future__ import annotations

import msgspec
import pytest

from ftbuild.auditing.findings import Ending, Finding, Grade, Status
from ftbuild.auditing.reports.verdict import kind_of, named, short, trouble_with, verdict
from tests.unit.auditing.examples import (
    ABSENT,
    BROKEN,
    BUILT,
    audit,
    changed,
    culprit,
    finding,
    probed,
    ran,
    told,
)

PURE = [finding(name, Status.FINE, Grade.PURE) for name in ("attrs", "requests")]


def test_what_blocks_is_named_with_the_reason() -> None:
    found = audit(
        finding("foo", Status.GIL), finding("numpy", Status.MISSING, Grade.GIL_ONLY), *PURE
    )
    assert verdict(found) == (
        "2 of 4 block 3.14t: foo 1.0 (switches the GIL on), numpy 1.0 (no wheel)."
    )


def test_one_blocks() -> None:
    assert verdict(audit(finding("foo", Status.GIL))).startswith("1 of 1 blocks 3.14t: foo")


def test_nothing_blocks() -> None:
    fine = (
        finding("scipy", Status.FINE),
        finding("ruff", Status.FINE, Grade.BINARIES),
        changed(finding("old", Status.FINE, Grade.GIL_ONLY), installed=BUILT),
        finding("mine", Status.FINE, Grade.LOCAL),
    )
    assert verdict(audit(*fine, *PURE)) == (
        "Nothing blocks 3.14t: 6 packages, 1 with free-threaded wheels, 2 pure Python, "
        "1 with only programs or libraries, 1 compiled here, 1 installed here."
    )


def test_no_dependencies_and_pure_ones_are_told_plainly() -> None:
    assert verdict(audit()) == "No dependencies: this project can switch to 3.14t today."
    sdist = finding("old", Status.FINE, Grade.SDIST_PURE)
    assert verdict(audit(*PURE, sdist)) == (
        "Only pure-Python dependencies (3): this project can switch to 3.14t today."
    )


def test_a_pure_package_with_trouble_is_no_reason_to_switch() -> None:
    broken = finding("foo", Status.FAILED, Grade.PURE)
    assert "can switch" not in verdict(audit(broken, *PURE))
    waiting = finding("foo", Status.UNKNOWN, Grade.PURE)
    assert "can switch" not in verdict(audit(waiting, *PURE))


def test_doubts_are_mentioned() -> None:
    found = audit(
        finding("usd", Status.SUSPICIOUS, Grade.SUSPICIOUS),
        *(finding(f"foo{number}", Status.UNKNOWN, Grade.SDIST) for number in range(8)),
        finding("scipy", Status.FINE),
    )
    assert verdict(found) == (
        "Nothing blocks 3.14t: 10 packages, 1 with free-threaded wheels; 1 is suspicious: usd; "
        "8 could not be judged: foo0, foo1, foo2, foo3, foo4, foo5 and 2 more."
    )


def test_what_was_not_imported_is_said_unless_there_is_no_native_code() -> None:
    assert "Nothing was imported" in verdict(
        told(audit(finding("scipy", Status.FINE)), probed=False)
    )
    assert "Nothing was imported" not in verdict(told(audit(*PURE), probed=False))
    assert "Nothing was imported" not in verdict(audit(finding("scipy", Status.FINE)))


def test_tests_are_part_of_the_verdict() -> None:
    assert verdict(told(audit(*PURE), tests=ran())).endswith("today. The project's tests passed.")
    failed = verdict(told(audit(), tests=ran(1)))
    assert failed == (
        "Nothing blocks 3.14t: no dependencies. The project's tests failed (exit status 1)."
    )


def test_trouble_with_tests() -> None:
    assert not trouble_with(None)
    assert not trouble_with(ran())
    met = ran(gil=True, culprits=(culprit("c_ext", "c-ext"),))
    assert trouble_with(met) == "switched the GIL on (c_ext)"
    elsewhere = msgspec.structs.replace(ran(), gil_before=None, gil_after=None)
    assert trouble_with(elsewhere).startswith("never started this interpreter")
    assert trouble_with(ran(2, gil=True)) == "failed (exit status 2) and switched the GIL on"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (changed(finding("a", Status.CRASH), probed=(probed("a", Ending.CRASHED),)), "crashes"),
        (changed(finding("a", Status.CRASH), probed=(probed("a", Ending.HUNG),)), "hangs"),
        (finding("a", Status.GIL), "switches the GIL on"),
        (finding("a", Status.MISSING, Grade.OTHER), "no wheel"),
        (finding("a", Status.MISSING, Grade.SDIST_NATIVE), "sdist only"),
        (
            changed(finding("a", Status.MISSING, Grade.GIL_ONLY), installed=BROKEN),
            "does not compile",
        ),
        (changed(finding("a", Status.FAILED), installed=ABSENT), "cannot be installed"),
        (finding("a", Status.FAILED), "import fails"),
        (finding("a", Status.SUSPICIOUS), "suspicious"),
        (finding("a", Status.FINE), "fine"),
    ],
)
def test_verdicts_in_two_or_three_words(found: Finding, said: str) -> None:
    assert short(found) == said


def test_many_are_counted() -> None:
    found = [finding(f"foo{number}", Status.GIL) for number in range(9)]
    assert named(found).endswith("foo5 1.0 (switches the GIL on), 3 more")


def test_every_grade_has_a_kind() -> None:
    assert all(kind_of(finding("a", Status.FINE, grade)) for grade in Grade)
