from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import msgspec
import pytest

from ftbuild.auditing.grading.nearest import files_of, nearest, nearest_of
from ftbuild.fetch.access import Access
from ftbuild.fetch.simple import Offered
from tests.unit.auditing.examples import TARGET, package
from tests.unit.auditing.grading.platforms import linux

GIL = "cp313-cp313-manylinux_2_17_x86_64"
GOOD = "cp314-cp314t-manylinux_2_17_x86_64"
LINUX = linux(TARGET)


def offered(*stems: str, requires: str = "", yanked: bool = False) -> list[Offered]:
    return [
        Offered(
            name=f"spam-{stem}.whl",
            url=f"https://files.example/{stem}",
            requires_python=requires,
            yanked=yanked,
        )
        for stem in stems
    ]


@pytest.mark.parametrize(
    ("stems", "current", "found"),
    [
        ((f"1.0-{GIL}", f"1.10-{GOOD}", f"1.9-{GOOD}"), "1.0", "1.9"),
        ((f"1.0-{GIL}", f"0.8-{GOOD}", f"0.9-{GOOD}"), "1.0", "0.9"),
        ((f"0.9-{GOOD}", f"1.0-{GIL}", f"2.0-{GOOD}"), "1.0", "2.0"),
        ((f"1.0-{GIL}", f"2.0-{GIL}"), "1.0", None),
        ((f"1.0-{GOOD}",), "1.0", None),
        # Pre-releases: where the current one is, or there is no other.
        ((f"2.0rc1-{GOOD}", f"2.0-{GOOD}"), "1.0", "2.0"),
        ((f"2.0rc1-{GOOD}", f"2.0-{GIL}"), "1.0", "2.0rc1"),
        ((f"2.0rc2-{GOOD}", f"2.0-{GOOD}"), "2.0rc1", "2.0rc2"),
        # The newest that has one.
        ((f"1.0-{GOOD}", f"2.0-{GOOD}", f"3.0-{GIL}"), None, "2.0"),
        # For any Python: a release that is pure, not what is left beside those for GIL builds.
        ((f"2.0-{GIL}", "2.0-py3-none-any", f"2.1-{GOOD}"), "1.0", "2.1"),
        (("2.0-py3-none-any", f"2.1-{GOOD}"), "1.0", "2.0"),
    ],
)
def test_which_version(stems: tuple[str, ...], current: str | None, found: str | None) -> None:
    near = nearest(offered(*stems), current, LINUX)
    assert (near and near.version) == found


@pytest.mark.parametrize(
    ("requires", "counts"),
    [("", True), (">=3.10", True), ("<3.14", False), (">=3.15", False), ("nonsense", True)],
)
def test_other_pythons_do_not_count(requires: str, counts: bool) -> None:
    near = nearest(offered(f"2.0-{GOOD}", requires=requires), "1.0", LINUX)
    assert (near is not None) is counts


def test_a_release_candidate_of_python_counts_as_the_release() -> None:
    coming = linux(TARGET, "3.15.0rc2")
    files = offered("2.0-cp315-cp315t-manylinux_2_17_x86_64", requires=">=3.15")
    assert nearest(files, "1.0", coming) is not None


def test_withdrawn_files_do_not_count() -> None:
    assert nearest(offered(f"2.0-{GOOD}", yanked=True), "1.0", LINUX) is None


def test_files_of_a_version() -> None:
    found = files_of(
        [*offered(f"1.0-{GIL}", f"1.0.0-{GOOD}", f"1.1-{GOOD}"), *offered("broken")], "1.0"
    )
    assert [file.name for file in found] == [f"spam-1.0-{GIL}.whl", f"spam-1.0.0-{GOOD}.whl"]
    assert files_of(offered(f"1.0-{GIL}"), "not a version") == ()


def test_an_index(tmp_path: Path) -> None:
    for version, tag in (("1.0", GIL), ("1.1", GOOD)):
        with zipfile.ZipFile(tmp_path / f"spam-{version}-{tag}.whl", "w"):
            pass
    asking = Access(env={}, stop=threading.Event(), offline=True)
    spam = msgspec.structs.replace(package("spam"), index=tmp_path.as_uri())
    near = nearest_of(spam, LINUX, access=asking, cache=tmp_path)
    assert near is not None
    assert near.version == "1.1"
    assert near.wheel.url.startswith("file://")
    elsewhere = msgspec.structs.replace(spam, index=None)
    assert nearest_of(elsewhere, LINUX, access=asking, cache=tmp_path) is None
