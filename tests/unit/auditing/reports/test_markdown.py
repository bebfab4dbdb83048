from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.findings import Advice, Grade, Status
from ftbuild.auditing.reports import markdown
from tests.unit.auditing.examples import audit, changed, finding, required, target_at, told

BAD = changed(
    finding("c-ext", Status.GIL), package=required("c-ext", "web"), advice=Advice(text="Take 2.0.")
)
FINE = finding("attrs", Status.FINE, Grade.PURE)


def test_the_verdict_then_what_is_bad_then_the_rest_folded_away() -> None:
    text = markdown.report(audit(BAD, FINE), ["a note"])
    parts = [
        "### Free threading: 3.14t",
        "**1 of 2 blocks 3.14t: c-ext 1.0 (switches the GIL on).**",
        "| package | ships | verdict | advice | required by |",
        "| c-ext 1.0 | free-threaded | gil: c-ext is gil | Take 2.0. | requirements.txt → web |",
        "- a note",
        "<details><summary>1 package is fine</summary>",
        "| attrs 1.0 | pure Python | attrs is fine |",
        "</details>",
    ]
    found = [text.index(part) for part in parts]
    assert found == sorted(found)


def test_without_trouble_there_is_no_table_of_it() -> None:
    text = markdown.report(audit(FINE, finding("b", Status.FINE)))
    assert "advice" not in text
    assert "2 packages are fine" in text
    assert "details" not in markdown.report(audit())


@given(st.text())
def test_no_text_breaks_a_table_or_becomes_markup(detail: str) -> None:
    text = markdown.report(audit(changed(BAD, detail=detail)))
    (row,) = (line for line in text.split("\n") if line.startswith("| c-ext"))
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 6
    assert not re.search(r"(?<!\\)(?:\\\\)*[<`\[]", row)


def test_targets_stand_side_by_side() -> None:
    later = told(audit(FINE), target=target_at("3.15.0"), notes=("no answer",))
    text = markdown.comparison([audit(BAD, FINE), later], ["known: c-ext"])
    assert "### Free threading: 3.14t, 3.15t" in text
    assert "- 1 of 2 blocks 3.14t" in text
    assert "| c-ext | 1.0 | switches the GIL on | not needed |" in text
    assert "- 3.15t: no answer" in text
    assert "- known: c-ext" in text
