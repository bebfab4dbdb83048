from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ftbuild.attest.sbom import purl, sbom
from ftbuild.model.components import Component, Linked, Package
from tests.unit.attest.archives import EXPAT, LIBC, SEEN, manifest

SHA256 = "a" * 64
LIBRARIES = tuple(
    Linked(name=name, path=f"/lib/{name}", package=LIBC) for name in ("libc.so.6", "libm.so.6")
)


def made(**used: Any) -> dict[str, Any]:
    return sbom(manifest(**({"linked": LIBRARIES} | used)), sha256=SHA256)


def component(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in document["components"] if each["name"] == name)
    one: dict[str, Any] = found
    return one


def test_the_archive_is_the_subject() -> None:
    main = made()["metadata"]["component"]
    assert (main["name"], main["version"]) == ("cpython", "3.14.7")
    assert main["purl"] == "pkg:generic/cpython@3.14.7"
    assert main["hashes"] == [{"alg": "SHA-256", "content": SHA256}]
    (source,) = main["externalReferences"]
    assert source["url"] == SEEN["upstream"]
    assert source["hashes"] == [{"alg": "SHA-256", "content": "5" * 64}]


def test_a_bundled_component_comes_with_all_that_is_known_of_it() -> None:
    expat = component(made(), "expat")
    assert expat["cpe"] == EXPAT.cpe
    assert "hashes" not in expat, "the hash is of what was downloaded, not of the files"
    (taken,) = expat["externalReferences"]
    assert (taken["url"], taken["hashes"][0]["content"]) == (EXPAT.location, EXPAT.sha256)
    pip = component(made(), "pip")
    assert pip["licenses"] == [{"expression": "MIT"}]
    assert pip["hashes"][0]["content"] == "f" * 64


def test_a_package_url_that_is_none_is_left_out() -> None:
    odd = Component(name="odd", version="1", purl="nonsense")
    assert "purl" not in component(made(bundled=(odd,)), "odd")


def test_a_package_is_one_component_with_its_libraries() -> None:
    libc = component(made(), "libc6")
    assert libc["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12"
    names = {each["value"] for each in libc["properties"] if each["name"] == "ftbuild:library"}
    assert names == {"libc.so.6", "libm.so.6"}


def test_a_library_that_no_package_brought_is_listed_by_its_name() -> None:
    own = Linked(name="libown.so.1", path="/opt/lib/libown.so.1", package=None)
    found = component(made(linked=(own,)), "libown.so.1")
    assert found.keys().isdisjoint({"purl", "version"})


def test_what_depends_on_what() -> None:
    refs = {each["ref"]: each.get("dependsOn", []) for each in made()["dependencies"]}
    assert refs["cpython"] == [
        "bundled:cpython/expat@2.8.2",
        "bundled:cpython/pip@26.2.1",
        "system:libc6:amd64",
    ]
    assert refs["bundled:cpython/pip@26.2.1"] == ["bundled:pip/urllib3@2.7.0"]


@pytest.mark.parametrize(
    ("used", "aggregate"),
    [
        ({}, "unknown"),
        ({"bundled": None, "linked": None}, "incomplete"),
        ({"linked": (Linked(name="libown.so.1", path=None, package=None),)}, "incomplete"),
    ],
)
def test_it_never_claims_to_be_complete(used: dict[str, Any], aggregate: str) -> None:
    first, *_ = made(**used)["compositions"]
    assert first == {
        "aggregate": aggregate,
        "assemblies": ["cpython"],
        "dependencies": ["cpython"],
    }


def test_equal_archives_have_equal_documents() -> None:
    assert made() == made()
    assert made()["serialNumber"] != sbom(manifest(), sha256="b" * 64)["serialNumber"]
    assert made()["metadata"]["timestamp"] == "2026-11-01T12:00:00+00:00"


def test_components_alike_are_told_apart_in_the_same_way_each_time() -> None:
    alike = tuple(
        Component(name="x", version="1", location=f"https://files.example/{number}")
        for number in (1, 2)
    )
    document = made(bundled=(*alike, alike[0]), linked=())
    refs = [part["bom-ref"] for part in document["components"]]
    assert sorted(refs) == ["bundled:cpython/x@1", "bundled:cpython/x@1#2"]
    assert document == made(bundled=(*alike, alike[0]), linked=())


@pytest.mark.parametrize(
    ("version", "cpe"),
    [
        ("3.14.7", "3.14.7:*"),
        ("3.15.0rc2", "3.15.0:rc2"),
        ("3.15.0b4", "3.15.0:beta4"),
        ("3.15.0a1", "3.15.0:alpha1"),
    ],
)
def test_the_name_in_vulnerability_databases(version: str, cpe: str) -> None:
    spec = msgspec.structs.replace(manifest().spec, version=version)
    document = sbom(msgspec.structs.replace(manifest(), spec=spec), sha256=SHA256)
    main = document["metadata"]["component"]
    assert main["cpe"] == f"cpe:2.3:a:python:python:{cpe}:*:*:*:*:*:*"


def test_the_package_urls_of_other_distributions() -> None:
    rpm = Package(
        kind="rpm",
        name="openssl-libs",
        version="3.2.6-2.fc41",
        architecture="x86_64",
        distribution="fedora",
        release="41",
        epoch="1",
    )
    assert str(purl(rpm)) == (
        "pkg:rpm/fedora/openssl-libs@3.2.6-2.fc41?arch=x86_64&distro=fedora-41&epoch=1"
    )
    unknown = Package(
        kind="apk", name="musl", version="1.2.5-r10", architecture="", distribution="", release=""
    )
    assert str(purl(unknown)) == "pkg:apk/musl@1.2.5-r10"


def test_the_schema_is_kept() -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    bare = Component(name="a b", version="")
    own = Linked(name="libown.so.1", path=None, package=None)
    for used in ({}, {"bundled": None, "linked": None}, {"bundled": (bare,), "linked": (own,)}):
        assert validator.validate_str(json.dumps(made(**used))) is None
    wrong = made() | {"serialNumber": "none"}
    assert validator.validate_str(json.dumps(wrong)) is not None
