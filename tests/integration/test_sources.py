"""Where sources come from, and what happens where they do not."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from ftbuild.model.manifest import Installation
from ftbuild.store.listing import load_manifest
from tests.builders import changed
from tests.integration.driver import NEW, OLD, Ftbuild
from tests.integration.fake_cpython import write_recipes, write_tarball


def lose(ftbuild: Ftbuild, version: str) -> Path:
    """Take a release off the mirror."""
    tarball = ftbuild.mirror / f"Python-{version}.tar.xz"
    tarball.unlink()
    return tarball


def test_a_series_falls_back_on_what_can_be_had(ftbuild: Ftbuild) -> None:
    lose(ftbuild, NEW)
    done = ftbuild("build", "3.97t")
    assert f"warning: 3.97 is {OLD} here: no origin has {NEW}" in done.err
    assert ftbuild.names == ["cpython-3.97.1t"]


def test_both_builds_of_a_pair_fall_back_on_the_same(ftbuild: Ftbuild) -> None:
    lose(ftbuild, NEW)
    done = ftbuild("build", "3.97t,3.97+gil")
    assert done.err.count("warning:") == 1
    assert f"{OLD}: a matched pair" in done.out


def test_an_exact_release_does_not(ftbuild: Ftbuild) -> None:
    tarball = lose(ftbuild, NEW)
    done = ftbuild("build", f"{NEW}t", code=3)
    upstream = ftbuild.folder / f"upstream/{tarball.name}"
    for origin in (tarball, upstream):
        assert [line.split() for line in done.err.splitlines() if str(origin) in line] == [
            [str(origin), "no", "such", "file"]
        ]
    assert ftbuild.trace == []


def test_nothing_can_be_had(ftbuild: Ftbuild) -> None:
    lose(ftbuild, NEW)
    lose(ftbuild, OLD)
    done = ftbuild("build", "3.97t", code=3)
    assert f"Python-{NEW}.tar.xz cannot be had" in done.err
    assert ftbuild.names == []


def test_offline(ftbuild: Ftbuild) -> None:
    assert "offline" in ftbuild("build", "3.97t", "--offline", code=3).err
    ftbuild("fetch", OLD)
    done = ftbuild("build", "3.97t", "--offline")
    assert f"3.97 is {OLD} here" in done.err
    assert ftbuild.names == ["cpython-3.97.1t"]


def test_a_mirror_that_lies(ftbuild: Ftbuild) -> None:
    tarball = ftbuild.mirror / f"Python-{NEW}.tar.xz"
    good = tarball.read_bytes()
    tarball.write_bytes(good[:-1] + b"?")
    honest = ftbuild.folder / "upstream" / tarball.name
    honest.parent.mkdir()
    honest.write_bytes(good)
    done = ftbuild("build", "3.97t")
    assert "not the pinned one" in done.err
    assert ftbuild.installed[0].manifest.used.origin == str(honest)


def test_a_source_in_the_cache_that_was_damaged(ftbuild: Ftbuild) -> None:
    ftbuild("fetch", "3.97")
    (ftbuild.root / f"sources/Python-{NEW}.tar.xz").write_bytes(b"damaged")
    assert "to be fetched again" in ftbuild("build", "3.97t").err


def test_mirrors_are_asked_in_order(ftbuild: Ftbuild) -> None:
    first = ftbuild.folder / "first"
    first.mkdir()
    lose(ftbuild, NEW).with_suffix("").touch()
    sha256 = write_tarball(first / f"Python-{NEW}.tar.xz", NEW, hooks=ftbuild.hooks)
    assert sha256 == ftbuild.pins[NEW], "the same bytes every time"
    fetched = ftbuild("fetch", NEW, "--mirror", str(first), "--json").json
    assert [source["origin"] for source in fetched["sources"]] == [
        str(first / f"Python-{NEW}.tar.xz")
    ]


@pytest.fixture
def given(ftbuild: Ftbuild) -> tuple[Path, str]:
    """A tarball that the catalogue does not know, and its hash."""
    tarball = ftbuild.folder / "Python-3.98.0b1.tar.xz"
    return tarball, write_tarball(tarball, "3.98.0b1", hooks=ftbuild.hooks)


def test_a_source_of_the_users(ftbuild: Ftbuild, given: tuple[Path, str]) -> None:
    tarball, sha256 = given
    ftbuild("build", "--source", str(tarball), "--sha256", sha256)
    assert ftbuild.names == ["cpython-3.98.0b1", "cpython-3.98.0b1t"]


def test_a_source_of_the_users_with_the_wrong_hash(
    ftbuild: Ftbuild, given: tuple[Path, str]
) -> None:
    done = ftbuild("build", "--source", str(given[0]), "--sha256", "0" * 64, code=3)
    assert "not the pinned one" in done.err
    assert ftbuild.trace == []


def test_a_source_that_is_not_there(ftbuild: Ftbuild, given: tuple[Path, str]) -> None:
    done = ftbuild("build", "--source", "nowhere.tar.xz", "--sha256", given[1], code=2)
    assert "nowhere.tar.xz: there is no such file" in done.err


def test_a_source_without_a_version(ftbuild: Ftbuild, given: tuple[Path, str]) -> None:
    tarball = given[0].rename(ftbuild.folder / "nightly.tar.xz")
    words = ("--source", str(tarball), "--sha256", given[1])
    assert "which release is in nightly.tar.xz?" in ftbuild("build", *words, code=2).err
    ftbuild("build", "3.98.0b1t", *words)
    assert ftbuild.names == ["cpython-3.98.0b1t"]


def test_a_folder_of_recipes(ftbuild: Ftbuild) -> None:
    tarball = ftbuild.mirror / "Python-3.97.3.tar.xz"
    pin = write_tarball(tarball, "3.97.3", hooks=ftbuild.hooks)
    mine = ftbuild.folder / "mine"
    write_recipes(mine, {"3.97.3": pin}, upstream=ftbuild.folder, disk=1)
    ftbuild("build", "3.97t", "--recipes", str(mine))
    assert ftbuild.names == ["cpython-3.97.3t"]
    ftbuild("build", "3.97t")
    assert ftbuild.names == ["cpython-3.97.3t", "cpython-3.97.2t"]


@pytest.fixture
def manifest(ftbuild: Ftbuild) -> Path:
    """The manifest of a build with an argument of the user's."""
    ftbuild("build", "3.97t", "--configure-arg", "--with-trace-refs")
    return ftbuild.prefixes[0] / "ftbuild.json"


def test_from_a_manifest_of_this_host(ftbuild: Ftbuild, manifest: Path) -> None:
    assert "there already" in ftbuild("build", "--from", str(manifest)).out
    other = ftbuild.folder / "other"
    ftbuild("build", "--from", str(manifest), "--root", str(other))
    (build,) = ftbuild("list", "--root", str(other), "--json").json["builds"]
    assert build["digest"] == json.loads(manifest.read_text())["digest"]


def test_from_a_manifest_of_another_host(ftbuild: Ftbuild, manifest: Path) -> None:
    ours = Installation(prefix=manifest.parent, manifest=load_manifest(manifest))
    other = changed(ours, "spec", compiler="gcc 99.1.0 x86_64-linux-gnu")
    theirs = ftbuild.folder / "theirs.json"
    theirs.write_bytes(msgspec.json.encode(other.manifest))
    done = ftbuild("build", "--from", str(theirs), code=3)
    assert f"compiler: gcc 99.1.0 x86_64-linux-gnu there, {ours.spec.compiler} here" in done.err


def test_from_what_is_no_manifest(ftbuild: Ftbuild) -> None:
    assert "is not a manifest" in ftbuild("build", "--from", "nowhere.json", code=2).err
