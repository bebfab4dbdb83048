"""Images for the tests of what is made of them."""

from __future__ import annotations

import msgspec

from ftbuild import catalogue
from ftbuild.images.names import Image, image_of
from ftbuild.model.versions import is_prerelease, parse_request, series_of

CATALOGUE = catalogue.load()

WITHOUT_FINAL = msgspec.structs.replace(
    CATALOGUE,
    releases={
        version: release
        for version, release in CATALOGUE.releases.items()
        if series_of(version) != "3.15" or is_prerelease(version)
    },
)
"""The catalogue as it was before 3.15.0 came out."""


def image(text: str = "3.14", release: str = "3.14.7", **options: str) -> Image:
    """The image that a request and options mean, of a release of its series."""
    request = parse_request(text)
    assert request.release in {None, release}
    assert request.series == series_of(release)
    return image_of(request, release, CATALOGUE, **options)
