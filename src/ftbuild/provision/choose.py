"""Which builds a run is to make sure of: requests, made definite by what can be had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ftbuild import toolchain
from ftbuild.archive.stores import Offer
from ftbuild.building.resolve import Wanted, specify, want
from ftbuild.errors import EnvironmentFault
from ftbuild.fetch import Unavailable
from ftbuild.model.archive import archive_name
from ftbuild.model.events import Warned
from ftbuild.model.manifest import Installation, Manifest
from ftbuild.model.spec import BuildSpec, Host, Platform
from ftbuild.model.versions import Request, Variant, series_of
from ftbuild.provision.training import with_given
from ftbuild.provision.world import Options, World
from ftbuild.store.listing import installed, is_linked


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One build that a run is to make sure of."""

    spec: BuildSpec
    name: str
    store_name: str


def resolve(requests: Sequence[Request], options: Options, world: World, host: Host) -> list[Job]:
    """The builds that the requests mean, each once; a series is resolved once for all of them."""
    jobs: dict[str, Job] = {}
    chosen: dict[str, str] = {}
    for request in requests:
        wanted = want(request, world.catalogue, options.profile)
        if request.release is None and request.series not in chosen:
            chosen[request.series] = _choose(wanted, options, world, host)
        version = request.release or chosen[request.series]
        for variant in wanted.variants:
            job = job_of(version, variant, wanted, options, world, host)
            jobs.setdefault(job.store_name, job)
    return list(jobs.values())


def foresee(requests: Sequence[Request], options: Options, world: World, host: Host) -> list[Job]:
    """The builds that the requests mean, as far as can be told without asking the network.

    A series is taken for the newest release whose source is in the cache, else for its newest.
    """
    jobs: dict[str, Job] = {}
    for request in requests:
        wanted = want(request, world.catalogue, options.profile)
        cached = (version for version in wanted.candidates if world.sources.cached(version))
        version = next(cached, wanted.candidates[0])
        for variant in wanted.variants:
            job = job_of(version, variant, wanted, options, world, host)
            jobs.setdefault(job.store_name, job)
    return list(jobs.values())


def obtain(wanted: Wanted, world: World, *, there: Callable[[str], bool]) -> str:
    """The first candidate that is `there` or can be fetched; warns of those it passes over.

    Where one is there, newer ones that could not be had within the last hour are not asked for.

    Raises:
        Unavailable: None can be had; what every origin said to the newest.
    """
    installed = next((version for version in wanted.candidates if there(version)), None)
    missed: dict[str, Unavailable | None] = {}
    for version in wanted.candidates:
        if version != installed:
            if installed is not None and world.sources.missed_lately(version):
                missed[version] = None
                continue
            try:
                world.sources.fetch(version)
            except Unavailable as error:
                missed[version] = error
                continue
        if missed:
            _warn_of_passed_over(wanted.request.series, version, tuple(missed), world)
        return version
    newest = next(iter(missed.values()))
    assert newest is not None  # noqa: S101 - only skipped where another one is installed
    raise newest


def _warn_of_passed_over(series: str, version: str, missed: tuple[str, ...], world: World) -> None:
    world.emit(
        Warned(
            text=f"{series} is {version} here: no origin has {', '.join(missed)} "
            f"(`ftbuild fetch {missed[0]}` tells more)"
        )
    )


def repeat(
    manifest: Manifest, options: Options, world: World
) -> tuple[tuple[Request, ...], Options]:
    """The request and the options that make the build of a manifest again.

    Raises:
        EnvironmentFault: On this host it would be another build; the message says in what.
    """
    spec = manifest.spec
    compiler = options.compiler
    if compiler == "auto":
        there = manifest.used.compiler
        compiler = there.path if Path(there.path).exists() else there.family
    options = msgspec.structs.replace(
        options,
        compiler=compiler,
        configure_args=spec.configure_args,
        debug_info=spec.debug_info,
    )
    host = toolchain.read_host(world.catalogue, want=options.compiler, env=world.env)
    here = specify(
        spec.version,
        spec.variant,
        catalogue=world.catalogue,
        profile=spec.profile,
        host=host,
        configure_args=spec.configure_args,
        debug_info=spec.debug_info,
    )
    here = with_given(here, options.profile_data)
    if here.digest != spec.digest:
        differing = (
            f"  {name}: {getattr(spec, name)} there, {getattr(here, name)} here"
            for name in spec.__struct_fields__
            if getattr(spec, name) != getattr(here, name)
        )
        raise EnvironmentFault(
            "\n".join((f"this host cannot repeat {manifest.name}:", *differing)),
            hint=f"`ftbuild build {spec.version}{spec.variant.suffix} --profile {spec.profile}` "
            "makes the nearest that this host can.",
        )
    request = Request(
        text=manifest.name,
        series=series_of(spec.version),
        release=spec.version,
        variant=spec.variant,
        profile=spec.profile,
    )
    return (request,), options


def job_of(
    version: str, variant: Variant, wanted: Wanted, options: Options, world: World, host: Host
) -> Job:
    """The job of one build that a request wants."""
    spec = specify(
        version,
        variant,
        catalogue=world.catalogue,
        profile=wanted.profile,
        host=host,
        configure_args=options.configure_args,
        debug_info=options.debug_info,
    )
    return job_for(with_given(spec, options.profile_data), world)


def job_for(spec: BuildSpec, world: World) -> Job:
    """The job that makes what a specification asks for."""
    default = world.catalogue.default_profile
    return Job(spec=spec, name=spec.friendly_name(default), store_name=spec.store_name(default))


def offers(job: Job, world: World, platform: Platform) -> tuple[Offer, ...]:
    """The archives that are said to hold what a job would make."""
    return world.archives.offers(archive_name(job.store_name, platform))


def linked(job: Job, world: World) -> Installation | None:
    """The job's installation if there is nothing left to do for it."""
    have = installed(world.layout, job.spec, job.store_name)
    return have if have is not None and is_linked(world.layout, have) else None


def _choose(wanted: Wanted, options: Options, world: World, host: Host) -> str:
    """The newest candidate that is installed as asked or packed, or whose source can be had."""

    def there(version: str) -> bool:
        jobs = (job_of(version, v, wanted, options, world, host) for v in wanted.variants)
        return not options.force and all(
            linked(job, world) or offers(job, world, host.platform) for job in jobs
        )

    return obtain(wanted, world, there=there)
