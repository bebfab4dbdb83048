"""What is said when a build fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.errors import BuildFailed, EnvironmentFault
from ftbuild.images.making import failure
from ftbuild.images.making.options import How
from ftbuild.images.making.progress import Watch
from tests.unit.images.engines import answering
from tests.unit.images.examples import image


@pytest.mark.parametrize(
    ("said", "kind", "message", "hint"),
    [
        (
            "cp: error writing '/opt/python/3.14/bin/python3.14': No space left on device",
            EnvironmentFault,
            "disk that the engine keeps images on is full",
            "docker system prune",
        ),
        (
            "exec /bin/sh: exec format error",
            EnvironmentFault,
            "another architecture",
            "docker pull debian:trixie-slim",
        ),
        (
            "E: You don't have enough free space in /var/cache/apt/archives/.",
            EnvironmentFault,
            "disk that the engine keeps images on is full",
            "docker system prune",
        ),
        ("E: Unable to locate package tk-dev", BuildFailed, "was not built", "--network host"),
        ("executor failed: network bridge not found", BuildFailed, "not built", "--network host"),
        (
            "WARNING: updating https://mirror.example/main: temporary error (try later)",
            BuildFailed,
            "was not built",
            "--network host",
        ),
        ("ftbuild: the hash is wrong", BuildFailed, "was not built", ""),
    ],
)
def test_a_failure_is_told_by_what_was_said_last(
    tmp_path: Path, said: str, kind: type[Exception], message: str, hint: str
) -> None:
    watch = Watch("x:y", tmp_path / "log", lambda _: None)
    for line in ("#8 [builder 5/6] RUN ftbuild build", f"#8 0.391 {said}", "#8 ERROR: failed"):
        watch(line)
    error = failure.failure("x:y", image(), How(), answering(tmp_path, {}), watch, tmp_path / "log")
    assert type(error) is kind
    assert message in error.message
    assert hint in error.hint
    assert error.tail == (said,)
    assert error.log == tmp_path / "log"


def test_another_architecture_that_was_asked_for_takes_an_emulator(tmp_path: Path) -> None:
    watch = Watch("x:y", tmp_path / "log", lambda _: None)
    watch("exec /bin/sh: exec format error")
    how = How(platforms=("linux/arm64",))
    error = failure.failure("x:y", image(), how, answering(tmp_path, {}), watch, tmp_path / "log")
    assert "linux/arm64" in error.message
    assert "qemu-user-static" in error.hint


def test_hints_are_for_the_engine_that_is_used(tmp_path: Path) -> None:
    watch = Watch("x:y", tmp_path / "log", lambda _: None)
    watch("no space left on device")
    for kind in ("podman", "buildah"):
        used = answering(tmp_path, {}, kind=kind)
        error = failure.failure("x:y", image(), How(), used, watch, tmp_path / "log")
        assert "`podman system prune`" in error.hint
