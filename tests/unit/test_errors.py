from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.Refused, 1),
        (errors.UsageError, 2),
        (errors.EnvironmentFault, 3),
        (errors.BuildFailed, 3),
        (errors.TrainingFailed, 3),
        (errors.Interrupted, 130),
    ],
)
def test_exit_codes(kind: type[errors.FtbuildError], code: int) -> None:
    assert kind("").exit_code == code


def test_an_error_says_what_happened_and_what_to_do() -> None:
    bare = errors.FtbuildError("it broke")
    assert (str(bare), bare.hint, bare.log, bare.tail) == ("it broke", "", None, ())
    full = errors.BuildFailed("it broke", hint="mend it", log=Path("/log"), tail=("a", "b"))
    assert (full.message, full.hint) == ("it broke", "mend it")
    assert (full.log, full.tail) == (Path("/log"), ("a", "b"))


def test_a_training_that_fails_is_a_build_that_fails() -> None:
    assert issubclass(errors.TrainingFailed, errors.BuildFailed)
    assert issubclass(errors.BuildFailed, errors.EnvironmentFault)
