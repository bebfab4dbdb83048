from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.findings import Culprit, Ending, Grade, Status
from ftbuild.auditing.judging.blame import culprits_in, evidence, requirements
from tests.unit.auditing.examples import (
    ABSENT,
    WHEEL,
    audit,
    changed,
    culprit,
    finding,
    probed,
    ran,
    required,
    switched,
    told,
)

WEB = required("web", "requirements.txt")
FRAME = required("frame", "web")
EXT = required("c-ext", "frame")
ALL = (WEB, FRAME, EXT)
CULPRIT = culprit("c_ext._core", "C.Ext", "frame", "c_ext")


def test_requirements_are_closed_over_what_is_required_in_turn() -> None:
    assert requirements(ALL) == {
        "web": frozenset({"frame", "c-ext"}),
        "frame": frozenset({"c-ext"}),
        "c-ext": frozenset(),
    }


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"))))
def test_circles_end_and_nothing_requires_itself(edges: list[tuple[str, str]]) -> None:
    packages = [required(name, *(p for p, child in edges if child == name)) for name in "abcde"]
    found = requirements(packages)
    assert found.keys() == set("abcde")
    assert all(name not in needed for name, needed in found.items())
    assert all(child in found[parent] for parent, child in edges if child != parent)


def test_the_gil_counts_against_the_package_that_has_the_extension() -> None:
    found = evidence(ALL, {}, {"frame": (switched("frame", CULPRIT),)})
    assert found["c-ext"].culprits == (CULPRIT,)
    assert not found["frame"].culprits
    assert found["frame"].brings == ("c-ext",)


def test_an_extension_of_nobody_counts_against_the_package_that_was_imported() -> None:
    orphan = culprit("mystery", None)
    stranger = culprit("_yaml", "pyyaml")
    found = evidence(ALL, {}, {"frame": (switched("frame", orphan, stranger),)})
    assert found["frame"].culprits == (stranger, orphan)
    assert not found["frame"].brings


def test_a_switch_that_nobody_saw_counts_against_who_was_imported() -> None:
    found = evidence(ALL, {}, {"frame": (switched("frame"),)})
    assert [item.module for item in found["frame"].culprits] == ["frame"]


def test_but_not_where_a_requirement_is_known_to_do_it() -> None:
    probes = {"web": (switched("web"),), "c-ext": (switched("c_ext", CULPRIT),)}
    found = evidence(ALL, {}, probes)
    assert not found["web"].culprits
    assert found["web"].brings == ("c-ext",)


def test_the_chain_that_users_meet_tells_more_than_the_import_by_full_name() -> None:
    alone = Culprit(module="c_ext._core", distribution="c-ext", chain=("c_ext._core",))
    probes = {"c-ext": (switched("c_ext._core", alone),), "web": (switched("web", CULPRIT),)}
    assert evidence(ALL, {}, probes)["c-ext"].culprits == (CULPRIT,)


def test_what_fails_for_want_of_a_requirement_cannot_be_judged() -> None:
    failed = probed("web", Ending.FAILED, error="ModuleNotFoundError: No module named 'c_ext'")
    found = evidence(ALL, {"web": WHEEL, "c-ext": ABSENT}, {"web": (failed, probed("web.x"))})
    assert found["web"].probed == (probed("web.x"),)
    assert found["web"].waits == "requires c-ext, which is not installed"


def test_nor_for_want_of_one_that_was_not_even_tried() -> None:
    failed = probed("web", Ending.FAILED, error="ModuleNotFoundError: No module named 'c_ext'")
    probes = {"web": (failed,)}
    assert evidence(ALL, {"web": WHEEL, "frame": WHEEL}, probes)["web"].waits
    assert not evidence(ALL, {}, probes)["web"].waits, "nothing was installed at all"


def test_a_requirement_that_probing_took_for_optional_is_still_one() -> None:
    failed = probed("web", Ending.FAILED, needs="c_ext")
    found = evidence(ALL, {"c-ext": ABSENT}, {"web": (failed,)})
    assert found["web"].waits


def test_something_optional_does_not_wait_for_a_requirement() -> None:
    items = (probed("web"), probed("web.gpu", Ending.FAILED, needs="torch"))
    found = evidence(ALL, {"c-ext": ABSENT}, {"web": items})
    assert found["web"].probed == items
    assert not found["web"].waits


def test_a_crash_is_the_requirements_that_crashes_too() -> None:
    crash = probed("c_ext", Ending.CRASHED, signal="SIGSEGV")
    probes = {"web": (probed("web", Ending.CRASHED),), "c-ext": (crash,)}
    found = evidence(ALL, {}, probes)
    assert found["c-ext"].probed == (crash,)
    assert not found["web"].probed
    assert found["web"].waits == "requires c-ext, which takes the interpreter down"


def test_a_crash_in_threads_is_its_own() -> None:
    crash = probed("web", Ending.CRASHED, stress=True)
    probes = {"web": (crash,), "c-ext": (probed("c_ext", Ending.CRASHED),)}
    assert evidence(ALL, {}, probes)["web"].probed == (crash,)


def test_of_two_that_require_each_other_neither_excuses_the_other() -> None:
    circle = (required("a", "b"), required("b", "a"))
    probes = {name: (probed(name, Ending.CRASHED),) for name in "ab"}
    found = evidence(circle, {}, probes)
    assert all(found[name].probed == probes[name] for name in "ab")


def test_what_tests_met_counts_and_what_is_no_dependency_does_not() -> None:
    mine = culprit("mine._speed", None)
    found = evidence(ALL, {}, {}, also=(CULPRIT, mine))
    assert found["c-ext"].culprits == (CULPRIT,)
    assert not any(found[name].culprits for name in ("web", "frame"))


def test_the_culprits_of_an_audit() -> None:
    seen = changed(finding("frame", Status.FINE, Grade.PURE), probed=(switched("frame", CULPRIT),))
    found = audit(seen, finding("c-ext", Status.GIL))
    assert culprits_in(found) == {"c-ext": (CULPRIT,)}
    other = culprit("frame._x", "frame")
    assert culprits_in(told(found, tests=ran(culprits=(other,))))["frame"] == (other,)
