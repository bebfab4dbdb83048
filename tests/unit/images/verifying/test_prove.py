"""Several images, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import UsageError
from ftbuild.images.verifying.prove import prove
from ftbuild.images.verifying.trial import PROJECTS
from ftbuild.model.events import Noted
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check
from ftbuild.provision import World
from ftbuild.store.layout import Layout, layout_of
from tests.builders import build
from tests.unit.images.engines import DOCKER, engine, said
from tests.unit.provision.worlds import world
from tests.unit.wheels.tiny import wheel


def _cases(item: Installation) -> str:
    """An engine's image with a build whose interpreter does not start."""
    path = item.prefix / "ftbuild.json"
    path.parent.mkdir()
    path.write_bytes(msgspec.json.encode(item.manifest))
    step = '{"CreatedBy": "COPY", "Size": "7"}'
    return f"""*missing*) echo "Error: No such image: missing" >&2; exit 1 ;;
        image*) echo '{DOCKER}'; exit ;;
        history*) echo '{step}'; exit ;;
        *"ls -d"*) echo {path}; exit ;;
        *python*) exit 1 ;;"""


@pytest.fixture
def nowhere(layout: Layout, tmp_path: Path) -> World:
    """The world of somebody who has no root yet, with wheels in a folder."""
    links = tmp_path / "links"
    links.mkdir()
    native, pure = PROJECTS
    wheel(links, native, "1.0", tag="cp314-cp314t-manylinux_2_17_x86_64")
    wheel(links, pure, "1.0")
    here, _ = world(layout)
    env = {"HOME": str(tmp_path), "UV_FIND_LINKS": str(links), "UV_NO_INDEX": "1"}
    return msgspec.structs.replace(here, layout=layout_of(tmp_path / "nowhere"), env=env)


def test_no_root_is_needed_and_none_is_made(tmp_path: Path, nowhere: World) -> None:
    docker = engine(tmp_path, _cases(build(tmp_path / "3.14t")))
    (proven,) = prove(["app:1"], docker, nowhere)
    assert proven.layers.total == 7
    checks: dict[str, Check] = {each.name: each for each in proven.reports[0].checks}
    assert "no wheels to try" not in checks["wheels.install"].reason
    assert sum("/wheels,target=" in line for line in said(tmp_path)) == 2
    assert not (tmp_path / "nowhere").exists()


def test_an_image_that_is_missing_is_told_before_any_is_verified(
    tmp_path: Path, nowhere: World
) -> None:
    events: list[object] = []
    known = msgspec.structs.replace(nowhere, emit=events.append)
    docker = engine(tmp_path, _cases(build(tmp_path / "3.14t")))
    with pytest.raises(UsageError, match="has no image missing"):
        prove(["app:1", "missing"], docker, known)
    assert not any(isinstance(event, Noted) for event in events)
