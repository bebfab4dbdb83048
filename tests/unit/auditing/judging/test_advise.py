from __future__ import annotations

import msgspec

from ftbuild.auditing.findings import Advice, Finding, Grade, Grading, Status
from ftbuild.auditing.judging.advise import Answer, Questions, advised
from ftbuild.errors import EnvironmentFault
from tests.unit.auditing.examples import TARGET, finding

WHEEL = "numpy-2.3.2-cp314-cp314t-manylinux_2_28_x86_64.whl"


def missing(grading: Grading) -> Finding:
    return msgspec.structs.replace(finding("numpy", Status.MISSING), grading=grading)


ALLOWED = Answer(allowed=True)
QUESTIONS = Questions(
    nearest=lambda _: ("2", WHEEL), allows=lambda _: ALLOWED, sources=lambda _: ()
)


def advice_on(
    item: Finding,
    *,
    found: tuple[str, str] | None = None,
    answer: Answer = ALLOWED,
    sources: tuple[str, ...] = (),
) -> Advice:
    asked: list[str] = []

    def allows(requirement: str) -> Answer:
        asked.append(requirement)
        return answer

    questions = Questions(nearest=lambda _: found, allows=allows, sources=lambda _: sources)
    made = advised([item], TARGET, questions)[item.package.name]
    assert asked == ([f"{item.package.name}=={made.version}"] if made.version else [])
    return made


def test_nothing_to_say_of_what_is_fine() -> None:
    items = [finding("requests", Status.FINE), finding("odd", Status.SUSPICIOUS)]
    assert (
        advised(
            items,
            TARGET,
            QUESTIONS,
        )
        == {}
    )


def test_a_version_with_a_wheel() -> None:
    made = advice_on(missing(Grading(grade=Grade.GIL_ONLY)), found=("2.3.2", WHEEL))
    assert (made.version, made.wheel, made.allowed) == ("2.3.2", WHEEL, True)
    # An answer speaks of a lock only where it says so.
    assert made.text.endswith(", and the project's constraints allow it.")


def test_a_version_that_is_forbidden() -> None:
    why = "Because pandas==1.5 depends on numpy<2, …"
    made = advice_on(
        missing(Grading(grade=Grade.GIL_ONLY)),
        found=("2.3.2", WHEEL),
        answer=Answer(allowed=False, why=why),
    )
    assert (made.allowed, made.forbidden_by) == (False, why)
    assert "forbid it" in made.text


def test_a_lock_that_holds_another_version() -> None:
    made = advice_on(
        missing(Grading(grade=Grade.GIL_ONLY)),
        found=("2.3.2", WHEEL),
        answer=Answer(allowed=True, unlocked=True),
    )
    assert made.allowed
    assert "lock file" in made.text


def test_an_older_version_and_an_answer_that_failed() -> None:
    made = advice_on(
        missing(Grading(grade=Grade.GIL_ONLY)),
        found=("0.9", WHEEL),
        answer=Answer(allowed=None, why="no network"),
    )
    assert made.allowed is None
    assert not made.forbidden_by
    assert "an older version" in made.text
    assert "no network" in made.text


def test_what_compiling_takes() -> None:
    rust = Grading(grade=Grade.SDIST_NATIVE, sdist=True, inside=("x/Cargo.toml", "x/src/lib.rs"))
    assert advice_on(missing(rust)).text.count("Rust") == 1
    cython = Grading(grade=Grade.SDIST_NATIVE, sdist=True, inside=("x/_x.pyx",))
    assert "Cython" in advice_on(missing(cython)).text
    unknown = Grading(grade=Grade.SDIST_NATIVE, sdist=True)
    assert "the compilers of its languages, and" in advice_on(missing(unknown)).text


def test_what_is_in_the_sdist_of_a_package_that_has_wheels() -> None:
    item = missing(Grading(grade=Grade.GIL_ONLY, sdist=True))
    assert "Rust" in advice_on(item, sources=("x/Cargo.toml",)).text
    without = missing(Grading(grade=Grade.GIL_ONLY))
    assert "Rust" not in advice_on(without, sources=("x/Cargo.toml",)).text


def test_neither_wheel_nor_sdist() -> None:
    assert "no sdist" in advice_on(missing(Grading(grade=Grade.GIL_ONLY))).text


def test_an_index_that_does_not_answer() -> None:
    def nearest(_: Finding) -> None:
        raise EnvironmentFault("no network")

    questions = msgspec.structs.replace(QUESTIONS, nearest=nearest)
    items = [missing(Grading(grade=Grade.GIL_ONLY)), finding("odd", Status.GIL)]
    made = advised(items, TARGET, questions)
    assert "is not known: no network" in made["numpy"].text
    assert made["odd"].text.startswith("Tell its maintainers")


def test_what_is_not_from_an_index_is_not_asked_for() -> None:
    item = missing(Grading(grade=Grade.LOCAL))
    made = advised(
        [item],
        TARGET,
        QUESTIONS,
    )
    assert made["numpy"].version is None


def test_a_package_that_switches_the_gil_on() -> None:
    made = advice_on(finding("odd", Status.GIL), found=("2.0", "odd-2.0-cp314-cp314t-any.whl"))
    assert "odd==2.0" in made.text
    assert "PYTHON_GIL=0" in made.text
    assert "no newer version" in advice_on(finding("odd", Status.CRASH)).text
    older = advice_on(finding("odd", Status.CRASH), found=("0.9", "odd-0.9-any.whl"))
    assert "no newer version" in older.text
    assert "3.14t: tell its maintainers" in older.text
    newer = advice_on(finding("odd", Status.CRASH), found=("1.1", "odd-1.1-any.whl"))
    assert newer.text.startswith("Try odd 1.1")
    assert "If that does the same: tell its maintainers" in newer.text
