from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftbuild.attest.provenance import statement
from ftbuild.attest.sbom import sbom
from ftbuild.errors import Refused
from ftbuild.model.components import Component, Linked, Package
from ftbuild.model.manifest import Archived, Manifest, decode_manifest
from ftbuild.model.text import Newer
from ftbuild.model.versions import Variant
from tests.builders import build, changed
from tests.mutations import mutated

PREFIX = Path("/root/store/x")


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = build(PREFIX).manifest
    assert msgspec.json.decode(msgspec.json.encode(manifest), type=Manifest) == manifest


def test_a_manifest_of_before_ingredients_were_recorded_is_read() -> None:
    document = msgspec.to_builtins(build(PREFIX).manifest)
    for name in ("upstream", "bundled", "linked"):
        del document["used"][name]
    used = msgspec.convert(document, Manifest).used
    assert (used.upstream, used.bundled, used.linked) == ("", None, None)


@pytest.mark.parametrize(
    ("variant", "debug", "name"),
    [
        (Variant.GIL, False, "python3.14"),
        (Variant.FREE_THREADED, False, "python3.14t"),
        (Variant.FREE_THREADED, True, "python3.14td"),
    ],
)
def test_the_interpreter_has_one_unambiguous_name(variant: Variant, debug: bool, name: str) -> None:
    made = build(PREFIX, variant, debug=debug)
    assert made.python == PREFIX / "bin" / name
    assert made.free_threaded == (variant is Variant.FREE_THREADED)


def test_a_sanitizer_build_is_run_with_its_options_before_the_callers() -> None:
    made = changed(build(PREFIX), "result", environment={"TSAN_OPTIONS": "suppressions=/s"})
    caller = {"HOME": "/home/me", "TSAN_OPTIONS": "halt_on_error=1"}
    assert made.environment(caller) == {
        "HOME": "/home/me",
        "TSAN_OPTIONS": "suppressions=/s halt_on_error=1",
    }
    assert made.environment({}) == {"TSAN_OPTIONS": "suppressions=/s"}


def full() -> Manifest:
    """A manifest in which no field is empty."""
    package = Package(
        kind="deb",
        name="libssl3",
        version="3.0.17-1",
        architecture="amd64",
        distribution="debian",
        release="12",
    )
    expat = Component(
        name="expat",
        version="2.7.1",
        license="MIT",
        purl="pkg:github/libexpat/libexpat@R_2_7_1",
        cpe="cpe:2.3:a:libexpat_project:libexpat:2.7.1:*:*:*:*:*:*:*",
        location="https://files.example/expat-2.7.1.tar.gz",
        sha256="1" * 64,
    )
    made = changed(
        build(PREFIX),
        "used",
        upstream="https://files.example/Python-3.14.7.tar.xz",
        bundled=(expat,),
        linked=(Linked(name="libssl.so.3", path="/usr/lib/libssl.so.3", package=package),),
    )
    made = changed(made, "result", size=10, links={"bin/python3": "python3.14", "a/b": "../c"})
    archived = Archived(prefix="/install", libc="glibc 2.34", pointing=("bin/pip",), sha256=None)
    return msgspec.structs.replace(made.manifest, archived=archived)


DOCUMENT = msgspec.json.encode(full())


@settings(deadline=None)  # CycloneDX is imported meanwhile
@given(mutated(DOCUMENT))
def test_a_damaged_manifest_is_refused_or_one_that_all_can_work_with(document: bytes) -> None:
    try:
        manifest = decode_manifest(document)
    except Refused:
        return
    msgspec.json.encode(statement(manifest, sha256="0" * 64, name="a"))
    msgspec.json.encode(sbom(manifest, sha256="0" * 64))


@given(st.binary())
def test_any_bytes_are_a_manifest_or_refused(document: bytes) -> None:
    with pytest.raises(Refused):
        decode_manifest(document)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "cpython-3.14.8t"}, "name"),
        ({"digest": "0" * 64}, "digest"),
        ({"spec": {"version": "-1"}}, "without sense"),
        ({"spec": {"profile": "x/../.."}}, "without sense"),
        ({"spec": {"source_sha256": "../x"}}, "without sense"),
        ({"used": {"started": ",,,"}}, "without sense"),
        ({"used": {"started": "2026-02-30T12:00:00+00:00"}}, "day is out of range"),
        ({"used": {"configure": []}}, "for which prefix"),
        ({"used": {"configure": ["--prefix=/a/../b"]}}, "for which prefix"),
        ({"used": {"source_size": -1}}, "int"),
        ({"used": {"stages": [{"name": "x", "seconds": 1e300}]}}, "float"),
        ({"result": {"size": -1}}, "int"),
        ({"result": {"training_profile": "../../x"}}, "without sense"),
        ({"result": {"links": {"bin/x": "/etc/passwd"}}}, "links that leave"),
        ({"result": {"links": {"bin/x": "../../y"}}}, "links that leave"),
        ({"result": {"links": {"../x": "y"}}}, "without sense"),
        ({"result": {"environment": {"A=B": ""}}}, "without sense"),
        ({"archived": {"pointing": ["../x"]}}, "without sense"),
        ({"archived": {"pointing": ["/etc/passwd"]}}, "without sense"),
        ({"archived": {"prefix": ""}}, "without sense"),
    ],
)
def test_nonsense_in_a_field(change: dict[str, object], says: str) -> None:
    document = msgspec.json.decode(DOCUMENT)
    for name, value in change.items():
        document[name] = {**document[name], **value} if isinstance(value, dict) else value
    with pytest.raises(Refused, match=says):
        decode_manifest(msgspec.json.encode(document))


def test_what_a_newer_ftbuild_wrote_is_not_damaged() -> None:
    with pytest.raises(Newer, match="a newer one made it"):
        decode_manifest(b'{"format": 2, "of": "another shape"}')
