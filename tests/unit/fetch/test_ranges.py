from __future__ import annotations

import contextlib
import io
import os
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import Interrupted
from ftbuild.fetch import ranges, wire
from ftbuild.fetch.access import Access
from ftbuild.fetch.deadlines import Limits
from ftbuild.fetch.ranges import Members, document, look, unroll

from .loopback import Server, cut, pour, serve, status

METADATA = "spam-1.0.dist-info/METADATA"
NOISE = os.urandom(700_000)


def asking(*, offline: bool = False) -> Access:
    limits = Limits(backoff=0.0, tries=3)
    return Access(env={}, stop=threading.Event(), offline=offline, limits=limits)


def zipped(*, late: bool = True, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A wheel of a megabyte, with its metadata at its end or its beginning."""
    members = {
        "spam/__init__.py": b"",
        "spam/big.bin": NOISE,
        "spam/core.so": b"\0" * 300_000 + b"PyInit_core" + b"\0" * 300_000,
        METADATA: b"Name: spam",
    }
    names = list(members) if late else list(reversed(members))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name in names:
            archive.writestr(name, members[name])
        archive.mkdir("spam/empty")
    return file.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def looked(url: str, size: int | None, *, offline: bool = False) -> Members:
    return look(
        url,
        size,
        lambda name: name == METADATA,
        sought=lambda name: b"PyInit_core" if name.endswith(".so") else None,
        access=asking(offline=offline),
    )


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_remote_zip(server: Server, late: bool, told: bool, compression: int) -> None:
    content = zipped(late=late, compression=compression)
    server.route(serve(content))
    found = looked(server.url(), len(content) if told else None)
    assert set(found.names) == {"spam/__init__.py", "spam/big.bin", "spam/core.so", METADATA}
    assert found.texts == {METADATA: "Name: spam"}
    assert found.found == {"spam/core.so"}


def test_one_request_is_enough(server: Server) -> None:
    content = zipped()
    server.route(serve(content))
    look(server.url(), len(content), lambda name: name == METADATA, access=asking())
    assert server.headers("range") == [f"bytes={len(content) - ranges.TAIL}-{len(content) - 1}"]


def test_a_server_without_ranges(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped()
    server.route(serve(content, ranges=False))
    for size in (len(content), None):
        assert looked(server.url(), size).found == {"spam/core.so"}
    assert len(server.asked) == 2
    monkeypatch.setattr(ranges, "WHOLE", 500_000)
    for behaviour in (serve(content, ranges=False), pour(content)):
        server.route(behaviour)
        with pytest.raises(wire.Failed, match="more than 500,000 bytes"):
            looked(server.url(), len(content))


def test_another_length_than_the_index_says(server: Server) -> None:
    content = zipped()
    server.route(serve(content))
    with pytest.raises(wire.Failed, match="not as long as it should be"):
        looked(server.url(), len(content) - 1)


def test_a_broken_connection_is_tried_again(server: Server) -> None:
    content = zipped()
    server.route(cut(content, len(content) - 9), serve(content))
    assert looked(server.url(), len(content)).names


def test_files_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "a b.whl"
    path.write_bytes(zipped())
    assert looked(path.as_uri(), None, offline=True).texts
    with pytest.raises(wire.Absent):
        looked((tmp_path / "no.whl").as_uri(), None)


def test_offline() -> None:
    url = "https://files.example/x"
    with pytest.raises(wire.Failed, match="offline"):
        looked(url, 9, offline=True)
    with pytest.raises(wire.Failed, match="offline"):
        unroll(url, 9, lambda _: True, limit=10, access=asking(offline=True))


def test_a_bomb_is_not_unpacked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(METADATA, b"x" * (ranges.TEXT + 1))
        archive.writestr("core.so", b"x" * 9_000_000 + b"PyInit_core")
    server.route(serve(file.getvalue()))
    monkeypatch.setattr(ranges, "SEARCHED", 1 << 20)
    found = looked(server.url(), len(file.getvalue()))
    assert found.texts == {}
    assert found.found == frozenset()


def test_a_directory_of_absurd_size(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MEMBERS", 3)
    content = zipped()
    server.route(serve(content))
    with pytest.raises(wire.Failed, match="more than 3 members"):
        looked(server.url(), len(content))
    monkeypatch.setattr(ranges, "_AT_ONCE", 100)
    with pytest.raises(wire.Failed, match="almost whole"):
        looked(server.url(), len(content))


SMALL = zipped()[-400:]


@given(content=st.binary(max_size=200), at=st.integers(0, len(SMALL)))
def test_no_zip_is_too_strange(
    content: bytes, at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "strange.whl"
    path.write_bytes(SMALL[:at] + content + SMALL[at:])
    with contextlib.suppress(wire.Failed):
        looked(path.as_uri(), None)


@given(content=st.binary(max_size=200), at=st.integers(0, 500))
def test_no_tarball_is_too_strange(
    content: bytes, at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "strange.tar.gz"
    whole = tarred({"spam-1.0/setup.py": NOISE[:400]})
    path.write_bytes(whole[:at] + content + whole[at:])
    with contextlib.suppress(wire.Failed):
        unroll(path.as_uri(), None, lambda _: True, limit=1 << 20, access=asking())


def test_a_remote_tarball(server: Server) -> None:
    content = tarred(
        {"s-1/PKG-INFO": b"Name: s", "s-1/a.c": NOISE, "s-1/empty": b"", "s-1/b.c": b"" * 512}
    )
    for behaviour in (serve(content), pour(content)):
        server.route(behaviour)
        found = unroll(
            server.url(),
            len(content),
            lambda name: name.endswith("PKG-INFO"),
            limit=len(content),
            access=asking(),
        )
        assert found.names == ("s-1/PKG-INFO", "s-1/a.c", "s-1/empty", "s-1/b.c")
        assert found.texts == {"s-1/PKG-INFO": "Name: s"}


def test_tarballs_that_are_too_much(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tarred({"s-1/a.c": NOISE})

    def unrolled(size: int | None, limit: int) -> None:
        unroll(server.url(), size, lambda _: True, limit=limit, access=asking())

    with pytest.raises(wire.Failed, match="more than is looked into"):
        unrolled(1001, 1000)
    assert not server.asked
    server.route(pour(content))
    with pytest.raises(wire.Failed, match="more than 1,000 bytes"):
        unrolled(None, 1000)
    monkeypatch.setattr(ranges, "UNPACKED", 1 << 19)
    with pytest.raises(wire.Failed, match="unpacks to more"):
        unrolled(None, 1 << 20)
    server.route(serve(b"no tarball"))
    with pytest.raises(wire.Failed, match=r"is no \.tar\.gz"):
        unrolled(None, 1 << 20)


def test_a_document(server: Server) -> None:
    server.route(serve(b"Name: spam"))
    assert document(server.url(), access=asking()) == "Name: spam"
    assert document(server.url("/no"), access=asking()) is None
    server.route(status(403))
    with pytest.raises(wire.Failed):
        document(server.url(), access=asking())


def test_it_can_be_stopped(server: Server) -> None:
    access = asking()
    server.route(server.hush)
    threading.Timer(0.1, access.stop.set).start()
    with pytest.raises(Interrupted):
        look(server.url(), 1000, lambda _: True, access=access)
