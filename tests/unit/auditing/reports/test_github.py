from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.findings import Advice, Status
from ftbuild.auditing.reports.github import commands
from ftbuild.auditing.reports.places import Place
from tests.unit.auditing.examples import audit, changed, finding, package, ran, required, told

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^,:]*,)*title=[^,:]*)::(.*)")


def _levels(text: str) -> list[str]:
    found = [COMMAND.fullmatch(line) for line in text.splitlines()]
    return [match[1] for match in found if match is not None]


def test_what_fails_is_an_error_what_is_known_a_notice_the_rest_a_warning() -> None:
    found = audit(
        finding("a", Status.CRASH),
        finding("b", Status.GIL),
        finding("c", Status.UNKNOWN),
        finding("d", Status.FINE),
    )
    text = commands(found, {}, failing={"a"}, known={"b"})
    assert _levels(text) == ["error", "notice", "warning", "notice"]
    assert text.splitlines()[-1].startswith("::notice title=ftbuild audit for 3.14t::2 of 4 block")


def test_an_annotation_points_at_a_line_and_tells_what_to_do() -> None:
    item = changed(
        finding("c-ext", Status.GIL),
        package=required("c-ext", "web"),
        advice=Advice(text="Take 2.0."),
    )
    place = Place(path="requirements.txt", line=4)
    first = commands(audit(item), {"c-ext": place}, failing={"c-ext"}, known=()).splitlines()[0]
    assert first == (
        "::error file=requirements.txt,line=4,title=c-ext 1.0 on 3.14t%3A switches the GIL on::"
        "c-ext 1.0: c-ext is gil. It is required by requirements.txt → web. Take 2.0."
    )


def test_a_file_without_a_line() -> None:
    place = {"a": Place(path="a.txt", line=None)}
    text = commands(audit(finding("a", Status.GIL)), place, failing=(), known=())
    assert text.startswith("::warning file=a.txt,title=")


def test_failed_tests_are_an_error() -> None:
    text = commands(told(audit(), tests=ran(1)), {}, failing=(), known=())
    assert "::error title=Tests on 3.14t::The project's tests failed (exit status 1)" in text


@given(st.text(), st.text(min_size=1))
def test_no_text_breaks_out_of_its_place(detail: str, path: str) -> None:
    item = changed(finding("a", Status.GIL), detail=detail, package=package("a", "1%:,\n"))
    text = commands(audit(item), {"a": Place(path=path, line=1)}, failing={"a"}, known=())
    lines = re.split(r"\r\n|\r|\n", text)
    assert len(lines) == 2
    properties, _, message = lines[0].removeprefix("::error ").partition("::")
    assert len(properties.split(",")) == 3
    for escaped, plain in (("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        message = message.replace(escaped, plain)
    assert message.endswith(f": {detail}")
