"""Dockerfiles and the bake file, as they are rendered and as they are kept."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from ftbuild.images.making.dockerfiles import (
    BAKE,
    bake,
    dockerfile,
    dockerfile_path,
    files,
    write_files,
)
from ftbuild.images.names import Image, rendered
from ftbuild.images.places import prefix
from ftbuild.model.versions import Variant
from tests.unit.images.examples import CATALOGUE, WITHOUT_FINAL, image

ROOT = Path(__file__).parents[4]


def stages(text: str) -> tuple[str, str]:
    """The builder stage and the final one."""
    _, builder, final = re.split(r"^FROM ", text, flags=re.MULTILINE)
    return builder, final


def test_what_is_kept_is_what_the_catalogue_gives() -> None:
    found = write_files(CATALOGUE, ROOT, write=False)
    assert not found.changed
    assert not found.stale


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    first = write_files(CATALOGUE, tmp_path, write=True)
    assert len(first.changed) == first.files == len(files(CATALOGUE))
    assert not write_files(CATALOGUE, tmp_path, write=True).changed


def test_a_changed_file_and_one_nobody_asks_for_are_told_and_mended(tmp_path: Path) -> None:
    write_files(CATALOGUE, tmp_path, write=True)
    changed = dockerfile_path(image())
    (tmp_path / changed).write_text("FROM scratch\n")
    stale = tmp_path / "docker" / "3.12" / "trixie.Dockerfile"
    stale.parent.mkdir()
    stale.write_text("FROM scratch\n")
    for write in (False, True):
        found = write_files(CATALOGUE, tmp_path, write=write)
        assert found.changed == (changed,)
        assert found.stale == ("docker/3.12/trixie.Dockerfile",)
    assert not stale.exists()


@pytest.mark.parametrize("one", rendered(CATALOGUE), ids=dockerfile_path)
def test_every_dockerfile_is_sound(one: Image) -> None:
    text = dockerfile(one, CATALOGUE)
    assert "# syntax=" not in text
    assert text.endswith('CMD ["python3"]\n')
    assert not re.search(r"[ \t]$", text, re.MULTILINE)
    assert "{" not in re.sub(r"\$\{\w+\}", "", text)
    # A line that is continued is followed by one that goes on, and the last one is not continued.
    for block in re.findall(r"^RUN (?:.*\\\n)*.*\n", text, re.MULTILINE):
        assert "\\\n\n" not in block
        assert not block.endswith("\\\n")


def test_the_final_stage_has_no_compiler() -> None:
    builder, final = stages(dockerfile(image(), CATALOGUE))
    assert "clang-19" in builder
    assert "libssl-dev" in builder
    assert "clang" not in final
    assert "-dev" not in final
    assert "ca-certificates" in final


@pytest.mark.parametrize("flavour", ["dev", "tsan"])
def test_flavours_for_developing_have_compiler_and_headers(flavour: str) -> None:
    _, final = stages(dockerfile(image(flavour=flavour), CATALOGUE))
    for package in ("clang-19", "g++", "libssl-dev", "zlib1g-dev"):
        assert f" {package}" in final
    assert "python3-venv" not in final


def test_both_flavours_without_a_sanitizer_share_everything_up_to_the_build() -> None:
    slim, dev = (
        stages(dockerfile(image(flavour=flavour), CATALOGUE))[0].partition("--flavour")[0]
        for flavour in ("slim", "dev")
    )
    assert slim == dev


def test_both_ftbuilds_of_the_builder_stage_know_the_users_recipes() -> None:
    builder, _ = stages(dockerfile(image(), CATALOGUE))
    commands = [
        block
        for block in re.findall(r"^RUN (?:.*\\\n)*.*\n", builder, re.MULTILINE)
        if "/ftbuild/bin/ftbuild" in block
    ]
    assert len(commands) == 2
    assert all('"$@" --recipes "${recipes}"' in block for block in commands)


def test_a_library_is_asked_for_from_the_series_that_uses_it() -> None:
    assert "libzstd-dev" in dockerfile(image(), CATALOGUE)
    assert "libzstd-dev" not in dockerfile(image("3.13", "3.13.5"), CATALOGUE)


def test_alpine_has_its_own_package_manager() -> None:
    text = dockerfile(image(base="alpine"), CATALOGUE)
    assert "apt-get" not in text
    assert "apk add --no-cache" in text


def test_tsan_has_its_suppressions() -> None:
    assert 'ENV TSAN_OPTIONS="suppressions=/opt/python/suppressions.txt"' in dockerfile(
        image(flavour="tsan"), CATALOGUE
    )


def test_labels_tell_the_release_and_where_it_comes_from() -> None:
    text = dockerfile(image(), CATALOGUE)
    assert 'LABEL org.opencontainers.image.version="3.14.7"' in text
    assert "/3.14.7/Python-3.14.7.tar.xz" in text


def test_prefixes_stay_from_patch_to_patch() -> None:
    assert prefix("3.14.7", Variant.GIL) == prefix("3.14.8", Variant.GIL) == "/opt/python/3.14"


def test_the_bake_file_has_every_dockerfile_and_each_tag_once() -> None:
    text = bake(rendered(CATALOGUE))
    assert re.findall(r'dockerfile = "([^"]+)"', text) == [
        path for path in files(CATALOGUE) if path != BAKE
    ]
    for block in re.findall(r"file = \[\n(.*?)\n    \]", text, re.DOTALL):
        suffixes = [
            suffix
            for listed in re.findall(r"suffixes = \[(.*?)\]", block)
            for suffix in listed.split(", ")
        ]
        assert len(set(suffixes)) == len(suffixes)


def test_a_final_release_is_tagged_for_its_series_and_a_pre_release_is_not() -> None:
    text = bake(rendered(WITHOUT_FINAL))
    products = re.findall(r"setproduct\(\[(.*?)\]", text)
    assert products[1].startswith('"3.14", "3.14.')
    assert re.fullmatch(r'"3\.15\.0rc\d+"', products[2])


def test_no_variable_of_a_profile_breaks_out_of_its_line() -> None:
    odd = 'a"b\\\nRUN curl \u202e'
    profile = msgspec.structs.replace(CATALOGUE.profiles["tsan"], environment={"ODD": odd})
    catalogue = msgspec.structs.replace(CATALOGUE, profiles={**CATALOGUE.profiles, "tsan": profile})
    text = dockerfile(image(flavour="tsan"), catalogue)
    assert 'ENV ODD="a\\"b\\\\ RUN curl �"\n' in text
