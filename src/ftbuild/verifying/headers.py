"""Do the installed headers and flags make extension modules that load as they should?"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, expect, skipped
from ftbuild.verifying.probing import PROBES, Context, NoAnswer, ask, complaint, run

_NAMES = ("declared", "undeclared")

_SOURCE = PROBES / "extension.c"

_ANSWER = 42
"""What the function in that source returns."""


class _Toolchain(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `probes/toolchain.py`; the compiler is empty where it is not to be found."""

    compile: tuple[str, ...]
    link: tuple[str, ...]
    suffix: str
    compiler: str = ""


class _Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `probes/load.py`."""

    answer: int
    gil: bool
    warned: bool


def headers(installation: Installation, context: Context) -> tuple[Check, ...]:
    """A C extension that declares it needs no GIL, and one that does not.

    In the free-threaded build the first loads with the GIL still off, and the second switches it
    on with the RuntimeWarning that names it. In the GIL build both load quietly.

    In a container the compiler is the one that its Python names.
    """
    given = context.compiler
    if context.inside is None and (given is None or not Path(given.path).exists()):
        place = f" at {given.path}" if given else ""
        return _skipped(f"no C compiler{place}")
    toolchain = ask(installation, context, "toolchain.py", kind=_Toolchain)
    if isinstance(toolchain, NoAnswer):
        return (toolchain.failed("headers.toolchain", "the flags for extension modules"),)
    compiler = given.path if given and context.inside is None else toolchain.compiler
    if not compiler:
        return _skipped("the image has no compiler")
    tools = (compiler, toolchain)
    return tuple(
        expect(
            f"headers.{name}",
            _expected(installation, name),
            _tried(installation, context, tools, name),
        )
        for name in _NAMES
    )


def _skipped(reason: str) -> tuple[Check, ...]:
    return tuple(skipped(f"headers.{name}", reason) for name in _NAMES)


def _expected(installation: Installation, name: str) -> str:
    switches = installation.free_threaded and name == "undeclared"
    return _described(gil=switches or not installation.free_threaded, warned=switches)


def _tried(
    installation: Installation, context: Context, tools: tuple[str, _Toolchain], name: str
) -> str:
    """Compile and load one of the two modules, and say how that went."""
    compiler, toolchain = tools
    module = context.scratch / (name + toolchain.suffix)
    macro = f"-D{name.upper()}"
    made = run(
        (compiler, *toolchain.compile, macro, _SOURCE, "-o", module, *toolchain.link),
        installation=installation,
        context=context,
    )
    if not made.ok:
        return f"does not compile: {complaint(made)}"
    loaded = ask(installation, context, "load.py", name, module, kind=_Loaded)
    if isinstance(loaded, NoAnswer):
        return f"does not load: {loaded.how}"
    if loaded.answer != _ANSWER:
        return f"loads but returns {loaded.answer}"
    return _described(gil=loaded.gil, warned=loaded.warned)


def _described(*, gil: bool, warned: bool) -> str:
    warning = " with a RuntimeWarning that names it" if warned else ""
    return f"loads, the GIL is {'on' if gil else 'off'}{warning}"
