from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import Refused
from ftbuild.fetch import Origin
from ftbuild.fetch.deadlines import Limits
from ftbuild.fetch.download import Downloads
from ftbuild.fetch.missed import Missed
from ftbuild.fetch.signing import Signature, Unsigned
from ftbuild.fetch.signing.signatures import LIMIT, Search, Signed, find
from ftbuild.model.events import Event, Warned
from ftbuild.model.recipes import Signer
from tests.openpgp import keys
from tests.unit.fetch.loopback import Server, serve, status
from tests.unit.fetch.signing import test_bundles

CONTENT = b"the bytes of a tarball\n"
NAME = "Python-3.97.1.tar.xz"
ENV = {"PATH": os.environ["PATH"]}


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A signer, and signatures: theirs, and somebody else's."""

    signer: Signer
    good: bytes
    foreign: bytes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with keys() as secret:
        pinned, other = secret.make("good"), secret.make("other")
        path = secret.public(pinned, tmp_path_factory.mktemp("keys") / "good.asc")
        yield Made(
            signer=Signer(openpgp=pinned, key=str(path)),
            good=secret.sign(pinned, CONTENT),
            foreign=secret.sign(other, CONTENT),
        )


class Cache:
    """A cache with a tarball, and a mirror that may have its signature."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "sources"
        self.mirror = folder / "mirror"
        self.events: list[Event] = []
        for directory in (self.folder, self.mirror):
            directory.mkdir()
        (self.folder / NAME).write_bytes(CONTENT)
        self.here = self.folder / f"{NAME}.asc"
        self.there = self.mirror / f"{NAME}.asc"
        self.urls = [(self.mirror / NAME).as_uri()]

    def find(
        self, signer: Signer, *, offline: bool = False, insist: bool = True
    ) -> Signature | Unsigned:
        source = Signed(
            tarball=self.folder / NAME,
            sha256=hashlib.sha256(CONTENT).hexdigest(),
            signer=signer,
            origins=tuple(Origin(name="mirror", url=url) for url in self.urls),
        )
        downloads = Downloads(
            cache=self.folder,
            env=ENV,
            emit=self.events.append,
            stop=threading.Event(),
            limits=Limits(backoff=0.01),
        )
        missed = Missed(self.folder / "missed.json")
        search = Search(
            downloads=None if offline else downloads,
            missed=None if insist else missed,
            mirrors=(),
            env=ENV,
            emit=self.events.append,
        )
        return find(source, search)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


def test_it_is_kept_and_judged_again_on_every_use(cache: Cache, made: Made) -> None:
    cache.there.write_bytes(made.good)
    first = cache.find(made.signer)
    assert isinstance(first, Signature)
    assert first.origin == str(cache.there)
    cache.there.unlink()
    assert cache.find(made.signer, offline=True) == msgspec.structs.replace(first, origin=None)
    (cache.folder / NAME).write_bytes(b"changed")
    with pytest.raises(Refused, match="is not of this file"):
        cache.find(made.signer, offline=True)


def test_one_that_does_not_hold_is_refused_and_not_kept(cache: Cache, made: Made) -> None:
    cache.there.write_bytes(made.foreign)
    with pytest.raises(Refused, match=f"{cache.there} was made with the key") as caught:
        cache.find(made.signer)
    assert "--signature off" in caught.value.hint
    assert not cache.here.exists()


def test_a_damaged_one_in_the_cache_is_fetched_again(cache: Cache, made: Made) -> None:
    cache.here.write_bytes(b"damaged")
    with pytest.raises(Refused, match="is not a detached"):
        cache.find(made.signer, offline=True)
    assert cache.here.exists()
    cache.there.write_bytes(made.good)
    assert isinstance(cache.find(made.signer), Signature)
    assert [type(event) for event in cache.events] == [Warned]
    assert cache.here.read_bytes() == made.good


def test_a_link_in_the_cache_is_not_followed(cache: Cache, made: Made, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"kept")
    cache.here.symlink_to(elsewhere)
    cache.there.write_bytes(made.good)
    assert isinstance(cache.find(made.signer), Signature)
    assert not cache.here.is_symlink()
    assert elsewhere.read_bytes() == b"kept"


def test_a_cache_that_is_read_only(cache: Cache, made: Made) -> None:
    cache.there.write_bytes(made.good)
    cache.here.mkdir()  # nothing can be put there, whoever we are
    assert isinstance(cache.find(made.signer), Signature)


def test_nobody_has_one(cache: Cache, made: Made, server: Server) -> None:
    cache.urls += [server.url("/none", login="me:secret@"), server.url("/down")]
    server.route(status(403), path="/down.asc")
    found = cache.find(made.signer)
    assert isinstance(found, Unsigned)
    lines = found.reasons[0].splitlines()
    assert lines[0] == f"OpenPGP: no origin has {NAME}.asc"
    assert [line.split("  ")[-1] for line in lines[1:]] == [
        "no such file",
        "answered 404 Not Found",
        "answered 403 Forbidden",
    ]
    assert "secret" not in found.reasons[0]


def test_it_is_asked_of_every_origin(cache: Cache, made: Made, server: Server) -> None:
    cache.urls.append(server.url("/tarball"))
    server.route(status(503), serve(made.good), path="/tarball.asc")
    found = cache.find(made.signer)
    assert isinstance(found, Signature)
    assert found.origin == server.url("/tarball.asc")


@pytest.mark.parametrize("page", [b"<html>log in</html>", b"", b"{}"])
def test_a_page_in_its_place_is_none(cache: Cache, made: Made, server: Server, page: bytes) -> None:
    cache.there.write_bytes(page)
    found = cache.find(made.signer)
    assert isinstance(found, Unsigned)
    assert found.reasons[0].endswith(f"{cache.there}  is not a detached OpenPGP signature")
    assert not cache.here.exists()
    cache.urls.append(server.url("/tarball"))
    server.route(serve(made.good), path="/tarball.asc")
    assert isinstance(cache.find(made.signer), Signature), "the next origin is asked"


def test_what_nobody_had_is_not_asked_for_again_at_once(cache: Cache, made: Made) -> None:
    assert isinstance(cache.find(made.signer, insist=False), Unsigned)
    cache.there.write_bytes(made.good)
    found = cache.find(made.signer, insist=False)
    assert isinstance(found, Unsigned)
    assert "within the last hour" in found.reasons[0]
    assert isinstance(cache.find(made.signer, insist=True), Signature)


@pytest.mark.parametrize("by", ["file", "http"])
def test_an_endless_one_is_none(cache: Cache, made: Made, server: Server, by: str) -> None:
    endless = made.good + b"\n" * LIMIT
    if by == "file":
        cache.there.write_bytes(endless)
    else:
        cache.urls = [server.url("/tarball")]
        server.route(serve(endless), path="/tarball.asc")
    found = cache.find(made.signer)
    assert isinstance(found, Unsigned)
    assert "more than 262,144 bytes" in found.reasons[0]


def test_a_place_that_is_no_file(cache: Cache, made: Made) -> None:
    os.mkfifo(cache.there)
    found = cache.find(made.signer)
    assert isinstance(found, Unsigned)
    assert "is not a regular file" in found.reasons[0]


def test_nobody_is_known_to_sign(cache: Cache) -> None:
    found = cache.find(Signer())
    assert found == Unsigned(reasons=("the recipes name nobody who signs this series",))


def test_offline_without_one(cache: Cache, made: Made) -> None:
    found = cache.find(made.signer, offline=True)
    assert isinstance(found, Unsigned)
    assert "offline" in found.reasons[0]


def test_without_gpg(cache: Cache, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENV, "PATH", "/nowhere")
    found = cache.find(made.signer)
    assert found == Unsigned(reasons=("OpenPGP: gpg is not installed",), lacks=("gpg",))


@pytest.fixture
def _library() -> None:
    pytest.importorskip("sigstore", reason="the extra ftbuild[sigstore] is not installed")


@pytest.mark.usefixtures("_library")
def test_sigstore_goes_first_and_what_is_bad_ends_it(cache: Cache, made: Made) -> None:
    both = msgspec.structs.replace(
        made.signer, identity="a@example.org", issuer="https://b.example"
    )
    cache.there.write_bytes(made.good)
    assert isinstance(cache.find(both), Signature), "one is enough"
    bundle = cache.there.with_suffix(".sigstore")
    bundle.write_bytes(test_bundles.BUNDLE)
    with pytest.raises(Refused, match=r"is not a@example\.org's signature"):
        cache.find(both)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("page", [b"<html>log in</html>", b"", b"{}"])
def test_a_page_in_place_of_a_bundle_is_none(cache: Cache, page: bytes) -> None:
    signer = Signer(identity="thomas@python.org", issuer="https://accounts.google.com")
    cache.there.with_suffix(".sigstore").write_bytes(page)
    found = cache.find(signer)
    assert isinstance(found, Unsigned)
    assert "is not a Sigstore bundle" in found.reasons[0]


@pytest.mark.usefixtures("_library")
def test_a_bundle_that_cannot_be_judged_is_none(cache: Cache) -> None:
    signer = Signer(identity="thomas@python.org", issuer="https://accounts.google.com")
    cache.there.with_suffix(".sigstore").write_bytes(test_bundles.OLDER)
    found = cache.find(signer)
    assert isinstance(found, Unsigned)
    assert "older kind" in found.reasons[0]
