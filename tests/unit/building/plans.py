"""Plans for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ftbuild.building.flags import configure_flags, stage_flags
from ftbuild.building.plan import Plan, plan
from ftbuild.building.stages import Stage
from ftbuild.catalogue import load
from ftbuild.model.spec import Host
from ftbuild.model.versions import Variant
from tests.builders import HOST, specification

PROFILES = load().profiles

CALLER = {
    "PATH": "/usr/bin",
    "HOME": "/home/user",
    "CFLAGS": "-O0",
    "LDFLAGS": "-lx",
    "MAKEFLAGS": "-j64",
    "PYTHONPATH": "/elsewhere",
    "PYTHONHASHSEED": "1",
    "CC": "tcc",
    "LANG": "de_DE.UTF-8",
}
"""An environment full of what must not reach a build."""


def planned(
    profile: str = "fast",
    variant: Variant = Variant.FREE_THREADED,
    *,
    host: Host = HOST,
    training: Path | None = None,
    frozen: bool = False,
    work: Path = Path("/root/work/1/x"),
    prefix: Path = Path("/root/store/cpython-3.14.7t-12345678"),
    **asked: Any,
) -> Plan:
    """The plan of a build of 3.14.7."""
    recipe = PROFILES[profile]
    made = {
        "profile": profile,
        "pgo": recipe.pgo,
        "lto": recipe.lto,
        "debug": recipe.debug,
        "flags": configure_flags(recipe, "3.14.7", variant, host.compiler),
        "stage_flags": stage_flags(recipe, variant, host.compiler, debug_info=False),
    }
    spec = specification(variant, **made | asked)
    return plan(
        spec,
        name=spec.friendly_name("fast"),
        profile=recipe,
        host=host,
        environment=CALLER,
        variables={"PKG_CONFIG_PATH": "/opt/lib/pkgconfig"},
        source=work.parent / "source",
        work=work,
        prefix=prefix,
        jobs=3,
        training=training,
        frozen=frozen,
    )


def of_shell(folder: Path, **scripts: str) -> Plan:
    """A plan whose stages are shell scripts; those named `compile…` draw on the job budget."""
    tree = folder / "build"
    tree.mkdir(parents=True, exist_ok=True)
    stages = tuple(
        Stage(
            name=name,
            argv=("/bin/sh", "-c", script),
            cwd=tree,
            parallel=name.startswith("compile"),
        )
        for name, script in scripts.items()
    )
    made = planned(work=folder)
    environment = {**made.environment, "PATH": "/usr/bin:/bin"}
    return msgspec.structs.replace(made, stages=stages, environment=environment)
