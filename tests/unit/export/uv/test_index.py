from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import Refused, UsageError
from ftbuild.export.uv.index import Entry, decode, encode, entry, is_ours, require_same
from ftbuild.model.versions import Variant
from tests.builders import build, changed
from tests.mutations import mutated

HASH = "a" * 64
FREE_THREADED, GIL = Variant.FREE_THREADED, Variant.GIL


def made(variant: Variant = FREE_THREADED, contents: str = HASH, **asked: Any) -> Entry:
    manifest = build(Path("/prefix"), variant, **asked).manifest
    return entry(manifest, libc="glibc 2.34", contents=contents, sha256="b" * 64)


def on(system: str, machine: str, libc: str) -> Entry:
    item = changed(build(Path("/p")), "used", system=system, machine=machine, libc=libc)
    return entry(item.manifest)


@pytest.mark.parametrize(
    ("variant", "asked", "key"),
    [
        (GIL, {}, "cpython-3.14.7-linux-x86_64-gnu"),
        (FREE_THREADED, {}, "cpython-3.14.7+freethreaded-linux-x86_64-gnu"),
        (GIL, {"debug": True}, "cpython-3.14.7+debug-linux-x86_64-gnu"),
        (FREE_THREADED, {"debug": True}, "cpython-3.14.7+freethreaded+debug-linux-x86_64-gnu"),
        (
            FREE_THREADED,
            {"version": "3.15.0rc2"},
            "cpython-3.15.0rc2+freethreaded-linux-x86_64-gnu",
        ),
        (GIL, {"version": "3.15.0a1"}, "cpython-3.15.0a1-linux-x86_64-gnu"),
    ],
)
def test_what_uv_calls_a_build(variant: Variant, asked: dict[str, Any], key: str) -> None:
    assert made(variant, **asked).key == key


@pytest.mark.parametrize(
    ("where", "platform"),
    [
        (("linux", "aarch64", "glibc 2.36"), "linux-aarch64-gnu"),
        (("linux", "x86_64", "musl 1.2.5"), "linux-x86_64-musl"),
        (("linux", "ppc64le", "glibc 2.39"), "linux-powerpc64le-gnu"),
        (("darwin", "arm64", "macos 15.2"), "darwin-aarch64-none"),
    ],
)
def test_what_it_runs_on(where: tuple[str, str, str], platform: str) -> None:
    assert on(*where).platform == platform


@pytest.mark.parametrize(
    "where",
    [
        ("freebsd", "x86_64", "libc"),
        ("linux", "sparc64", "glibc 2.36"),
        ("linux", "x86_64", "dietlibc 1"),
    ],
)
def test_what_uv_has_no_name_for_is_refused(where: tuple[str, str, str]) -> None:
    with pytest.raises(Refused, match=f"no name for {where[0]} on {where[1]}"):
        on(*where)


@pytest.mark.parametrize("sanitizer", ["thread", "address"])
def test_a_sanitizer_is_no_variant(sanitizer: str) -> None:
    with pytest.raises(Refused, match="no variant for builds with a sanitizer"):
        made(sanitizer=sanitizer, profile="tsan")


def test_a_pre_release_is_told_apart_from_its_release() -> None:
    assert (made(version="3.15.0rc2").prerelease, made(version="3.15.0").prerelease) == ("rc2", "")


def test_the_number_of_a_build_grows_with_time() -> None:
    times = ("2026-11-22T19:41:43.850+00:00", "2026-11-22T19:41:44+00:00", "2027-01-01T00:00:00Z")
    builds = (changed(build(Path("/p")), "used", started=time) for time in times)
    numbers = [int(entry(item.manifest).build) for item in builds]
    assert numbers == [20261122194143, 20261122194144, 20270101000000]


def test_archives_have_names_that_uv_and_servers_take() -> None:
    for item in (made(), made(GIL, debug=True), made(debug=True, version="3.15.0rc2")):
        assert item.archive.replace(".", "").replace("-", "").replace("_", "").isalnum()
        assert is_ours(item.archive)
        assert is_ours(f"{item.archive}.intoto.jsonl")


