"""What probing makes of what it hears; the processes themselves are met in tests/real."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from packaging.utils import canonicalize_name

from ftbuild.auditing.findings import Culprit, Ending, Probed
from ftbuild.auditing.probing.modules import Distribution, Module
from ftbuild.auditing.probing.probe import Heard, Known, known_of, limits, probed, stressed, tasks

FINE: dict[str, Any] = {
    "seconds": 0.12345,
    "gil": False,
    "culprits": [],
    "error": None,
    "lacks": None,
}


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """Two packages, one of them within a namespace."""
    return known_of(
        (
            Distribution(
                name=canonicalize_name("foo"), files=("foo/__init__.py", "foo/_core.so", "bar.py")
            ),
            Distribution(
                name=canonicalize_name("ns-part"), files=("ns/part/__init__.py", "foo/data.txt")
            ),
        ),
        tmp_path,
    )


def heard(report: dict[str, Any] | None = None, **changed: Any) -> Heard:
    line = Heard(
        module="foo._core", report=report, code=0, late=False, seconds=1.5, fault="", said=""
    )
    return msgspec.structs.replace(line, **changed)


def came(line: Heard | None, known: Known, *, stress: bool = False) -> Probed:
    return probed(Module(name="foo._core", extension=True), line, known, stress=stress)


def test_one_that_is_fine(known: Known) -> None:
    assert came(heard(FINE), known) == Probed(
        module="foo._core", extension=True, ending=Ending.FINE, seconds=0.123
    )


def test_the_one_who_switched_the_gil_on_is_traced_to_its_package(known: Known) -> None:
    culprits = [
        {
            "module": "foo._core",
            "file": str(known.folder / "foo" / "_core.so"),
            "chain": ["ns.part", "foo._core"],
        },
        {"module": "other", "file": "/usr/lib/other.so", "chain": ["other"]},
    ]
    found = came(heard({**FINE, "gil": True, "culprits": culprits}), known)
    assert found.ending is Ending.GIL
    assert found.culprits == (
        Culprit(module="foo._core", distribution="foo", chain=("ns.part", "foo._core")),
        Culprit(module="other", distribution=None, chain=("other",)),
    )


def test_a_failed_import_is_failed_whatever_became_of_the_gil(known: Known) -> None:
    found = came(heard({**FINE, "gil": True, "error": "ValueError: no"}), known)
    assert (found.ending, found.error) == (Ending.FAILED, "ValueError: no")


@pytest.mark.parametrize(
    ("lacks", "needs"),
    [
        ("nowhere", "nowhere"),
        ("nowhere.inner", "nowhere"),
        ("foo.missing", None),  # a part of a package that is there
        ("bar", None),
        ("ns.other.inner", "ns.other"),
        ("ns.part.gone", None),
        ("distutils.core", None),  # was in the standard library
        ("_tkinter", None),
        (None, None),
    ],
)
def test_what_nobody_provides_is_needed(known: Known, lacks: str | None, needs: str | None) -> None:
    report = {**FINE, "error": "ModuleNotFoundError: …", "lacks": lacks}
    assert came(heard(report), known).needs == needs


def test_a_library_that_is_not_there_is_needed(known: Known) -> None:
    said = "ImportError: libtbb.so.12: cannot open shared object file: No such file or directory"
    assert came(heard({**FINE, "error": said}), known).needs == "libtbb.so.12"
    assert came(heard({**FINE, "error": "ImportError: no such thing"}), known).needs is None


def test_a_crash_has_its_signal_frames_and_last_words(known: Known) -> None:
    fault = 'Stack (most recent call first):\n  File "a.py", line 1 in f\n'
    found = came(heard(code=-signal.SIGABRT, fault=fault, said="a\nterminate called: x\n"), known)
    assert (found.ending, found.signal) == (Ending.CRASHED, "SIGABRT")
    assert found.frames == ("a.py:1 in f",)
    assert found.error == "terminate called: x"
    assert found.seconds == 1.5


def test_the_interpreters_own_traceback_does_where_the_faulthandler_says_nothing(
    known: Known,
) -> None:
    said = (
        'Fatal Python error: x: y\n\nStack (most recent call first):\n  File "a.py", line 1 in f\n'
    )
    found = came(heard(code=-signal.SIGABRT, said=said), known)
    assert (found.frames, found.error) == (("a.py:1 in f",), "Fatal Python error: x: y")


def test_one_that_never_ended(known: Known) -> None:
    assert came(heard(code=-signal.SIGABRT, late=True), known).ending is Ending.HUNG
    assert came(heard(code=-signal.SIGXCPU), known).ending is Ending.HUNG
    found = came(heard(late=True, within="foo"), known)
    assert found.ending is Ending.HUNG
    assert "foo" in (found.error or "")


@pytest.mark.parametrize("report", [None, {}, {**FINE, "gil": "perhaps"}, {"seconds": 1}])
def test_no_report_that_can_be_read_is_an_end_without_one(
    known: Known, report: dict[str, Any] | None
) -> None:
    found = came(heard(report), known)
    assert found.ending is Ending.FAILED
    assert found.error == "ended the interpreter with exit status 0"


def test_nothing_heard_is_a_failure_too(known: Known) -> None:
    assert came(None, known).ending is Ending.FAILED


def test_stress_is_marked(known: Known) -> None:
    assert came(heard(FINE), known, stress=True).stress


def test_modules_of_a_larger_package_go_together() -> None:
    every = [
        Module(name="foo", extension=False),
        *(Module(name=f"foo._{n}", extension=True) for n in "abc"),
        *(Module(name=f"foo.in._{n}", extension=True) for n in "abcd"),
        Module(name="bar._x", extension=True),
        Module(name="_top", extension=True),
    ]
    assert [(task["package"], task["modules"]) for task in tasks(every)] == [
        (None, ["foo"]),
        (None, ["_top"]),
        ("foo.in", ["foo.in._a", "foo.in._b", "foo.in._c", "foo.in._d"]),
        ("foo", ["foo._a", "foo._b", "foo._c"]),
        (None, ["bar._x"]),
    ]


def test_modules_of_small_packages_go_with_the_package_around_them() -> None:
    names = ["foo.a._x", "foo.b.c._x", "foo.b.c._y", "foo.d._x", "bar.a._x"]
    every = [Module(name=name, extension=True) for name in names]
    assert [(task["package"], task["modules"]) for task in tasks(every)] == [
        ("foo", ["foo.a._x", "foo.d._x", "foo.b.c._x", "foo.b.c._y"]),
        (None, ["bar.a._x"]),
    ]


def test_only_what_is_fine_is_called_from_many_threads() -> None:
    items = [
        Probed(module=name, extension=extension, ending=ending, seconds=0.1)
        for name, extension, ending in [
            ("foo", False, Ending.FINE),
            ("foo._a", True, Ending.FINE),
            ("foo._b", True, Ending.GIL),
            ("food._a", True, Ending.FINE),
            ("_top", True, Ending.FINE),
            ("bad", False, Ending.HUNG),
        ]
    ]
    assert [task["modules"] for task in stressed(items)] == [["foo", "foo._a"], ["_top"]]


def test_limits_leave_room(known: Known) -> None:
    found = limits(30.0)
    assert found["RLIMIT_CORE"] == 0
    assert found["RLIMIT_CPU"] > 30
    assert found["RLIMIT_DATA"] >= 4 << 30
    assert "RLIMIT_AS" not in found
