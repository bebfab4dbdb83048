from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.asked import asked
from ftbuild.bench.offers import OFFERS
from ftbuild.errors import UsageError


def names(**options: Any) -> list[str]:
    return [offer.name for offer in asked(**options).offers]


def test_everything_usual_is_measured_where_nothing_is_named() -> None:
    assert names() == [name for name, offer in OFFERS.items() if offer.usual]
    assert asked().arms == tuple(Arm)


@pytest.mark.parametrize("option", [{"size": "12GB"}, {"input": __file__}])
def test_naming_logs_measures_logs_alone(option: dict[str, str]) -> None:
    assert names(**option) == ["logs"]


def test_a_suite_or_a_script_alone_is_measured_alone() -> None:
    assert names(suite=("ftscalingbench",)) == []
    assert names(script=__file__) == []
    assert names(script=__file__, workload=("trees",)) == ["trees"]


def test_words_may_be_separated_by_commas() -> None:
    assert names(workload=("trees,logs", "json")) == ["logs", "trees", "json"]


def test_the_base_of_all_comparisons_is_always_among_the_arms() -> None:
    assert asked(arm=("processes",)).arms == (Arm.GIL, Arm.PROCESSES)


def test_bytes_are_those_of_the_logs_that_are_read(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 123)
    assert asked(size="12GB").bytes == 12_000_000_000
    assert asked(input=str(log)).bytes == 123
    assert asked(workload=("trees",)).bytes == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workload": ("tree",)}, "there is no workload 'tree'"),
        ({"suite": ("pyperf",)}, "there is no suite 'pyperf'"),
        ({"arm": ("threads",)}, "there is no arm 'threads'"),
        ({"workload": ("trees",), "size": "1GB"}, "--size and --input are for the workload logs"),
        ({"size": "1GB", "input": __file__}, "give one of them"),
        ({"size": "much"}, "much"),
        ({"rounds": -1}, "--rounds must not be negative"),
        ({"timeout": -1}, "--timeout must not be negative"),
        ({"script": "nowhere.py"}, "there is no script nowhere.py"),
        ({"input": "nowhere.log"}, "there is no file nowhere.log"),
        ({"input": "/"}, "not a regular file"),
        ({"input": "/dev/null"}, "not a regular file"),
        ({"threads": "two"}, "two"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        asked(**options)
    assert said in raised.value.message


def test_an_empty_log_file_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "access.log"
    empty.touch()
    with pytest.raises(UsageError, match="is empty"):
        asked(input=str(empty))


def test_a_script_must_not_be_taken_for_a_workload(tmp_path: Path) -> None:
    script = tmp_path / "trees.py"
    script.touch()
    assert asked(script=str(script)).script == script
    with pytest.raises(UsageError, match="cannot be measured under this name"):
        asked(script=str(script), workload=("trees",))
