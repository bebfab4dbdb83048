"""The real uv and this installation's own metadata, against a folder of wheels without content."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from ftbuild.catalogue import load
from ftbuild.images.making.ownwheel import own_project
from ftbuild.images.making.provisions import dependencies, pins
from ftbuild.model.recipes import Base
from ftbuild.provision import World
from ftbuild.wheels.collect import NoWheel
from tests.unit.wheels.tiny import wheel

NATIVE = "cp313-cp313-manylinux_2_17_x86_64"


@pytest.fixture
def trixie() -> Base:
    return load().base("trixie")


def names(paths: tuple[Path, ...]) -> set[str]:
    return {path.name.partition("-")[0] for path in paths}


def everything(links: Path, *, left_out: str = "") -> None:
    """All that ftbuild requires, at the versions that are here and at a later one."""
    core = {requirement.name for requirement in own_project().requires}
    for name in core - {left_out, "uv", "Jinja2"}:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = "1.0"
        requires = ("transitive",) if name == "requests" else ()
        wheel(links, name.replace(".", "_"), version, *requires, tag=NATIVE)
        wheel(links, name.replace(".", "_"), "9999", *requires, tag=NATIVE)
    wheel(links, "transitive", "1.0")


def test_dependencies_are_as_here(links: Path, here: World, trixie: Base) -> None:
    everything(links)
    found = dependencies(trixie, "x86_64", here)
    assert {"msgspec", "requests", "backports_zstd", "transitive"} <= names(found)
    assert not names(found) & {"uv", "jinja2", "Jinja2"}
    assert all(path.parent == here.layout.wheels for path in found)
    version = Version(metadata.version("msgspec"))
    assert f"msgspec-{version}-{NATIVE}.whl" in {path.name for path in found}
    assert dependencies(trixie, "x86_64", here, offline=True) == found
    assert not list(here.layout.work.iterdir())


def test_what_is_here_is_not_for_that_base(links: Path, here: World, trixie: Base) -> None:
    everything(links, left_out="msgspec")
    wheel(links, "msgspec", "9998", tag=NATIVE)
    found = {path.name for path in dependencies(trixie, "x86_64", here)}
    assert f"msgspec-9998-{NATIVE}.whl" in found


def test_another_architecture(links: Path, here: World, trixie: Base) -> None:
    everything(links)
    with pytest.raises(NoWheel, match=r"CPython 3\.13 on aarch64 with glibc 2\.41"):
        dependencies(trixie, "aarch64", here)


def test_pins_are_of_what_is_required_of_what_is_required() -> None:
    found = {Requirement(pin).name: pin for pin in pins([Requirement("requests>=2")])}
    assert found["requests"] == f"requests=={Version(metadata.version('requests')).public}"
    assert {"idna", "urllib3"} <= found.keys()
    # An extra's.
    assert "pysocks" not in found
    assert pins([Requirement("nothing-of-this-name")]) == ()
