"""How images are to be built."""

from __future__ import annotations

from ftbuild.images.making.options import platforms_of


def test_platforms_are_split() -> None:
    assert platforms_of(["linux/amd64, linux/arm64", "linux/amd64"]) == (
        "linux/amd64",
        "linux/arm64",
    )
