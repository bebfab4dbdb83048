from __future__ import annotations

import pytest

from ftbuild.auditing.findings import (
    Advice,
    Ending,
    Grade,
    Grading,
    Installed,
    Probed,
    Status,
)
from ftbuild.auditing.judging.blame import Evidence
from ftbuild.auditing.judging.judge import findings_of, judged
from tests.unit.auditing.examples import (
    ABSENT,
    BROKEN,
    BUILT,
    TARGET,
    WHEEL,
    culprit,
    grading,
    probed,
    ran,
    required,
    switched,
)

OLD = grading(Grade.GIL_ONLY, abis=("cp311", "cp312"))
HAS = "no cp314t wheel (has cp311\N{EN DASH}cp312)"
GOOD = grading(Grade.FREE_THREADED)
FINE = Evidence(probed=(probed("foo"), probed("foo._core")))
NOTHING = Evidence()


@pytest.mark.parametrize(
    ("found", "installed", "status", "reason"),
    [
        (grading(Grade.PURE), None, Status.FINE, "pure Python"),
        (GOOD, None, Status.FINE, "cp314t wheel"),
        (grading(Grade.ABI3T), None, Status.FINE, "abi3t wheel"),
        (
            grading(Grade.BINARIES),
            None,
            Status.FINE,
            "programs or libraries, no extension module",
        ),
        (OLD, None, Status.MISSING, HAS),
        (OLD, ABSENT, Status.MISSING, HAS),
        (OLD, BROKEN, Status.MISSING, f"{HAS}; compiling it failed: its build backend failed"),
        (grading(Grade.OTHER), None, Status.MISSING, "no wheel for this platform"),
        (grading(Grade.SDIST_NATIVE), ABSENT, Status.MISSING, "sdist only, native code"),
        (
            grading(Grade.SDIST_NATIVE),
            BROKEN,
            Status.MISSING,
            "sdist only, native code; compiling it failed: its build backend failed",
        ),
        (
            grading(Grade.SDIST_PURE),
            ABSENT,
            Status.FINE,
            "pure Python, built at installation",
        ),
        (
            grading(Grade.SDIST_PURE),
            BROKEN,
            Status.FAILED,
            "building it failed: its build backend failed",
        ),
        (grading(Grade.SDIST), None, Status.UNKNOWN, "sdist only, not looked into"),
        (
            grading(Grade.SDIST),
            BROKEN,
            Status.MISSING,
            "sdist only; compiling it failed: its build backend failed",
        ),
        (grading(Grade.LOCAL), ABSENT, Status.UNKNOWN, "not from an index, and not built"),
        (
            grading(Grade.LOCAL),
            BROKEN,
            Status.FAILED,
            "building it failed: its build backend failed",
        ),
        (grading(Grade.UNKNOWN), ABSENT, Status.UNKNOWN, "could not be found out"),
        (GOOD, ABSENT, Status.FAILED, "cannot be installed: it has no wheel"),
        (grading(Grade.PURE), ABSENT, Status.FAILED, "cannot be installed: it has no wheel"),
        (
            grading(Grade.SUSPICIOUS),
            None,
            Status.SUSPICIOUS,
            "its cp314-none-manylinux_2_28_x86_64 wheel carries foo/_core.so",
        ),
    ],
)
def test_what_is_shipped_decides_where_nothing_was_imported(
    found: Grading, installed: Installed | None, status: Status, reason: str
) -> None:
    assert judged(found, installed, NOTHING, TARGET) == (status, reason)


@pytest.mark.parametrize("grade", list(Grade))
@pytest.mark.parametrize("installed", [None, WHEEL, BUILT, ABSENT, BROKEN])
@pytest.mark.parametrize(
    "known",
    [NOTHING, FINE, Evidence(probed=(probed("foo", Ending.CRASHED),)), Evidence(waits="waits")],
)
def test_every_combination_has_a_verdict_with_a_reason(
    grade: Grade, installed: Installed | None, known: Evidence
) -> None:
    status, reason = judged(grading(grade), installed, known, TARGET)
    assert reason
    assert "None" not in reason
    if any(item.ending is Ending.CRASHED for item in known.probed):
        assert status is Status.CRASH
    if known.waits:
        assert status is not Status.FINE


