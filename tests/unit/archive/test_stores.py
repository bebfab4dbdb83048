from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ftbuild.archive.stores import Archives
from ftbuild.errors import Refused, UsageError
from ftbuild.fetch import Unavailable
from ftbuild.fetch.deadlines import Limits
from ftbuild.model.archive import FORMAT, Record
from ftbuild.model.events import Downloaded, Event, Warned
from tests.unit.fetch.drip import PHASES, Drip
from tests.unit.fetch.loopback import Server, serve, status
from tests.unit.model.test_archive import packed

NAME = "cpython-3.14.7t+tsan-12345678-linux-x86_64.tar.zst"
CONTENT = b"an archive" * 1000
RECORD = Record(
    format=FORMAT,
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
    manifest=packed(),
)


@pytest.fixture
def server() -> Iterator[Server]:
    """It serves the archive; a plus may be escaped in an address."""
    with Server() as running:
        path = f"/{NAME.replace('+', '%2B')}"
        running.route(serve(CONTENT), path=path)
        running.route(serve(msgspec.json.encode(RECORD)), path=f"{path}.json")
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """It holds the archive, and a space in its name."""
    folder = tmp_path / "a store"
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    (folder / f"{NAME}.json").write_bytes(msgspec.json.encode(RECORD))
    return folder


def archives(
    *places: object, offline: bool = False, limits: Limits | None = None
) -> tuple[Archives, list[Event]]:
    events: list[Event] = []
    made = Archives(
        tuple(map(str, places)),
        env={},
        emit=events.append,
        stop=threading.Event(),
        offline=offline,
        limits=limits,
    )
    return made, events


def test_a_directory(folder: Path, tmp_path: Path) -> None:
    found, events = archives(tmp_path / "nowhere", folder)
    (offer,) = found.offers(NAME)
    assert offer.record == RECORD
    assert offer.place == str(folder / NAME)
    assert found.fetch(offer, tmp_path) == folder / NAME
    assert events == []


def test_a_server(server: Server, tmp_path: Path) -> None:
    found, events = archives(server.url("/"))
    (offer,) = found.offers(NAME)
    path = found.fetch(offer, tmp_path)
    assert path.read_bytes() == CONTENT
    assert [type(event) for event in events if not isinstance(event, Warned)][-1] is Downloaded


def test_what_is_not_there_is_no_news(server: Server, folder: Path) -> None:
    found, events = archives(server.url("/"), folder)
    assert found.offers("other.tar.zst") == ()
    assert events == []


def test_each_is_asked_once(server: Server) -> None:
    found, _ = archives(server.url("/"))
    assert found.offers(NAME) == found.offers(NAME)
    assert len(server.asked) == 1


def test_a_store_that_fails_is_told_once_and_left_alone(server: Server, folder: Path) -> None:
    server.route(status(503), path=f"/{NAME.replace('+', '%2B')}.json")
    found, events = archives(server.url("/", login="me:secret@"), folder)
    assert len(found.offers(NAME)) == 1
    assert found.offers("other.tar.zst") == ()
    (event,) = events
    assert isinstance(event, Warned)
    assert "503 Service Unavailable; done without this store" in event.text
    assert "secret" not in event.text
    assert len(server.asked) == 1


HASTY = Limits(connect=5.0, silence=5.0, window=1.0, tries=1)


@pytest.mark.parametrize("phase", ["header", "body"])
def test_a_store_that_drips_is_left_for_the_next(folder: Path, phase: str) -> None:
    with Drip(*PHASES[phase]) as drip:
        found, events = archives(drip.url(""), folder, limits=HASTY)
        assert len(found.offers(NAME)) == 1
        assert found.offers("other.tar.zst") == ()
        assert drip.asked == 1
    (event,) = events
    assert isinstance(event, Warned)
    assert "done without this store" in event.text


def test_an_archive_that_drips(server: Server, tmp_path: Path) -> None:
    server.route(server.stall(CONTENT, at=1), path=f"/{NAME.replace('+', '%2B')}")
    found, _ = archives(server.url("/"), limits=HASTY)
    with pytest.raises(Unavailable, match="too slow"):
        found.fetch(found.offers(NAME)[0], tmp_path)


def test_a_record_that_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"{NAME}.json")
    found, _ = archives(tmp_path)
    assert found.offers(NAME) == ()


def test_a_record_that_cannot_be_read_is_told(folder: Path) -> None:
    (folder / f"{NAME}.json").write_text("nonsense")
    found, events = archives(folder)
    assert found.offers(NAME) == ()
    assert [type(event) for event in events] == [Warned]


def test_offline_asks_directories_only(server: Server, folder: Path) -> None:
    found, _ = archives(server.url("/"), folder, offline=True)
    assert len(found.offers(NAME)) == 1
    assert server.asked == []


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"?"])
def test_a_file_that_is_not_as_described(folder: Path, tmp_path: Path, content: bytes) -> None:
    (folder / NAME).write_bytes(content)
    found, _ = archives(folder)
    with pytest.raises(Refused, match="cut short or altered"):
        found.fetch(found.offers(NAME)[0], tmp_path)


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"?", CONTENT + b"?"])
def test_a_server_that_sends_something_else(server: Server, tmp_path: Path, content: bytes) -> None:
    server.route(serve(content), path=f"/{NAME.replace('+', '%2B')}")
    found, events = archives(server.url("/"))
    (offer,) = found.offers(NAME)
    with pytest.raises(Unavailable):
        found.fetch(offer, tmp_path)
    assert not [event for event in events if isinstance(event, Warned)], "the caller warns"


def test_a_place_that_is_none() -> None:
    with pytest.raises(UsageError, match="is not a store's address"):
        archives("ftp://example.org/x")


@pytest.mark.parametrize("name", ["%00.tar.zst", "..", "a" * 250 + ".tar.zst"])
def test_a_name_that_no_file_here_can_have(name: str) -> None:
    with Server() as running:
        running.route(serve(msgspec.json.encode(RECORD)), path=f"/{name}.json")
        found, _ = archives()
        with pytest.raises(Refused, match="is no name of a file"):
            found.at(running.url(f"/{name}"))
