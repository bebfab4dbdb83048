from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given

from ftbuild.auditing.findings import Advice, Audit, Installed, Status
from ftbuild.auditing.reports.baseline import load
from ftbuild.auditing.reports.failing import fail_on
from ftbuild.auditing.reports.report import FORMATS, rendered, reporting, settled
from ftbuild.errors import UsageError
from ftbuild.model.text import sanitise
from tests.unit.auditing.examples import audit, changed, finding, package, ran, target_at, told
from tests.unit.model.test_text import ANYTHING, may_be_shown

GIL = audit(finding("foo", Status.GIL))
LATER = told(GIL, target=target_at("3.15.0"))


def test_nothing_asked_for_is_text_that_fails_on_what_blocks(tmp_path: Path) -> None:
    how = reporting(cwd=tmp_path)
    assert how.format == "text"
    assert how.fail_on == fail_on(())
    assert settled([GIL, LATER], how).splitlines() == [
        "the audit for 3.14t fails: 1 package (1 gil)",
        "the audit for 3.15t fails: 1 package (1 gil)",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "sarf"}, "--format sarf: no such format"),
        ({"format": "sarif", "json": True}, "--json and --format sarif exclude each other"),
        ({"update": True}, "--update-baseline: there is no file to write"),
        ({"baseline": "no.json"}, "there is no such baseline"),
        ({"fail": ["gill"]}, "--fail-on gill"),
    ],
)
def test_wrong_options_are_told_before_anything_runs(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        reporting(cwd=tmp_path, **options)  # type: ignore[arg-type]  # as a command line has them
    assert caught.value.hint


@pytest.mark.parametrize("word", [word for word in FORMATS if word != "json"])
@pytest.mark.parametrize("audits", [[GIL], [GIL, LATER]])
def test_every_format_tells_of_every_target(tmp_path: Path, word: str, audits: list[Audit]) -> None:
    said = rendered(audits, reporting(format=word, cwd=tmp_path))
    assert "foo" in said
    assert "3.14t" in said
    assert ("3.15t" in said) is (len(audits) > 1)


def test_sarif_is_json_that_points_at_the_input(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("bar\nfoo\n")
    found = json.loads(rendered([GIL], reporting(format="sarif", cwd=tmp_path)))
    (location,) = found["runs"][0]["results"][0]["locations"]
    assert location["physicalLocation"]["region"] == {"startLine": 2}


def test_a_baseline_is_written_and_then_only_news_fails(tmp_path: Path) -> None:
    first = reporting(baseline="audit.json", update=True, cwd=tmp_path)
    assert not settled([GIL], first)
    assert load(tmp_path / "audit.json", may_be_absent=False).targets.keys() == {"3.14t"}
    how = reporting(baseline="audit.json", cwd=tmp_path)
    assert not settled([GIL], how)
    assert "note: known from the baseline: foo" in rendered([GIL], how)
    worse = audit(finding("foo", Status.CRASH))
    assert settled([worse], how).endswith("since the baseline")
    assert settled([LATER], how)
    assert "note: 3.14t, known from the baseline: foo" in rendered([GIL, LATER], how)


def test_annotations_know_what_the_baseline_knows(tmp_path: Path) -> None:
    settled([GIL], reporting(baseline="audit.json", update=True, cwd=tmp_path))
    new = audit(finding("foo", Status.GIL), finding("new", Status.GIL))
    said = rendered([new], reporting(format="github", baseline="audit.json", cwd=tmp_path))
    assert [line.split()[0] for line in said.splitlines()] == ["::notice", "::error", "::notice"]


def test_a_baseline_being_written_excuses_no_tests(tmp_path: Path) -> None:
    how = reporting(baseline="audit.json", update=True, cwd=tmp_path)
    assert "tests failed" in settled([told(GIL, tests=ran(1))], how)
    assert (tmp_path / "audit.json").exists()


@given(ANYTHING)
def test_no_report_commands_what_shows_it(words: str) -> None:
    bad = changed(
        finding("a", Status.GIL),
        package=package("a", words),
        detail=words,
        advice=Advice(version=words, text=words, forbidden_by=words),
        installed=Installed(how=None, why=words, log=(words,)),
    )
    tests = msgspec.structs.replace(ran(1), command=words, tail=(words,))
    found = told(audit(bad), notes=(words,), tests=tests)
    for word in (word for word in FORMATS if word != "json"):
        for audits in ([found], [found, told(found, target=target_at("3.15.0"))]):
            said = rendered(audits, reporting(format=word, cwd=Path("/nowhere")))
            assert word == "github" or may_be_shown(said), word
            # Annotations stand in a line each, and are shown by way of the console.
            assert word != "github" or all(
                line.startswith("::") for line in sanitise(said).split("\n")
            )