def test_a_wheel_that_imports_is_fine() -> None:
    assert judged(GOOD, WHEEL, FINE, TARGET) == (Status.FINE, "cp314t wheel")


def test_a_suspicious_wheel_stays_so_where_its_imports_are_fine() -> None:
    assert judged(grading(Grade.SUSPICIOUS), WHEEL, FINE, TARGET)[0] is Status.SUSPICIOUS


@pytest.mark.parametrize("grade", [Grade.LOCAL, Grade.UNKNOWN])
def test_what_was_not_graded_is_fine_where_its_imports_are(grade: Grade) -> None:
    assert judged(grading(grade), WHEEL, FINE, TARGET) == (Status.FINE, "installed here")


def test_what_was_compiled_here_and_imports_is_fine_and_says_so() -> None:
    assert judged(OLD, BUILT, FINE, TARGET) == (Status.FINE, f"compiled here; {HAS}")
    pure = grading(Grade.SDIST_PURE)
    assert judged(pure, BUILT, FINE, TARGET) == (
        Status.FINE,
        "built here; sdist only, pure Python",
    )
    assert judged(OLD, BUILT, NOTHING, TARGET)[1].endswith("nothing to import")


def test_what_was_compiled_here_and_switches_the_gil_on_says_both() -> None:
    known = Evidence(culprits=(culprit("foo._core", "foo"),))
    assert judged(OLD, BUILT, known, TARGET) == (
        Status.GIL,
        f"switches the GIL on: foo._core (compiled here; {HAS})",
    )


def test_no_wheel_and_no_sdist_either() -> None:
    found = Grading(grade=Grade.GIL_ONLY, abis=("cp312",))
    assert judged(found, None, NOTHING, TARGET)[1] == "no cp314t wheel (has cp312), no sdist"


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (
            (probed("foo._core", Ending.CRASHED, signal="SIGSEGV"),),
            "crashes on import: SIGSEGV in foo._core",
        ),
        (
            (
                probed("foo._b", Ending.HUNG),
                probed("foo._a", Ending.CRASHED, signal="SIGABRT"),
                probed("foo._c", Ending.CRASHED, signal="SIGSEGV"),
            ),
            "crashes on import: SIGABRT in foo._a and 2 more",
        ),
        (
            (probed("foo", Ending.CRASHED, signal="SIGSEGV", stress=True),),
            "crashes when called from many threads: SIGSEGV in foo",
        ),
        ((probed("foo._core", Ending.CRASHED),), "crashes on import: in foo._core"),
        ((probed("foo._bar", Ending.HUNG),), "hangs: no end after 30 s importing foo._bar"),
        (
            (probed("foo", Ending.HUNG, stress=True),),
            "hangs: no end after 30 s in calls from many threads to foo",
        ),
    ],
)
def test_a_crash_is_told_with_its_worst_module(items: tuple[Probed, ...], reason: str) -> None:
    known = Evidence(probed=(*items, probed("foo")), culprits=(culprit("foo._x", "foo"),))
    assert judged(GOOD, WHEEL, known, TARGET) == (Status.CRASH, reason)


def test_who_switches_the_gil_on_and_by_which_way() -> None:
    known = Evidence(culprits=(culprit("c_ext", "c-ext", "pandas"),))
    assert judged(GOOD, WHEEL, known, TARGET) == (
        Status.GIL,
        "switches the GIL on: c_ext, via pandas → c_ext",
    )
    known = Evidence(culprits=(culprit("foo._a", "foo", "foo"), culprit("foo._b", "foo", "foo")))
    assert judged(GOOD, WHEEL, known, TARGET)[1] == "switches the GIL on: foo._a and 1 more"


