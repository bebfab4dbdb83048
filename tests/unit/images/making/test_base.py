"""The base, there or pulled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault
from ftbuild.images.making import base
from ftbuild.images.making.options import How
from ftbuild.store.layout import Layout
from tests.unit.images.engines import answering
from tests.unit.images.examples import image
from tests.unit.provision.worlds import world


def there(labels: dict[str, str] | None) -> str:
    found = {"Id": "sha256:1", "Os": "linux", "Architecture": "amd64", "RootFS": {}}
    return json.dumps([{**found, "Config": {"Labels": labels}}])


@pytest.mark.parametrize(
    ("platforms", "asked"),
    [
        ((), False),
        (("linux/amd64",), False),
        (("linux/arm64",), True),
        (("linux/amd64", "linux/arm64"), True),
    ],
)
def test_a_base_is_pulled_where_it_is_not_the_one_asked_for(
    tmp_path: Path, layout: Layout, platforms: tuple[str, ...], asked: bool
) -> None:
    docker = answering(tmp_path, {"image inspect": (0, there(None), ""), "pull": (0, "", "")})
    known, _ = world(layout)
    base.base_of(image(), How(platforms=platforms), docker, known)
    assert ("pull" in (tmp_path / "docker.asked").read_text()) is asked


def test_offline_no_base_is_pulled(tmp_path: Path, layout: Layout) -> None:
    docker = answering(tmp_path, {"image inspect": (1, "[]", "No such image"), "pull": (0, "", "")})
    known, _ = world(layout)
    with pytest.raises(EnvironmentFault, match="ftbuild is offline"):
        base.base_of(image(), How(offline=True), docker, known)
    assert "pull" not in (tmp_path / "docker.asked").read_text()
