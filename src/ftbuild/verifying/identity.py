"""Is this interpreter the one its manifest describes?"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, expect
from ftbuild.model.versions import series_of
from ftbuild.verifying.commands import links_whole_program, uses_profile
from ftbuild.verifying.probing import Context, NoAnswer, ask, complaint, resolved, run

_REFUSED = "Disabling the GIL is not supported by this build"

_ENABLED = "import sys; print(sys._is_gil_enabled())"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What an interpreter says of itself: the answer of `probes/identity.py`."""

    version: str
    gil: bool
    gil_disabled: bool
    abiflags: str
    soabi: str
    ext_suffix: str
    debug: bool
    prefix: str
    base_prefix: str
    platform: str


def identity(installation: Installation, context: Context) -> tuple[Check, ...]:
    """Version, GIL, ABI, debug and sanitizer support, place, switches and optimisation."""
    facts = ask(installation, context, "identity.py", kind=Facts)
    if isinstance(facts, NoAnswer):
        return facts.failed("identity.starts", "an interpreter that starts"), *_made(installation)
    return (
        *_described(installation, facts, context),
        *_switches(installation, context),
        *_made(installation),
    )


def _described(installation: Installation, facts: Facts, context: Context) -> tuple[Check, ...]:
    spec, used = installation.spec, installation.manifest.used
    abi = f"cpython-{series_of(spec.version).replace('.', '')}{spec.abiflags}"
    words = facts.platform.replace("macosx", "darwin").split("-")
    return (
        expect("identity.version", spec.version, facts.version),
        expect("identity.gil", _state(not installation.free_threaded), _state(facts.gil)),
        expect("identity.Py_GIL_DISABLED", installation.free_threaded, facts.gil_disabled),
        expect("identity.abiflags", repr(spec.abiflags), repr(facts.abiflags)),
        # The rest of the tag is the platform's triplet, which distributions spell differently.
        expect("identity.soabi", abi, "-".join(facts.soabi.split("-")[:2])),
        expect("identity.ext-suffix", f".{facts.soabi}.so", facts.ext_suffix),
        expect("identity.debug", spec.debug, facts.debug),
        expect("identity.sanitizer", spec.sanitizer or "none", _sanitizers(installation, context)),
        expect(
            "identity.prefix",
            resolved(installation.prefix, context),
            resolved(Path(facts.prefix), context),
        ),
        expect("identity.platform", f"{used.system}-{used.machine}", f"{words[0]}-{words[-1]}"),
    )


def _sanitizers(installation: Installation, context: Context) -> str:
    """The sanitizers its executable is instrumented with: `thread`, `none`."""
    found = ask(installation, context, "sanitizers.py", installation.python, kind=list[str])
    return found.how if isinstance(found, NoAnswer) else " ".join(found) or "none"


def _switches(installation: Installation, context: Context) -> tuple[Check, ...]:
    """What the switches do that turn the GIL on and off at start-up."""
    off = "off" if installation.free_threaded else "refused"
    return (
        expect("identity.PYTHON_GIL=1", "on", _gil(installation, context, variable="1")),
        expect("identity.-Xgil=1", "on", _gil(installation, context, "-X", "gil=1")),
        expect("identity.PYTHON_GIL=0", off, _gil(installation, context, variable="0")),
    )


def _gil(
    installation: Installation, context: Context, *options: str, variable: str | None = None
) -> str:
    # Isolated mode (-I) would ignore PYTHON_GIL; -s and -P are the rest of it.
    done = run(
        (installation.python, "-s", "-P", "-B", *options, "-c", _ENABLED),
        installation=installation,
        context=context,
        extra={} if variable is None else {"PYTHON_GIL": variable},
    )
    if done.ok:
        return _state(done.stdout.strip() == "True")
    return "refused" if _REFUSED in done.stderr else complaint(done)


def _state(gil: bool) -> str:
    return "on" if gil else "off"


def _made(installation: Installation) -> tuple[Check, ...]:
    """Profile-guided and link-time optimisation, from the commands that the build recorded."""
    spec, used, result = installation.spec, installation.manifest.used, installation.manifest.result
    compiled = uses_profile(used.compile_command)
    linked = links_whole_program(used.link_command)
    return (
        expect("identity.pgo", spec.pgo, result.pgo),
        expect("identity.pgo-compile", _used(spec.pgo), _used(compiled)),
        expect("identity.pgo-profile", _used(spec.pgo), _used(result.training_profile is not None)),
        expect("identity.lto", spec.lto, result.lto),
        expect("identity.lto-link", _used(spec.lto), _used(linked)),
    )


def _used(yes: bool) -> str:
    return "used" if yes else "not used"
