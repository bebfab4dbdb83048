"""Images, their labels, and what cannot be built."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import Interrupted, UsageError
from ftbuild.images.making import build
from ftbuild.images.making.options import MARK, How
from ftbuild.images.stored import Stored
from ftbuild.model.events import Noted
from ftbuild.model.versions import parse_request
from ftbuild.store.layout import Layout
from ftbuild.store.locks import held
from tests.unit.images.engines import answering
from tests.unit.images.examples import image
from tests.unit.provision.worlds import NEW, world


def there(labels: dict[str, str] | None) -> str:
    found = {"Id": "sha256:1", "Os": "linux", "Architecture": "amd64", "RootFS": {}}
    return json.dumps([{**found, "Config": {"Labels": labels}}])


@pytest.mark.parametrize("text", ["3.99", "3.14.99", "3.99t"])
def test_a_release_that_the_catalogue_does_not_have(layout: Layout, text: str) -> None:
    known, _ = world(layout, "3.14.7")
    with pytest.raises(UsageError, match="not in the catalogue"):
        build.wanted([parse_request(text)], known)


def test_one_name_is_not_for_two_images(tmp_path: Path) -> None:
    docker = answering(tmp_path, {})
    with pytest.raises(UsageError, match="one name for 2 images"):
        build.build_images([image(), image("3.14t")], How(tag="a:b"), docker, None)  # type: ignore[arg-type]


def test_labels_have_the_bases_digest_and_the_sources_date(tmp_path: Path) -> None:
    source = tmp_path / "Python-3.14.7.tar.xz"
    with tarfile.open(source, "w:xz") as archive:
        member = tarfile.TarInfo("Python-3.14.7")
        member.type, member.mtime = tarfile.DIRTYPE, 1_780_000_000
        archive.addfile(member, io.BytesIO())
    base = Stored(
        reference="debian:trixie-slim",
        id="sha256:a",
        digest="sha256:b",
        size=77_900_000,
        platform="linux/amd64",
        environment={},
        labels={},
        layers=(),
    )
    assert build._labels(image(), base, source) == {
        "org.opencontainers.image.base.digest": "sha256:b",
        "org.opencontainers.image.created": "2026-05-28T20:26:40Z",
        MARK: "3.14-both trixie slim optimized",
    }


def test_one_image_is_built_by_one_run_at_a_time(tmp_path: Path, layout: Layout) -> None:
    known, events = world(layout, NEW)
    answers = {"image inspect ftbuild": (1, "[]", "No such image"), "image": (0, there(None), "")}
    one = msgspec.structs.replace(image(), release=NEW)
    known.stop.set()
    with held(layout.locks / "image-3.97-both.lock"), pytest.raises(Interrupted):
        build.build_image(one, How(), answering(tmp_path, answers), known)
    assert events == [Noted(text="ftbuild:3.97-both: another run is building that image")]
