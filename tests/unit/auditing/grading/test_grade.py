from __future__ import annotations

import msgspec
import pytest

from ftbuild.auditing.findings import Grade
from ftbuild.auditing.grading.contents import Contents, Shipped
from ftbuild.auditing.grading.grade import graded
from tests.unit.auditing.examples import TARGET, package
from tests.unit.auditing.grading.platforms import linux

LINUX = linux(TARGET)
ML = "manylinux_2_17_x86_64"


@pytest.mark.parametrize(
    ("tags", "contents", "grade"),
    [
        (("py3-none-any",), Contents(), Grade.PURE),
        (("py3-none-any",), None, Grade.PURE),
        (("py3-none-any",), Contents(extensions=("c.so",)), Grade.SUSPICIOUS),
        (("py3-none-any",), Contents(binaries=("a.so",)), Grade.BINARIES),
        (("py3-none-any",), Contents(binaries=("x.data/scripts/x.py", "x/t.exe")), Grade.PURE),
        ((f"py3-none-{ML}",), Contents(binaries=("x.data/scripts/x",)), Grade.BINARIES),
        ((f"py3-none-{ML}",), Contents(), Grade.BINARIES),
        ((f"py3-none-{ML}",), None, Grade.UNKNOWN),
        ((f"cp314-none-{ML}",), Contents(extensions=("c.so",)), Grade.SUSPICIOUS),
        ((f"cp314-cp314t-{ML}",), None, Grade.FREE_THREADED),
        ((f"cp314-cp314t-{ML}", "py3-none-any"), Contents(), Grade.FREE_THREADED),
        ((f"cp39-abi3-{ML}", "py3-none-any"), Contents(), Grade.PURE),
        ((f"cp39-abi3-{ML}",), None, Grade.GIL_ONLY),
        ((f"cp314-cp314-{ML}", f"cp315-cp315t-{ML}"), None, Grade.GIL_ONLY),
        ((f"cp312-cp312-{ML}",), None, Grade.GIL_ONLY),
        ((f"cp313-cp313-{ML}", f"cp313-cp313t-{ML}"), None, Grade.OTHER),
        (("cp314-cp314t-win_amd64", "cp314-cp314-macosx_11_0_arm64"), None, Grade.OTHER),
        ((f"pp311-pypy311_pp73-{ML}",), None, Grade.OTHER),
        ((), Contents(sources=("c.c",)), Grade.SDIST_NATIVE),
        (("py2-none-any",), Contents(sources=("c.c",)), Grade.SDIST_NATIVE),
        ((), Contents(), Grade.SDIST_PURE),
        ((), None, Grade.SDIST),
    ],
)
def test_grades(tags: tuple[str, ...], contents: Contents | None, grade: Grade) -> None:
    spam = package("spam", "1.0", *tags)
    assert graded(spam, LINUX, Shipped(contents=contents)).grade is grade
    # As it is where the resolution did not list them, but the index does.
    unlisted = msgspec.structs.replace(spam, wheels=())
    shipped = Shipped(contents=contents, files=spam.wheels)
    assert graded(unlisted, LINUX, shipped).grade is grade


def test_the_stable_abi() -> None:
    spam = package("spam", "1.0", f"cp315-abi3.abi3t-{ML}")
    assert graded(spam, linux(TARGET, "3.15.0rc2"), Shipped()).grade is Grade.ABI3T
    assert graded(spam, LINUX, Shipped()).grade is Grade.OTHER


def test_what_else_is_told() -> None:
    tags = (f"cp314-cp314t-{ML}", f"cp314-cp314-{ML}")
    spam = package("spam", "1.0", *tags)
    found = graded(spam, LINUX, Shipped(contents=Contents(level=2), note="so so"))
    assert found.wheel == f"spam-1.0-cp314-cp314t-{ML}.whl"
    assert (found.abis, found.sdist, found.level, found.note) == (
        ("cp314", "cp314t"),
        True,
        2,
        "so so",
    )
    bad = package("spam", "1.0", "py3-none-any")
    assert graded(bad, LINUX, Shipped(contents=Contents(extensions=("a.so",)))).inside == ("a.so",)


def test_optional_native_code_is_noted() -> None:
    shipped = Shipped(contents=Contents(sources=("c.c",), optional=True))
    found = graded(package("spam"), LINUX, shipped)
    assert found.inside == ("c.c",)
    assert "optional" in found.note


def test_what_cannot_be_graded() -> None:
    spam = package("spam")
    assert graded(spam, LINUX, Shipped(note="its index is silent")).grade is Grade.UNKNOWN
    nothing = msgspec.structs.replace(spam, sdist=None)
    assert graded(nothing, LINUX, Shipped(files=())).grade is Grade.UNKNOWN
    local = msgspec.structs.replace(spam, source="/src/spam")
    assert graded(local, LINUX, Shipped()).grade is Grade.LOCAL
