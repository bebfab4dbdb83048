from __future__ import annotations

import msgspec
import pytest

from ftbuild.building.resolve import specify, want, without_pgo
from ftbuild.catalogue import load
from ftbuild.errors import UsageError
from ftbuild.model.spec import BuildSpec, Library
from ftbuild.model.versions import BOTH, Variant, parse_request
from tests.builders import GCC, HOST, OPENSSL

KNOWN = load()
ZSTD = Library(name="zstd", version="1.5.7")


def spec(version: str, variant: Variant, profile: str = "optimized") -> BuildSpec:
    return specify(
        version,
        variant,
        catalogue=KNOWN,
        profile=profile,
        host=msgspec.structs.replace(HOST, libraries=(OPENSSL, ZSTD)),
        configure_args=("--enable-shared",),
    )


def test_a_series_leaves_the_release_open() -> None:
    wanted = want(parse_request("3.14"), KNOWN, None)
    assert wanted.candidates == KNOWN.candidates("3.14")
    assert wanted.variants == BOTH
    assert wanted.profile == "optimized"


def test_a_release_does_not() -> None:
    wanted = want(parse_request("3.15.0rc1t"), KNOWN, "fast")
    assert wanted.candidates == ("3.15.0rc1",)
    assert wanted.variants == (Variant.FREE_THREADED,)
    assert wanted.profile == "fast"


def test_a_profile_in_the_request_goes_before_the_option() -> None:
    assert want(parse_request("3.14t+tsan"), KNOWN, "fast").profile == "tsan"


@pytest.mark.parametrize(
    ("text", "profile"), [("3.99", None), ("3.14.99", None), ("3.14", "fest"), ("3.14+fest", None)]
)
def test_what_the_catalogue_does_not_have(text: str, profile: str | None) -> None:
    with pytest.raises(UsageError):
        want(parse_request(text), KNOWN, profile)


def test_a_pair_differs_in_the_variant_and_one_flag() -> None:
    gil, free_threaded = (spec("3.14.7", variant) for variant in BOTH)
    assert free_threaded.flags == (*gil.flags, "--disable-gil")
    same = msgspec.structs.replace(
        gil,
        variant=Variant.FREE_THREADED,
        flags=free_threaded.flags,
        stage_flags=msgspec.structs.replace(gil.stage_flags, counters=()),
    )
    assert same == free_threaded


def test_everything_that_decides_the_result_is_asked_for() -> None:
    made = spec("3.14.7", Variant.GIL)
    assert made.source_sha256 == KNOWN.releases["3.14.7"].sha256
    assert made.flags == ("--enable-optimizations", "--with-lto")
    assert made.configure_args == ("--enable-shared",)
    assert made.compiler == GCC.identity
    assert (made.pgo, made.lto, made.debug, made.sanitizer) == (True, True, False, None)
    assert spec("3.14.7", Variant.GIL, "tsan").sanitizer == "thread"


def test_a_library_counts_where_the_release_uses_it() -> None:
    assert spec("3.13.5", Variant.GIL).libraries == (OPENSSL,)
    assert spec("3.14.7", Variant.GIL).libraries == (OPENSSL, ZSTD)


def test_a_build_without_pgo_is_another_build() -> None:
    optimized = spec("3.14.7", Variant.GIL)
    fallback = without_pgo(optimized)
    assert not fallback.pgo
    assert fallback.flags == ("--with-lto",)
    assert fallback.digest != optimized.digest


def test_what_the_users_arguments_imply_is_asked_for() -> None:
    made = specify(
        "3.14.7",
        Variant.GIL,
        catalogue=KNOWN,
        profile="fast",
        host=HOST,
        configure_args=("--with-openssl=/opt/openssl",),
    )
    assert made.flags == ("--disable-test-modules", "--with-openssl-rpath=auto")