def test_an_import_that_fails() -> None:
    error = "ImportError: libfoo.so.1:\n  cannot open"
    bad = probed("foo._core", Ending.FAILED, error=error)
    known = Evidence(probed=(probed("foo"), bad))
    assert judged(GOOD, WHEEL, known, TARGET) == (
        Status.FAILED,
        "importing foo._core fails: ImportError: libfoo.so.1: cannot open",
    )


def test_something_optional_does_not_count_while_a_top_level_module_works() -> None:
    optional = probed("foo.gpu", Ending.FAILED, error="ModuleNotFoundError", needs="torch")
    known = Evidence(probed=(probed("foo"), optional))
    assert judged(GOOD, WHEEL, known, TARGET) == (
        Status.FINE,
        "cp314t wheel; optional parts need torch",
    )
    dead = probed("foo", Ending.FAILED, error="ModuleNotFoundError: torch", needs="torch")
    known = Evidence(probed=(dead, optional))
    assert judged(GOOD, WHEEL, known, TARGET) == (
        Status.FAILED,
        "importing foo and 1 more fails: ModuleNotFoundError: torch",
    )
    assert judged(GOOD, WHEEL, Evidence(probed=(optional,)), TARGET)[0] is Status.FAILED


def test_many_optional_needs_are_counted() -> None:
    items = [probed(f"foo.x{n}", Ending.FAILED, needs=f"need{n}") for n in range(5)]
    known = Evidence(probed=(probed("foo"), *items))
    assert judged(GOOD, WHEEL, known, TARGET)[1].endswith("need need0, need1, need2 and 2 more")


def test_what_waits_for_a_requirement_is_unknown() -> None:
    known = Evidence(waits="requires numpy, which is not installed")
    assert judged(GOOD, WHEEL, known, TARGET) == (
        Status.UNKNOWN,
        "could not be tried: requires numpy, which is not installed",
    )


def test_the_switch_of_another_package_is_a_remark() -> None:
    one = Evidence(brings=("c-ext",))
    assert judged(GOOD, WHEEL, one, TARGET) == (
        Status.FINE,
        "cp314t wheel; brings in c-ext, which switches the GIL on",
    )
    two = Evidence(brings=("a", "b"))
    assert judged(GOOD, WHEEL, two, TARGET)[1].endswith("brings in a, b, which switch the GIL on")


def test_findings_come_worst_first_then_by_name() -> None:
    names = ("zeta", "alpha", "frame", "c-ext", "numpy")
    packages = [
        required(name, "frame" if name == "c-ext" else "requirements.txt") for name in names
    ]
    gradings = dict.fromkeys(names, GOOD) | {"numpy": OLD}
    installed = dict.fromkeys(names, WHEEL) | {"numpy": ABSENT}
    way = culprit("c_ext", "c-ext", "frame")
    endings = {
        "frame": (probed("frame._x"), switched("frame", way)),
        "zeta": (
            probed("zeta"),
            probed("zeta._core", Ending.CRASHED, signal="SIGSEGV"),
        ),
    }
    found = findings_of(
        packages,
        gradings,
        installed,
        endings,
        {"numpy": Advice(version="2.3.0")},
        target=TARGET,
    )
    assert [(item.package.name, item.status) for item in found] == [
        ("zeta", Status.CRASH),
        ("c-ext", Status.GIL),
        ("numpy", Status.MISSING),
        ("alpha", Status.FINE),
        ("frame", Status.FINE),
    ]
    assert [item.ending for item in found[0].probed] == [Ending.CRASHED, Ending.FINE]
    assert found[2].advice == Advice(version="2.3.0")
    assert "brings in c-ext" in found[4].detail


def test_findings_know_what_the_tests_met() -> None:
    tests = ran(gil=True, culprits=(culprit("foo._lazy", "foo"),))
    (found,) = findings_of(
        [required("foo", "requirements.txt")],
        {"foo": GOOD},
        {"foo": WHEEL},
        {"foo": (probed("foo"),)},
        {},
        target=TARGET,
        tests=tests,
    )
    assert found.status is Status.GIL
