from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.findings import Advice, Ending, Finding, Grade, Status
from ftbuild.auditing.reports import text
from tests.unit.auditing.examples import (
    ABSENT,
    BROKEN,
    audit,
    changed,
    culprit,
    finding,
    probed,
    ran,
    required,
    switched,
    target_at,
    told,
)
from tests.unit.model.test_text import may_be_shown

CRASH = changed(
    finding("boom", Status.CRASH),
    probed=(
        probed("boom._core", Ending.CRASHED, signal="SIGSEGV", frames=('File "boom.py", line 3',)),
        probed("boom"),
    ),
)
GIL = changed(
    finding("c-ext", Status.GIL),
    package=required("c-ext", "web"),
    probed=(switched("c_ext", culprit("c_ext._core", "c-ext", "c_ext")),),
)
MISSING = changed(
    finding("numpy", Status.MISSING, Grade.GIL_ONLY),
    installed=BROKEN,
    advice=Advice(
        version="2.3.0", allowed=False, forbidden_by="scikit needs numpy<2", text="Take 2.3.0."
    ),
)
FINE = [finding(f"fine-{number:02}", Status.FINE, Grade.PURE) for number in range(20)]


def _lines(*findings: Finding, everything: bool = False) -> list[str]:
    said = text.report(audit(*findings), everything=everything)
    return [" ".join(line.split()) for line in said.splitlines()]


def test_a_table_worst_first_and_the_verdict_last() -> None:
    lines = _lines(CRASH, GIL, MISSING, *FINE)
    assert lines[0] == "requirements.txt for 3.14t (cpython-3.14.7t)"
    assert lines[2] == "ships imports verdict try required by"
    assert lines[3] == "boom 1.0 free-threaded 1 crashed, 1 fine crashes requirements.txt"
    assert lines[4] == "c-ext 1.0 free-threaded 1 switched switches the GIL on web"
    assert lines[5] == (
        "numpy 1.0 gil-only not installed does not compile 2.3.0, forbidden requirements.txt"
    )
    assert lines[-2].startswith("3 of 23 block 3.14t: ")
    assert lines[-1].endswith(".")


def test_many_that_are_fine_are_named_by_their_kind() -> None:
    lines = _lines(CRASH, *FINE)
    assert "20 more are fine:" in lines
    assert any(line.startswith("pure Python (20): fine-00, fine-01,") for line in lines)
    assert not any(line.startswith("fine-00 1.0") for line in lines)


def test_everything_shows_them_in_the_table() -> None:
    lines = _lines(CRASH, *FINE, everything=True)
    assert "fine-00 1.0 pure Python fine requirements.txt" in lines
    assert not any("more are fine" in line for line in lines)


def test_few_packages_are_all_in_the_table() -> None:
    assert "fine-00 1.0 pure Python fine requirements.txt" in _lines(CRASH, FINE[0])


def test_columns_without_anything_are_left_out() -> None:
    assert "ships verdict required by" in _lines(FINE[0])
    assert "level" not in "".join(_lines(CRASH, MISSING))


def test_details_tell_what_happened_and_what_to_do() -> None:
    lines = _lines(CRASH, GIL, MISSING)
    for expected in (
        "boom 1.0: boom is crash",
        "crashed: boom._core: SIGSEGV",
        '| File "boom.py", line 3',
        "required by: requirements.txt → web",
        "switches the GIL on: c_ext → c_ext._core",
        "the build said:",
        "| x.c:1: error",
        "advice: Take 2.3.0.",
        "forbidden by: scikit needs numpy<2",
    ):
        assert expected in lines


def test_a_single_culprit_is_told_once() -> None:
    detail = "switches the GIL on: c_ext"
    lone = changed(
        finding("c-ext", Status.GIL),
        detail=detail,
        probed=(switched("c_ext", culprit("c_ext", "c-ext")),),
    )
    assert "\n".join(_lines(lone)).count(detail) == 1


