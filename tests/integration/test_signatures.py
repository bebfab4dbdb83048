"""Who signed a source, and what is new upstream, by the command line."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.driver import NEW, OLD, Ftbuild
from tests.integration.fake_cpython import write_tarball
from tests.openpgp import Keys, keys
from tests.unit.fetch.loopback import Server, serve
from tests.unit.upstream.test_listing import answer, file, release

FRESH, FORGED, BARE = "3.97.3", "3.97.4", "3.97.5"
HEAD = "# Ours.\n\nreleases:\n"


@pytest.fixture(scope="module")
def secret() -> Iterator[Keys]:
    with keys() as made:
        yield made


@pytest.fixture(scope="module")
def manager(secret: Keys) -> str:
    """The fingerprint of who signs the made-up series."""
    return secret.make("manager")


@pytest.fixture(scope="module")
def stranger(secret: Keys) -> str:
    return secret.make("stranger")


@pytest.fixture
def pinned(ftbuild: Ftbuild, secret: Keys, manager: str) -> Ftbuild:
    """A user whose recipes say who signs."""
    secret.public(manager, ftbuild.recipes / "keys/manager.asc")
    signer = {"openpgp": manager, "key": "keys/manager.asc"}
    (ftbuild.recipes / "signers.yaml").write_text(json.dumps({"signers": {"3.97": signer}}))
    return ftbuild


def sign(tarball: Path, secret: Keys, key: str) -> None:
    tarball.with_name(f"{tarball.name}.asc").write_bytes(secret.sign(key, tarball.read_bytes()))


def test_a_signature_is_told_of(pinned: Ftbuild, secret: Keys, manager: str) -> None:
    sign(pinned.mirror / f"Python-{NEW}.tar.xz", secret, manager)
    done = pinned("fetch", NEW)
    assert f"{NEW}: signed by manager <manager@example.org>" in done.out
    assert manager in done.out
    shutil.rmtree(pinned.mirror)
    offline = pinned("fetch", NEW, "--offline", "--signature", "require", "--json").json
    (source,) = offline["sources"]
    assert source["signature"]["good"]
    assert source["signature"]["key"] == manager


def test_no_signature(pinned: Ftbuild) -> None:
    done = pinned("fetch", NEW, OLD)
    assert f"{NEW}: no signature; the pin alone vouches for it" in done.out
    (source,) = pinned("fetch", NEW, "--json").json["sources"]
    assert source["signature"]["good"] is False
    required = pinned("fetch", NEW, "--signature", "require", code=3)
    for folder in ("mirror", "upstream"):
        assert f"{pinned.folder / folder}/Python-{NEW}.tar.xz.asc  no such file" in required.err
    assert "no signature" not in pinned("fetch", NEW, "--signature", "off").out


def test_somebody_elses_signature(pinned: Ftbuild, secret: Keys, stranger: str) -> None:
    sign(pinned.mirror / f"Python-{NEW}.tar.xz", secret, stranger)
    for policy in ("prefer", "require"):
        done = pinned("fetch", NEW, "--signature", policy, code=1)
        assert f"was made with the key {stranger}, not with" in done.err
    (source,) = pinned("fetch", NEW, "--signature", "off", "--json").json["sources"]
    assert source["signature"] is None


def test_a_build_goes_by_the_pin(pinned: Ftbuild, secret: Keys, stranger: str) -> None:
    sign(pinned.mirror / f"Python-{NEW}.tar.xz", secret, stranger)
    pinned("build", f"{NEW}t")


def test_no_gpg(pinned: Ftbuild) -> None:
    bare = pinned.folder / "bin"
    bare.mkdir()
    for name in ("sh", "env"):
        (bare / name).symlink_to(f"/bin/{name}" if name == "sh" else "/usr/bin/env")
    pinned.env["PATH"] = str(bare)
    assert "gpg is not installed" in pinned("fetch", NEW).out
    done = pinned("fetch", NEW, "--signature", "require", code=3)
    assert "Install what is missing" in done.err


def test_a_policy_there_is_not(pinned: Ftbuild) -> None:
    assert "takes require, prefer, off" in pinned("fetch", NEW, "--signature", "yes", code=2).err


def test_a_key_that_is_not_there(pinned: Ftbuild) -> None:
    (pinned.recipes / "keys/manager.asc").unlink()
    assert "there is no file keys/manager.asc" in pinned("fetch", NEW, code=2).err


class Upstream:
    """python.org as it is today: its API, and what it publishes."""

    def __init__(self, ftbuild: Ftbuild, server: Server, secret: Keys) -> None:
        self._ftbuild = ftbuild
        self._server = server
        self._secret = secret
        self._listed: list[dict[str, Any]] = []
        self.folder = ftbuild.folder / "mine"
        self.folder.mkdir()
        self.file = self.folder / "cpython.yaml"
        origins = {"upstream": f"{server.url('/ftp')}/{{base}}/Python-{{version}}.tar.xz"}
        origins["releases"] = server.url("/api/v2/downloads")
        (self.folder / "origins.yaml").write_text(json.dumps({"origins": origins}))
        lines = (
            f'  "{version}": {{sha256: {pin}, size: null, seen: [me]}}  # {version}\n'
            for version, pin in ftbuild.pins.items()
        )
        self.file.write_text("".join((HEAD, *lines)))
        self.series()

    def series(self) -> None:
        """Have the series described where the folder of the user cannot be seen, too."""
        described = '\nseries:\n  "3.97": {status: bugfix, free_threading: supported}\n'
        self.file.write_text(self.file.read_text() + described)

    def publish(self, version: str, *, key: str | None, **other: Any) -> bytes:
        """Publish a release; return its tarball."""
        path = self._ftbuild.folder / f"out/Python-{version}.tar.xz"
        write_tarball(path, version, hooks=self._ftbuild.hooks)
        content = path.read_bytes()
        number = len(self._listed) + 1
        self._listed.append(release(version, number))
        sha256 = hashlib.sha256(content).hexdigest()
        one = file(version, sha256_sum=sha256, filesize=len(content)) | other
        self._server.route(
            serve(answer(*self._listed)),
            path="/api/v2/downloads/release/?version=3&is_published=true",
        )
        self._server.route(
            serve(answer(one)), path=f"/api/v2/downloads/release_file/?release={number}"
        )
        at = f"/ftp/{version}/Python-{version}.tar.xz"
        self._server.route(serve(content), path=at)
        if key is not None:
            self._server.route(serve(self._secret.sign(key, content)), path=f"{at}.asc")
        return content

    def update(self, *words: str, code: int = 0) -> Any:
        words = ("catalogue", "update", "--recipes", str(self.folder), *words)
        return self._ftbuild(*words, code=code)


@pytest.fixture
def upstream(pinned: Ftbuild, secret: Keys) -> Iterator[Upstream]:
    pinned.env["FTBUILD_MIRROR"] = ""
    with Server() as server:
        yield Upstream(pinned, server, secret)


def test_a_new_release_is_added(upstream: Upstream, manager: str, pinned: Ftbuild) -> None:
    content = upstream.publish(FRESH, key=manager)
    before = upstream.file.read_text()
    sha256 = hashlib.sha256(content).hexdigest()
    line = (
        f'  "{FRESH}": {{sha256: {sha256}, size: {len(content)}, '
        "seen: [python.org, bytes-hashed, signature]}\n"
    )
    checked = upstream.update("--check", code=1)
    assert f"+{line}" in checked.out
    assert upstream.file.read_text() == before
    done = upstream.update()
    assert f"+{line}" in done.out
    assert f"{FRESH}: signed by manager" in done.out
    assert upstream.file.read_text() == before.replace("\n\nseries", f"\n{line}\nseries")
    assert "Nothing is new" in upstream.update("--check").out
    pinned("build", f"{FRESH}t", "--recipes", str(upstream.folder), "--offline")


def test_a_file_that_is_a_link_stays_one(upstream: Upstream, manager: str) -> None:
    real = upstream.folder.with_name("real.yaml")
    upstream.file.rename(real)
    upstream.file.symlink_to(real)
    upstream.publish(FRESH, key=manager)
    upstream.update()
    assert upstream.file.is_symlink()
    assert f'"{FRESH}"' in real.read_text()


def test_what_is_not_rightly_signed_is_not_added(
    upstream: Upstream, manager: str, stranger: str
) -> None:
    upstream.publish(FRESH, key=manager)
    upstream.publish(FORGED, key=stranger)
    upstream.publish(BARE, key=None)
    upstream.publish("3.97.6", key=manager, sha256_sum="0" * 64)
    upstream.publish("3.97.7", key=manager, sha256_sum="")
    done = upstream.update(code=1)
    assert f"{FORGED}: " in done.err
    assert f"was made with the key {stranger}" in done.err
    assert f"no origin has Python-{BARE}.tar.xz.asc" in done.err
    assert "not the pinned one" in done.err
    assert "lists no SHA-256 for the source of 3.97.7" in done.err
    text = upstream.file.read_text()
    assert f'"{FRESH}"' in text
    assert not any(f'"{version}"' in text for version in (FORGED, BARE, "3.97.6", "3.97.7"))
    document = upstream.update("--json", code=1).json
    assert [item["version"] for item in document["rejected"]] == [FORGED, BARE, "3.97.6", "3.97.7"]
    assert document["diff"] == ""


def test_a_pin_that_python_org_contradicts_stays_and_is_told_of(
    upstream: Upstream, manager: str, pinned: Ftbuild
) -> None:
    known = next(iter(pinned.pins))
    upstream.publish(known, key=manager, sha256_sum="e" * 64)
    before = upstream.file.read_bytes()
    done = upstream.update(code=1)
    assert f"{known}: it is in the catalogue already, with the SHA-256" in done.err
    assert upstream.file.read_bytes() == before


def test_as_json(upstream: Upstream, manager: str) -> None:
    upstream.publish(FRESH, key=manager)
    document = upstream.update("--json").json
    (added,) = document["added"]
    assert added["version"] == FRESH
    assert added["seen"] == ["python.org", "bytes-hashed", "signature"]
    assert added["signature"]["key"] == manager
    assert document["written"]


def test_nobody_answers(upstream: Upstream) -> None:
    before = upstream.file.read_text()
    assert "python.org's API has nothing at" in upstream.update(code=3).err
    origins = {"origins": {"releases": "http://127.0.0.1:9/api"}}
    (upstream.folder / "origins.yaml").write_text(json.dumps(origins))
    assert "cannot be reached" in upstream.update(code=3).err
    assert upstream.file.read_text() == before


def test_a_file_of_the_wrong_make(upstream: Upstream, manager: str) -> None:
    upstream.publish(FRESH, key=manager)
    series = {"3.97": {"status": "bugfix", "free_threading": "supported"}}
    text = json.dumps({"releases": {}, "series": series})
    upstream.file.write_text(text)
    assert "no line can be added" in upstream.update(code=2).err
    assert upstream.file.read_text() == text
