"""Makes builds: all at once within one job budget, each verified before it is linked."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from ftbuild import toolchain
from ftbuild.building.engine import Runner, together
from ftbuild.building.jobs import JobBudget
from ftbuild.building.plan import SITE, SUPPRESSIONS, Plan, plan
from ftbuild.building.record import Source, manifest_of
from ftbuild.building.resolve import without_pgo
from ftbuild.errors import EnvironmentFault, FtbuildError, Interrupted, Refused, TrainingFailed
from ftbuild.fetch import printable
from ftbuild.fetch.unpack import unpack
from ftbuild.files import make_directory, write_atomically
from ftbuild.model.events import (
    BuildFinished,
    BuildQueued,
    Noted,
    StageFinished,
    StageStarted,
    Warned,
)
from ftbuild.model.manifest import Installation
from ftbuild.model.recipes import Profile
from ftbuild.model.report import Report
from ftbuild.model.spec import BuildSpec, Host
from ftbuild.model.versions import Variant, series_of
from ftbuild.provision.choose import Job, job_for
from ftbuild.provision.ingredients import ingredients
from ftbuild.provision.prove import failures, verified
from ftbuild.provision.training import Training, prepare, profile_place, store, training_for
from ftbuild.provision.world import Options, World
from ftbuild.store.configured import cache_place, keep_configured, prepare_configure
from ftbuild.store.layout import Layout, require_space
from ftbuild.store.links import link
from ftbuild.store.listing import installations, installed
from ftbuild.store.prefixes import claimed, complete, placed
from ftbuild.store.tree import hash_tree
from ftbuild.store.work import scratch


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one build that was asked for.

    Attributes:
        name: Friendly name.
        status: `installed`, `present` (nothing to do), `failed` or `stopped`.
        installation: The build, where there is one now.
        seconds: Wall time since it was given a job slot; 0 where nothing was done.
        report: What verify found, where it ran.
        error: Why it failed.
    """

    name: str
    status: str
    installation: Installation | None = None
    seconds: float = 0.0
    report: Report | None = None
    error: FtbuildError | None = None


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """What all builds of a run share."""

    world: World
    options: Options
    host: Host
    slots: int
    work: Path
    runner: Runner
    sources: dict[str, Source]
    trainings: dict[str, Training | None]


def make_all(
    todo: Sequence[Job], options: Options, world: World, host: Host
) -> tuple[Outcome, ...]:
    """Make the builds at once, within one job budget, from one source tree per release."""
    _require_tools(todo, host)
    _require_loading(todo, options, world, host)
    _warn_of_missing(todo, world, host)
    slots = options.jobs or host.cpus
    profiles = [world.catalogue.profile(job.spec.profile) for job in todo]
    require_space(world.layout, sum(profile.disk for profile in profiles))
    versions = dict.fromkeys(job.spec.version for job in todo)
    fetched = {version: world.sources.fetch(version) for version in versions}
    with (
        scratch(world.layout) as work,
        JobBudget(slots, directory=work, make=host.make) as budget,
    ):
        sources = {}
        for version, tarball in fetched.items():
            world.emit(Noted(text=f"unpacking {tarball.path.name}"))
            tree = unpack(tarball.path, work / f"source-{version}", stop=world.stop)
            origin = printable(tarball.origin.url) if tarball.origin else "the source cache"
            sources[version] = Source(
                origin=origin,
                upstream=world.sources.upstream(version),
                size=tarball.path.stat().st_size,
                tree=tree,
            )
        run = _Run(
            world=world,
            options=options,
            host=host,
            slots=slots,
            work=work,
            runner=Runner(budget=budget, emit=world.emit, stop=world.stop),
            sources=sources,
            trainings={job.store_name: training_of(job, options, world) for job in todo},
        )
        for job in todo:
            _announce(job, run)
        # Where there are more builds than jobs, the second of a pair finds what configure found
        # out for the first.
        order = sorted(todo, key=lambda job: job.spec.variant is Variant.FREE_THREADED)
        made = together(
            [partial(_make, job, run) for job in order],
            stop=world.stop,
            enough=lambda outcome: options.fail_fast and outcome.status == "failed",
        )
        outcomes = dict(zip(order, made, strict=True))
        return tuple(outcomes[job] for job in todo)


def training_of(job: Job, options: Options, world: World) -> Training | None:
    """The profile that a job is to use, or None where it has to train."""
    place = profile_place(job.spec, world.layout, world.catalogue.default_profile)
    return training_for(job.spec, place, options.profile_data, world.emit, retrain=options.retrain)