def test_culprits_that_nothing_else_imports_share_a_line() -> None:
    names = [f"c_ext.m{number}" for number in range(10)]
    met = [culprit(name, "c-ext") for name in names]
    met.append(culprit("c_ext.deep", "c-ext", "c_ext"))
    lines = _lines(
        changed(
            finding("c-ext", Status.GIL),
            probed=tuple(switched(one.module, one) for one in met),
        )
    )
    assert "switches the GIL on: c_ext → c_ext.deep" in lines
    assert f"switches the GIL on: {', '.join(names[:8])}" in " ".join(lines)
    assert "and 2 more modules (--json has all)" in lines


def test_what_has_no_version_leaves_no_gap() -> None:
    local = finding("local", Status.FAILED)
    local = changed(local, package=msgspec.structs.replace(local.package, version=""))
    said = text.report(audit(local), everything=True)
    assert "local: local is failed" in said
    assert "local (import fails)" in said


def test_a_failed_import_is_told_once() -> None:
    bad = changed(
        finding("foo", Status.FAILED),
        probed=(probed("foo", Ending.FAILED, error="ImportError: x"),),
    )
    assert not any(line.startswith("failed: ") for line in _lines(bad))
    two = changed(bad, probed=(*bad.probed, probed("foo.b", Ending.FAILED, error="OSError:\n y")))
    assert "failed: foo.b: OSError: y" in _lines(two)


def test_many_modules_are_counted() -> None:
    items = tuple(probed(f"foo._{n}", Ending.CRASHED) for n in range(7))
    lines = _lines(changed(CRASH, probed=items))
    assert "and 3 more modules (--json has all)" in lines
    lines = _lines(changed(CRASH, status=Status.UNKNOWN, probed=items[:2]))
    assert "and 1 more module (--json has all)" in lines


def test_notes_and_tests_are_told() -> None:
    met = ran(1, gil=True, culprits=(culprit("c_ext", "c-ext", "web"),))
    found = told(audit(), tests=met, notes=("an index did not answer",))
    said = text.report(found, everything=False, notes=["known: foo"])
    assert "Tests, pytest: exit status 1 after 1 s" in said
    assert "switches the GIL on: web → c_ext" in said
    assert "    | 1 failed" in said
    assert "note: an index did not answer\nnote: known: foo" in said
    passed = text.report(told(audit(), tests=ran()), everything=False)
    assert "1 failed" not in passed


@pytest.mark.parametrize("notes", [(), ("a note",)])
def test_no_dependencies_is_a_short_answer(notes: tuple[str, ...]) -> None:
    said = text.report(audit(), everything=False, notes=notes).splitlines()
    assert said[-1] == "No dependencies: this project can switch to 3.14t today."
    assert not any(line.endswith(" ") for line in said)


@given(st.text(st.characters()))
def test_others_words_do_not_command_the_terminal(words: str) -> None:
    bad = changed(CRASH, probed=(probed("x", Ending.CRASHED, frames=(words,)),), detail=words)
    said = text.report(audit(bad), everything=False)
    assert may_be_shown(said)


def test_targets_stand_side_by_side() -> None:
    now = audit(GIL, MISSING, *FINE)
    later = told(audit(GIL, *FINE), target=target_at("3.15.0"))
    said = text.comparison([now, later], everything=False, notes=["3.14t, known: foo"])
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[0] == "requirements.txt"
    assert "version 3.14t 3.15t" in lines
    assert "c-ext 1.0 switches the GIL on switches the GIL on" in lines
    assert "numpy 1.0 does not compile not needed" in lines
    assert any(line.startswith("fine with each of them (20): fine-00") for line in lines)
    assert "note: 3.14t, known: foo" in lines
    assert [line[:20] for line in lines if " block" in line] == [
        "2 of 22 block 3.14t:",
        "1 of 21 blocks 3.15t",
    ]
    shown = text.comparison([now, later], everything=True)
    assert "fine, pure Python" in shown


def test_what_was_not_installed_says_so() -> None:
    item = changed(finding("numpy", Status.MISSING, Grade.GIL_ONLY), installed=ABSENT)
    assert any("not installed" in line for line in _lines(item))
