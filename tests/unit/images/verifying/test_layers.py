from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import EnvironmentFault
from ftbuild.images.engine import Engine
from ftbuild.images.stored import present
from ftbuild.images.verifying.layers import Layer, Layers, layers, read_docker, read_podman, short
from tests.unit.images.engines import DOCKER, engine, said

HISTORY = r"""{"Comment":"buildkit.dockerfile.v0","CreatedBy":"CMD [\"python3\"]","Size":"0"}
{"CreatedSince":"","CreatedBy":"RUN /bin/sh -c cp -a /image/tree/. / # buildkit","Size":"100438049"}
{"Comment":"Imported from -","CreatedAt":"2026-11-23T01:40:51Z","CreatedBy":"","Size":"77928314"}
"""
"""What `docker history --human=false --format '{{json .}}'` prints, without dates."""

PODMAN = r"""[{"id":"ac05","CreatedBy":"CMD [\"python3\"]","size":0},
{"id":"<missing>","CreatedBy":"RUN /bin/sh -c cp -a /image/tree/. / # buildkit","size":104338944},
{"id":"<missing>","size":80302080,"comment":"Imported from -"}]"""

BASE = (
    DOCKER.replace(', "sha256:8c74"', "")
    .replace("ac05", "5cda")
    .replace("org.opencontainers.image.base.name", "unrelated")
)


def _engine(folder: Path, base: str, image: str = DOCKER) -> Engine:
    return engine(
        folder,
        f"""*"inspect app:1") echo '{image}' ;;
        *inspect*) {base} ;;
        history*ac05) printf '%s' '{HISTORY}' ;;
        history*5cda) printf '%s' '{HISTORY.splitlines()[-1]}' ;;""",
    )


def _layers(docker: Engine) -> Layers:
    return layers(present("app:1", docker), docker)


def test_the_lowest_layers_are_the_bases(tmp_path: Path) -> None:
    found = _layers(_engine(tmp_path, f"echo '{BASE}'"))
    assert found == Layers(
        layers=(
            Layer(created_by="", size=77928314, base=True),
            Layer(created_by="RUN cp -a /image/tree/. /", size=100438049),
            Layer(created_by='CMD ["python3"]', size=0),
        ),
        base="debian:trixie-slim",
    )
    assert found.total == 178366363
    assert found.above == 100438049


@pytest.mark.parametrize(
    "base",
    [
        "echo 'No such image' >&2; exit 1",
        # A newer image has the name now.
        f"echo '{BASE.replace('790d', 'ffff')}'",
        # One without layers would be below every image.
        f"""echo '{BASE.replace('"sha256:790d"', "")}'""",
    ],
)
def test_without_the_base_nothing_is_said_of_it(tmp_path: Path, base: str) -> None:
    found = _layers(_engine(tmp_path, base))
    assert found.base == ""
    assert found.above is None
    assert not any(layer.base for layer in found.layers)
    assert found.total == 178366363


def test_the_base_is_asked_for_by_digest_first(tmp_path: Path) -> None:
    digest = "sha256:" + "7" * 64
    image = DOCKER.replace(
        '"Labels": {', f'"Labels": {{"org.opencontainers.image.base.digest": "{digest}", '
    )
    docker = _engine(tmp_path, "echo 'No such image' >&2; exit 1", image)
    assert _layers(docker).base == ""
    assert [line for line in said(tmp_path) if line.startswith("image inspect")][1:] == [
        f"image inspect debian:trixie-slim@{digest}",
        f"image inspect {digest}",
        "image inspect debian:trixie-slim",
    ]


def test_podman_prints_an_array() -> None:
    found = read_podman(PODMAN)
    assert [layer.created_by for layer in found] == [
        layer.created_by for layer in read_docker(HISTORY)
    ]
    assert [layer.size for layer in found] == [80302080, 104338944, 0]


def test_an_engine_that_does_not_tell(tmp_path: Path) -> None:
    for answer in ("echo down >&2; exit 1", "echo nonsense", 'echo "{}"'):
        docker = engine(tmp_path, f"image*) echo '{DOCKER}' ;; history*) {answer} ;;")
        with pytest.raises(EnvironmentFault, match="layers of"):
            _layers(docker)


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("/bin/sh -c #(nop)  ENV LANG=C.UTF-8", "ENV LANG=C.UTF-8"),
        ("/bin/sh -c apt-get update", "apt-get update"),
        ("RUN |2 A=1 B=2 /bin/sh -c make\t all # buildkit", "RUN make all"),
        ("COPY . /context # buildkit", "COPY . /context"),
        ("RUN /bin/sh -c " + "x" * 80, "RUN " + "x" * 67 + "…"),
        ("", ""),
    ],
)
def test_instructions_are_shortened(instruction: str, text: str) -> None:
    assert short(instruction) == text


@given(st.text())
def test_a_short_instruction_is_a_line(instruction: str) -> None:
    assert len(short(instruction)) <= 72
    assert "\n" not in short(instruction)
