from __future__ import annotations

import msgspec
import pytest

from ftbuild.building.flags import configure_flags, stage_flags
from ftbuild.catalogue import load
from ftbuild.model.spec import Compiler
from ftbuild.model.versions import BOTH, Variant
from tests.builders import CLANG, GCC

PROFILES = load().profiles
TAIL_CALLS = "--with-tail-call-interp"


@pytest.mark.parametrize("compiler", [GCC, CLANG])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_pair_differs_in_disable_gil_alone(compiler: Compiler, profile: str) -> None:
    gil, free = (configure_flags(PROFILES[profile], "3.14.7", v, compiler) for v in BOTH)
    assert free == (*gil, "--disable-gil")


@pytest.mark.parametrize(
    ("version", "profile", "changed", "expected"),
    [
        ("3.14.7", "optimized", {}, True),
        ("3.15.0rc2", "fast", {}, True),
        ("3.13.15", "optimized", {}, False),
        ("3.14.7", "debug", {}, False),
        ("3.14.7", "tsan", {}, False),
        ("3.14.7", "optimized", {"version": "18.1.8"}, False),
        ("3.14.7", "optimized", {"target": "aarch64-unknown-linux-gnu"}, True),
        ("3.14.7", "optimized", {"target": "riscv64-linux-gnu"}, False),
        ("3.14.7", "optimized", {"target": "arm64-apple-darwin25.0.0"}, False),
    ],
)
def test_tail_calls_where_clang_and_release_have_them(
    version: str, profile: str, changed: dict[str, str], expected: bool
) -> None:
    compiler = msgspec.structs.replace(CLANG, **changed)
    flags = configure_flags(PROFILES[profile], version, Variant.GIL, compiler)
    assert (TAIL_CALLS in flags) == expected
    assert TAIL_CALLS not in configure_flags(PROFILES[profile], version, Variant.GIL, GCC)


@pytest.mark.parametrize("compiler", [GCC, CLANG])
def test_debug_information_is_left_out_unless_asked_for(compiler: Compiler) -> None:
    optimized = PROFILES["optimized"]
    assert "-g0" in stage_flags(optimized, Variant.GIL, compiler, debug_info=False).compile
    kept = stage_flags(optimized, Variant.GIL, compiler, debug_info=True)
    assert "-g0" not in kept.compile
    assert "-g0" in kept.instrument


@pytest.mark.parametrize("compiler", [GCC, CLANG])
def test_a_training_build_is_not_optimised_at_link_time(compiler: Compiler) -> None:
    flags = stage_flags(PROFILES["optimized"], Variant.GIL, compiler, debug_info=False)
    assert "-fno-lto" in flags.instrument
    assert "-fno-lto" not in flags.compile


def test_gcc_instruments_what_it_will_optimise_in_the_end() -> None:
    flags = stage_flags(PROFILES["optimized"], Variant.GIL, GCC, debug_info=False)
    assert not any(option.startswith("-O") for option in flags.instrument)


def test_nothing_is_instrumented_without_pgo() -> None:
    for name in ("fast", "debug", "tsan", "asan"):
        flags = stage_flags(PROFILES[name], Variant.GIL, GCC, debug_info=False)
        assert (flags.instrument, flags.counters, flags.link) == ((), (), ())


def test_counters_are_atomic_where_threads_count_at_once() -> None:
    gil, free = (
        stage_flags(PROFILES["optimized"], variant, GCC, debug_info=False) for variant in BOTH
    )
    assert "-fprofile-update=single" in gil.counters
    assert free.counters == ()
    assert msgspec.structs.replace(gil, counters=()) == free
