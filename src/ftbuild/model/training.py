"""The record inside a stored training profile: what it was made from, and its hash."""

from __future__ import annotations

from textwrap import shorten

import msgspec

from ftbuild.model.spec import BuildSpec
from ftbuild.model.text import Sha256

FORMAT = 1
"""Version of the record's shape. A reader refuses what it does not know."""


class TrainingProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What a training run counted, as an input of a build.

    Attributes:
        format: `FORMAT`.
        spec: The build whose training made it.
        sha256: Hash over the data (names and contents), the manifest's `training_profile`.
        frozen: Hash over the modules that the training build has frozen, which lie beside it where
            it was made.
        ftbuild: Version of ftbuild that made it.
    """

    format: int
    spec: BuildSpec
    sha256: Sha256
    frozen: Sha256 | None
    ftbuild: str

    def unfit(self, spec: BuildSpec) -> str:
        """Why a build cannot use it: what differs, or empty where nothing does."""
        if self.spec.training_key == spec.training_key:
            return ""
        return "it was made with " + "; ".join(
            f"{name} {_brief(there)}, not {_brief(here)}"
            for name in (
                "version",
                "source_sha256",
                "variant",
                "compiler",
                "profile",
                "flags",
                "configure_args",
                "libraries",
                "stage_flags",
            )
            if (there := getattr(self.spec, name)) != (here := getattr(spec, name))
        )


def _brief(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return shorten(text, 80, placeholder="…")
