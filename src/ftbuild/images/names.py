"""Which image is meant, and what it is called: `3.14-both`, `3.14t-dev`, `3.14-bookworm`."""

from __future__ import annotations

import enum

import msgspec

from ftbuild.errors import UsageError
from ftbuild.model.recipes import Base, Catalogue
from ftbuild.model.versions import Request, Variant, is_prerelease, nearest, series_of

REPOSITORY = "ftbuild"
"""What images are called where no other name is given."""


class Flavour(enum.StrEnum):
    """What an image holds beside the interpreters.

    Attributes:
        SLIM: What programs need that run.
        DEV: Compiler, headers of the libraries, tests, static libraries and debug information.
        TSAN: Builds with ThreadSanitizer, and the compiler for extensions that are to be checked.
    """

    SLIM = "slim"
    DEV = "dev"
    TSAN = "tsan"

    @property
    def profile(self) -> str | None:
        """The profile its builds have; None for the default or the one that is asked for."""
        return "tsan" if self is Flavour.TSAN else None


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """One image, definite in everything.

    Attributes:
        release: The release of CPython.
        series_named: Whether it is named for the release's series, as the newest of it.
        variant: The one build in it, or None for both.
        flavour: What else is in it.
        base_name: The short name of its base.
        base: The recipe of that.
        default_base: Whether that is the one that goes without saying.
        profile: The profile of its builds.
        default_profile: Whether that is the one that goes without saying.
    """

    release: str
    series_named: bool
    variant: Variant | None
    flavour: Flavour
    base_name: str
    base: Base
    default_base: bool
    profile: str
    default_profile: bool

    @property
    def request(self) -> str:
        """Its builds, as `ftbuild build` takes them: `3.14.7`, `3.14.7t`, `3.14.7+gil`."""
        if self.variant is None:
            return self.release
        return self.release + {Variant.GIL: "+gil", Variant.FREE_THREADED: "t"}[self.variant]

    @property
    def primary(self) -> Variant:
        """The build that `python3` and `pip` are."""
        return self.variant or Variant.GIL

    @property
    def tag(self) -> str:
        """Its tag: `3.14-both`, `3.14t`, `3.14.7-dev-bookworm`."""
        version = series_of(self.release) if self.series_named else self.release
        words = [version + (self.variant.suffix if self.variant else "-both")]
        if self.flavour is not Flavour.SLIM:
            words.append(self.flavour.value)
        if not self.default_profile:
            words.append(self.profile)
        if not self.default_base:
            words.append(self.base_name)
        return "-".join(words)

    @property
    def name(self) -> str:
        """What it is called where no other name is given: `ftbuild:3.14-both`."""
        return f"{REPOSITORY}:{self.tag}"


def image_of(
    request: Request,
    release: str,
    catalogue: Catalogue,
    *,
    base: str = "",
    flavour: str = "",
    profile: str = "",
) -> Image:
    """The image that a request means, its release being known.

    Args:
        request: What was asked for.
        release: The release that it means.
        catalogue: Has the bases and the profiles.
        base: The name of the base; empty for the catalogue's default.
        flavour: `slim`, `dev`, `tsan`; empty for `slim`.
        profile: The profile, where the request names none; empty for the flavour's, or the
            catalogue's default.

    Raises:
        UsageError: There is no such base, flavour or profile, or they do not go together.
    """
    chosen = _flavour(flavour)
    wanted = request.profile or profile
    if wanted and chosen.profile not in {None, wanted}:
        raise UsageError(
            f"the flavour {chosen} is built with the profile {chosen.profile}, not {wanted}",
            hint="Drop one of --flavour and --profile.",
        )
    name = wanted or chosen.profile or catalogue.default_profile
    sanitizer = catalogue.profile(name).sanitizer
    if sanitizer and chosen is not Flavour.TSAN:
        raise UsageError(
            f"the profile {name} needs what the flavour {chosen} leaves out",
            hint="`--flavour tsan` makes an image of ThreadSanitizer builds.",
        )
    short = next(
        (short for short, recipe in catalogue.bases.items() if recipe.image == base),
        base or catalogue.default_base,
    )
    recipe = catalogue.base(short)
    if sanitizer and not recipe.sanitizers:
        fit = [other for other, its in catalogue.bases.items() if its.sanitizers]
        raise UsageError(
            f"{recipe.image} has no run-time library for ThreadSanitizer",
            hint=f"Take one of these as --base: {', '.join(fit)}.",
        )
    return Image(
        release=release,
        series_named=request.release is None,
        variant=request.variant,
        flavour=chosen,
        base_name=short,
        base=recipe,
        default_base=short == catalogue.default_base,
        profile=name,
        default_profile=name == (chosen.profile or catalogue.default_profile),
    )


def rendered(catalogue: Catalogue) -> tuple[Image, ...]:
    """The images whose Dockerfiles are kept in the repository: both builds, in every combination.

    A series without a final release is there with its newest pre-release.
    """
    found = []
    for series in catalogue.series:
        release = newest(catalogue, series)
        for name, base in catalogue.bases.items():
            for flavour in Flavour:
                if flavour is Flavour.TSAN and not base.sanitizers:
                    continue
                request = Request(
                    text=series,
                    series=series,
                    release=release if is_prerelease(release) else None,
                )
                found.append(image_of(request, release, catalogue, base=name, flavour=flavour))
    return tuple(found)


def newest(catalogue: Catalogue, series: str) -> str:
    """The newest final release of a series, else its newest pre-release."""
    known = catalogue.newest_first(series)
    return next((version for version in known if not is_prerelease(version)), known[0])


def _flavour(word: str) -> Flavour:
    try:
        return Flavour(word or Flavour.SLIM)
    except ValueError:
        near = nearest(word, tuple(Flavour), 1) or tuple(Flavour)
        raise UsageError(
            f"there is no flavour {word!r}", hint=f"Did you mean {' or '.join(near)}?"
        ) from None
