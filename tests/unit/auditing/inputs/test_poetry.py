from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from ftbuild.auditing.inputs.poetry import declared, requirement, specifiers

BASE = Path("/work/project")
NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=4)


# The examples of poetry's documentation, and what they allow according to it.
@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^1.2", ">=1.2,<2"),
        ("^1", ">=1,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("*", ""),
        ("1.*", "==1.*"),
        ("1.2.*", "==1.2.*"),
        ("!=1.2.*", "!=1.2.*"),
        (">=3.*", ">=3"),
        (">= 1.2, <1.5", ">=1.2,<1.5"),
        (">=1.2 <1.5", ">=1.2,<1.5"),
        ("1.2", "==1.2"),
        ("= 1.2", "==1.2"),
        ("~=1.4.2", "~=1.4.2"),
        ("~=1", ">=1,<2"),
        ("~= 1!3rc1", ">=1!3rc1,<1!4"),
        ("~=1 || ~=3", ">=1,<4"),
        ("^1!2.0", ">=1!2.0,<1!3"),
        ("^1 || ^3", ">=1,<4"),
        ("==1.2 | >=2", ">=1.2"),
        ("1.* || ~=2.4.1", ">=1,<2.5"),
    ],
)
def test_constraints(constraint: str, expected: str) -> None:
    assert specifiers(constraint) == expected


@given(numbers=NUMBERS)
def test_a_caret_keeps_the_first_number_that_is_not_zero(numbers: list[int]) -> None:
    text = ".".join(map(str, numbers))
    allowed = SpecifierSet(specifiers(f"^{text}"))
    assert Version(text) in allowed
    assert Version(f"{text}.1") in allowed
    at = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    outside = [*numbers[:at], numbers[at] + 1]
    assert Version(".".join(map(str, outside))) not in allowed


@given(st.text(max_size=20))
def test_nonsense_is_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        found = specifiers(text)
        assert str(SpecifierSet(found)).count(",") == found.count(",")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("^2.0", "lib>=2.0,<3"),
        ("*", "lib"),
        ({"version": "1.0", "extras": ["a", "b"]}, "lib[a,b]==1.0"),
        (
            {"version": "*", "python": "^3.9"},
            'lib ; python_full_version >= "3.9" and python_full_version < "4"',
        ),
        (
            {"version": "*", "python": "<3.8 || >=3.12", "platform": "linux"},
            (
                'lib ; (python_full_version < "3.8" or python_full_version >= "3.12")'
                ' and sys_platform == "linux"'
            ),
        ),
        ({"version": "*", "platform": "!=win32"}, 'lib ; sys_platform != "win32"'),
        ({"version": "*", "markers": "os_name == 'nt'"}, "lib ; (os_name == 'nt')"),
        (
            {"git": "git@host.example:a/lib.git", "tag": "v1", "subdirectory": "x"},
            "lib @ git+ssh://git@host.example/a/lib.git@v1#subdirectory=x",
        ),
        ({"url": "https://files.example/lib.zip"}, "lib @ https://files.example/lib.zip"),
        ({"path": "../lib", "develop": True}, "lib @ file:///work/lib"),
    ],
)
def test_dependencies(entry: object, expected: str) -> None:
    found = requirement("lib", entry, BASE)  # type: ignore[arg-type]
    assert found == expected
    Requirement(found)


@pytest.mark.parametrize("entry", ["about 2", {"version": "^wild"}, {"version": 3}])
def test_a_dependency_that_is_not_understood(entry: object) -> None:
    with pytest.raises(ValueError, match="the dependency lib: "):
        requirement("lib", entry, BASE)  # type: ignore[arg-type]


TABLE = {
    "dependencies": {
        "python": "^3.9",
        "requests": "^2.31",
        "Big_Lib": {"version": "*", "optional": True},
        "other": {"version": "*", "optional": True},
        "numpy": [{"version": "1.*", "python": "<3.12"}, {"version": "2.*", "python": ">=3.12"}],
    },
    "extras": {"Speed-Up": ["big-lib"]},
    "group": {"docs": {"dependencies": {"sphinx": "*"}}},
    "dev-dependencies": {"pytest": ">=8"},
}


def test_what_a_table_declares() -> None:
    plain = declared(TABLE, BASE, ())
    assert plain.requirements == (
        "requests>=2.31,<3",
        'numpy==1.* ; python_full_version < "3.12"',
        'numpy==2.* ; python_full_version >= "3.12"',
    )
    assert plain.python == ">=3.9,<4"
    assert plain.groups == {"docs": ("sphinx",), "dev": ("pytest>=8",)}
    assert plain.extras == ("speed-up",)
    assert "Big_Lib" in declared(TABLE, BASE, ("speed_up",)).requirements


def test_nothing_declared() -> None:
    found = declared({}, BASE, ())
    assert (found.requirements, found.groups, found.python) == ((), {}, "")
