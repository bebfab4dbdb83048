from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import UsageError
from ftbuild.model.versions import (
    BOTH,
    Request,
    Variant,
    build_name,
    is_prerelease,
    nearest,
    newest_first,
    parse_request,
    parse_requests,
    series_of,
)

NUMBERS = st.integers(0, 99)
SERIES = st.builds("{}.{}".format, NUMBERS, NUMBERS)
PRE = st.just("") | st.builds("{}{}".format, st.sampled_from(["a", "b", "rc"]), NUMBERS)
RELEASES = st.builds("{}.{}{}".format, SERIES, NUMBERS, PRE)
VARIANTS = st.sampled_from(list(Variant))
PROFILES = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True).filter(
    lambda word: word not in {"gil", "freethreaded"}
)


@given(SERIES, RELEASES | st.none(), VARIANTS | st.none(), PROFILES | st.none())
def test_what_is_written_is_read(
    series: str, release: str | None, variant: Variant | None, profile: str | None
) -> None:
    words = {None: "", Variant.GIL: "+gil", Variant.FREE_THREADED: "t"}
    text = (release or series) + words[variant] + (f"+{profile}" if profile else "")
    assert parse_request(text) == Request(
        text=text,
        series=series_of(release) if release else series,
        release=release,
        variant=variant,
        profile=profile,
    )


@given(RELEASES, VARIANTS, PROFILES, PROFILES)
def test_a_build_is_found_by_its_name(
    release: str, variant: Variant, profile: str, default: str
) -> None:
    request = parse_request(build_name(release, variant, profile, default))
    assert request.release == release
    assert variant in request.variants
    assert request.profile == (None if profile == default else profile)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    try:
        request = parse_request(text)
    except UsageError:
        return
    assert series_of(request.release or request.series) == request.series


@pytest.mark.parametrize(
    "text",
    ["3.14x", "3", "", "t", "3.14rc1", "3.14.7.1", "v3.14", "3.14-t", "3.14+", "3.14 t", "٣.١٤"],
)
def test_nonsense(text: str) -> None:
    with pytest.raises(UsageError, match="is not a Python version") as caught:
        parse_request(text)
    assert "3.14t" in caught.value.hint


@pytest.mark.parametrize("text", ["3.14t+gil", "3.14+gil+freethreaded", "3.14+debug+tsan"])
def test_contradictions(text: str) -> None:
    with pytest.raises(UsageError, match="contradicts itself"):
        parse_request(text)


def test_the_spellings_of_others() -> None:
    assert parse_request("python3.14t").variant is Variant.FREE_THREADED
    assert parse_request("3.14+freethreaded").variant is Variant.FREE_THREADED
    assert parse_request(" cpython-3.14.7 ").release == "3.14.7"
    assert parse_request("cpython-3.14.7").variants == (Variant.GIL,)
    assert parse_request("cpython-3.14.7+fast").variants == (Variant.GIL,)
    assert parse_request("3.14.7").variants == BOTH
    assert parse_request("3.014").series == "3.14"


def test_a_series_means_both_builds() -> None:
    assert parse_request("3.14").variants == BOTH
    assert parse_request("3.14t").variants == (Variant.FREE_THREADED,)


def test_several_by_commas_each_once() -> None:
    found = parse_requests(["3.13,3.14t", " 3.14t ,", ""])
    assert [request.text for request in found] == ["3.13", "3.14t"]


def test_order_is_by_number_and_finals_after_candidates() -> None:
    releases = ("3.9.1", "3.15.0rc2", "3.15.0", "3.14.10", "3.14.9", "3.15.0rc1")
    assert newest_first(releases) == (
        *("3.15.0", "3.15.0rc2", "3.15.0rc1", "3.14.10", "3.14.9", "3.9.1"),
    )
    assert [is_prerelease(release) for release in releases] == [False, True, *[False] * 3, True]


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("3.14.99", ["3.13.99", "3.14.8", "3.14.10", "3.14.9"], ("3.14.10", "3.14.9", "3.14.8")),
        ("3.99", ["3.13", "3.15"], ("3.15", "3.13")),
        ("3.15.0", ["3.15.0rc1", "3.15.1"], ("3.15.0rc1", "3.15.1")),
        ("optimised", ["fast", "optimized", "debug"], ("optimized",)),
        ("sha265", ["sha256", "size"], ("sha256",)),
        ("zzz", ["fast", "debug"], ()),
    ],
)
def test_nearest(word: str, known: list[str], expected: tuple[str, ...]) -> None:
    assert nearest(word, known) == expected


@given(st.text(), st.lists(st.text()))
def test_nearest_takes_any_words(word: str, known: list[str]) -> None:
    assert set(nearest(word, known)) <= set(known)


@pytest.mark.parametrize(
    ("word", "known", "first"),
    [
        # As far away in numbers: what is final is nearer to a final one, and the other way round.
        ("3.15.0", ["3.15.0rc1", "3.15.0"], "3.15.0"),
        ("3.15.0rc3", ["3.15.0", "3.15.0rc1"], "3.15.0rc1"),
        ("3.14.1", ["3.14.0rc2", "3.14.2"], "3.14.2"),
        ("3.14.1rc1", ["3.14.0", "3.14.2rc1"], "3.14.2rc1"),
    ],
)
def test_of_two_as_near_the_one_of_the_same_kind_is_nearer(
    word: str, known: list[str], first: str
) -> None:
    assert nearest(word, known)[0] == first
    assert nearest(word, known[::-1])[0] == first


@pytest.mark.parametrize("text", ["3." + "9" * 5000, "3.14." + "9" * 300, "3.14.7rc" + "1" * 99])
def test_a_number_without_end_is_no_version(text: str) -> None:
    with pytest.raises(UsageError, match="is not a Python version"):
        parse_request(text)
