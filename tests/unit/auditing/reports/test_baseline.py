from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.findings import Ending, Grade, Status
from ftbuild.auditing.reports.baseline import (
    Baseline,
    Known,
    against,
    load,
    news_lines,
    save,
    updated,
)
from ftbuild.errors import EnvironmentFault, UsageError
from tests.unit.auditing.examples import (
    audit,
    changed,
    culprit,
    finding,
    package,
    probed,
    switched,
    target_at,
    told,
)

GIL = changed(
    finding("foo", Status.GIL),
    probed=(switched("foo", culprit("foo._core", "foo", "foo")), probed("foo._other")),
)
MISSING = finding("numpy", Status.MISSING, Grade.GIL_ONLY)
CRASH = changed(finding("boom", Status.CRASH), probed=(probed("boom", Ending.HUNG),))
FINE = finding("attrs", Status.FINE, Grade.PURE)


def test_what_is_not_fine_is_known_with_its_reason() -> None:
    found = updated(Baseline(), [audit(CRASH, GIL, MISSING, FINE)])
    assert found.targets == {
        "3.14t": {
            "boom": Known(status=Status.CRASH, why=("boom",)),
            "foo": Known(status=Status.GIL, why=("foo._core",)),
            "numpy": Known(status=Status.MISSING, why=("gil-only",)),
        }
    }


@given(st.lists(st.sampled_from(list(Status)), max_size=6))
def test_nothing_is_news_to_a_baseline_just_written(statuses: list[Status]) -> None:
    found = audit(*(finding(f"p{n}", status) for n, status in enumerate(statuses)))
    seen = against(found, updated(Baseline(), [found]))
    assert not seen.news
    assert not seen.fixed
    assert not seen.changed


def test_what_is_new_or_worse_is_news() -> None:
    before = updated(Baseline(), [audit(finding("a", Status.MISSING), finding("b", Status.CRASH))])
    now = audit(finding("a", Status.GIL), finding("b", Status.MISSING), finding("c", Status.GIL))
    found = against(now, before)
    assert [item.package.name for item in found.news] == ["a", "c"]
    assert found.known == ("b",)
    assert found.fixed == ("b",)


def test_what_is_fine_or_gone_is_fixed() -> None:
    before = updated(Baseline(), [audit(GIL, MISSING)])
    found = against(audit(finding("foo", Status.FINE)), before)
    assert found.fixed == ("foo", "numpy")
    assert "better than in the baseline" in news_lines(found)[0]


def test_another_culprit_is_told_and_known() -> None:
    before = updated(Baseline(), [audit(GIL)])
    other = changed(GIL, probed=(switched("foo", culprit("foo._new", "foo")),))
    found = against(audit(other), before)
    assert not found.news
    assert found.changed == ("foo",)
    assert news_lines(found) == (
        "known from the baseline: foo",
        "known for another reason than before: foo",
    )


def test_another_target_is_another_matter() -> None:
    before = updated(Baseline(), [audit(GIL)])
    later = told(audit(GIL), target=target_at("3.15.0"))
    assert against(later, before).news == (GIL,)
    assert updated(before, [later]).targets.keys() == {"3.14t", "3.15t"}


def test_without_imports_nothing_is_taken_back() -> None:
    before = updated(Baseline(), [audit(GIL, CRASH)])
    now = told(audit(finding("boom", Status.FINE), finding("foo", Status.FINE)), probed=False)
    assert not against(now, before).fixed
    assert updated(before, [now]) == before


def test_a_baseline_is_small_sorted_and_without_versions(tmp_path: Path) -> None:
    path = tmp_path / "ci" / "audit.json"
    found = updated(Baseline(), [audit(CRASH, GIL, MISSING)])
    save(found, path)
    assert load(path, may_be_absent=False) == found
    text = path.read_text()
    assert text.endswith("}\n")
    names = list(json.loads(text)["targets"]["3.14t"])
    assert names == sorted(names)
    assert "3.14.7" not in text
    assert "1.0" not in text
    newer = changed(MISSING, package=package("numpy", "1.26.5"))
    again = tmp_path / "again.json"
    save(updated(found, [audit(newer, GIL, CRASH)]), again)
    assert again.read_text() == text
    assert [entry.name for entry in path.parent.iterdir()] == ["audit.json"]


def test_a_missing_baseline_comes_with_the_command_that_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    assert load(path, may_be_absent=True) == Baseline()
    with pytest.raises(UsageError) as caught:
        load(path, may_be_absent=False)
    assert f"--baseline {path} --update-baseline" in caught.value.hint


GOOD = """{
  "targets": {
    "3.14t": {
      "foo": {
        "status": "gil",
        "why": ["foo"]
      }
    }
  },
  "kind": "audit-baseline",
  "format": 1
}
"""


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"foo": {', "<<<<<<< ours", ", line 4: "),
        ('"gil"', '"gill"', ", line 5: "),
        ('"why"', '"whi"', ", line 6: "),
        ('"gil"', "7", ": "),
        ('"format": 1', '"format": 2', ": this baseline has format 2"),
        ('"audit-baseline"', '"bench"', ", line 10: no baseline: "),
        (GOOD, "", ", line 1: "),
        (GOOD, "[]", ": "),
    ],
)
def test_a_damaged_baseline_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    path = tmp_path / "audit.json"
    path.write_text(GOOD)
    load(path, may_be_absent=False)
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(UsageError) as caught:
        load(path, may_be_absent=True)
    assert caught.value.message.startswith(f"{path}{place}")
    assert "--update-baseline" in caught.value.hint


def test_a_baseline_that_is_no_text_or_no_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(UsageError, match="no baseline"):
        load(path, may_be_absent=False)
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path, may_be_absent=True)


@given(text=st.text(max_size=40))
def test_whatever_a_file_holds_is_a_baseline_or_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "whatever.json"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(UsageError):
        load(path, may_be_absent=False)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        save(Baseline(), tmp_path / "file" / "audit.json")


def test_nothing_is_left_of_a_baseline_that_cannot_be_put_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "audit.json").mkdir()
    with pytest.raises(EnvironmentFault, match=r"audit\.json cannot be written"):
        save(Baseline(), tmp_path / "audit.json")
    assert [each.name for each in tmp_path.iterdir()] == ["audit.json"]
