"""What images are called, and what does not go together."""

from __future__ import annotations

import pytest

from ftbuild.errors import UsageError
from ftbuild.images.names import Flavour, newest, rendered
from ftbuild.model.versions import Variant, is_prerelease
from tests.unit.images.examples import CATALOGUE, WITHOUT_FINAL, image


@pytest.mark.parametrize(
    ("text", "options", "tag"),
    [
        ("3.14", {}, "3.14-both"),
        ("3.14t", {}, "3.14t"),
        ("3.14+gil", {}, "3.14"),
        ("3.14.7", {}, "3.14.7-both"),
        ("3.14.7t", {}, "3.14.7t"),
        ("3.14", {"base": "trixie"}, "3.14-both"),
        ("3.14", {"base": "debian:trixie-slim"}, "3.14-both"),
        ("3.14", {"base": "bookworm"}, "3.14-both-bookworm"),
        ("3.14t", {"base": "alpine", "flavour": "dev"}, "3.14t-dev-alpine"),
        ("3.14t", {"flavour": "slim"}, "3.14t"),
        ("3.14t", {"flavour": "tsan"}, "3.14t-tsan"),
        ("3.14t+tsan", {"flavour": "tsan"}, "3.14t-tsan"),
        ("3.14", {"profile": "fast"}, "3.14-both-fast"),
        ("3.14+fast", {"flavour": "dev"}, "3.14-both-dev-fast"),
        ("3.14+fast", {"profile": "debug"}, "3.14-both-fast"),
        ("3.14", {"profile": "optimized"}, "3.14-both"),
    ],
)
def test_a_tag_names_what_does_not_go_without_saying(
    text: str, options: dict[str, str], tag: str
) -> None:
    found = image(text, **options)
    assert found.tag == tag
    assert found.name == f"ftbuild:{tag}"


def test_no_two_images_share_a_tag() -> None:
    tags = [
        image(text, base=base, flavour=flavour, profile=profile).tag
        for text in ("3.14", "3.14t", "3.14+gil", "3.14.7", "3.14.7t", "3.14.7+gil")
        for base in CATALOGUE.bases
        for flavour in ("slim", "dev")
        for profile in ("", "fast", "debug")
    ]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    ("text", "request_", "primary"),
    [
        ("3.14", "3.14.7", Variant.GIL),
        ("3.14t", "3.14.7t", Variant.FREE_THREADED),
        ("3.14+gil", "3.14.7+gil", Variant.GIL),
    ],
)
def test_the_builds_of_an_image_are_definite(text: str, request_: str, primary: Variant) -> None:
    found = image(text)
    assert found.request == request_
    assert found.primary is primary


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"base": "trixi"}, "no recipe for the base 'trixi'", "trixie"),
        ({"flavour": "def"}, "no flavour 'def'", "dev"),
        ({"flavour": "tsan", "profile": "fast"}, "with the profile tsan, not fast", "Drop"),
        ({"profile": "tsan"}, "leaves out", "--flavour tsan"),
        ({"flavour": "tsan", "base": "alpine"}, "no run-time library", "trixie, bookworm"),
        ({"profile": "fats"}, "no profile 'fats'", "fast"),
    ],
)
def test_what_does_not_go_together_is_told(
    options: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as error:
        image("3.14", **options)
    assert message in error.value.message
    assert hint in error.value.hint


def test_a_sanitizer_named_in_the_request_needs_its_flavour_too() -> None:
    with pytest.raises(UsageError, match="leaves out"):
        image("3.14t+tsan")


def test_the_repository_has_every_combination_that_can_be() -> None:
    images = rendered(CATALOGUE)
    for series in CATALOGUE.series:
        ours = [one for one in images if one.release == newest(CATALOGUE, series)]
        assert len(ours) == 3 + 3 + 2
        assert {one.flavour for one in ours if one.base_name == "alpine"} == {
            Flavour.SLIM,
            Flavour.DEV,
        }
        assert all(one.variant is None for one in ours)


def test_a_pre_release_is_never_called_by_its_series() -> None:
    for one in (*rendered(CATALOGUE), *rendered(WITHOUT_FINAL)):
        assert one.series_named is not is_prerelease(one.release)


def test_the_newest_is_a_final_release_where_there_is_one() -> None:
    assert not is_prerelease(newest(CATALOGUE, "3.15"))
    assert is_prerelease(newest(WITHOUT_FINAL, "3.15"))
