"""Results on standard output: aligned text for people, versioned JSON for programs.

Each function renders what one task found, and raises `Refused` or passes on an error where the
task's answer is no; the exit code follows from that.
"""

from ftbuild.render.attestations import attested
from ftbuild.render.builds import (
    catalogue,
    collected,
    details,
    diagnosis,
    fetched,
    listing,
    packed,
    profiles,
    removed,
    reports,
    said_nothing,
    summary,
)
from ftbuild.render.documents import FORMAT
from ftbuild.render.exports import exported_uv
from ftbuild.render.features import (
    assembled,
    audited,
    compared,
    images_built,
    images_proven,
    images_rendered,
    measured,
)
from ftbuild.render.links import linked, on_path, snippet, toolcache, unlinked
from ftbuild.render.updates import updated

__all__ = [
    "FORMAT",
    "assembled",
    "attested",
    "audited",
    "catalogue",
    "collected",
    "compared",
    "details",
    "diagnosis",
    "exported_uv",
    "fetched",
    "images_built",
    "images_proven",
    "images_rendered",
    "linked",
    "listing",
    "measured",
    "on_path",
    "packed",
    "profiles",
    "removed",
    "reports",
    "said_nothing",
    "snippet",
    "summary",
    "toolcache",
    "unlinked",
    "updated",
]
