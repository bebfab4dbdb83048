"""Requests that cannot be met: said at once, with what would be right."""

from __future__ import annotations

import pytest

from tests.integration.driver import Ftbuild


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("build", "3.97x"), "'3.97x' is not a Python version"),
        (("build", "3.97.9"), "The nearest releases are 3.97.2, 3.97.1"),
        (("build", "3.99"), "Python 3.99 is not in the catalogue"),
        (("build", "3.97", "--profile", "fats"), "Did you mean fast"),
        (("build", "3.97", "--toolchain", "tcc"), "'tcc' names no compiler"),
        (("build", "3.97", "--jobs", "-1"), "--jobs must not be negative"),
        (("build", "3.97", "--recipes", "nowhere"), "nowhere is not a recipe folder"),
        (("build", "3.97", "--mirror", "ftp://there"), "is not a mirror's address"),
        (("build",), "no version was named"),
        (("biuld", "3.97"), "Did you mean build"),
        (("which", "3.97"), "`ftbuild build 3.97` makes it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_exit_2(ftbuild: Ftbuild, words: tuple[str, ...], said: str) -> None:
    assert said in ftbuild(*words, code=2).err
    assert ftbuild.trace == []


def test_no_compiler(ftbuild: Ftbuild) -> None:
    ftbuild.env["PATH"] = str(ftbuild.hooks)
    done = ftbuild("build", "3.97", code=3)
    assert "this host cannot build CPython yet" in done.err
    assert ftbuild.trace == []
