from __future__ import annotations

from collections import Counter
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.bench.arms import Arm
from ftbuild.bench.schedule import (
    Cell,
    balanced,
    order,
    parse_counts,
    parse_size,
    pinning,
    steady,
    time_left,
    worker_counts,
)
from ftbuild.errors import UsageError
from ftbuild.toolchain.machine import Machine

COUNTS = st.lists(st.integers(1, 64), min_size=1, max_size=6)


def host(count: int = 4, threads: int = 2, **changes: object) -> Machine:
    machine = Machine(
        cpu="Demo",
        system="linux",
        kernel="6.1",
        architecture="x86_64",
        cpus=count * threads,
        cores=tuple(range(count)),
        siblings=tuple(range(count, count * threads)),
        smt=threads > 1,
        governor=None,
        turbo=None,
        virtual=None,
        container=None,
        quota=None,
        memory=None,
        load=None,
    )
    return msgspec.structs.replace(machine, **changes)


def cell(arm: Arm, workers: int, workload: str = "logs") -> Cell:
    return Cell(workload=workload, arm=arm, workers=workers)


@pytest.mark.parametrize(
    ("machine", "counts"),
    [
        (host(1, 1), (1,)),
        (host(2, 1), (1, 2)),
        (host(4, 2), (1, 2, 4, 8)),
        (host(6, 2), (1, 2, 4, 6, 8, 12)),
        (host(3, 1), (1, 2, 3)),
        (host(8, 2, cpus=3, quota=2.5), (1, 2, 3)),
    ],
)
def test_usual_counts(machine: Machine, counts: tuple[int, ...]) -> None:
    assert worker_counts((), machine) == counts


def test_asked_counts_are_sorted_and_have_a_base() -> None:
    assert worker_counts((16, 3, 3), host()) == (1, 3, 16)


@pytest.mark.parametrize("count", [0, -1, 1025])
def test_counts_that_cannot_be(count: int) -> None:
    with pytest.raises(UsageError, match=f"{count} ") as caught:
        worker_counts((2, count), host())
    assert caught.value.hint


@given(st.lists(st.integers(-99, 9999)))
def test_counts_are_read_as_written(counts: list[int]) -> None:
    assert parse_counts(" , ".join(map(str, counts))) == tuple(counts)


@pytest.mark.parametrize("text", ["x", "1,,2", "1;2", "1.5", ",", "1-4", "\u0661", "9" * 5000])
def test_what_names_no_counts(text: str) -> None:
    with pytest.raises(UsageError, match="names no numbers"):
        parse_counts(text)


@given(st.text("019,+- x\u0661"))
def test_any_text_is_counts_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert len(parse_counts(text)) in {0, text.count(",") + 1}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("4096B", 4096),
        ("12GB", 12_000_000_000),
        ("12gb", 12_000_000_000),
        (" 500 MB ", 500_000_000),
        ("1.5GiB", 3 << 29),
        ("0.1kB", 100),
        ("64KiB", 65536),
        ("2MiB", 2 << 20),
        ("3tb", 3_000_000_000_000),
        ("1.9B", 1),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0GB",
        "-1GB",
        "GB",
        "1 2GB",
        "12G",
        "1e9",
        "1,5GB",
        "inf",
        "0.1B",
        "\u0661GB",
        "9" * 5000,
    ],
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        parse_size(text)


@given(
    st.integers(1, 10**6),
    st.integers(0, 999),
    st.sampled_from([("kB", 10**3), ("MB", 10**6), ("GB", 10**9), ("KiB", 2**10), ("GiB", 2**30)]),
)
def test_decimals_are_exact(whole: int, part: int, unit: tuple[str, int]) -> None:
    size = (whole + Fraction(part, 1000)) * unit[1]
    assert parse_size(f"{whole}.{part:03}{unit[0]}") == size.numerator // size.denominator


@given(st.text("019.-kGIib \u0661"))
def test_any_text_is_a_size_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert parse_size(text) > 0


@pytest.mark.parametrize("text", ["", "auto", " AUTO "])
def test_pinning_takes_cores_first(text: str) -> None:
    machine = host(2, 2, cores=(0, 2), siblings=(1, 3))
    assert pinning(text, machine) == (0, 2, 1, 3)


def test_pinning_may_be_left_out() -> None:
    assert pinning("none", host()) is None


@given(st.permutations(range(8)), st.integers(1, 8))
def test_a_list_keeps_its_order(cpus: list[int], count: int) -> None:
    chosen = cpus[:count]
    assert pinning(",".join(map(str, chosen)), host()) == tuple(chosen)


