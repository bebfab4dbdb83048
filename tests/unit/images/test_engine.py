"""Which engine is used, and what is said where none can be."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.images.engine import Engine, engine_of
from ftbuild.model.events import Event, Noted
from tests.unit.images.engines import command, versions

INSPECT = "Name:   default\nDriver: docker-container\n\nNodes:\n"


TOLD: list[Event] = []


@pytest.fixture(autouse=True)
def nothing_told() -> None:
    TOLD.clear()


def found(*folders: Path, want: str = "") -> Engine:
    path = ":".join(map(str, (*folders, "/usr/bin/nowhere")))
    return engine_of({"PATH": path}, threading.Event(), TOLD.append, want=want)


def test_docker_goes_before_podman(tmp_path: Path) -> None:
    command(tmp_path, "podman", {"--version": (0, "podman version 4.3.1", "")})
    command(tmp_path, "docker", {"version": versions("20.10.24+dfsg1", "20.10.24+dfsg1")})
    assert found(tmp_path).kind == "docker"
    assert found(tmp_path).buildx == ""
    assert found(tmp_path, want="podman").kind == "podman"


def test_the_driver_of_buildx_is_known(tmp_path: Path) -> None:
    answers = {"version": versions("28.2.2", "20.10.24"), "buildx inspect": (0, INSPECT, "")}
    command(tmp_path, "docker", answers)
    assert found(tmp_path).buildx == "docker-container"


def test_a_client_that_cannot_build_gives_way_to_one_that_can(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    command(new, "docker", {"version": versions("28.2.2", "20.10.24"), "buildx": (1, "", "no")})
    command(old, "docker", {"version": versions("20.10.24", "20.10.24"), "buildx": (1, "", "no")})
    assert found(new, old).binary == str(old / "docker")
    with pytest.raises(EnvironmentFault, match="without the plugin buildx") as error:
        found(new)
    assert "docker-buildx" in error.value.hint


def test_docker_that_is_too_old(tmp_path: Path) -> None:
    command(tmp_path, "docker", {"version": versions("19.3.15", "19.3.15")})
    with pytest.raises(EnvironmentFault, match=r"Docker 19\.3\.15, which is too old"):
        found(tmp_path)


def test_podman_that_is_called_docker(tmp_path: Path) -> None:
    command(tmp_path, "docker", {"--version": (0, "podman version 4.3.1\n", "Emulate Docker\n")})
    assert found(tmp_path).kind == "podman"


def test_docker_that_talks_to_podman(tmp_path: Path) -> None:
    server = {"Version": "4.3.1", "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}]}
    said = json.dumps({"Client": {"Version": "20.10.24"}, "Server": server})
    command(tmp_path, "docker", {"version": (0, said, "")})
    with pytest.raises(EnvironmentFault, match="talks to Podman") as error:
        found(tmp_path)
    assert "--engine podman" in error.value.hint


@pytest.mark.parametrize("said", ["", "hello", "{}", '{"Client": {"Version": "1.0"}}'])
def test_a_program_that_only_has_dockers_name(tmp_path: Path, said: str) -> None:
    command(tmp_path, "docker", {"version": (0, said, "")})
    with pytest.raises(EnvironmentFault, match="does not answer as Docker does"):
        found(tmp_path)


def test_a_version_without_numbers_is_the_newest(tmp_path: Path) -> None:
    command(tmp_path, "docker", {"version": versions("dev", "dev"), "buildx": (0, INSPECT, "")})
    assert found(tmp_path).kind == "docker"
    command(tmp_path, "docker", {"version": versions("dev", "dev"), "buildx": (1, "", "no")})
    with pytest.raises(EnvironmentFault, match="without the plugin buildx"):
        found(tmp_path)


def test_no_engine() -> None:
    with pytest.raises(EnvironmentFault, match="no container engine") as error:
        found()
    assert "apt-get install podman" in error.value.hint


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        (
            (
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
                "Is the docker daemon running?"
            ),
            "Cannot connect",
            "systemctl start docker",
        ),
        (
            (
                "permission denied while trying to connect to the Docker daemon socket at "
                "unix:///var/run/docker.sock"
            ),
            "no permission",
            "usermod -aG docker",
        ),
    ],
)
def test_a_daemon_that_does_not_answer(tmp_path: Path, said: str, message: str, hint: str) -> None:
    command(tmp_path, "docker", {"version": (1, "null", said + "\n")})
    with pytest.raises(EnvironmentFault, match=message) as error:
        found(tmp_path)
    assert hint in error.value.hint


def test_where_docker_is_down_podman_steps_in(tmp_path: Path) -> None:
    command(tmp_path, "docker", {"version": (1, "null", "Cannot connect\n")})
    command(tmp_path, "podman", {"--version": (0, "podman version 4.3.1", "")})
    assert found(tmp_path).kind == "podman"
    (told,) = TOLD
    assert isinstance(told, Noted)
    assert told.text == f"{tmp_path}/docker: Cannot connect; {tmp_path}/podman is used instead"


def test_an_engine_by_its_path(tmp_path: Path) -> None:
    path = command(tmp_path, "buildah", {"--version": (0, "buildah version 1.28.2", "")})
    by_path = found(want=str(path))
    assert (by_path.kind, by_path.binary) == ("buildah", str(path))


def test_an_engine_that_is_found_from_elsewhere_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = command(tmp_path, "buildah", {"--version": (0, "buildah version 1.28.2", "")})
    monkeypatch.chdir(tmp_path)
    assert found(want="./buildah").binary == str(path)
    assert engine_of({"PATH": "."}, threading.Event(), TOLD.append).binary == str(path)


def test_an_unknown_engine() -> None:
    with pytest.raises(UsageError, match="no engine 'kaniko'"):
        found(want="kaniko")
