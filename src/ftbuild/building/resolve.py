"""From a request to specifications: which releases come into question, and what each asks for."""

from __future__ import annotations

import msgspec
from packaging.version import Version

from ftbuild.building.arguments import implied_arguments
from ftbuild.building.flags import configure_flags, stage_flags
from ftbuild.model.recipes import Catalogue
from ftbuild.model.spec import BuildSpec, Host, Library, StageFlags
from ftbuild.model.versions import Request, Variant, series_of


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What one request means in terms of the catalogue.

    Attributes:
        request: The request.
        candidates: Releases that satisfy it, best first; one when it names a release.
        variants: The builds it asks for.
        profile: The profile's name.
    """

    request: Request
    candidates: tuple[str, ...]
    variants: tuple[Variant, ...]
    profile: str


def want(request: Request, catalogue: Catalogue, profile: str | None) -> Wanted:
    """Interpret a request.

    Args:
        request: What was asked.
        catalogue: What there is.
        profile: The profile given as an option; one named in the request goes before it.

    Raises:
        UsageError: The catalogue has no such release, series or profile.
    """
    if request.release is not None:
        catalogue.release(request.release)
        candidates: tuple[str, ...] = (request.release,)
    else:
        candidates = catalogue.candidates(request.series)
    name = request.profile or profile or catalogue.default_profile
    catalogue.profile(name)
    return Wanted(request=request, candidates=candidates, variants=request.variants, profile=name)


def specify(
    version: str,
    variant: Variant,
    *,
    catalogue: Catalogue,
    profile: str,
    host: Host,
    configure_args: tuple[str, ...],
    debug_info: bool = False,
) -> BuildSpec:
    """The specification of one build on this host."""
    recipe = catalogue.profile(profile)
    compiler = host.compiler
    debug_info = debug_info or recipe.debug_info
    return BuildSpec(
        version=version,
        variant=variant,
        profile=profile,
        source_sha256=catalogue.release(version).sha256,
        pgo=recipe.pgo,
        lto=recipe.lto,
        debug=recipe.debug,
        sanitizer=recipe.sanitizer,
        flags=(
            *configure_flags(recipe, version, variant, compiler),
            *implied_arguments(configure_args),
        ),
        stage_flags=stage_flags(recipe, variant, compiler, debug_info=debug_info),
        configure_args=configure_args,
        compiler=compiler.identity,
        debug_info=debug_info,
        libraries=_used(host.libraries, catalogue, version),
    )


def without_pgo(spec: BuildSpec) -> BuildSpec:
    """The same build without profile-guided optimisation: another specification, another digest."""
    flags = tuple(flag for flag in spec.flags if flag != "--enable-optimizations")
    stages = StageFlags(compile=spec.stage_flags.compile, link=spec.stage_flags.link)
    return msgspec.structs.replace(spec, pgo=False, flags=flags, stage_flags=stages)


def _used(
    libraries: tuple[Library, ...], catalogue: Catalogue, version: str
) -> tuple[Library, ...]:
    """The libraries that this release makes use of: zstd, for one, only from 3.14."""
    series = Version(series_of(version))
    return tuple(
        library
        for library in libraries
        if Version(catalogue.libraries[library.name].since) <= series
    )
