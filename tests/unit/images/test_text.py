"""What image tasks tell people."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ftbuild.images.assembling.assemble import Assembled
from ftbuild.images.making.build import Built
from ftbuild.images.making.dockerfiles import Written
from ftbuild.images.text import assembled_text, built_text, layers_text, written_text
from ftbuild.images.verifying.layers import Layer, Layers
from tests.unit.images.engines import engine
from tests.unit.images.examples import image


def built(text: str = "3.14") -> Built:
    its = image(text)
    return Built(
        reference=its.name,
        image=its,
        id="sha256:1",
        size=141_400_000,
        seconds=371.0,
        cached=0,
        steps=9,
        pushed=False,
        log=Path("/log"),
    )


def test_what_was_built_and_what_to_do_with_it(tmp_path: Path) -> None:
    lines = built_text([built()], engine(tmp_path)).splitlines()
    assert lines[0].split("  ") == [
        *("ftbuild:3.14-both", "built", "6:11", "141.4 MB", ""),
        "3.14.7, both builds, on debian:trixie-slim",
    ]
    assert lines[-2] == "  docker run --rm -it ftbuild:3.14-both python3.14t"
    assert lines[-1] == "  ftbuild image verify ftbuild:3.14-both"


def test_the_gil_build_is_run_where_there_is_no_other(tmp_path: Path) -> None:
    text = built_text([built("3.14+gil")], engine(tmp_path, kind="buildah"))
    assert "podman run --rm -it ftbuild:3.14 python3.14\n" in text
    assert "the GIL build" in text


def test_steps_from_the_cache_are_counted(tmp_path: Path) -> None:
    again = msgspec.structs.replace(built(), cached=7)
    assert "7 of 9 steps from the cache" in built_text([again], engine(tmp_path))


def test_layers_with_the_bases_as_one() -> None:
    found = Layers(
        layers=(
            Layer(created_by="", size=70_000_000, base=True),
            Layer(created_by="CMD", size=0, base=True),
            Layer(created_by="COPY /image/ /", size=60_000_000),
            Layer(created_by="ENV A=b", size=0),
        ),
        base="debian:trixie-slim",
    )
    assert layers_text(found).splitlines() == [
        "70.0 MB  base: debian:trixie-slim",
        "60.0 MB  COPY /image/ /",
        "130.0 MB in all, 60.0 MB above its base",
    ]
    unknown = msgspec.structs.replace(found, base="", layers=found.layers[2:])
    assert layers_text(unknown).splitlines()[-1] == "60.0 MB in all"


def test_files_that_are_out_of_date() -> None:
    found = Written(files=25, changed=("docker/a",), stale=("docker/b",))
    assert written_text(found, check=True).splitlines() == [
        "docker/a: out of date",
        "docker/b: not wanted any more",
        "24 of 25 files are up to date",
    ]
    assert "docker/b: removed" in written_text(found, check=False)


def test_what_was_laid_out() -> None:
    found = Assembled(
        prefixes=("/opt/python/3.14t",),
        size=48_000_000,
        bytecode=17_000_000,
        packages=("libffi8",),
        left_out=(),
    )
    assert assembled_text(found).splitlines() == [
        "prefixes  /opt/python/3.14t",
        "size      48.0 MB, of which 17.0 MB are bytecode",
        "left out  nothing",
        "packages  libffi8",
    ]
