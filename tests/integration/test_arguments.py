"""Arguments of the user's own for configure."""

from __future__ import annotations

import pytest

from tests.integration.driver import Ftbuild

BUILD = ("build", "3.97t")


@pytest.mark.parametrize(
    ("argument", "instead"),
    [("CC=tcc", "--toolchain"), ("--exec-prefix=/x", "--root"), ("--enable-gil", "3.97+gil")],
)
@pytest.mark.parametrize("also", [(), ("--dry-run",)])
def test_what_is_asked_for_in_another_way(
    ftbuild: Ftbuild, argument: str, instead: str, also: tuple[str, ...]
) -> None:
    done = ftbuild(*BUILD, "--configure-arg", argument, *also, code=2)
    assert argument in done.err
    assert instead.replace("3.97", "3.14") in done.err
    assert ftbuild.trace == []


def test_a_jit_for_a_pair(ftbuild: Ftbuild) -> None:
    jit = ("--configure-arg", "--enable-experimental-jit=yes-off")
    done = ftbuild("build", "3.97", *jit, code=2)
    assert "3.97+gil instead of 3.97." in done.err
    ftbuild("build", "3.97+gil", *jit)
    assert ftbuild.names == ["cpython-3.97.2"]


def test_options_that_configure_does_not_know(ftbuild: Ftbuild) -> None:
    ftbuild.hook("configure", "echo 'configure: WARNING: unrecognized options: --with-luck'")
    done = ftbuild(*BUILD, "--configure-arg", "--with-luck")
    assert "warning: cpython-3.97.2t: unrecognized options: --with-luck" in done.err


def test_a_build_without_pip(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD, "--configure-arg", "--without-ensurepip")
    assert "pip t" not in ftbuild.trace
    ftbuild("verify", "3.97t")
    ftbuild("pack", "3.97t")
