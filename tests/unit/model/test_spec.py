from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.model.spec import BuildSpec, Library
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


def test_a_digest_outlives_writing_and_reading() -> None:
    spec = specification()
    again = msgspec.json.decode(msgspec.json.encode(spec), type=BuildSpec)
    assert again.digest == spec.digest
    assert len(spec.digest) == 64


def test_a_digest_does_not_change_with_ftbuild() -> None:
    # Were it computed otherwise, every build that anybody has would be made again.
    assert specification().digest == (
        "6a5222196d6ad85c33d2ee6426b44a477cb0eb48dbe9bf9cf998e0789b7bd163"
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
