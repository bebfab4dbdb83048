from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Pair, Results, Suite, SuiteRow
from ftbuild.bench.verdict import notes, verdict
from tests.unit.bench.examples import BIG, FREE, GIL, SHAPES, SMALL, UNLIKE, results

ALL = tuple(SHAPES)
ONE_CPU = msgspec.structs.replace(SMALL, cpus=1, cores=(0,))
UNMATCHED = Pair(gil=GIL, free_threaded=FREE, unlike=(UNLIKE,))
PYPERFORMANCE = Suite(
    name="pyperformance",
    version="1.14.0",
    figure="seconds",
    workers=1,
    rows=(
        SuiteRow(name="nbody", values={"gil": (1.0,), "free-threaded": (1.07,)}),
        SuiteRow(name="lxml", values={"gil": (5.0,)}, failures={"free-threaded": "no wheel"}),
    ),
)
FTSCALINGBENCH = Suite(
    name="ftscalingbench",
    version="3.14.7",
    figure="speed-up",
    workers=2,
    rows=(SuiteRow(name="object_cfunction", values={"gil": (0.9,), "free-threaded": (1.9,)}),),
)


def reaching(**speeds: float) -> Callable[[str, Arm, int], float]:
    """Arms that reach so much with more than one worker, 1 with one."""

    def seconds(_: str, arm: Arm, workers: int) -> float:
        return 1.0 if workers == 1 else 1 / speeds.get(arm.name.lower(), 1.0)

    return seconds


def test_one_workload() -> None:
    assert verdict(results(("tables",))) == (
        "With 2 threads, the free-threaded build runs tables 1.75 times as fast as one thread of "
        "the GIL build; on the GIL build 2 threads reach 0.98 and 2 processes reach 1.60; with one "
        "thread the free-threaded build takes 11 % longer than the GIL build."
    )


def test_many_workloads() -> None:
    said = verdict(results(ALL, (1, 2, 4, 8, 16)))
    assert said.startswith(
        "With 16 threads, the free-threaded build runs 9 workloads 5.69 times as fast as one "
        "thread of the GIL build (geometric mean; best hashes 15.5, worst counter 0.21); "
    )
    assert "processes win in logs, trees and http; " in said
    assert said.endswith(
        "takes 10 % longer than the GIL build (geometric mean; pipeline +20 %, hashes +0 %)."
    )


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (3.0, "runs logs 3.00 times as fast as one thread of the GIL build;"),
        (1.02, "runs logs no faster than one thread of the GIL build;"),
        (0.5, "runs logs slower than one thread of the GIL build, at 0.50 of its speed (better: "),
    ],
)
def test_a_gain_is_told_in_words_that_fit_it(free: float, said: str) -> None:
    assert said in verdict(results(seconds=reaching(free=free)))


@pytest.mark.parametrize(("processes", "wins"), [(1.8, False), (2.05, False), (2.2, True)])
def test_processes_win_by_more_than_what_figures_are_good_for(processes: float, wins: bool) -> None:
    document = results(seconds=reaching(free=2.0, processes=processes))
    assert ("so processes win" in verdict(document)) is wins


def test_fewer_threads_may_do_better() -> None:
    def seconds(_: str, arm: Arm, workers: int) -> float:
        return {1: 1.0, 2: 0.5, 4: 0.8}[workers] if arm is Arm.FREE else 1.0

    assert "1.25 times as fast as one thread of the GIL build (better: 2.00 with 2);" in verdict(
        results(workers=(1, 2, 4), seconds=seconds)
    )


def test_more_threads_than_cpus_do_not_decide() -> None:
    assert verdict(results(workers=(1, 2, 4), machine=SMALL)).startswith("With 2 threads, ")


def test_what_cannot_be_shown_is_not_claimed() -> None:
    said = verdict(results(workers=(1, 2), machine=ONE_CPU))
    assert said == (
        "With one CPU it cannot be shown what threads gain; with one thread the free-threaded "
        "build takes 9 % longer than the GIL build."
    )
    assert verdict(results(workers=(1,))).startswith("Nothing can be said about scaling, because")
    assert verdict(results(())) == "Nothing was measured."
    assert verdict(results(arms=(Arm.GIL,))) == (
        "The free-threaded build was not measured with the GIL off."
    )


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (1.3, "takes 30 % longer than the GIL build"),
        (2.5, "takes 2.50 times as long as the GIL build"),
        (1.001, "takes as long as the GIL build"),
        (0.9, "takes 10 % less time than the GIL build"),
    ],
)
def test_the_cost_is_told_in_words_that_fit_it(factor: float, said: str) -> None:
    document = results(seconds=lambda _, arm, __: factor if arm is Arm.FREE else 1.0, noise=0.0)
    assert said in verdict(document)


def test_a_cost_within_the_noise_is_none() -> None:
    document = results(
        seconds=lambda _, arm, __: 1.02 if arm is Arm.FREE else 1.0, noise=0.2, rounds=9
    )
    assert "takes about as long as the GIL build" in verdict(document)


