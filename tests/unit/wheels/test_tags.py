from __future__ import annotations

import contextlib
import os
import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging import tags

from ftbuild.errors import UsageError
from ftbuild.model.versions import Variant
from ftbuild.wheels.tags import accepted_by, best, linux_platforms

GIL, FREE = Variant.GIL, Variant.FREE_THREADED


def abis(version: str, variant: Variant) -> set[str]:
    return {tag.split("-")[1] for tag in accepted_by(version, variant, ["linux_x86_64"])}


@pytest.mark.parametrize(
    ("version", "variant", "found"),
    [
        ("3.13", GIL, {"cp313", "abi3", "none"}),
        ("3.14.7", FREE, {"cp314t", "none"}),
        ("3.15.0rc2", FREE, {"cp315t", "abi3t", "none"}),
    ],
)
def test_abis(version: str, variant: Variant, found: set[str]) -> None:
    assert abis(version, variant) == found


def test_the_platforms_of_this_host() -> None:
    libc = os.confstr("CS_GNU_LIBC_VERSION") if platform.libc_ver()[0] == "glibc" else None
    if libc is None:
        pytest.skip("packaging knows the platforms of a glibc host to compare with")
    assert linux_platforms(platform.machine(), libc) == tuple(tags.platform_tags())


def test_platforms_elsewhere() -> None:
    glibc = linux_platforms("aarch64", "glibc 2.41")
    assert glibc[:2] == ("linux_aarch64", "manylinux_2_41_aarch64")
    assert glibc[-2:] == ("manylinux_2_17_aarch64", "manylinux2014_aarch64")
    assert "manylinux1_x86_64" in linux_platforms("x86_64", "glibc 2.36")
    musl = linux_platforms("aarch64", "musl 1.2")
    assert musl[:2] == ("linux_aarch64", "musllinux_1_2_aarch64")
    assert not any("many" in name for name in musl)


@pytest.mark.parametrize("libc", ["", "glibc", "2.41", "glibc 2", "glibc 2.x", "uclibc 1.0"])
def test_a_library_nobody_knows(libc: str) -> None:
    with pytest.raises(UsageError, match="no C library") as caught:
        linux_platforms("x86_64", libc)
    assert "glibc 2.41" in caught.value.hint


@given(st.text())
def test_any_library(libc: str) -> None:
    with contextlib.suppress(UsageError):
        assert linux_platforms("x86_64", libc)[0] == "linux_x86_64"


def test_the_best() -> None:
    accepted = accepted_by("3.14", FREE, linux_platforms("x86_64", "glibc 2.36"))
    names = [
        f"spam-1.0-{tag}.whl"
        for tag in (
            *("cp314-cp314-manylinux_2_28_x86_64", "cp314-abi3-manylinux_2_28_x86_64"),
            *("cp314-cp314t-manylinux_2_41_x86_64", "cp314-cp314t-musllinux_1_2_x86_64"),
            "cp314-cp314t-manylinux_2_28_aarch64",
        )
    ]
    assert best(names, accepted) is None
    assert best([*names, "spam.tar.gz"], accepted) is None
    names.append("spam-1.0-py3-none-any.whl")
    found = best(names, accepted)
    assert found is not None
    assert found[0] == names[-1]
    names.append("spam-1.0-cp314-cp314t-manylinux2014_x86_64.manylinux_2_17_x86_64.whl")
    found = best(names, accepted)
    assert found is not None
    assert found[0] == names[-1]
    assert str(found[1]) == "cp314-cp314t-manylinux_2_17_x86_64"
