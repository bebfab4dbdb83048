"""Wheels from a folder, for interpreters that are not here."""

from __future__ import annotations

from pathlib import Path

from ftbuild.images.verifying.trial import PROJECTS
from ftbuild.images.wheelhouse import wheels_for
from ftbuild.model.versions import Variant
from ftbuild.provision import World
from ftbuild.wheels.collect import Interpreter
from tests.unit.wheels.tiny import wheel


def test_wheels_to_try_an_image_with(links: Path, here: World, tmp_path: Path) -> None:
    native, pure = PROJECTS
    for abi in ("cp314", "cp314t"):
        wheel(links, native, "1.0", tag=f"cp314-{abi}-musllinux_1_2_aarch64")
    wheel(links, pure, "1.0")
    for variant, abi in ((Variant.FREE_THREADED, "cp314t"), (Variant.GIL, "cp314")):
        interpreter = Interpreter(
            version="3.14.7", variant=variant, machine="aarch64", libc="musl 1.2"
        )
        found = wheels_for(PROJECTS, interpreter, here, tmp_path)
        assert [path.name for path in found] == [
            f"{native}-1.0-cp314-{abi}-musllinux_1_2_aarch64.whl",
            f"{pure}-1.0-py3-none-any.whl",
        ]
