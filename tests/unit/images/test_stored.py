from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.images.stored import Stored, present, read, read_buildah, stored
from tests.unit.images.engines import DOCKER, engine, said

BUILDAH = """{"Type": "buildah 0.0.1", "FromImageID": "d7ce", "FromImageDigest": "sha256:d94b",
  "OCIv1": {"architecture": "amd64", "os": "linux",
    "config": {"Env": ["PATH=/usr/bin"], "Labels": {"a": "b"}},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:790d"]}}}"""
"""What `buildah inspect --type image` prints, shortened."""


def test_docker_and_podman_say_the_same(tmp_path: Path) -> None:
    for kind in ("docker", "podman"):
        found = stored("app:1", engine(tmp_path, f"image*) echo '{DOCKER}' ;;", kind=kind))
        assert found == Stored(
            reference="app:1",
            id="sha256:ac05",
            digest="sha256:ac05",
            size=1,
            platform="linux/amd64",
            environment={"PATH": "/opt/python/3.14/bin:/usr/bin", "FLAGS": "a=b", "EMPTY": ""},
            labels={"org.opencontainers.image.base.name": "debian:trixie-slim"},
            layers=("sha256:790d", "sha256:8c74"),
        )
    assert said(tmp_path) == ["image inspect app:1"] * 2


def test_a_registrys_digest_goes_before_the_id() -> None:
    text = DOCKER.replace('"Size": 1', '"RepoDigests": ["registry.example/app@sha256:7f3a"]')
    assert read(text, reference="app:1").digest == "sha256:7f3a"
    # Podman leaves the algorithm out of its ids.
    assert read(DOCKER.replace("sha256:ac05", "ac05"), reference="app:1").digest == "sha256:ac05"


def test_buildah_says_it_in_its_own_words(tmp_path: Path) -> None:
    buildah = engine(tmp_path, f"inspect*) echo '{BUILDAH}' ;;", kind="buildah")
    assert stored("app:1", buildah) == Stored(
        reference="app:1",
        id="d7ce",
        digest="sha256:d94b",
        size=0,
        platform="linux/amd64",
        environment={"PATH": "/usr/bin"},
        labels={"a": "b"},
        layers=("sha256:790d",),
    )
    assert said(tmp_path) == ["inspect --type image app:1"]
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        read_buildah(DOCKER, reference="app:1")


def test_an_image_may_have_neither_variables_nor_labels() -> None:
    for nothing in ("{}", '{"Env": null, "Labels": null}'):
        text = f'[{{"Id": "1", "Os": "linux", "Architecture": "s390x", "Config": {nothing}, '
        found = read(text + '"RootFS": {"Type": "layers"}}]', reference="scratch")
        assert (found.environment, found.labels, found.layers) == ({}, {}, ())


@pytest.mark.parametrize(
    "message",
    [
        "Error: No such image: app:1",
        "Error response from daemon: No such image: app:1",
        "Error: inspecting object: app:1: image not known",
    ],
)
def test_an_image_that_is_not_there(tmp_path: Path, message: str) -> None:
    docker = engine(tmp_path, f"image*) echo '{message}' >&2; exit 1 ;;")
    assert stored("app:1", docker) is None
    with pytest.raises(UsageError, match="docker has no image app:1") as raised:
        present("app:1", docker)
    assert "docker pull app:1" in raised.value.hint


@pytest.mark.parametrize("word", ["", " ", "-a", "--format={{.Id}}"])
def test_what_is_no_name_is_not_asked_for(tmp_path: Path, word: str) -> None:
    with pytest.raises(UsageError, match="is no name of an image"):
        stored(word, engine(tmp_path))
    assert not (tmp_path / "log").exists()


def test_a_name_that_the_engine_refuses(tmp_path: Path) -> None:
    docker = engine(tmp_path, "image*) echo 'Error: invalid reference format' >&2; exit 1 ;;")
    with pytest.raises(UsageError, match="'a b' is no name"):
        stored("a b", docker)


def test_an_engine_that_is_down(tmp_path: Path) -> None:
    docker = engine(tmp_path, "image*) echo 'Cannot connect to the daemon' >&2; exit 1 ;;")
    with pytest.raises(EnvironmentFault, match="Cannot connect to the daemon"):
        stored("app:1", docker)


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: msgspec.json.encode(value).decode())
)
def test_another_format_is_an_error(text: str) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        read(text, reference="app:1")
