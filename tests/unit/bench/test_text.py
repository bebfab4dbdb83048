from __future__ import annotations

import pytest

from ftbuild.bench import text
from ftbuild.bench.arms import Arm
from ftbuild.bench.comparison import compare
from ftbuild.bench.results import Pair

from .examples import FREE, GIL, UNLIKE, results


def test_a_table_for_each_workload_and_the_verdict_last() -> None:
    said = text.measurement(results(("logs", "trees")))
    assert said.index("\nlogs (") < said.index("\ntrees (")
    assert said.rstrip().endswith(".")
    assert "free-threaded build, GIL forced on" in said
    assert not any(line.endswith(" ") for line in said.splitlines())


def test_an_unlike_pair_is_said_above_all_figures() -> None:
    said = text.measurement(
        results(("logs",), pair=Pair(gil=GIL, free_threaded=FREE, unlike=(UNLIKE,)))
    )
    assert said.index("NO MATCHED PAIR") < said.index("logs (")


def test_a_failed_series_says_why() -> None:
    said = text.measurement(results(failures={("logs", Arm.FREE, 2): "signal SIGSEGV"}))
    assert "signal SIGSEGV" in said


def test_a_comparison_says_first_what_differs() -> None:
    a, b = (
        results(("logs",)),
        results(("logs",), pair=Pair(gil=GIL, free_threaded=FREE, unlike=(UNLIKE,))),
    )
    said = text.comparison(compare(a, b))
    assert said.startswith("They differ in\n")
    assert "logs free-threaded 2" in said


def test_equal_measurements_differ_in_nothing() -> None:
    same = results(("logs",))
    assert text.comparison(compare(same, same)).startswith("They differ in nothing")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (123.4, "123 s"),
        (12.34, "12.3 s"),
        (1.2345, "1.23 s"),
        (0.31, "310 ms"),
        (0.00204, "2.04 ms"),
        (2.5e-6, "2.50 µs"),
        (2.5e-8, "25 ns"),
    ],
)
def test_times_have_three_digits(value: float, said: str) -> None:
    assert text.seconds(value) == said