@pytest.mark.parametrize("name", ["cpython.txt", "x.tar.zst", "cpython-3.tar.zstd", "README.md"])
def test_other_files_are_not_taken_for_archives(name: str) -> None:
    assert not is_ours(name)


def test_an_index_is_what_was_written_in_an_order_of_its_own() -> None:
    items = (made(GIL), made(version="3.9.1"), made(), made(version="3.15.0rc2"))
    index = {item.key: item for item in items}
    document = encode(index, "https://files.example/python")
    assert list(json.loads(document)) == [
        items[3].key,
        items[2].key,
        items[0].key,
        items[1].key,
    ]
    assert encode(dict(reversed(index.items())), "https://files.example/python") == document
    read = decode(document, "x")
    assert encode(read, "https://files.example/python") == document
    assert read[items[0].key].url == f"https://files.example/python/{items[0].archive}"


def test_uv_reads_the_fields_it_knows() -> None:
    """Those of its `JsonPythonDownload`."""
    (item,) = json.loads(encode({made().key: made()}, "file:///d")).values()
    known = {"name", "arch", "os", "libc", "major", "minor", "patch", "prerelease", "url", "sha256"}
    assert set(item) - {"ftbuild"} == known | {"variant", "build"}
    assert set(item["arch"]) == {"family", "variant"}


FOREIGN = {k: v for k, v in msgspec.to_builtins(made()).items() if k != "ftbuild"}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        json.dumps({made().key: FOREIGN}).encode(),
        json.dumps({"cpython-3.13.0-linux-x86_64-gnu": msgspec.to_builtins(made())}).encode(),
        json.dumps({made().key: msgspec.to_builtins(made()) | {"more": 1}}).encode(),
        encode({made().key: made()}, "file:///d")[:-20],
    ],
)
def test_what_ftbuild_did_not_write_is_not_added_to(document: bytes) -> None:
    with pytest.raises(UsageError, match="no index that ftbuild wrote"):
        decode(document, "downloads.json")


def test_an_archive_is_a_file_beside_the_index() -> None:
    """Whatever the index says: it is looked for, and people are told to delete it."""
    strange = msgspec.structs.replace(made(), os="../linux")
    with pytest.raises(UsageError, match="os"):
        decode(encode({strange.key: strange}, "file:///d"), "downloads.json")


@given(mutated(encode({made().key: made()}, "file:///d")))
def test_a_damaged_index_is_refused_or_one_that_can_be_written_again(document: bytes) -> None:
    try:
        found = decode(document, "downloads.json")
    except UsageError:
        return
    encode(found, "file:///d")


@given(st.binary())
def test_any_file_is_read_or_refused(document: bytes) -> None:
    with pytest.raises(UsageError):
        decode(document, "downloads.json")


def test_the_same_build_again_is_no_other() -> None:
    require_same(made(), made(), Path("/d"))
    require_same(entry(build(Path("/elsewhere")).manifest), made(), Path("/d"))
    require_same(made(contents="c" * 64), made(), Path("/d"))  # packed by another ftbuild


def test_two_builds_of_one_name_are_named_both() -> None:
    optimized = made(profile="optimized")
    with pytest.raises(Refused, match=r"build as cpython-3\.14\.7\+free") as caught:
        require_same(made(), optimized, Path("/d"))
    mine, theirs = made().ftbuild, optimized.ftbuild
    assert f"{theirs.build} ({theirs.digest[:8]}), not {mine.build} ({mine.digest[:8]})" in str(
        caught.value
    )
    assert optimized.archive in caught.value.hint


def test_what_was_asked_for_once_and_built_twice_is_told_apart_by_time() -> None:
    other = msgspec.structs.replace(made(contents="c" * 64), build="20261102120000")
    with pytest.raises(Refused, match="as it was built at 20261102120000, not at 20261101120000"):
        require_same(made(), other, Path("/d"))