def test_a_list_has_ranges() -> None:
    assert pinning("6,0-2", host()) == (6, 0, 1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,9", "may not run on CPU 9"),
        ("6-10,12", "may not run on CPU 8-10,12"),
        ("0-65535", "may not run on CPU 8-65535"),
        ("1,0-2", "names a CPU twice"),
        ("0-99999999999999", "names no CPUs"),
        ("cores", "names no CPUs"),
        ("-1", "names no CPUs"),
    ],
)
def test_a_list_that_cannot_be(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        pinning(text, host())
    assert caught.value.hint


def test_cpus_that_may_be_used_are_told() -> None:
    with pytest.raises(UsageError) as caught:
        pinning("1", host(cores=(0, 2, 3), siblings=(8,)))
    assert "0,2-3,8" in caught.value.hint


def test_system_that_cannot_pin() -> None:
    machine = host(system="darwin")
    assert pinning("auto", machine) is None
    assert pinning("none", machine) is None
    with pytest.raises(UsageError, match="cannot pin"):
        pinning("0,1", machine)


@given(st.text("0179,- x\u0661"))
def test_any_text_pins_or_is_a_usage_error(text: str) -> None:
    try:
        cpus = pinning(text, host())
    except UsageError:
        return
    assert cpus is None or set(cpus) <= set(range(8))


@given(st.integers(0, 40), st.integers(0, 100))
def test_each_round_visits_each_cell_once(count: int, number: int) -> None:
    assert sorted(order(range(count), number)) == list(range(count))


@given(st.integers(1, 40), st.integers(0, 50))
def test_two_rounds_bear_a_steady_drift_alike(count: int, pair: int) -> None:
    there, back = order(range(count), 2 * pair), order(range(count), 2 * pair + 1)
    assert {there.index(cell) + back.index(cell) for cell in range(count)} == {count - 1}


@pytest.mark.parametrize("count", [2, 3, 4, 7, 12, 15])
def test_whole_design_is_even(count: int) -> None:
    rounds = count if count % 2 == 0 else 2 * count
    rows = [order(range(count), number) for number in range(rounds)]
    places = Counter((cell, place) for row in rows for place, cell in enumerate(row))
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert set(places.values()) == {rounds // count}
    assert len(places) == count**2
    assert set(follows.values()) == {rounds // count}
    assert len(follows) == count * (count - 1)


@given(st.integers(2, 40), st.integers(0, 100))
def test_neighbours_stay_close(count: int, number: int) -> None:
    row = order(range(count), number)
    assert all(abs(row.index(a) - row.index(b)) <= 2 for a, b in pairwise(range(count)))


@pytest.mark.parametrize("count", [10, 48, 97])
def test_few_rounds_begin_far_from_each_other(count: int) -> None:
    begin = [order(range(count), number)[0] for number in (0, 2, 4)]
    gaps = [(a - b) % count for a in begin for b in begin if a != b]
    assert min(gaps) >= count // 10


@pytest.mark.parametrize(
    ("amount", "counts", "wanted"),
    [
        (100, (1, 2, 4), 100),
        (101, (1, 2, 4), 100),
        (102, (1, 2, 4), 104),
        (0.3, (1, 2, 4), 4),
        (3.2, (1, 2, 4, 6), 12),
        (100, (1, 2, 4, 8, 16, 20), 80),
        (50, tuple(range(1, 17)), 48),
        (7.4, (1,), 7),
        (0, (1,), 1),
    ],
)
def test_balanced_examples(amount: float, counts: tuple[int, ...], wanted: int) -> None:
    assert balanced(amount, counts) == wanted


@given(st.floats(0.01, 1e6), COUNTS)
def test_the_most_workers_always_share_evenly(amount: float, counts: list[int]) -> None:
    found = balanced(amount, counts)
    assert found > 0
    assert found % max(counts) == 0
    assert 2 / 3 * amount <= found <= 2 * max(amount, *counts)


@given(st.integers(1, 6), st.floats(0.01, 1e6))
def test_powers_of_two_all_share_evenly(power: int, amount: float) -> None:
    counts = [1 << n for n in range(power + 1)]
    assert all(balanced(amount, counts) % count == 0 for count in counts)


def test_what_was_run_takes_as_long_again() -> None:
    done = {cell(Arm.GIL, 1): 2.0, cell(Arm.FREE, 1): 3.0}
    todo = [cell(Arm.GIL, 1), cell(Arm.GIL, 1), cell(Arm.FREE, 1)]
    assert time_left(done, todo, cpus=4, guess=99) == 7.0


@pytest.mark.parametrize(
    ("arm", "workers", "seconds"),
    [
        (Arm.FREE, 2, 4.0),
        (Arm.FREE, 4, 2.0),
        (Arm.FREE, 64, 1.0),
        (Arm.PROCESSES, 2, 4.0),
        (Arm.GIL, 4, 8.0),
        (Arm.FORCED, 4, 8.0),
    ],
)
def test_what_was_not_is_judged_by_one_worker(arm: Arm, workers: int, seconds: float) -> None:
    done = {cell(Arm.GIL, 1): 8.0, cell(Arm.GIL, 2, "trees"): 77.0}
    assert time_left(done, [cell(arm, workers)], cpus=8, guess=99) == seconds


def test_the_same_arm_tells_most() -> None:
    done = {cell(Arm.GIL, 1): 8.0, cell(Arm.FREE, 2): 6.0}
    assert time_left(done, [cell(Arm.FREE, 4)], cpus=8, guess=99) == 3.0


def test_workload_that_was_never_run_takes_the_mean() -> None:
    done = {cell(Arm.GIL, 1): 2.0, cell(Arm.FREE, 1): 4.0}
    assert time_left(done, [cell(Arm.GIL, 1, "trees")], cpus=8, guess=99) == 3.0


def test_guess_before_anything_is_known() -> None:
    todo = [cell(Arm.GIL, 1), cell(Arm.FREE, 2)]
    assert time_left({}, todo, cpus=8, guess=1.5) == 3.0
    assert time_left({}, [], cpus=8, guess=1.5) == 0


@given(st.floats(1, 1e9))
def test_a_steady_amount_is_near_and_the_same_for_what_is_near_to_it(amount: float) -> None:
    found = steady(amount)
    assert amount / 1.42 <= found <= amount * 1.42
    assert steady(found * 1.3) == steady(found / 1.3) == found


def test_a_steady_amount_is_one_at_least() -> None:
    assert steady(0.01) == 1
