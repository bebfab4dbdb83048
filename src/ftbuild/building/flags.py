"""What ftbuild adds to CPython's own build options, and for which stage; each by measurement.

The figures are in docs/performance.md. An instrumented build is thrown away after its training:
it needs neither debug information nor link-time optimisation.
"""

from __future__ import annotations

from packaging.version import Version

from ftbuild.model.recipes import Profile
from ftbuild.model.spec import Compiler, StageFlags
from ftbuild.model.versions import Variant, series_of

_TAIL_CALLS = Version("3.14")
"""The first series with `--with-tail-call-interp` (gh-128563)."""

_PRESERVE_NONE = 19
"""The first clang whose `preserve_none` convention works with `musttail`, which that needs."""

_COUNTERS_IN_TURN = ("-fprofile-generate", "-fprofile-update=single")

_TAIL_CALL_TARGETS = ("x86_64", "aarch64", "arm64")


def configure_flags(
    recipe: Profile, version: str, variant: Variant, compiler: Compiler
) -> tuple[str, ...]:
    """Arguments of ours for configure, after those of the profile."""
    tail_calls = ("--with-tail-call-interp",) if _tail_calls(recipe, version, compiler) else ()
    return (
        *recipe.configure,
        *tail_calls,
        *(() if variant is Variant.GIL else ("--disable-gil",)),
    )


def stage_flags(
    recipe: Profile,
    variant: Variant,
    compiler: Compiler,
    *,
    debug_info: bool,
) -> StageFlags:
    """What each stage of a build is to add.

    Args:
        recipe: The profile.
        variant: GIL or free-threaded.
        compiler: The compiler.
        debug_info: Whether to keep the debug information that CPython's `-g` makes.
    """
    compiling = () if debug_info else ("-g0",)
    if not recipe.pgo:
        return StageFlags(compile=compiling)
    if compiler.family == "clang":
        # Its instrumentation comes before any optimisation: how the rest is compiled decides only
        # how long the training takes.
        return StageFlags(instrument=("-fno-lto", "-g0", "-O1"), compile=compiling)
    return StageFlags(
        # The same -O3 as in the end: gcc instruments what its early passes have made of a function.
        instrument=("-fno-lto", "-g0"),
        # CPython asks for atomic counters, with which the training takes three times as long: where
        # threads count at once, gcc may crash over the profile (gh-145801). With the GIL they
        # take turns.
        counters=_COUNTERS_IN_TURN if variant is Variant.GIL else (),
        compile=compiling,
        # gh-132257: 3.13 has the whole program optimised as one piece, by one process.
        link=("-flto-partition=balanced",) if recipe.lto else (),
    )


def _tail_calls(recipe: Profile, version: str, compiler: Compiler) -> bool:
    return (
        compiler.family == "clang"
        and int(compiler.version.partition(".")[0]) >= _PRESERVE_NONE
        and compiler.target.startswith(_TAIL_CALL_TARGETS)
        and "apple" not in compiler.target
        and not (recipe.debug or recipe.sanitizer)
        and Version(series_of(version)) >= _TAIL_CALLS
    )