def test_a_crash_is_told() -> None:
    failures = {("logs", Arm.FREE, 2): "signal SIGSEGV", ("json", Arm.FREE, 2): "timeout"}
    one = verdict(results(failures=failures))
    assert one.startswith("2 threads of the free-threaded build gave no figure; with one thread")
    assert one.endswith("1 of 8 series failed (logs free-threaded 2: signal SIGSEGV).")
    many = verdict(results(ALL, failures=failures))
    assert "runs 7 of 9 workloads 1.24 times as fast" in many
    assert many.endswith("2 of 72 series failed (first logs free-threaded 2: signal SIGSEGV).")


def test_a_mean_of_one_is_none() -> None:
    said = verdict(results(("logs", "json"), failures={("json", Arm.FREE, 2): "timeout"}))
    assert "one thread of the GIL build, the only one of 2 workloads with a figure;" in said
    assert said.startswith("With 2 threads, the free-threaded build runs logs 1.82 times as fast")


def test_what_failed_in_the_same_way_is_told_once() -> None:
    failures = {("logs", arm, 2): "ValueError: no" for arm in (Arm.GIL, Arm.FREE)}
    (note,) = notes(results(failures=failures))
    assert note == "logs failed on gil 2, free-threaded 2: ValueError: no"


def test_without_the_gil_build_there_is_only_its_own_base() -> None:
    assert verdict(results(arms=(Arm.FREE,))).startswith(
        "2 threads of the free-threaded build are 1.98 times as fast as one, with no figure for"
    )


def test_means_over_other_workloads_are_left_out() -> None:
    said = verdict(results(ALL, failures={("json", Arm.PROCESSES, 2): "timeout"}))
    assert "on the GIL build 2 threads reach 1.06; processes win in logs, trees and http;" in said


@pytest.mark.parametrize(
    ("document", "start", "end"),
    [
        (
            results(pair=UNMATCHED),
            "On builds that differ in more than the GIL (achieved), with 2",
            "",
        ),
        (results(interrupted=True), "With 2 threads, ", "; it was stopped early."),
        (
            results(disturbance=0.12),
            "With 2 threads, ",
            "; these figures are rough, because others used 12 % of the CPUs meanwhile.",
        ),
        (
            results(noise=0.4),
            "With 2 threads, ",
            "and more from round to round.",
        ),
        (
            results((), interrupted=True),
            "Nothing was measured; it was stopped early.",
            "",
        ),
    ],
)
def test_doubts_are_part_of_the_sentence(document: Results, start: str, end: str) -> None:
    said = verdict(document)
    assert said.startswith(start)
    assert said.endswith(end)
    assert said.count(".\n") == 0


def test_suites_alone() -> None:
    assert verdict(results((), suites=(PYPERFORMANCE, FTSCALINGBENCH))) == (
        "Over 1 benchmark of pyperformance, one thread of the free-threaded build takes 7 % longer "
        "than one of the GIL build; in ftscalingbench, 2 threads reach 1.90 on the free-threaded "
        "build and 0.90 on the GIL build (geometric mean)."
    )


def test_a_good_measurement_needs_no_notes() -> None:
    assert notes(results()) == ()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (results(pair=UNMATCHED), ("Not a matched pair", "achieved", "pgo=True", "pgo=False")),
        (results(interrupted=True), ("stopped early",)),
        (results(disturbance=0.12), ("Others used 12 %",)),
        (results(disturbance=None), ("Nobody could tell",)),
        (results(machine=msgspec.structs.replace(SMALL, load=1.5)), ("load was 1.5", "2 CPUs")),
        (results(rounds=1), ("one round only",)),
        (
            results(failures={("logs", Arm.FREE, 2): "signal SIGSEGV"}),
            ("logs failed on free-threaded 2: signal SIGSEGV",),
        ),
        (results((), suites=(PYPERFORMANCE,)), ("lxml", "free-threaded", "no wheel")),
        (results(workers=(1, 2, 4), machine=SMALL), ("With 4 workers", "CPUs (2)")),
        (
            results(workers=(1, 8, 16), machine=msgspec.structs.replace(BIG, turbo=False)),
            ("With 16 workers some share", "8 physical cores"),
        ),
        (
            results(method=msgspec.structs.replace(results().method, cpus=None)),
            ("not pinned",),
        ),
        (results(workers=(1,), machine=ONE_CPU), ("With one CPU",)),
        (
            results(machine=msgspec.structs.replace(SMALL, governor="powersave,schedutil")),
            ("powersave",),
        ),
        (results(machine=msgspec.structs.replace(SMALL, turbo=True)), ("nominal rate",)),
        (results(machine=msgspec.structs.replace(SMALL, virtual="KVM")), ("KVM",)),
        (results(machine=msgspec.structs.replace(SMALL, quota=1.5)), ("1.5 CPUs",)),
    ],
)
def test_each_doubt_has_one_note(document: Results, words: tuple[str, ...]) -> None:
    (note,) = notes(document)
    assert all(word in note for word in words)


def test_outliers_are_told_worst_first_and_then_counted() -> None:
    said = notes(results(ALL, noise=0.4))
    assert len([note for note in said if "the rounds differ by ±" in note]) == 5
    assert said[-1].endswith("more series have figures that are as doubtful or less so.")
