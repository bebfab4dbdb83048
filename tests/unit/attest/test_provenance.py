from __future__ import annotations

from typing import Any

import msgspec

from ftbuild.attest.provenance import statement
from ftbuild.model.manifest import Manifest
from tests.unit.attest.archives import manifest

SHA256 = "a" * 64


def made(**used: Any) -> dict[str, Any]:
    return statement(manifest(**used), sha256=SHA256, name="a.tar.zst")


def definition(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["predicate"]["buildDefinition"]
    return found


def test_a_statement_as_its_readers_expect_it() -> None:
    document = made()
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["subject"] == [{"name": "a.tar.zst", "digest": {"sha256": SHA256}}]
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    assert document["predicate"].keys() == {"buildDefinition", "runDetails"}
    assert document["predicate"]["runDetails"] == {
        "builder": {"id": "urn:x-ftbuild:builder:local", "version": {"ftbuild": "0.1.0"}},
        "metadata": {
            "invocationId": f"{manifest().digest}@2026-11-01T12:00:00+00:00",
            "startedOn": "2026-11-01T12:00:00Z",
        },
    }


def test_it_is_plain_json() -> None:
    document = made()
    assert msgspec.json.decode(msgspec.json.encode(document)) == document


def test_the_source_is_a_resolved_dependency() -> None:
    (source,) = definition(made())["resolvedDependencies"]
    assert source["uri"] == "https://files.example/Python-3.14.7.tar.xz"
    assert source["digest"] == {"sha256": "5" * 64}


def test_a_source_that_nobody_publishes_has_no_address() -> None:
    (source,) = definition(made(upstream="", origin="/home/me/Python-3.14.7.tar.xz"))[
        "resolvedDependencies"
    ]
    assert "uri" not in source
    assert source["annotations"] == {"obtainedFrom": "/home/me/Python-3.14.7.tar.xz"}


def test_a_training_profile_that_was_given_is_another() -> None:
    asked = msgspec.structs.replace(manifest().spec, profile_data="9" * 64)
    other: Manifest = msgspec.structs.replace(manifest(), spec=asked)
    document = statement(other, sha256=SHA256, name="a.tar.zst")
    _, profile = definition(document)["resolvedDependencies"]
    assert profile == {"name": "training profile", "digest": {"sha256": "9" * 64}}


def test_what_was_asked_and_what_was_chosen_are_told_apart() -> None:
    made_of = definition(made())
    assert made_of["externalParameters"] == {
        "implementation": "cpython",
        "version": "3.14.7",
        "variant": "free-threaded",
        "profile": "fast",
        "configureArguments": [],
        "debugInformation": False,
    }
    chosen = made_of["internalParameters"]
    assert chosen["flags"] == ["--disable-test-modules", "--disable-gil"]
    assert chosen["toolchain"]["compiler"]["version"] == "12.2.0"
    assert chosen["libraries"] == [{"name": "openssl", "version": "3.0.17"}]
    assert chosen["platform"]["libc"] == "glibc 2.36"
