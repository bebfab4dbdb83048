from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from ftbuild.auditing.findings import File
from ftbuild.auditing.grading.wheels import abis, best, for_gil, version_of
from ftbuild.wheels.tags import wheel_of
from tests.unit.auditing.examples import TARGET
from tests.unit.auditing.grading.platforms import linux


def files(*tags: str) -> tuple[File, ...]:
    return tuple(
        File(name=f"spam-1.0-{tag}.whl", url=f"https://files.example/{tag}") for tag in tags
    )


LINUX = linux(TARGET)


@pytest.mark.parametrize(
    ("tags", "taken"),
    [
        (("cp314-cp314-manylinux_2_17_x86_64", "cp312-abi3-manylinux_2_17_x86_64"), None),
        (("cp314-cp314t-macosx_11_0_arm64", "cp314-cp314t-musllinux_1_2_x86_64"), None),
        (("cp313-cp313t-manylinux_2_17_x86_64",), None),
        (("cp314-cp314t-manylinux_2_90_x86_64",), None),
        (("cp315-abi3.abi3t-manylinux_2_17_x86_64",), None),
        (("py3-none-any", "cp314-cp314t-manylinux_2_17_x86_64"), "cp314t"),
        (("cp314-none-any", "py3-none-any"), "none"),
        (("py2-none-any",), None),
    ],
)
def test_what_is_taken(tags: tuple[str, ...], taken: str | None) -> None:
    found = best(files(*tags), LINUX)
    assert (found and found.tag.abi) == taken


def test_the_stable_abi_of_free_threaded_builds() -> None:
    coming = linux(TARGET, "3.15.0rc2")
    found = best(files("cp315-abi3.abi3t-manylinux_2_17_x86_64"), coming)
    assert found is not None
    assert found.tag.abi == "abi3t"
    assert best(files("cp315-abi3-manylinux_2_17_x86_64"), coming) is None


def test_the_best_tag_and_then_the_latest_build() -> None:
    tags = ("cp314-cp314t-manylinux_2_17_x86_64", "cp314-cp314t-manylinux_2_28_x86_64")
    for order in (tags, tuple(reversed(tags))):
        found = best(files(*order), LINUX)
        assert found is not None
        assert found.file.name.endswith("2_28_x86_64.whl")
    for builds in (("", "2-", "10-"), ("10-", "2-", "")):
        found = best(files(*(f"{build}py3-none-any" for build in builds)), LINUX)
        assert found is not None
        assert found.file.name == "spam-1.0-10-py3-none-any.whl"


def test_abis_are_those_of_this_platform_whatever_the_release() -> None:
    listed = files(
        "cp310-cp310-manylinux_2_17_x86_64",
        "cp39-cp39-manylinux_2_17_x86_64",
        "cp314-cp314t-manylinux_2_17_x86_64",
        "cp315-abi3.abi3t-manylinux_2_17_x86_64",
        "cp312-cp312-win_amd64",
        "pp39-pypy39_pp73-manylinux_2_17_x86_64",
        "py3-none-any",
        "broken",
    )
    assert abis(listed, LINUX) == ("cp39", "cp310", "cp314t", "abi3", "abi3t", "none")


@pytest.mark.parametrize(
    ("tag", "taken"),
    [
        ("cp314-cp314-manylinux_2_17_x86_64", True),
        ("cp39-abi3-manylinux_2_17_x86_64", True),
        ("cp315-abi3-manylinux_2_17_x86_64", False),
        ("cp313-cp313-manylinux_2_17_x86_64", False),
        ("cp314-cp314-win_amd64", False),
        ("cp314-cp314t-manylinux_2_17_x86_64", False),
    ],
)
def test_what_the_gil_build_would_take(tag: str, taken: bool) -> None:
    assert for_gil(files(tag), LINUX) is taken


def test_versions_of_files() -> None:
    assert version_of("spam-1.0.post1-py3-none-any.whl") == Version("1.0.post1")
    assert version_of("spam-eggs-2.0.zip") == Version("2.0")
    assert version_of("spam-1.0.exe") is None


@given(name=st.text() | st.text().map(lambda stem: f"{stem}.whl"))
def test_no_name_is_too_strange(name: str) -> None:
    wheel = wheel_of(name)
    assert wheel is None or name.endswith(".whl")
    version_of(name)
