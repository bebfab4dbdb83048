"""Build, prove and keep CPython with and without the GIL, side by side.

What a program may use is in `__all__`; docs/api.md describes it. It is imported when it is first
asked for, so that the command line starts without what it does not need.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ftbuild.api import audit, build, installed, resolve, verify, world
    from ftbuild.auditing import Audit, Finding, How
    from ftbuild.errors import (
        BuildFailed,
        EnvironmentFault,
        FtbuildError,
        Interrupted,
        Refused,
        UsageError,
    )
    from ftbuild.model.manifest import Installation, Manifest
    from ftbuild.model.report import Check, Report, Status
    from ftbuild.model.spec import BuildSpec
    from ftbuild.model.versions import Variant
    from ftbuild.provision import Options, Outcome, Summary, World

_HOMES = {
    "ftbuild.api": ("audit", "build", "installed", "resolve", "verify", "world"),
    "ftbuild.auditing": ("Audit", "Finding", "How"),
    "ftbuild.errors": (
        *("BuildFailed", "EnvironmentFault", "FtbuildError"),
        *("Interrupted", "Refused", "UsageError"),
    ),
    "ftbuild.model.manifest": ("Installation", "Manifest"),
    "ftbuild.model.report": ("Check", "Report", "Status"),
    "ftbuild.model.spec": ("BuildSpec",),
    "ftbuild.model.versions": ("Variant",),
    "ftbuild.provision": ("Options", "Outcome", "Summary", "World"),
}
"""Where each name comes from."""

__all__ = [
    "Audit",
    "BuildFailed",
    "BuildSpec",
    "Check",
    "EnvironmentFault",
    "Finding",
    "FtbuildError",
    "How",
    "Installation",
    "Interrupted",
    "Manifest",
    "Options",
    "Outcome",
    "Refused",
    "Report",
    "Status",
    "Summary",
    "UsageError",
    "Variant",
    "World",
    "audit",
    "build",
    "installed",
    "resolve",
    "verify",
    "world",
]


if not TYPE_CHECKING:  # for a type checker, a name that is not listed is a mistake

    def __getattr__(name: str) -> object:
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        raise AttributeError(f"module 'ftbuild' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
