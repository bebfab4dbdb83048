"""Verifies installed builds, and judges the pairs among them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from ftbuild import process, toolchain
from ftbuild.model.events import Noted
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Report
from ftbuild.model.versions import Variant
from ftbuild.provision.world import World
from ftbuild.store.layout import Layout
from ftbuild.store.pairs import read_verdict, save_verdict
from ftbuild.store.work import scratch_or_temporary
from ftbuild.verifying import Checker, Context, compare, verify


def check(
    found: Sequence[Installation], world: World, *, checks: Sequence[Checker]
) -> tuple[Report, ...]:
    """Verify installed builds; changes nothing below the root, which may be somebody else's."""
    reports = []
    # Below the root, where it is ours: what is left when this run is killed, the next one clears.
    with scratch_or_temporary(world.layout) as work:
        for item in found:
            world.emit(Noted(text=f"verifying {item.manifest.name}"))
            reports.append(verified(item, world, work / item.prefix.name, checks))
    return tuple(reports)


def judge_pairs(
    found: Iterable[Installation], layout: Layout, *, again: bool = False
) -> tuple[Report, ...]:
    """The verdict on every pair of which both builds are among `found`.

    Args:
        found: Installed builds.
        layout: Where verdicts are recorded.
        again: Pass a new verdict where one is recorded already.
    """
    by_key: dict[tuple[str, str], dict[Variant, Installation]] = {}
    for item in found:
        # The first of a kind: where one was replaced, the newest build comes first.
        variants = by_key.setdefault((item.spec.version, item.spec.profile), {})
        variants.setdefault(item.spec.variant, item)
    reports = []
    for pair in by_key.values():
        gil, free_threaded = pair.get(Variant.GIL), pair.get(Variant.FREE_THREADED)
        if gil is None or free_threaded is None:
            continue
        report = None if again else read_verdict(layout, gil, free_threaded)
        if report is None:
            report = compare(gil, free_threaded)
            with contextlib.suppress(OSError):  # a root we may not write to: judged, not recorded
                save_verdict(layout, gil, free_threaded, report)
        reports.append(report)
    return tuple(reports)


def failures(report: Report) -> str:
    """What a report found wrong, in one line."""
    return f"{len(report.failed)} of {len(report.checks)} checks failed: " + "; ".join(
        f"{check.name}: expected {check.expected}, found {check.found}" for check in report.failed
    )


def verified(
    installation: Installation, world: World, scratch_dir: Path, checks: Sequence[Checker]
) -> Report:
    """Make checks on one build; the directory given is made and is theirs to write in."""
    scratch_dir.mkdir(exist_ok=True)
    context = Context(
        env={
            **world.env,
            **installation.manifest.result.environment,
            process.MARK: str(scratch_dir),  # should this run be killed, the next one ends them
        },
        scratch=scratch_dir,
        cpus=toolchain.usable_cpus(),
        compiler=installation.manifest.used.compiler,
        stop=world.stop,
    )
    return verify(installation, checks=checks, context=context)
