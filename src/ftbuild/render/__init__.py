"""Results on standard output: aligned text for people, versioned JSON for programs.

Each function renders what one task found, and raises `Refused` or passes on an error where the
task's answer is no; the exit code follows from that.
"""

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
    summary,
)
from ftbuild.render.documents import FORMAT
from ftbuild.render.features import (
    assembled,
    audited,
    compared,
    images_built,
    images_proven,
    images_rendered,
    measured,
)

__all__ = [
    "FORMAT",
    "assembled",
    "audited",
    "catalogue",
    "collected",
    "compared",
    "details",
    "diagnosis",
    "fetched",
    "images_built",
    "images_proven",
    "images_rendered",
    "listing",
    "measured",
    "packed",
    "profiles",
    "removed",
    "reports",
    "summary",
]
