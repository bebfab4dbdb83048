from __future__ import annotations

from typing import Any

import pytest

from ftbuild.model.spec import BuildSpec, Library
from ftbuild.model.training import FORMAT, TrainingProfile
from ftbuild.model.versions import Variant
from tests.builders import specification


def profile(**asked: Any) -> TrainingProfile:
    return TrainingProfile(
        format=FORMAT, spec=wanted(**asked), sha256="a" * 64, frozen=None, ftbuild="0.1.0"
    )


def wanted(**asked: Any) -> BuildSpec:
    return specification(**{"profile": "optimized", "pgo": True, **asked})


def test_one_of_the_same_kind_fits() -> None:
    assert profile().unfit(wanted()) == ""
    assert profile().unfit(wanted(profile_data="b" * 64, debug_info=True)) == ""


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"version": "3.14.6"}, "version 3.14.7, not 3.14.6"),
        ({"variant": Variant.GIL}, "variant free-threaded, not gil"),
        ({"compiler": "gcc 14.2.0 x"}, "compiler gcc 12.2.0 x86_64-linux-gnu, not gcc 14.2"),
        ({"libraries": (Library(name="zstd", version="1.5.7"),)}, "libraries ["),
    ],
)
def test_the_reason_why_another_does_not(asked: dict[str, Any], reason: str) -> None:
    assert reason in profile().unfit(wanted(**asked))


def test_a_long_difference_is_shortened() -> None:
    flags = tuple(f"--with-option-{number}" for number in range(100))
    assert len(profile().unfit(wanted(configure_args=flags))) < 250
