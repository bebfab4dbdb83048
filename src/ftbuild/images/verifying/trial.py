"""Do wheels install, import and compute in an image's builds, and does the GIL stay as it was?"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, expect, skipped
from ftbuild.verifying.probing import Context, NoAnswer, ask, complaint, run

PROJECTS = ("numpy", "packaging")
"""What is tried: wheels of a project with extension modules, and of one that is pure Python, whose
names are those of their modules."""

_NAMES = ("wheels.install", "wheels.numpy")

_TIMEOUT = 300.0
"""Seconds for an installation; numpy's takes 5."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `probes/wheels.py`."""

    right: bool
    gil: bool
    place: str


class Wheels(msgspec.Struct, frozen=True, kw_only=True):
    """The wheels of `PROJECTS` for all builds of an image.

    Attributes:
        folder: The directory that has them, readable by every user; None without them.
        why_not: Why there are none.
    """

    folder: Path | None
    why_not: str = ""


def trial(installation: Installation, context: Context, wheels: Wheels) -> tuple[Check, ...]:
    """Wheels install into a virtual environment, and matrices are multiplied by several threads.

    Args:
        installation: The build.
        context: Its container sees the directory of the wheels at the same path.
        wheels: What is installed; without them nothing is tried.
    """
    if wheels.folder is None:
        return tuple(skipped(name, wheels.why_not) for name in _NAMES)
    if installation.spec.sanitizer:
        # Its libraries are not instrumented: what the sanitizer found would mean nothing.
        return tuple(skipped(name, "numpy's wheels are made for no sanitizer") for name in _NAMES)
    venv = context.scratch / "trial"
    python = venv / "bin" / "python"
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--find-links", wheels.folder)
    for words in (
        (installation.python, "-I", "-B", "-m", "venv", venv),
        (python, "-I", "-B", *pip, *PROJECTS),
    ):
        done = run(words, installation=installation, context=context, timeout=_TIMEOUT)
        if not done.ok:
            return (expect("wheels.install", "installed", complaint(done)),)
    installed = expect("wheels.install", "installed", "installed")
    pure = PROJECTS[1]
    answer = ask(installation, context, "wheels.py", pure, kind=_Answer, python=python)
    expected = _described(right=True, gil=not installation.free_threaded)
    if isinstance(answer, NoAnswer):
        return installed, answer.failed("wheels.numpy", expected)
    return (
        installed,
        expect("wheels.numpy", expected, _described(right=answer.right, gil=answer.gil)),
        Check(
            name=f"wheels.{pure}",
            status=Status.PASSED if venv in Path(answer.place).parents else Status.FAILED,
            expected=f"a module below {venv}",
            found=answer.place,
        ),
    )


def _described(*, right: bool, gil: bool) -> str:
    product = "right" if right else "wrong"
    return f"products of matrices {product}, the GIL {'on' if gil else 'off'}"
