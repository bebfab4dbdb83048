"""What to do about a package that ships nothing for the target, or does not stand its import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import msgspec
from packaging.version import Version

from ftbuild.auditing.findings import Advice, Finding, Grade, Grading, Status, Target
from ftbuild.errors import EnvironmentFault

_TOOLS = (
    # Where to look: the release notes of each, which name the first version that declares
    # Py_mod_gil for the extensions it makes.
    ("Cargo.toml", "a Rust toolchain (PyO3 knows free-threaded builds since 0.23)"),
    (".rs", "a Rust toolchain (PyO3 knows free-threaded builds since 0.23)"),
    (".pyx", "a C compiler (Cython knows free-threaded builds since 3.1)"),
    ("CMakeLists.txt", "a C++ compiler and CMake"),
    (".f90", "a Fortran compiler"),
    (".cc", "a C++ compiler"),
    (".cpp", "a C++ compiler"),
    (".c", "a C compiler"),
)
_AT_ONCE = 4
"""Questions to the resolver at a time; each is a process of its own that mostly waits."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a project's constraints allow a version.

    Attributes:
        allowed: Whether they do; None if it was not found out.
        why: Who forbids it, or why it was not found out.
        unlocked: Whether it is allowed only with other versions than a lock file holds.
    """

    allowed: bool | None
    why: str = ""
    unlocked: bool = False


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """What advice has to ask; threads may ask at once.

    Attributes:
        nearest: The nearest version of a package that ships a wheel for the target, and the name
            of that wheel; None if there is none. Raises `EnvironmentFault` where nobody tells.
        allows: Whether the project allows a requirement, `numpy==2.3.2`.
        sources: What in a package's sdist is native; nothing if that is not known.
    """

    nearest: Callable[[Finding], tuple[str, str] | None]
    allows: Callable[[str], Answer]
    sources: Callable[[Finding], tuple[str, ...]]


def advised(findings: Iterable[Finding], target: Target, questions: Questions) -> dict[str, Advice]:
    """Advice on every package that needs some, by name.

    Args:
        findings: What was found.
        target: The interpreter.
        questions: Asks an index and the resolver.
    """
    wanting = [item for item in findings if item.status in _TEXTS]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        made = pool.map(lambda item: _TEXTS[item.status](item, target, questions), wanting)
        return {item.package.name: advice for item, advice in zip(wanting, made, strict=True)}


def _missing(item: Finding, target: Target, questions: Questions) -> Advice:
    """For a package without a wheel."""
    found, unknown = _nearest(item, questions)
    if found is None:
        grading = item.grading
        inside = grading.inside or (questions.sources(item) if grading.sdist else ())
        said = f"No version ships a wheel for {target.label}."
        if unknown:
            said = f"Whether a version ships a wheel for {target.label} is not known: {unknown}."
        return Advice(text=f"{said} {_compiling(grading, inside, target)}")
    version, wheel = found
    name = item.package.name
    older = "" if _newer(version, item) else ", an older version,"
    return _asked(item, found, questions, f"{name} {version}{older} ships {wheel}")


def _unsafe(item: Finding, target: Target, questions: Questions) -> Advice:
    """For a package that is there but does not work without the GIL."""
    found, unknown = _nearest(item, questions)
    name = item.package.name
    report = "tell its maintainers, with what stands above"
    if item.status is Status.GIL:
        report += "; PYTHON_GIL=0 keeps the GIL off all the same, which is safe only if they say so"
    if unknown:
        return Advice(text=f"{report[0].upper()}{report[1:]}.")
    if found is None or not _newer(found[0], item):
        return Advice(text=f"There is no newer version with a wheel for {target.label}: {report}.")
    said = f"Try {name} {found[0]}, which is newer: `ftbuild audit '{name}=={found[0]}'`"
    made = _asked(item, found, questions, said)
    return msgspec.structs.replace(made, text=f"{made.text} If that does the same: {report}.")


def _nearest(item: Finding, questions: Questions) -> tuple[tuple[str, str] | None, str]:
    """The nearest version with a wheel; or why nobody knows."""
    if item.grading.grade is Grade.LOCAL:
        return None, "it is not from an index"
    try:
        return questions.nearest(item), ""
    except EnvironmentFault as fault:
        return None, fault.message


def _newer(version: str, item: Finding) -> bool:
    return Version(version) > Version(item.package.version)


def _asked(item: Finding, found: tuple[str, str], questions: Questions, said: str) -> Advice:
    """Advice to take a version, with what the project's constraints have to say on it."""
    version, wheel = found
    answer = questions.allows(f"{item.package.name}=={version}")
    if answer.allowed is None:
        rest = f". Whether the project's constraints allow it was not found out: {answer.why}"
    elif not answer.allowed:
        rest = ", but the project's constraints forbid it."
    elif answer.unlocked:
        rest = ". The project's constraints allow it, once its lock file is brought up to date."
    else:
        rest = ", and the project's constraints allow it."
    return Advice(
        version=version,
        wheel=wheel,
        allowed=answer.allowed,
        forbidden_by=answer.why if answer.allowed is False else "",
        text=said + rest,
    )


def plainly(reason: str, requirement: str) -> str:
    """Why a requirement does not go with the project's own, without the question in the answer.

    >>> said = "Because shop depends on a<2 and a==3, we can conclude that your requirements are "
    >>> plainly(said + "unsatisfiable.", "a==3")
    'shop depends on a<2'

    Args:
        reason: The resolver's words.
        requirement: What it was asked for.
    """
    said = reason.replace(f" and {requirement}", "")
    short = re.fullmatch(r"Because (.*?), we can conclude that .* unsatisfiable\.", said, re.DOTALL)
    return short[1] if short and "And because" not in said else said


def _compiling(grading: Grading, inside: Iterable[str], target: Target) -> str:
    """What to expect of compiling a package."""
    if not grading.sdist:
        return "It has no sdist either: only its maintainers can compile it."
    names = [PurePosixPath(name) for name in inside]
    needed = list(
        dict.fromkeys(
            tool for end, tool in _TOOLS for name in names if end in {name.name, name.suffix}
        )
    ) or ["the compilers of its languages"]
    return (
        f"Its sdist can be compiled: that takes {' and '.join(needed)}, and an extension that does "
        f"not declare itself safe switches the GIL on. `--build` compiles and tries it on "
        f"{target.label}."
    )


_TEXTS = {
    Status.MISSING: _missing,
    Status.GIL: _unsafe,
    Status.CRASH: _unsafe,
    Status.FAILED: _unsafe,
}
