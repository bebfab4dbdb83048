"""What a finished build writes into its manifest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

import ftbuild
from ftbuild.building.engine import Built
from ftbuild.building.evidence import read_evidence
from ftbuild.building.plan import SUPPRESSIONS, Plan, sanitizer_environment
from ftbuild.model.components import Component, Linked
from ftbuild.model.manifest import FORMAT, Manifest, Result, StageRecord, Used
from ftbuild.model.recipes import Profile
from ftbuild.model.spec import Host
from ftbuild.store.profiles import profile_digest
from ftbuild.store.tree import Tree


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The source of a release.

    Attributes:
        origin: Where it came from, fit to print.
        upstream: Where its publisher offers it; empty if the catalogue does not have it.
        size: Bytes of the tarball.
        tree: Where it was unpacked.
    """

    origin: str
    upstream: str
    size: int
    tree: Path


class Ingredients(msgspec.Struct, frozen=True, kw_only=True):
    """What went into a build beside CPython's own code; None: it could not be found out."""

    bundled: tuple[Component, ...] | None
    linked: tuple[Linked, ...] | None


def manifest_of(
    plan: Plan,
    built: Built,
    *,
    source: Source,
    host: Host,
    profile: Profile,
    promised: tuple[str, ...],
    missing: tuple[str, ...],
    contents: Tree,
    ingredients: Ingredients,
    settled: tuple[StageRecord, ...],
    jobs: int,
    started: datetime,
    training: str | None,
) -> Manifest:
    """The manifest of a build whose prefix is in place. Reads the build's log and profile data."""
    with built.compile_log.open(errors="replace") as log:
        evidence = read_evidence(log)
    trained = profile_digest(plan.tree) if plan.spec.pgo else None

    def short(text: str) -> str:
        """Without this run's scratch directory, which differs from run to run and is gone."""
        return text.replace(f"{plan.source.parent}/", "").replace(f"{plan.tree.parent}/", "")

    return Manifest(
        format=FORMAT,
        name=plan.name,
        digest=plan.spec.digest,
        spec=plan.spec,
        used=Used(
            ftbuild=ftbuild.__version__,
            origin=source.origin,
            source_size=source.size,
            compiler=host.compiler,
            make=host.make,
            promised=promised,
            configure=tuple(short(word) for word in plan.stages[0].argv),
            environment=dict(profile.environment),
            compile_command=short(evidence.compile_command),
            link_command=short(evidence.link_command),
            system=host.system,
            machine=host.machine,
            libc=host.libc,
            kernel=host.kernel,
            jobs=jobs,
            training=training,
            stages=(*built.stages, *settled),
            started=started.isoformat(timespec="milliseconds"),
            upstream=source.upstream,
            bundled=ingredients.bundled,
            linked=ingredients.linked,
        ),
        result=Result(
            pgo=trained is not None,
            lto="-flto" in evidence.link_command,
            training_profile=trained,
            missing=missing,
            environment=sanitizer_environment(profile, plan.prefix / SUPPRESSIONS),
            size=contents.size,
            files=contents.count,
            files_sha256=contents.sha256,
            links=dict(contents.links),
            executables=contents.executables,
        ),
    )
