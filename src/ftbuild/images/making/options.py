"""How an image is to be built, and what follows from that alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ftbuild.images.engine import Engine
from ftbuild.images.names import Image

MARK = "ftbuild.image"
"""The label by which an image that ftbuild made is known, and which one it is."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What containers call an architecture, by what Linux calls it."""

EMULATE = (
    "`apt-get install qemu-user-static` registers an emulator, and CPython then takes hours to "
    "build; or build on such a machine."
)


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How to build images.

    Attributes:
        tag: What to call the image; empty for its own name.
        network: The network that the build uses, as the engine calls it; empty for its default.
        platforms: For which platforms, `linux/arm64`; none for the engine's own.
        push: Whether to push the image to its registry.
        pull: Whether to ask for a newer base.
        cache: Whether layers of earlier builds are used.
        offline: Whether only what is at hand is used.
        force: Whether a name that another image has is taken from it.
        overlays: The user's folders of recipes.
    """

    tag: str = ""
    network: str = ""
    platforms: tuple[str, ...] = ()
    push: bool = False
    pull: bool = False
    cache: bool = True
    offline: bool = False
    force: bool = False
    overlays: tuple[Path, ...] = ()


def platforms_of(words: Sequence[str]) -> tuple[str, ...]:
    """The platforms of comma-separated words, each once."""
    found = (word.strip() for text in words for word in text.split(","))
    return tuple(dict.fromkeys(filter(None, found)))


def straight(engine: Engine, how: How) -> bool:
    """Whether the build itself pushes: docker's own driver loads images and attests nothing."""
    return how.push and engine.buildx not in {"", "docker"}


def mark_of(image: Image) -> str:
    """What makes two images the same one, built twice: everything but the patch release."""
    return f"{image.tag} {image.base_name} {image.flavour} {image.profile}"
