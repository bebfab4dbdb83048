from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild.model.spec import Library
from ftbuild.model.versions import Variant
from ftbuild.store.configured import cache_place, keep_configured, prepare_configure
from ftbuild.store.layout import Layout
from tests.builders import CLANG, HOST, specification

LAYOUT = Layout(root=Path("/root"))


def place(
    variant: Variant = Variant.GIL, variables: dict[str, str] | None = None, **asked: Any
) -> Path:
    return cache_place(specification(variant, **asked), HOST, variables or {}, LAYOUT)


def test_both_builds_of_a_pair_share_their_answers() -> None:
    assert place(Variant.GIL) == place(Variant.FREE_THREADED)
    assert place(profile_data="7" * 64) == place()


@pytest.mark.parametrize(
    "asked",
    [
        {"version": "3.14.6"},
        {"source_sha256": "6" * 64},
        {"flags": ("--with-lto",)},
        {"configure_args": ("--enable-shared",)},
        {"libraries": (Library(name="openssl", version="3.5.0"),)},
        {"variables": {"PKG_CONFIG_PATH": "/opt/lib/pkgconfig"}},
    ],
)
def test_another_question_another_place(asked: dict[str, Any]) -> None:
    assert place(**asked) != place()


@pytest.mark.parametrize("changed", [{"compiler": CLANG}, {"libc": "glibc 2.41"}])
def test_another_host_another_place(changed: dict[str, Any]) -> None:
    host = msgspec.structs.replace(HOST, **changed)
    assert cache_place(specification(), host, {}, LAYOUT) != cache_place(
        specification(), HOST, {}, LAYOUT
    )


def test_answers_are_kept_but_for_those_that_lead_astray(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    kept = tmp_path / "kept.cache"
    prepare_configure(kept, tmp_path / "a", tmp_path / "config.site")
    assert (tmp_path / "config.site").read_text() == "cache_file=config.cache\n"
    assert not (tmp_path / "a" / "config.cache").exists()
    (tmp_path / "a" / "config.cache").write_text(
        "ac_cv_cc_name=${ac_cv_cc_name=gcc}\n"
        "ac_cv_gcc_asm_for_x64=${ac_cv_gcc_asm_for_x64=yes}\n"
        "ac_cv_wl_no_as_needed=${ac_cv_wl_no_as_needed=yes}\n"
    )
    keep_configured(kept, tmp_path / "a")
    (tmp_path / "b").mkdir()
    prepare_configure(kept, tmp_path / "b", tmp_path / "config.site")
    assert (tmp_path / "b" / "config.cache").read_text() == "ac_cv_cc_name=${ac_cv_cc_name=gcc}\n"


def test_nothing_found_nothing_kept(tmp_path: Path) -> None:
    keep_configured(tmp_path / "kept.cache", tmp_path)
    assert not (tmp_path / "kept.cache").exists()
