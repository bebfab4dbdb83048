from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, expect
from ftbuild.verify import FULL, QUICK, Checker, Context, files, verify

from .builds import GCC, build, context, failing, with_python


@pytest.mark.parametrize("checker", [*FULL, files])
@pytest.mark.parametrize("script", ["kill -SEGV $$", "echo '{}'"])
def test_no_checker_raises_for_a_broken_interpreter(
    tmp_path: Path, checker: Checker, script: str
) -> None:
    installation = with_python(build(tmp_path / "prefix"), script)
    report = verify(installation, checks=(checker,), context=context(tmp_path, compiler=GCC))
    assert failing(report)


def test_a_report_holds_the_checks_in_order(tmp_path: Path) -> None:
    def first(_installation: Installation, _context: Context) -> tuple[Check, ...]:
        return expect("a.one", 1, 1), expect("a.two", 2, 3)

    def second(_installation: Installation, ours: Context) -> tuple[Check, ...]:
        (ours.scratch / "left-behind").touch()
        return (expect("b.scratch", tmp_path.resolve(), ours.scratch.parent),)

    report = verify(build(tmp_path), checks=(first, second), context=context(tmp_path))
    assert [check.name for check in report.checks] == ["a.one", "a.two", "b.scratch"]
    assert (report.kind, report.subject) == ("verify", "cpython-3.14.7t")
    assert failing(report) == {"a.two"}
    assert not list(tmp_path.iterdir())


def test_the_quick_checks_are_among_the_full_ones() -> None:
    assert set(QUICK) < set(FULL)
