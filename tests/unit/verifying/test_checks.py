from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, expect
from ftbuild.verifying import FULL, QUICK, Checker, Context, files, verify

from .builds import GCC, build, context, failing, inside, with_python


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


def test_in_a_container_the_scratch_directory_is_made_there(tmp_path: Path) -> None:
    # What is /there for the container is elsewhere on this host, and cannot be made on it.
    there = msgspec.structs.replace(
        context(Path("/there/tmp")), env={"PATH": "/usr/bin:/bin"}, inside=inside(tmp_path)
    )
    engine = tmp_path / "engine"
    engine.write_text(
        '#!/bin/sh\nlog=$0.log; [ "$3" = /there/tmp ] && shift 4 && echo "$*" >> "$log"\n'
    )

    def seen(_installation: Installation, ours: Context) -> tuple[Check, ...]:
        return (expect("a.scratch", Path("/there/tmp"), ours.scratch.parent),)

    assert verify(build(tmp_path), checks=(seen,), context=there).ok
    made, removed = (tmp_path / "engine.log").read_text().splitlines()
    folder = made.rpartition(" mkdir ")[2]
    assert folder.startswith("/there/tmp/ftbuild-")
    assert removed.endswith(f" rm -rf {folder}")


def test_the_quick_checks_are_among_the_full_ones() -> None:
    assert set(QUICK) < set(FULL)
