from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ftbuild.model.manifest import Manifest
from ftbuild.model.versions import Variant
from tests.builders import build, changed

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
