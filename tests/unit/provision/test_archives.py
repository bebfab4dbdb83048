"""What does not come about: that archives are installed is the integration tests' business."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from ftbuild.archive.stores import Archives
from ftbuild.attest import SUFFIXES
from ftbuild.errors import EnvironmentFault
from ftbuild.model.archive import decode_record
from ftbuild.model.events import Event, Warned
from ftbuild.provision.archives import pack, take
from ftbuild.provision.choose import job_for
from ftbuild.provision.world import World
from ftbuild.store.layout import Layout, open_root
from tests.builders import HOST, specification, store
from tests.unit.provision.worlds import world


@pytest.fixture
def other(tmp_path: Path) -> tuple[World, list[Event]]:
    """The world of another root, which asks a store."""
    made, events = world(open_root(tmp_path / "other"))
    archives = Archives(
        (str(tmp_path / "out"),), env={}, emit=events.append, stop=threading.Event()
    )
    return msgspec.structs.replace(made, archives=archives), events


def test_an_archive_has_its_record_beside_it(layout: Layout) -> None:
    made, _ = world(layout)
    (packed,) = pack((store(layout),), made, into=None)
    assert packed.path.parent == layout.archives
    beside = packed.path.with_name(f"{packed.path.name}.json")
    assert decode_record(beside.read_bytes()) == packed.record
    said = {packed.path.with_name(packed.path.name + suffix) for suffix in SUFFIXES}
    assert set(layout.archives.iterdir()) == {packed.path, beside, *said}


def test_a_place_that_cannot_be_written(layout: Layout, tmp_path: Path) -> None:
    made, _ = world(layout)
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="file"):
        pack((store(layout),), made, into=tmp_path / "file")


def test_nothing_is_offered(other: tuple[World, list[Event]]) -> None:
    made, events = other
    assert take([job_for(specification(), made)], made, HOST.platform) == {}
    assert events == []
    assert not list(made.layout.work.iterdir())


def test_what_fails_its_checks_is_warned_of(
    layout: Layout, tmp_path: Path, other: tuple[World, list[Event]]
) -> None:
    """The interpreter is a script that answers nothing a check asks."""
    pack((store(layout),), world(layout)[0], into=tmp_path / "out")
    made, events = other
    assert take([job_for(specification(), made)], made, HOST.platform) == {}
    (warning,) = [event for event in events if isinstance(event, Warned)]
    assert "checks failed: identity.starts" in warning.text
    assert not list(made.layout.work.iterdir())
    assert [path.suffix for path in made.layout.store.iterdir()] == [".failed"]


def test_what_is_for_another_platform_is_not_even_opened(
    layout: Layout, tmp_path: Path, other: tuple[World, list[Event]]
) -> None:
    (packed,) = pack((store(layout),), world(layout)[0], into=tmp_path / "out")
    packed.path.write_bytes(b"")
    made, events = other
    here = msgspec.structs.replace(HOST.platform, libc="glibc 2.1")
    assert take([job_for(specification(), made)], made, here) == {}
    (warning,) = [event for event in events if isinstance(event, Warned)]
    assert "it needs glibc 2.36 or newer" in warning.text
