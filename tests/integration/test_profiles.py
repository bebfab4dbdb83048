"""Training profiles through the command line: kept, used, given, refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.driver import NEW, OLD, Ftbuild

BUILD = ("build", "3.97t", "--profile", "optimized")
PAIR = ("build", "3.97", "--profile", "optimized")


def stored(ftbuild: Ftbuild) -> list[Path]:
    found = (ftbuild.root / "profiles").iterdir()
    return sorted(path for path in found if ".frozen" not in path.suffixes)


def origins(ftbuild: Ftbuild) -> list[str | None]:
    """Where the profile of each installed build came from."""
    return [build.manifest.used.training for build in ftbuild.installed]


def test_a_pair_trains_once_and_each_build_for_itself(ftbuild: Ftbuild) -> None:
    ftbuild(*PAIR)
    assert origins(ftbuild) == ["trained", "trained"]
    before = [build.manifest.result.training_profile for build in ftbuild.installed]
    assert len(stored(ftbuild)) == 2
    ftbuild.unhook()
    ftbuild(*PAIR, "--force")
    assert origins(ftbuild) == ["stored", "stored"]
    assert [build.manifest.result.training_profile for build in ftbuild.installed] == before
    assert {line.split()[0] for line in ftbuild.trace} == {
        *("configure", "compile", "install", "pip", "details", "verify")
    }


def test_what_was_frozen_is_kept_for_this_root(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    assert "FREEZE_MODULE_DEPS=" in ftbuild(*BUILD, "--dry-run").out
    (frozen,) = (ftbuild.root / "profiles").glob("*.frozen.tar.xz")
    frozen.write_text("damaged")
    assert "FREEZE_MODULE_DEPS=" not in ftbuild(*BUILD, "--dry-run").out
    ftbuild(*BUILD, "--force")
    assert origins(ftbuild) == ["stored"]


def test_retrain_leaves_the_stored_profile_unused(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    ftbuild(*BUILD, "--force", "--retrain")
    assert origins(ftbuild) == ["trained"]


@pytest.mark.parametrize("other", ["--configure-arg=--enable-shared", "--toolchain=OTHER"])
def test_a_build_of_another_kind_trains(ftbuild: Ftbuild, other: str) -> None:
    there = {name: shutil.which(name) for name in ("gcc", "clang-19")}
    used = "clang-19" if there["clang-19"] else "gcc"
    ftbuild(*BUILD, "--toolchain", used)
    second = "gcc" if used == "clang-19" else "clang-19"
    if other == "--toolchain=OTHER" and not there[second]:
        pytest.skip(f"{second} is not installed")
    ftbuild.unhook()
    ftbuild(*BUILD, other.replace("OTHER", second))
    assert "train t" in ftbuild.trace
    assert len(stored(ftbuild)) == 2


def test_one_training_serves_builds_that_differ_in_the_last_stage(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    ftbuild.unhook()
    ftbuild(*BUILD, "--debug-info")
    assert "train t" not in ftbuild.trace


def test_a_damaged_profile_is_warned_of_and_made_again(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    (profile,) = stored(ftbuild)
    profile.write_bytes(profile.read_bytes()[:100])
    done = ftbuild(*BUILD, "--force")
    assert "cannot be used as a training profile" in done.err
    assert origins(ftbuild) == ["trained"]
    ftbuild(*BUILD, "--force")
    assert origins(ftbuild) == ["stored"]


def test_a_team_trains_once(ftbuild: Ftbuild, tmp_path: Path) -> None:
    ftbuild(*PAIR)
    trained = [build.manifest.result.training_profile for build in ftbuild.installed]
    listed = ftbuild("profiles", "--output", str(tmp_path / "out"), "--json").json["profiles"]
    given = [Path(item["path"]) for item in listed]
    assert [path.parent for path in given] == [tmp_path / "out"] * 2
    shutil.rmtree(ftbuild.root)
    ftbuild.unhook()
    words = [word for path in given for word in ("--profile-data", str(path))]
    ftbuild(*PAIR, *words)
    assert origins(ftbuild) == ["given", "given"]
    assert "train" not in " ".join(ftbuild.trace)
    assert [b.manifest.result.training_profile for b in ftbuild.installed] == trained
    assert [b.spec.profile_data for b in ftbuild.installed] == trained
    assert "there already" in ftbuild(*PAIR, *words).out
    manifest = str(ftbuild.installed[0].prefix / "ftbuild.json")
    assert "there already" in ftbuild("build", "--from", manifest, *words).out
    refused = ftbuild("build", "--from", manifest, code=3)
    assert "profile_data" in refused.err


def test_a_profile_of_another_release_is_refused_and_the_build_trains(ftbuild: Ftbuild) -> None:
    ftbuild("build", f"{OLD}t", "--profile", "optimized")
    (profile,) = stored(ftbuild)
    done = ftbuild("build", f"{NEW}t", "--profile", "optimized", "--profile-data", str(profile))
    assert f"version {OLD}, not {NEW}" in done.err
    assert origins(ftbuild) == ["trained", "trained"]


def test_a_profile_that_is_none(ftbuild: Ftbuild, tmp_path: Path) -> None:
    nonsense = tmp_path / "profile.tar.xz"
    nonsense.write_text("nonsense")
    done = ftbuild(*BUILD, "--profile-data", str(nonsense))
    assert "cannot be used as a training profile" in done.err
    assert origins(ftbuild) == ["trained"]


def test_the_profiles_of_what_is_installed_are_listed(ftbuild: Ftbuild) -> None:
    assert "Nothing is installed" in ftbuild("profiles").out
    ftbuild(*PAIR)
    told = ftbuild("profiles").out
    assert all(str(path) in told for path in stored(ftbuild))
    assert str(stored(ftbuild)[1]) in ftbuild("profiles", "3.97t+optimized").out
    assert "(trained)" in ftbuild("show", "3.97t+optimized").out


def test_a_rehearsal_tells_of_the_stored_profile(ftbuild: Ftbuild) -> None:
    assert "profile-gen-stamp" in ftbuild(*BUILD, "--dry-run").out
    ftbuild(*BUILD)
    again = ftbuild(*BUILD, "--dry-run").out
    assert "profile-gen-stamp" not in again
    assert str(stored(ftbuild)[0]) in again
