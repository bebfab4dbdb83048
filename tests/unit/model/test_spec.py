from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.model.spec import BuildSpec, Library, StageFlags
from ftbuild.model.versions import Variant
from tests.builders import specification

OTHER: dict[str, Any] = {
    "version": "3.14.6",
    "variant": Variant.GIL,
    "profile": "optimized",
    "source_sha256": "6" * 64,
    "pgo": True,
    "lto": True,
    "debug": True,
    "sanitizer": "thread",
    "flags": ("--disable-gil", "--with-lto"),
    "stage_flags": StageFlags(training=("-m", "test", "--pgo")),
    "debug_info": True,
    "configure_args": ("--enable-shared",),
    "compiler": "clang 19.1.7 x86_64-linux-gnu",
    "libraries": (Library(name="openssl", version="3.5.0"),),
    "profile_data": "7" * 64,
}
"""Another value for every field there is."""


def test_every_field_is_covered_here() -> None:
    assert set(OTHER) == set(BuildSpec.__struct_fields__)


@given(st.sets(st.sampled_from(sorted(OTHER))), st.sets(st.sampled_from(sorted(OTHER))))
def test_the_digest_tells_any_two_specifications_apart(one: set[str], other: set[str]) -> None:
    first = specification(**{name: OTHER[name] for name in one})
    second = specification(**{name: OTHER[name] for name in other})
    assert (first.digest == second.digest) == (one == other)


WITHOUT_PART_IN_TRAINING = {"debug_info", "profile_data"}
"""What says how a profile is used, or which."""


@pytest.mark.parametrize("name", OTHER)
def test_a_training_profile_is_for_all_that_shapes_it(name: str) -> None:
    same = specification(**{name: OTHER[name]}).training_key == specification().training_key
    assert same == (name in WITHOUT_PART_IN_TRAINING)


@pytest.mark.parametrize("stage", StageFlags.__struct_fields__)
def test_the_options_of_the_last_stage_do_not_shape_a_profile(stage: str) -> None:
    other = specification(stage_flags=StageFlags(**{stage: ("-x",)}))
    assert other.digest != specification().digest
    same = other.training_key == specification().training_key
    assert same == (stage in {"compile", "link"})


def test_a_digest_outlives_writing_and_reading() -> None:
    spec = specification()
    again = msgspec.json.decode(msgspec.json.encode(spec), type=BuildSpec)
    assert again.digest == spec.digest
    assert len(spec.digest) == 64


def test_a_digest_does_not_change_with_ftbuild() -> None:
    # Were it computed otherwise, every build that anybody has would be made again.
    assert specification().digest == (
        "4490f57b7358662b5384ac67f527b72f631cb31c14482b35146fa78d3babbd45"
    )


def test_neither_root_nor_jobs_can_be_in_it() -> None:
    assert not {"root", "prefix", "jobs"} & set(BuildSpec.__struct_fields__)


@pytest.mark.parametrize(
    ("variant", "debug", "flags"),
    [
        (Variant.GIL, False, ""),
        (Variant.GIL, True, "d"),
        (Variant.FREE_THREADED, False, "t"),
        (Variant.FREE_THREADED, True, "td"),
    ],
)
def test_abiflags(variant: Variant, debug: bool, flags: str) -> None:
    assert specification(variant, debug=debug).abiflags == flags


def test_names() -> None:
    spec = specification()
    assert spec.friendly_name("fast") == "cpython-3.14.7t"
    assert spec.friendly_name("optimized") == "cpython-3.14.7t+fast"
    assert spec.store_name("fast") == f"cpython-3.14.7t-{spec.digest[:8]}"
