from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ftbuild.toolchain.programs import major, numbers, said, which


def test_which_searches_the_given_path_alone(
    program: Callable[[str, str], Path], env: dict[str, str]
) -> None:
    tool = program("sh-of-mine", "echo hello")
    assert which("sh-of-mine", env) == tool
    assert which("sh", env) is None


def test_said_joins_both_streams_in_english(
    program: Callable[[str, str], Path], env: dict[str, str]
) -> None:
    tool = program("tool", 'echo "out $LC_ALL"; echo err >&2')
    assert said(tool, env={**env, "LC_ALL": "de_DE.UTF-8"}) == "out C\nerr\n"


def test_what_fails_or_cannot_run_says_nothing(
    program: Callable[[str, str], Path], env: dict[str, str], tmp_path: Path
) -> None:
    assert said(program("tool", "echo 1.0; exit 1"), env=env) == ""
    assert said(tmp_path / "none", env=env) == ""


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_numbers_read_back(parts: list[int]) -> None:
    text = ".".join(map(str, parts))
    assert numbers(text) == tuple(parts)
    assert major(text) == str(parts[0])


def test_openssl_letters_do_not_disturb() -> None:
    assert numbers("1.1.1k") == (1, 1, 1)
    assert numbers("1.0.2") < numbers("1.1.1") < numbers("3.0.22")


def test_a_number_that_is_none() -> None:
    assert numbers("9" * 5000)
    assert numbers("1.\u00b2") == (1,)
