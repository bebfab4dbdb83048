from __future__ import annotations

from ftbuild.auditing.findings import Grade, Status
from ftbuild.auditing.reports.comparison import cell, compared
from tests.unit.auditing.examples import BUILT, audit, changed, finding, package, target_at, told

OLD = told(
    audit(
        finding("numpy", Status.MISSING, Grade.GIL_ONLY),
        finding("both", Status.GIL),
        finding("attrs", Status.FINE, Grade.PURE),
        finding("backport", Status.FINE, Grade.PURE),
    ),
    target=target_at("3.13.1"),
)
NEW = audit(
    changed(finding("numpy", Status.FINE), package=package("numpy", "2.0")),
    finding("both", Status.GIL),
    finding("attrs", Status.FINE, Grade.PURE),
)


def test_what_is_worst_with_any_target_comes_first() -> None:
    rows = compared([OLD, NEW])
    assert [row.name for row in rows] == ["both", "numpy", "attrs", "backport"]
    assert [row.fine for row in rows] == [False, False, True, True]


def test_versions_may_differ() -> None:
    assert [row.version for row in compared([OLD, NEW])] == ["1.0", "1.0 / 2.0", "1.0", "1.0"]


def test_what_stands_in_a_cell() -> None:
    rows = {row.name: [cell(item) for item in row.findings] for row in compared([OLD, NEW])}
    assert rows["numpy"][0] == "no wheel"
    assert rows["numpy"][1].startswith("fine, ")
    assert rows["backport"] == ["fine, pure Python", "not needed"]
    built = changed(finding("a", Status.FINE, Grade.GIL_ONLY), installed=BUILT)
    assert cell(built) == "fine, compiled here"


def test_what_blocks_every_target_comes_before_what_blocks_one() -> None:
    one = audit(finding("a", Status.GIL), finding("z", Status.GIL))
    two = audit(finding("a", Status.FINE), finding("z", Status.GIL))
    assert [row.name for row in compared([one, two])] == ["z", "a"]
