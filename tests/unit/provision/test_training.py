from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import EnvironmentFault
from ftbuild.model.events import Event, Warned
from ftbuild.model.training import FORMAT, TrainingProfile
from ftbuild.model.versions import Variant
from ftbuild.provision.training import (
    Training,
    copied,
    given,
    prepare,
    store,
    training_for,
    warn_of_unfit,
    with_given,
)
from ftbuild.store.profiles import profile_digest
from tests.builders import specification

SPEC = specification(profile="optimized", pgo=True)
GIL = specification(Variant.GIL, profile="optimized", pgo=True)


@pytest.fixture
def said() -> list[Event]:
    return []


def warnings(said: list[Event]) -> list[str]:
    return [event.text for event in said if isinstance(event, Warned)]


@pytest.fixture
def place(tmp_path: Path, said: list[Event]) -> Path:
    """A profile that the training of SPEC has left."""
    tree = tmp_path / "tree"
    (tree / "Python/frozen_modules").mkdir(parents=True)
    (tree / "Python/ceval.gcda").write_bytes(b"counts")
    (tree / "Python/frozen_modules/os.h").write_text("frozen")
    path = tmp_path / "profiles/x.tar.xz"
    path.parent.mkdir()
    store(SPEC, path, tree, said.append)
    return path


def test_what_one_build_stored_the_next_prepares(
    tmp_path: Path, place: Path, said: list[Event]
) -> None:
    found = training_for(SPEC, place, (), said.append, retrain=False)
    assert found is not None
    assert (found.kind, found.frozen) == ("stored", True)
    prepare(found, tmp_path / "next")
    assert profile_digest(tmp_path / "next") == found.profile.sha256
    assert (tmp_path / "next/Python/frozen_modules/os.h").read_text() == "frozen"
    assert said == []


def test_nothing_is_used_where_nothing_fits(place: Path, said: list[Event]) -> None:
    assert training_for(SPEC, place, (), said.append, retrain=True) is None
    assert training_for(GIL, place, (), said.append, retrain=False) is None
    plain = msgspec.structs.replace(SPEC, pgo=False)
    assert training_for(plain, place, (), said.append, retrain=False) is None
    assert training_for(SPEC, place.with_name("none"), (), said.append, retrain=False) is None


def test_a_profile_goes_to_the_build_it_fits(place: Path, said: list[Event]) -> None:
    profiles = given([place, place.with_name("none")], said.append)
    assert len(profiles) == 1
    assert len(warnings(said)) == 1
    asked = with_given(SPEC, profiles)
    assert asked.profile_data == profiles[0].profile.sha256
    assert with_given(GIL, profiles) == GIL
    found = training_for(asked, place, profiles, said.append, retrain=True)
    assert found == profiles[0]


def test_a_profile_that_no_build_uses_is_told_with_the_reason(said: list[Event]) -> None:
    record = TrainingProfile(format=FORMAT, spec=SPEC, sha256="a" * 64, frozen=None, ftbuild="0")
    training = Training(kind="given", path=Path("/x"), profile=record)
    newer = msgspec.structs.replace(SPEC, version="3.14.8")
    warn_of_unfit([training], [GIL, newer], said.append)
    assert warnings(said) == ["/x is not used: it was made with version 3.14.7, not 3.14.8"]
    warn_of_unfit([training], [with_given(SPEC, [training])], said.append)
    assert len(said) == 1


def test_copies(tmp_path: Path, place: Path, said: list[Event]) -> None:
    (training,) = given([place], said.append)
    found = copied({place: training.profile}, tmp_path / "a" / "b")
    assert [path.read_bytes() for path in found] == [place.read_bytes()]
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault):
        copied({place: training.profile}, tmp_path / "file")


def test_a_profile_that_cannot_be_kept_is_no_failure(tmp_path: Path, said: list[Event]) -> None:
    (tmp_path / "code.profclangd").touch()
    store(SPEC, tmp_path / "no such folder/x.tar.xz", tmp_path, said.append)
    assert "is not kept" in warnings(said)[0]
