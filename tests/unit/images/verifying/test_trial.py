from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.images.verifying.trial import PROJECTS, Wheels, trial
from ftbuild.model.report import Status
from ftbuild.model.versions import Variant
from tests.builders import build, with_python
from tests.unit.verifying.builds import context, failing, named


def _python(answer: str, install: str = "true") -> str:
    """An interpreter that makes virtual environments of itself and gives an answer."""
    return f"""
        for last; do :; done
        case "$*" in
          *-m\\ venv*) mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
          *-m\\ pip*) echo "$*" > pip.log; {install} ;;
          *wheels.py*) printf '{answer}\\n' "$(dirname "$(dirname "$0")")" ;;
        esac"""


@pytest.mark.parametrize("variant", Variant)
def test_the_gil_must_stay_as_it_was(tmp_path: Path, variant: Variant) -> None:
    wheels = Wheels(folder=tmp_path / "wheels")
    for gil in (True, False):
        answer = f'{{"right": true, "gil": {str(gil).lower()}, "place": "%s/lib/packaging.py"}}'
        python = with_python(build(tmp_path, variant), _python(answer))
        checks = trial(python, context(tmp_path), wheels)
        wrong = gil is (variant is Variant.FREE_THREADED)
        assert failing(checks) == ({"wheels.numpy"} if wrong else set())
    log = (tmp_path / "pip.log").read_text()
    assert f"--no-index --find-links {tmp_path}/wheels {' '.join(PROJECTS)}" in log


def test_a_wrong_product_and_a_module_from_elsewhere(tmp_path: Path) -> None:
    answer = '{"right": false, "gil": false, "place": "/usr/lib/packaging.py"}'
    python = with_python(build(tmp_path), _python(answer))
    checks = trial(python, context(tmp_path), Wheels(folder=tmp_path))
    assert failing(checks) == {"wheels.numpy", "wheels.packaging"}


def test_a_wheel_that_does_not_fit(tmp_path: Path) -> None:
    refuse = "echo 'ERROR: No matching distribution found for numpy' >&2; exit 1"
    python = with_python(build(tmp_path), _python("", refuse))
    checks = trial(python, context(tmp_path), Wheels(folder=tmp_path))
    assert failing(checks) == {"wheels.install"}
    assert "No matching distribution" in named(checks)["wheels.install"].found


def test_an_import_that_crashes(tmp_path: Path) -> None:
    python = with_python(build(tmp_path), _python("").replace("printf", "kill -SEGV $$; printf"))
    checks = trial(python, context(tmp_path), Wheels(folder=tmp_path))
    assert named(checks)["wheels.numpy"].found == "signal SIGSEGV"


def test_without_wheels_or_under_a_sanitizer_nothing_is_tried(tmp_path: Path) -> None:
    without = trial(build(tmp_path), context(tmp_path), Wheels(folder=None, why_not="offline"))
    sanitized = build(tmp_path, sanitizer="thread")
    under = trial(sanitized, context(tmp_path), Wheels(folder=tmp_path))
    for checks, reason in ((without, "offline"), (under, "made for no sanitizer")):
        assert {check.status for check in checks} == {Status.SKIPPED}
        assert all(reason in check.reason for check in checks)
