"""A world whose indexes are a folder of wheels."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from ftbuild.provision import World
from ftbuild.store.layout import Layout
from tests.unit.provision.worlds import world


@pytest.fixture
def links(tmp_path: Path) -> Path:
    folder = tmp_path / "links"
    folder.mkdir()
    return folder


@pytest.fixture
def here(layout: Layout, links: Path) -> World:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(links.parent),
        "UV_CACHE_DIR": str(links.parent / "uv"),
        "XDG_CONFIG_DIRS": str(links),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(links),
    }
    return msgspec.structs.replace(world(layout)[0], env=env)