def _require_tools(todo: Sequence[Job], host: Host) -> None:
    """A tool of another version than the compiler spoils a build only after its training."""
    lacking = toolchain.lacking_tools(
        host.compiler,
        pgo=any(job.spec.pgo for job in todo),
        lto=any(job.spec.lto for job in todo),
        system=host.system,
    )
    if lacking:
        raise EnvironmentFault(
            f"{host.compiler.path} (version {host.compiler.version}) comes without "
            f"{', '.join(lacking)} of that version, which PGO and LTO need",
            hint=f"`ftbuild doctor --toolchain {host.compiler.path}` has the command that installs "
            "it; the fast profile needs neither.",
        )


def _require_loading(todo: Sequence[Job], options: Options, world: World, host: Host) -> None:
    """A library that links and does not load ends a build only when its module is imported."""
    if options.configure_args:  # they may be the very way out
        return
    known = world.catalogue.libraries
    names = {library.name for job in todo for library in job.spec.libraries}
    recipes = {name: known[name] for name in sorted(names) if known[name].imports}
    env = toolchain.probe_environment(known, system=host.system, env=world.env)
    trials = toolchain.try_libraries(recipes, compiler=host.compiler, env=env, elsewhere=True)
    lines = [f"  {name}: {trial.unloaded}" for name, trial in trials.items() if trial.unloaded]
    if lines:
        raise EnvironmentFault(
            "\n".join(("libraries can be linked with, but not loaded", *lines)),
            hint="\n".join(dict.fromkeys(trial.way for trial in trials.values() if trial.way)),
        )


def _warn_of_missing(todo: Sequence[Job], world: World, host: Host) -> None:
    """Say which standard-library modules these builds will lack, and how to get them."""
    missing = dict.fromkeys(module for job in todo for module in _missing(job, world, host))
    if missing:
        world.emit(
            Warned(
                text=f"without {', '.join(missing)}: libraries were not found "
                "(`ftbuild doctor` has the command that installs them)"
            )
        )


def _missing(job: Job, world: World, host: Host) -> tuple[str, ...]:
    absent = toolchain.absent(
        job.spec.libraries,
        world.catalogue.libraries,
        series_of(job.spec.version),
        host.system,
    )
    return tuple(module for modules in absent.values() for module in modules)


def _promised(job: Job, run: _Run) -> tuple[str, ...]:
    return toolchain.promised(
        job.spec.libraries,
        run.world.catalogue.libraries,
        series_of(job.spec.version),
        run.host.system,
    )


def _announce(job: Job, run: _Run) -> None:
    made = _plan_in(job, run)
    run.world.emit(
        BuildQueued(
            build=job.name,
            stages=(*(stage.name for stage in (*made.stages, *made.settle)), "verify"),
            expected=_earlier(job.spec, run.world.layout),
        )
    )


def _make(job: Job, run: _Run) -> Outcome:
    """Make one build, or find that another run has made it meanwhile."""
    world = run.world
    seconds, report = 0.0, None
    try:
        with claimed(
            world.layout,
            job.store_name,
            stop=world.stop,
            on_wait=lambda: world.emit(Noted(text=f"{job.name}: another run is building it")),
        ):
            have = installed(world.layout, job.spec, job.store_name)
            if have is None or run.options.force:
                with run.runner.budget.slot(world.stop):
                    started = time.monotonic()
                    have, report = _install(job, run)
                    seconds = time.monotonic() - started
            link(world.layout, have, default_profile=world.catalogue.default_profile)
    except TrainingFailed as error:
        if run.options.pgo_fallback:
            world.emit(Warned(text=f"{error.message}; building it again without PGO"))
            return _make(job_for(without_pgo(job.spec), world), run)
        outcome = Outcome(name=job.name, status="failed", error=error)
    except Interrupted as error:
        outcome = Outcome(name=job.name, status="stopped", error=error)
    except FtbuildError as error:
        outcome = Outcome(name=job.name, status="failed", error=error)
    else:
        outcome = Outcome(
            name=job.name,
            status="present" if report is None else "installed",
            installation=have,
            report=report,
            seconds=seconds,
        )
    detail = outcome.error.message if outcome.error else ""
    world.emit(BuildFinished(build=job.name, outcome=outcome.status, detail=detail))
    return outcome


