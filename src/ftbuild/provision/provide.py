"""From requests to installed builds, in one call each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ftbuild import toolchain
from ftbuild.building.arguments import check_arguments
from ftbuild.building.plan import render
from ftbuild.model.recipes import Catalogue
from ftbuild.model.report import Report
from ftbuild.model.spec import BuildSpec
from ftbuild.model.versions import Request, is_prerelease, series_of
from ftbuild.provision.archives import take
from ftbuild.provision.choose import foresee, linked, resolve
from ftbuild.provision.make import Outcome, make_all, plan_of, training_of
from ftbuild.provision.prove import judge_pairs
from ftbuild.provision.training import warn_of_unfit
from ftbuild.provision.world import Options, World
from ftbuild.store.layout import is_writable, require_plain, require_writable
from ftbuild.store.links import refresh
from ftbuild.store.listing import find, installations, is_linked


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did.

    Attributes:
        outcomes: The builds, in the order they were asked for.
        pairs: The verdicts on pairs.
    """

    outcomes: tuple[Outcome, ...]
    pairs: tuple[Report, ...]


def provide(requests: Sequence[Request], options: Options, world: World) -> Summary:
    """Make sure that every build asked for is installed, verified and linked.

    Raises:
        UsageError: The catalogue cannot satisfy a request.
        EnvironmentFault: No compiler, no source, no space, a launcher's place that is taken:
            nothing was started.
        Interrupted: The run was stopped; nothing half-made is left.
    """
    check_arguments(options.configure_args, requests)
    host = toolchain.read_host(world.catalogue, want=options.compiler, env=world.env)
    jobs = resolve(requests, options, world, host)
    warn_of_unfit(options.profile_data, [job.spec for job in jobs], world.emit)
    outcomes = {
        job.store_name: Outcome(name=job.name, status="present", installation=have)
        for job in jobs
        if not options.force and (have := linked(job, world)) is not None
    }
    # A launcher may have gone since, or its place was taken when it was due.
    if outcomes and is_writable(world.layout):
        refresh(
            world.layout,
            default_profile=world.catalogue.default_profile,
            asked=[outcome.name for outcome in outcomes.values()],
        )
    todo = [job for job in jobs if job.store_name not in outcomes]
    if todo:
        require_writable(world.layout)
    if todo and not options.force:
        outcomes |= take(todo, world, host.platform)
        todo = [job for job in jobs if job.store_name not in outcomes]
    if todo:
        made = make_all(todo, options, world, host)
        outcomes |= {job.store_name: outcome for job, outcome in zip(todo, made, strict=True)}
    there = [outcome.installation for outcome in outcomes.values() if outcome.installation]
    return Summary(
        outcomes=tuple(outcomes[job.store_name] for job in jobs),
        pairs=judge_pairs(there, world.layout),
    )


def rehearse(requests: Sequence[Request], options: Options, world: World) -> str:
    """The commands that `provide` would run, as a shell script. Asks no network, writes nothing."""
    require_plain(world.layout)
    check_arguments(options.configure_args, requests)
    host = toolchain.read_host(world.catalogue, want=options.compiler, env=world.env)
    work = world.layout.work / "RUN"
    plans = (
        plan_of(
            job,
            world,
            host,
            source=work / f"Python-{job.spec.version}",
            work=work / job.store_name,
            slots=options.jobs or host.cpus,
            training=training_of(job, options, world),
        )
        for job in foresee(requests, options, world, host)
    )
    return "\n\n".join(render(plan, jobs=options.jobs or host.cpus) for plan in plans)


def specify(requests: Sequence[Request], options: Options, world: World) -> tuple[BuildSpec, ...]:
    """What `provide` would make, as far as can be told without a network. Writes nothing.

    Raises:
        UsageError: The catalogue cannot satisfy a request.
        EnvironmentFault: There is no compiler or no make.
    """
    check_arguments(options.configure_args, requests)
    host = toolchain.read_host(world.catalogue, want=options.compiler, env=world.env)
    return tuple(job.spec for job in foresee(requests, options, world, host))


def upgrade(requests: Sequence[Request], world: World) -> Summary:
    """Make sure that every installed build has its series' newest release beside it.

    The same way: profile, compiler and arguments of configure are those of the build there is.

    Args:
        requests: The series to look at; all installed ones if empty.
        world: As for `provide`.

    Raises:
        UsageError: Nothing installed fits a request.
    """
    default = world.catalogue.default_profile
    everything = [item for item in installations(world.layout) if is_linked(world.layout, item)]
    found = [
        item
        for request in requests
        for item in find(world.layout, request, default_profile=default)
    ]
    groups: dict[Options, dict[Request, None]] = {}
    for item in found or everything:
        spec = item.spec
        if is_prerelease(spec.version) and not _has_final(spec.version, world.catalogue):
            continue
        request = Request(
            text=f"{series_of(spec.version)}{spec.variant.suffix}",
            series=series_of(spec.version),
            variant=spec.variant,
            profile=spec.profile,
        )
        same = Options(
            profile=spec.profile,
            compiler=item.manifest.used.compiler.path,
            configure_args=spec.configure_args,
            debug_info=spec.debug_info,
        )
        groups.setdefault(same, {})[request] = None
    summaries = [provide(tuple(group), options, world) for options, group in groups.items()]
    return Summary(
        outcomes=tuple(outcome for summary in summaries for outcome in summary.outcomes),
        pairs=tuple(pair for summary in summaries for pair in summary.pairs),
    )


def _has_final(version: str, catalogue: Catalogue) -> bool:
    series = series_of(version)
    return any(series_of(v) == series and not is_prerelease(v) for v in catalogue.releases)
