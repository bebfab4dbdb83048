from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import Refused
from ftbuild.model.archive import (
    FORMAT,
    Record,
    archive_name,
    decode_manifest,
    decode_record,
    objection,
)
from ftbuild.model.manifest import Archived, Manifest
from ftbuild.model.spec import Platform
from tests.builders import HOST, build
from tests.mutations import mutated

ARCHIVED = Archived(prefix="/a", libc="glibc 2.34", pointing=())


def packed(**archived: Any) -> Manifest:
    """The manifest of a packed build."""
    manifest = build(Path("/a")).manifest
    return msgspec.structs.replace(manifest, archived=msgspec.structs.replace(ARCHIVED, **archived))


def record(**fields: Any) -> bytes:
    made = Record(format=FORMAT, sha256="a" * 64, size=1, manifest=packed())
    return msgspec.json.encode(msgspec.structs.replace(made, **fields))


def test_a_name_follows_from_what_is_wanted() -> None:
    assert archive_name("cpython-3.14.7t-12345678", HOST.platform) == (
        "cpython-3.14.7t-12345678-linux-x86_64.tar.zst"
    )


def test_a_record_survives_its_encoding() -> None:
    assert decode_record(record()).manifest == packed()
    assert decode_manifest(msgspec.json.encode(packed())) == packed()


@given(st.binary() | st.dictionaries(st.text(), st.integers()).map(msgspec.json.encode))
def test_what_is_no_record_is_refused_and_nothing_else(document: bytes) -> None:
    with pytest.raises(Refused, match="its record"):
        decode_record(document)
    with pytest.raises(Refused, match="its manifest"):
        decode_manifest(document)


@given(st.data())
def test_a_record_that_was_cut_short_is_refused(data: st.DataObject) -> None:
    document = record()
    length = data.draw(st.integers(0, len(document) - 1))
    with pytest.raises(Refused):
        decode_record(document[:length])


@given(mutated(record()))
def test_a_damaged_record_is_refused_or_one_that_can_be_judged(document: bytes) -> None:
    here = Platform(system="linux", machine="x86_64", libc="glibc 2.36")
    try:
        found = decode_record(document)
    except Refused:
        return
    objection(found.manifest, here)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (record(format=2), "its record has format 2; this ftbuild knows format 1"),
        (record(sha256="../x"), "its record cannot be read"),
        (record(manifest=build(Path("/a")).manifest), "does not say how it was packed"),
        (
            record(manifest=msgspec.structs.replace(packed(), format=9)),
            "its manifest has format 9",
        ),
        (
            record().replace(packed().digest.encode(), b"0" * 64),
            "digest is not that of what it describes",
        ),
    ],
)
def test_what_cannot_be_relied_on_is_refused(document: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says):
        decode_record(document)


@pytest.mark.parametrize(
    ("needed", "here", "says"),
    [
        ("glibc 2.34", "glibc 2.34", None),
        ("glibc 2.9", "glibc 2.10", None),
        ("glibc 2.36", "glibc 2.35", "it needs glibc 2.36 or newer"),
        ("glibc 2.34", "musl 1.2.5", "it needs glibc; the C library here is musl 1.2.5"),
        ("musl 1.2.5", "musl 1.2.6", None),
        ("macos 15.2", "macos 14.7", "it needs macos 15.2 or newer"),
        ("libc", "libc", None),
    ],
)
def test_the_c_library_decides(needed: str, here: str, says: str | None) -> None:
    platform = Platform(system="linux", machine="x86_64", libc=here)
    why = objection(packed(libc=needed), platform)
    assert (why is None) == (says is None)
    assert (says or "") in (why or "")


def test_the_machine_decides() -> None:
    platform = Platform(system="linux", machine="aarch64", libc="glibc 2.36")
    assert objection(packed(), platform) == ("it was built for linux x86_64; this is linux aarch64")
