"""An image as an engine has it: what `inspect` tells of it."""

from __future__ import annotations

import msgspec

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.images.engine import Engine

_MISSING = ("no such image", "no such object", "image not known")
"""How engines say that an image is not there."""


class _Config(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    env: tuple[str, ...] | None = None
    labels: dict[str, str] | None = None


class _RootFs(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    layers: tuple[str, ...] | None = None


class _Inspected(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What docker and podman both say, in Docker's words."""

    id: str
    os: str
    architecture: str
    config: _Config
    root_fs: _RootFs = msgspec.field(name="RootFS")
    repo_digests: tuple[str, ...] | None = None
    size: int = 0


class _ConfigOfBuildah(msgspec.Struct, frozen=True, kw_only=True):
    env: tuple[str, ...] | None = msgspec.field(name="Env", default=None)
    labels: dict[str, str] | None = msgspec.field(name="Labels", default=None)


class _RootFsOfBuildah(msgspec.Struct, frozen=True, kw_only=True):
    diff_ids: tuple[str, ...] | None = None


class _OfBuildah(msgspec.Struct, frozen=True, kw_only=True):
    """The image's own description, in the words of the OCI's specification."""

    os: str
    architecture: str
    config: _ConfigOfBuildah
    rootfs: _RootFsOfBuildah


class _InspectedByBuildah(msgspec.Struct, frozen=True, kw_only=True):
    """What buildah says; it does not tell sizes."""

    id: str = msgspec.field(name="FromImageID")
    digest: str = msgspec.field(name="FromImageDigest", default="")
    description: _OfBuildah = msgspec.field(name="OCIv1")


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An image that an engine has.

    Attributes:
        reference: What it was asked for by: `ftbuild:3.14-both`.
        id: The engine's own name of it, a digest.
        digest: The digest that a registry has it by, `sha256:…`; the id's where none has it.
        size: Bytes of all its layers, uncompressed; 0 where the engine does not tell.
        platform: What it runs on: `linux/arm64`.
        environment: The variables that its containers have.
        labels: Its labels.
        layers: The digests of its layers' content, the lowest first.
    """

    reference: str
    id: str
    digest: str
    size: int
    platform: str
    environment: dict[str, str]
    labels: dict[str, str]
    layers: tuple[str, ...]


def stored(reference: str, engine: Engine) -> Stored | None:
    """An image, or None where the engine does not have it.

    Raises:
        UsageError: The reference is none.
        EnvironmentFault: The engine does not answer, or not in a way we know.
        Interrupted: The engine's `stop` was set.
    """
    # An empty word, or one that is an option, would ask for something else.
    if not reference.strip() or reference.startswith("-"):
        raise UsageError(
            f"{reference!r} is no name of an image", hint="`ftbuild:3.14-both` is one."
        )
    words = ("inspect", "--type", "image") if engine.kind == "buildah" else ("image", "inspect")
    done = engine.run(*words, reference)
    if done.ok:
        return (read_buildah if engine.kind == "buildah" else read)(
            done.stdout, reference=reference
        )
    said = done.stderr.strip()
    if any(words in said.lower() for words in _MISSING):
        return None
    if "invalid reference" in said or "must be lowercase" in said:
        raise UsageError(f"{reference!r} is no name of an image: {said.splitlines()[-1]}")
    raise EnvironmentFault(
        f"{engine.kind} does not say what {reference} is: {said or done.ending}",
        hint=f"See whether `{engine.kind} image inspect {reference}` works.",
    )


def present(reference: str, engine: Engine) -> Stored:
    """An image that has to be there.

    Raises:
        UsageError: The engine does not have it, or the reference is none.
        EnvironmentFault: The engine does not answer, or not in a way we know.
        Interrupted: The engine's `stop` was set.
    """
    image = stored(reference, engine)
    if image is None:
        raise UsageError(
            f"{engine.kind} has no image {reference}",
            hint=f"`ftbuild image build` makes one, `{engine.kind} pull {reference}` fetches one, "
            f"and `{engine.kind} images` lists those that are there.",
        )
    return image


def read(text: str, *, reference: str) -> Stored:
    """What docker's and podman's `image inspect` print of one image.

    Raises:
        EnvironmentFault: It is not in Docker's format.
    """
    try:
        (found,) = msgspec.json.decode(text, type=tuple[_Inspected])
    except msgspec.DecodeError as error:
        raise _unreadable(reference, error) from error
    digests = [digest.rpartition("@")[2] for digest in found.repo_digests or ()]
    return Stored(
        reference=reference,
        id=found.id,
        digest=digests[0] if digests else _digest(found.id),
        size=found.size,
        platform=f"{found.os}/{found.architecture}",
        environment=dict(_pair(line) for line in found.config.env or ()),
        labels=found.config.labels or {},
        layers=found.root_fs.layers or (),
    )


def read_buildah(text: str, *, reference: str) -> Stored:
    """What `buildah inspect --type image` prints.

    Raises:
        EnvironmentFault: It is not in buildah's format.
    """
    try:
        found = msgspec.json.decode(text, type=_InspectedByBuildah)
    except msgspec.DecodeError as error:
        raise _unreadable(reference, error) from error
    its = found.description
    return Stored(
        reference=reference,
        id=found.id,
        digest=found.digest or _digest(found.id),
        size=0,
        platform=f"{its.os}/{its.architecture}",
        environment=dict(_pair(line) for line in its.config.env or ()),
        labels=its.config.labels or {},
        layers=its.rootfs.diff_ids or (),
    )


def _unreadable(reference: str, error: msgspec.DecodeError) -> EnvironmentFault:
    return EnvironmentFault(
        f"what the engine says of {reference} cannot be read: {error}",
        hint="Docker 20.10, Podman 4, Buildah 1.28 and their successors are known to work.",
    )


def _digest(identity: str) -> str:
    """An id as a digest: podman and buildah leave the algorithm out."""
    return identity if ":" in identity else f"sha256:{identity}"


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value
