"""The engines' command lines."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ftbuild.images.engine import Engine
from ftbuild.images.making import command
from ftbuild.images.making.options import How
from tests.unit.images.engines import answering
from tests.unit.images.examples import image


def words_of(engine_: Engine, how: How) -> tuple[str, ...]:
    return command.command(
        engine_, image("3.14t"), how, {"a": "b"}, "x:y", Path("/f"), Path("/context")
    )


def test_docker_gets_the_builds_and_the_labels(tmp_path: Path) -> None:
    words = " ".join(words_of(answering(tmp_path, {}), How(network="host", cache=False)))
    assert words == (
        "build --file /f --tag x:y --build-arg PYTHON=3.14.7t --build-arg PROFILE=optimized "
        "--label a=b --network host --no-cache /context"
    )


def test_podman_keeps_layers_and_no_container(tmp_path: Path) -> None:
    words = words_of(answering(tmp_path, {}, kind="podman"), How())
    assert words[:3] == ("build", "--layers", "--force-rm")


def test_only_what_is_pushed_straight_carries_attestations(tmp_path: Path) -> None:
    docker = answering(tmp_path, {})
    push = How(push=True, tag="registry.example/a:b")
    container = msgspec.structs.replace(docker, buildx="docker-container")
    assert "--sbom=true" in words_of(container, push)
    assert "--load" in words_of(container, How())
    assert "--sbom=true" not in words_of(msgspec.structs.replace(docker, buildx="docker"), push)
