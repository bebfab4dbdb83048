"""What is refused before anything is done."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.images.making import beforehand, options
from ftbuild.images.making.options import MARK, How
from tests.unit.images.engines import answering
from tests.unit.images.examples import image


def there(labels: dict[str, str] | None) -> str:
    found = {"Id": "sha256:1", "Os": "linux", "Architecture": "amd64", "RootFS": {}}
    return json.dumps([{**found, "Config": {"Labels": labels}}])


def test_a_free_name_is_taken(tmp_path: Path) -> None:
    docker = answering(tmp_path, {"image inspect": (1, "[]", "No such image\n")})
    beforehand._require_ours("ftbuild:3.14-both", image(), How(), docker)


def test_the_name_of_an_earlier_patch_release_of_the_same_image_is_ours(tmp_path: Path) -> None:
    older = options.mark_of(image(release="3.14.5"))
    docker = answering(tmp_path, {"image inspect": (0, there({MARK: older}), "")})
    beforehand._require_ours("ftbuild:3.14-both", image(), How(), docker)


@pytest.mark.parametrize(
    ("labels", "whose"),
    [
        (None, "that ftbuild did not make"),
        ({"maintainer": "somebody"}, "that ftbuild did not make"),
        ({MARK: "3.14t trixie slim optimized"}, "ftbuild's 3.14t trixie slim optimized"),
    ],
)
def test_the_name_of_another_image_is_not_taken_from_it(
    tmp_path: Path, labels: dict[str, str] | None, whose: str
) -> None:
    docker = answering(tmp_path, {"image inspect": (0, there(labels), "")})
    with pytest.raises(UsageError) as error:
        beforehand._require_ours("team:latest", image(), How(), docker)
    assert whose in error.value.message
    assert "--tag" in error.value.hint
    beforehand._require_ours("team:latest", image(), How(force=True), docker)


def test_pushing_needs_a_name_with_a_registry() -> None:
    with pytest.raises(UsageError, match="where to"):
        beforehand._require_pushable(How(push=True))
    beforehand._require_pushable(How(push=True, tag="registry.example/team/python:3.14"))


@pytest.mark.parametrize(
    "tag",
    [
        "python",
        "team/python:3.14t",
        "my__image--x.y:Latest_1",
        "registry.example/team/python:3.14",
        "Registry.Example:5000/python",
        "localhost:5000/a/b/c:_",
    ],
)
def test_names_of_images(tag: str) -> None:
    beforehand._require_name(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "-x",
        "a b",
        "A:b",
        "team/Python",
        "/",
        "a/",
        "a:",
        "a:b:c",
        "a:-b",
        "a:" + "b" * 129,
        "https://registry.example/a",
        f"a@sha256:{'0' * 64}",
        "a:b\n",
        "ä:b",
    ],
)
def test_what_is_no_name_of_an_image(tag: str) -> None:
    with pytest.raises(UsageError, match="no name for an image"):
        beforehand._require_name(tag)


def test_a_platform_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="windows/amd64"):
        beforehand._require_runnable(How(platforms=("windows/amd64",)), answering(tmp_path, {}))


def test_several_platforms_take_a_registry(tmp_path: Path) -> None:
    docker = answering(tmp_path, {})
    both = How(platforms=("linux/amd64", "linux/arm64"), tag="registry.example/a:b", push=True)
    straight = msgspec.structs.replace(docker, buildx="docker-container")
    beforehand._require_runnable(both, straight)
    for how, used in (
        (msgspec.structs.replace(both, push=False), straight),
        (both, msgspec.structs.replace(docker, buildx="docker")),
    ):
        with pytest.raises((UsageError, EnvironmentFault)):
            beforehand._require_runnable(how, used)


@pytest.mark.parametrize("how", [How(offline=True, pull=True), How(offline=True, push=True)])
def test_no_registry_is_asked_offline(how: How) -> None:
    with pytest.raises(UsageError, match="contradict each other"):
        beforehand._require_network(how)
