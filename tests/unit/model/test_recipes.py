from __future__ import annotations

import pytest

from ftbuild.catalogue import load
from ftbuild.errors import UsageError
from ftbuild.model.recipes import Catalogue, Release, Series, decode
from ftbuild.model.versions import newest_first

KNOWN = load()
HASH = "a" * 64


def test_a_series_means_its_final_releases_newest_first() -> None:
    found = KNOWN.candidates("3.15")
    assert found == newest_first(found)
    assert "3.15.0" in found
    assert "3.15.0rc2" not in found


def test_an_unknown_series_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"Python 3\.99 is not in the catalogue") as caught:
        KNOWN.candidates("3.99")
    assert "3.13, 3.14, 3.15" in caught.value.hint


def test_a_series_of_prereleases_only() -> None:
    release = Release(sha256=HASH, size=None, seen=("somebody",))
    known = Catalogue(
        series={"3.16": Series(status="prerelease", free_threading="supported")},
        releases={"3.16.0a1": release},
        profiles={},
        default_profile="",
        libraries={},
        managers={},
        bases={},
        default_base="",
        origins=KNOWN.origins,
    )
    with pytest.raises(UsageError, match="no final release yet") as caught:
        known.candidates("3.16")
    assert "3.16.0a1" in caught.value.hint


def test_an_unknown_release_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Python 3\.14\.99 is not") as caught:
        KNOWN.release("3.14.99")
    assert f"nearest releases are {KNOWN.candidates('3.14')[0]}" in caught.value.hint


@pytest.mark.parametrize(("name", "guess"), [("optimised", "optimized"), ("zzz", "optimized or")])
def test_an_unknown_profile_names_the_nearest(name: str, guess: str) -> None:
    with pytest.raises(UsageError, match=f"no profile '{name}'") as caught:
        KNOWN.profile(name)
    assert f"Did you mean {guess}" in caught.value.hint


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"size": None, "seen": ["x"]}, "missing required field `sha256`"),
        ({"sha256": "abc", "size": None, "seen": ["x"]}, r"releases\.3\.14\.7\.sha256: .*regex"),
        ({"sha256": HASH, "size": "1", "seen": ["x"]}, r"releases\.3\.14\.7\.size: Expected `int"),
        ({"sha256": HASH, "size": 0, "seen": ["x"]}, r"size: Expected `int` >= 1"),
        ({"sha256": HASH, "size": None, "seen": []}, r"seen: Expected `array` of length >= 1"),
        ([], "Expected `object`, got `array`"),
        ({"sha265": HASH, "size": None, "seen": ["x"]}, "unknown key 'sha265'"),
    ],
)
def test_what_does_not_fit_is_named(raw: object, says: str) -> None:
    with pytest.raises(UsageError, match=f"^cpython.yaml: .*{says}"):
        decode(raw, Release, file="cpython.yaml", key="releases.3.14.7")


def test_an_unknown_key_comes_with_the_nearest_valid_one() -> None:
    with pytest.raises(UsageError) as caught:
        decode({"sha265": HASH}, Release, file="f", key="k")
    assert caught.value.hint == "Did you mean 'sha256'? Valid keys here: sha256, size, seen."
