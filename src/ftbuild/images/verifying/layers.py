"""How large an image is, by layer, and which of its layers are the base's."""

from __future__ import annotations

import re

import msgspec

from ftbuild.errors import EnvironmentFault
from ftbuild.images.engine import Engine
from ftbuild.images.stored import Stored, stored

_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"

_NOISE = re.compile(r"^(RUN )?(\|[0-9]+ .*?)?/bin/sh -c (#\(nop\) +)?|\s+# buildkit$")
"""What builders put around the instruction: a shell, build arguments, how it was made."""

_WIDTH = 72


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an image's history.

    Attributes:
        created_by: The instruction that made it, cut short for people.
        size: Bytes of the files it adds, uncompressed; 0 for one that adds none.
        base: Whether it is the base's.
    """

    created_by: str
    size: int
    base: bool = False


class Layers(msgspec.Struct, frozen=True, kw_only=True):
    """The layers of an image, the lowest first.

    Attributes:
        layers: Steps that add no files are among them.
        base: The image that the lowest are of; empty where that is not known.
    """

    layers: tuple[Layer, ...]
    base: str

    @property
    def total(self) -> int:
        """Bytes of all layers, uncompressed."""
        return sum(layer.size for layer in self.layers)

    @property
    def above(self) -> int | None:
        """Bytes of the layers above the base, or None where the base is not known."""
        return sum(x.size for x in self.layers if not x.base) if self.base else None


class _Docker(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A line of `docker history --human=false --format '{{json .}}'`."""

    created_by: str
    size: str


class _Podman(msgspec.Struct, frozen=True, kw_only=True):
    """An element of what `podman history --format json` prints."""

    # An imported image has none.
    created_by: str = msgspec.field(name="CreatedBy", default="")
    size: int


def layers(image: Stored, engine: Engine) -> Layers:
    """The layers of an image.

    Which are the base's is known where the engine has the base, too: the one that the image's
    labels name, and whose layers are the image's lowest.

    Raises:
        EnvironmentFault: The engine does not answer, or not in a way we know.
        Interrupted: The engine's `stop` was set.
    """
    steps = _history(image.id, engine)
    base = _base(image, engine)
    if base is None:
        return Layers(layers=steps, base="")
    below = len(_history(base.id, engine))
    marked = (
        msgspec.structs.replace(step, base=number < below) for number, step in enumerate(steps)
    )
    return Layers(layers=tuple(marked), base=base.reference)


def read_docker(text: str) -> tuple[Layer, ...]:
    """The steps that docker prints, a JSON object a line, the newest first.

    Raises:
        msgspec.DecodeError: The text is something else.
        ValueError: A size is no number.
    """
    lines = (msgspec.json.decode(line, type=_Docker) for line in text.splitlines())
    steps = [Layer(created_by=short(line.created_by), size=int(line.size)) for line in lines]
    return tuple(reversed(steps))


def read_podman(text: str) -> tuple[Layer, ...]:
    """The steps that podman prints, a JSON array, the newest first.

    Raises:
        msgspec.DecodeError: The text is something else.
    """
    found = msgspec.json.decode(text, type=tuple[_Podman, ...])
    return tuple(Layer(created_by=short(x.created_by), size=x.size) for x in reversed(found))


def short(instruction: str) -> str:
    """An instruction as its Dockerfile had it, in one line of text.

    >>> short('/bin/sh -c #(nop)  CMD ["python3"]')
    'CMD ["python3"]'
    >>> short("RUN |1 A=b /bin/sh -c cp -a /image/tree/.   / # buildkit")
    'RUN cp -a /image/tree/. /'
    """
    run = "RUN " if instruction.startswith("RUN ") else ""
    text = run + " ".join(_NOISE.sub("", instruction).split()).removeprefix(run)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _history(reference: str, engine: Engine) -> tuple[Layer, ...]:
    words = ("history", "--no-trunc", "--human=false", "--format")
    docker = engine.kind == "docker"
    done = engine.run(*words, "{{json .}}" if docker else "json", reference)
    if not done.ok:
        raise EnvironmentFault(
            f"{engine.kind} does not tell the layers of {reference}: "
            f"{done.stderr.strip() or done.ending}"
        )
    try:
        return (read_docker if docker else read_podman)(done.stdout)
    except ValueError as error:
        raise EnvironmentFault(
            f"what {engine.kind} says of the layers of {reference} cannot be read: {error}",
            hint="Docker 20.10, Podman 4 and their successors are known to work.",
        ) from error


def _base(image: Stored, engine: Engine) -> Stored | None:
    """The image it was built on, if the engine has it."""
    name, digest = image.labels.get(_BASE_NAME, ""), image.labels.get(_BASE_DIGEST, "")
    # By digest first: the name may have moved on to a newer image.
    for reference in (f"{name}@{digest}" if name and digest else "", digest, name):
        candidate = stored(reference, engine) if reference else None
        if candidate and candidate.layers == image.layers[: len(candidate.layers)]:
            named = msgspec.structs.replace(candidate, reference=name or reference)
            return named if candidate.layers else None
    return None