def _install(job: Job, run: _Run) -> tuple[Installation, Report]:
    """Build, put in place, verify and record one build; its lock and a job slot are held."""
    world = run.world
    began = datetime.now(UTC)
    # To the microsecond: a run that takes over from a killed one may begin in the same second.
    logs = world.layout.logs / f"{began:%Y%m%d-%H%M%S.%f}-{job.store_name}"
    source = run.sources[job.spec.version]
    profile = world.catalogue.profile(job.spec.profile)
    work = run.work / job.store_name
    plan = _plan_in(job, run)
    answers = cache_place(job.spec, run.host, _variables(world, run.host), world.layout)
    try:
        make_directory(logs)
        plan.tree.mkdir(parents=True)
        prepare_configure(answers, plan.tree, work / SITE)
        training = run.trainings.get(job.store_name)
        if training is not None:
            prepare(training, plan.tree)
        built = run.runner.build(plan, logs=logs)
        _add_suppressions(plan, profile)
        with placed(world.layout, job.store_name, plan.staged_prefix) as prefix:
            settled = tuple(run.runner.stage(plan, stage, logs=logs) for stage in plan.settle)
            hashes = hash_tree(prefix)
            manifest = manifest_of(
                plan,
                built,
                source=source,
                host=run.host,
                profile=profile,
                promised=_promised(job, run),
                missing=_missing(job, world, run.host),
                contents=hashes,
                ingredients=ingredients(prefix, plan, hashes, env=world.env, stop=world.stop),
                settled=settled,
                jobs=run.slots,
                started=began,
                training=_origin(job.spec, training),
            )
            installation = Installation(prefix=prefix, manifest=manifest)
            report = _proven(installation, run, logs)
            complete(prefix, manifest, hashes)
        keep_configured(answers, plan.tree)
        if job.spec.pgo and training is None:
            default = world.catalogue.default_profile
            store(job.spec, profile_place(job.spec, world.layout, default), plan.tree, world.emit)
    except OSError as error:
        raise EnvironmentFault(
            f"{job.name}: {error.strerror}: {error.filename}",
            hint="Is there space left on the disk, and is the root still writable?",
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return installation, report


def _origin(spec: BuildSpec, training: Training | None) -> str | None:
    if not spec.pgo:
        return None
    return "trained" if training is None else training.kind


def _proven(installation: Installation, run: _Run, logs: Path) -> Report:
    """The report of a build that passed its checks.

    Raises:
        Refused: It did not pass; the report is beside the logs.
    """
    world = run.world
    name = installation.manifest.name
    log = logs / "verify.json"
    world.emit(StageStarted(build=name, stage="verify", log=log))
    started = time.monotonic()
    report = verified(installation, world, run.work / f"verify-{name}", world.checks)
    write_atomically(log, msgspec.json.format(msgspec.json.encode(report)), durable=False)
    if not report.ok:
        raise Refused(
            f"{name}: {failures(report)}",
            hint=f"It was not linked. The prefix is kept for a look: {installation.prefix}.failed",
            log=log,
        )
    seconds = time.monotonic() - started
    world.emit(StageFinished(build=name, stage="verify", seconds=seconds))
    return report


def _plan_in(job: Job, run: _Run) -> Plan:
    source = run.sources[job.spec.version].tree
    work = run.work / job.store_name
    return plan_of(
        job,
        run.world,
        run.host,
        source=source,
        work=work,
        slots=run.slots,
        training=run.trainings.get(job.store_name),
    )


def plan_of(
    job: Job,
    world: World,
    host: Host,
    *,
    source: Path,
    work: Path,
    slots: int,
    training: Training | None,
) -> Plan:
    """The plan of a job, below a scratch directory of its own."""
    return plan(
        job.spec,
        name=job.name,
        profile=world.catalogue.profile(job.spec.profile),
        host=host,
        environment=world.env,
        variables=_variables(world, host),
        source=source,
        work=work,
        prefix=world.layout.store / job.store_name,
        jobs=slots,
        training=None if training is None else training.path,
        frozen=training is not None and training.frozen,
    )


def _variables(world: World, host: Host) -> dict[str, str]:
    """By which configure finds this host's libraries."""
    return toolchain.library_environment(
        world.catalogue.libraries, system=host.system, env=world.env
    )


def _add_suppressions(plan: Plan, profile: Profile) -> None:
    """Install the sanitizer's suppression list, where the profile has one for this variant."""
    listed = profile.suppressions.get(plan.spec.variant)
    if listed is not None:
        target = plan.staged_prefix / SUPPRESSIONS
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(plan.source / listed, target)


def _earlier(spec: BuildSpec, layout: Layout) -> dict[str, float]:
    """Seconds that each stage of the latest build of the same kind took, if there is one."""
    for item in installations(layout):
        other = item.spec
        if (series_of(other.version), other.variant, other.profile, other.compiler) == (
            series_of(spec.version),
            spec.variant,
            spec.profile,
            spec.compiler,
        ):
            return {stage.name: stage.seconds for stage in item.manifest.used.stages}
    return {}
