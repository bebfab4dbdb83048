"""The catalogue: releases, profiles and libraries, as frozen types decoded from `recipes/`.

Decoding is strict: an unknown key, a missing hash or a value of the wrong kind raises an error
that names the file, the key and the nearest valid key. Reading the files is `ftbuild.catalogue`'s
business; here is data only.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec

from ftbuild.errors import UsageError
from ftbuild.model.text import Argument, Sha256, Url, Variable, Word
from ftbuild.model.versions import Variant, is_prerelease, nearest, newest_first, series_of

Bytes = Annotated[int, msgspec.Meta(gt=0, le=1 << 53)]
Plain = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._+:/@~=^-]*\Z")]
"""The name of a package or an image, which Dockerfiles and shells take as it is."""

Fingerprint = Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-F]{40}\Z")]


class _Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all recipe entries have in common: frozen, by keyword, closed."""


class Release(_Recipe, frozen=True, kw_only=True):
    """One source tarball, `Python-X.tar.xz` as published on python.org.

    Attributes:
        sha256: The pin; whatever an origin delivers must have this hash.
        size: Exact length in bytes where it is known, else None (a ceiling applies).
        seen: Who vouches for the hash: projects and archives that list the same one.
    """

    sha256: Sha256
    size: Bytes | None
    seen: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Series(_Recipe, frozen=True, kw_only=True):
    """One minor version of CPython.

    Attributes:
        status: Where it stands upstream: `bugfix`, `security` or `prerelease`.
        free_threading: `experimental` (3.13, PEP 703) or `supported` (3.14+, PEP 779).
    """

    status: str
    free_threading: str


class Signer(_Recipe, frozen=True, kw_only=True):
    """Who signs the releases of a series: by OpenPGP, by Sigstore, or both.

    Attributes:
        openpgp: Fingerprint of the primary key, 40 hexadecimal digits in capitals.
        key: The file that holds this key; in recipes relative to their folder.
        identity: Whom Sigstore's certificate names: an address or a URL.
        issuer: The OpenID Connect provider that vouched for it.
    """

    openpgp: Fingerprint | None = None
    key: str | None = None
    identity: str | None = None
    issuer: str | None = None

    def __post_init__(self) -> None:
        if (self.openpgp is None) != (self.key is None):
            raise ValueError("`openpgp` and `key` go together")
        if (self.identity is None) != (self.issuer is None):
            raise ValueError("`identity` and `issuer` go together")


class Profile(_Recipe, frozen=True, kw_only=True):
    """One way of building a release, the same for both variants.

    Attributes:
        summary: One line for people.
        configure: Arguments that go to `configure`.
        pgo: Whether a training run shapes the final compile (profile-guided optimisation).
        lto: Whether the final link optimises across the whole program.
        debug: Whether this is a `--with-pydebug` build (ABI flag `d`).
        debug_info: Whether debug information is kept (`-g`) without being asked for.
        sanitizer: `thread`, `address`, or None.
        environment: Variables that the build itself and `ftbuild run` set; `{suppressions}` stands
            for the path of the sanitizer's suppression list.
        suppressions: That list's path in the source tree, by variant; it is installed too.
        disk: Bytes that one build takes at its peak: build tree, staged and published install.
    """

    summary: str
    configure: tuple[Argument, ...]
    pgo: bool = False
    lto: bool = False
    debug: bool = False
    debug_info: bool = False
    sanitizer: Word | None = None
    environment: dict[Variable, Argument] = {}
    suppressions: dict[Variant, str] = {}
    disk: Bytes


class LibraryRecipe(_Recipe, frozen=True, kw_only=True):
    """A system library and the standard-library modules that are only built where it is found.

    Attributes:
        modules: Extension modules it makes possible (`_ssl`, `_hashlib`).
        imports: Public modules that work only when it is there (`ssl`), for messages and probes;
            empty where CPython does without it (its own copy, a detail inside a module): such a
            library is recorded where it is found and never asked for.
        header: The header that proves it, as in `#include <…>`.
        version: C macros whose values, joined by dots, are its version; empty where it has none.
        pkg_config: Its pkg-config name, asked first, where it has one.
        symbol: A function of it that every version has, with which a trial program is linked.
        link: Its names for the linker, where there is no pkg-config to tell them.
        minimum: The oldest version that CPython's configure accepts, or None for any.
        required: Whether CPython cannot be built to use without it.
        since: The first series that uses it.
        packages: Package that brings header and library, by package manager; a manager without
            one is left out.
        platforms: `linux`, `darwin`: where it is of use.
    """

    modules: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    imports: tuple[str, ...] = ()
    header: str
    version: tuple[str, ...] = ()
    pkg_config: str | None = None
    symbol: str | None = None
    link: tuple[str, ...] = ()
    minimum: str | None = None
    required: bool = False
    since: Annotated[str, msgspec.Meta(pattern=r"\A3\.[0-9]{1,4}\Z")] = "3.13"
    packages: dict[str, str] = {}
    platforms: tuple[str, ...] = ("linux", "darwin")


class PackageManager(_Recipe, frozen=True, kw_only=True):
    """How a distribution installs packages.

    Attributes:
        distributions: The `ID` and `ID_LIKE` words of /etc/os-release it belongs to; `darwin`
            for macOS.
        install: The command, to which package names are appended.
        refresh: A command to run first, or empty.
        installed: A command that fails for a package that is not installed; empty where nobody
            can tell. The name is appended.
        root: Whether it must run as root.
        python: Packages that bring a Python with venv, to run ftbuild with.
        build: Packages every build needs: compiler, C library headers, make, pkg-config.
        clang: The packages of the clang toolchain, for `--toolchain clang`.
        versioned: The packages of one major version of a compiler, by family, with `{major}`,
            for `--toolchain clang-19`; empty where the distribution has no such names.
        available: A command that exits 0 if the package appended to it can be had, without asking
            the network; empty where there is none.
    """

    distributions: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    install: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    refresh: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()
    root: bool = True
    python: tuple[str, ...] = ()
    build: tuple[str, ...]
    clang: tuple[str, ...] = ()
    versioned: dict[str, tuple[str, ...]] = {}
    available: tuple[str, ...] = ()


class Base(_Recipe, frozen=True, kw_only=True):
    """A distribution's image that images with CPython are built on.

    Attributes:
        image: What engines call it: `debian:trixie-slim`.
        manager: The key of its package manager in `managers`.
        python: The series of the distribution's own `python3`, which ftbuild runs with while an
            image is built; 3.11 or newer.
        libc: The C library and its version, for the wheels that this Python takes: `glibc 2.41`.
        compiler: Packages of compiler, make and what else building takes.
        interpreter: Packages of the distribution's own Python.
        runtime: Packages that a CPython needs to be of use, beside the libraries it is linked to:
            certificates, time zones.
        develop: Packages that images for developing have on top of the compiler.
        sanitizers: Whether its compilers have ThreadSanitizer's run-time library.
    """

    image: Plain
    manager: Word
    python: Annotated[str, msgspec.Meta(pattern=r"\A3\.[0-9]{1,4}\Z")]
    libc: Annotated[str, msgspec.Meta(pattern=r"\A(glibc|musl) [0-9]{1,4}\.[0-9]{1,4}\Z")]
    compiler: tuple[Plain, ...]
    interpreter: tuple[Plain, ...]
    runtime: tuple[Plain, ...]
    develop: tuple[Plain, ...] = ()
    sanitizers: bool = True


class Origins(_Recipe, frozen=True, kw_only=True):
    """Where sources come from.

    Attributes:
        mirrors: Base URLs asked before the rest; user recipes add theirs here.
        upstream: URL template of the release files, with `{base}` (3.15.0) and `{version}`.
        apt_pool: Path template inside an apt archive, with `{series}` and Debian's `{debian}`
            spelling of the version (3.15.0~rc1).
        releases: Base URL of python.org's API, which lists releases and their files.
    """

    mirrors: tuple[str, ...] = ()
    upstream: Url
    apt_pool: str
    releases: str


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be built, and how."""

    series: dict[str, Series]
    releases: dict[str, Release]
    profiles: dict[str, Profile]
    default_profile: str
    libraries: dict[str, LibraryRecipe]
    managers: dict[str, PackageManager]
    bases: dict[str, Base]
    default_base: str
    origins: Origins
    signers: dict[str, Signer] = {}

    def newest_first(self, series: str) -> tuple[str, ...]:
        """All releases of a series, pre-releases too, newest first."""
        return newest_first(v for v in self.releases if series_of(v) == series)

    def candidates(self, series: str) -> tuple[str, ...]:
        """The final releases of a series, newest first.

        Raises:
            UsageError: The series is not in the catalogue, or has no final release.
        """
        found = self.newest_first(series)
        if not found:
            known = ", ".join(self.series)
            raise UsageError(
                f"Python {series} is not in the catalogue",
                hint=f"The series it has are {known}. `ftbuild catalogue` lists every release; "
                "a tarball it does not know is built with `--source FILE --sha256 HEX`.",
            )
        finals = tuple(v for v in found if not is_prerelease(v))
        if not finals:
            raise UsageError(
                f"Python {series} has no final release yet",
                hint=f"Name a pre-release to build it: {', '.join(found)}.",
            )
        return finals

    def release(self, version: str) -> Release:
        """The recipe of an exact release.

        Raises:
            UsageError: It is not in the catalogue; the hint gives the nearest that are.
        """
        found = self.releases.get(version)
        if found is None:
            near = nearest(version, (v for v in self.releases if series_of(v) in self.series))
            raise UsageError(
                f"Python {version} is not in the catalogue",
                hint=f"The nearest releases are {', '.join(near)}. A tarball the catalogue does "
                "not know is built with `--source FILE --sha256 HEX`.",
            )
        return found

    def profile(self, name: str) -> Profile:
        """The recipe of a profile.

        Raises:
            UsageError: There is no such profile; the hint gives the nearest.
        """
        found = self.profiles.get(name)
        if found is None:
            near = nearest(name, self.profiles) or tuple(self.profiles)
            raise UsageError(
                f"there is no profile {name!r}",
                hint=f"Did you mean {' or '.join(near)}? `ftbuild catalogue` describes each.",
            )
        return found

    def base(self, name: str) -> Base:
        """The recipe of a base image, by its short name or by what engines call it.

        Raises:
            UsageError: There is no such base; the hint gives the nearest.
        """
        by_image = {base.image: base for base in self.bases.values()}
        found = self.bases.get(name) or by_image.get(name)
        if found is None:
            near = nearest(name, (*self.bases, *by_image), 1) or tuple(self.bases)
            raise UsageError(
                f"there is no recipe for the base {name!r}",
                hint=f"Did you mean {' or '.join(near)}? A base of your own is described in "
                "images.yaml of a --recipes folder.",
            )
        return found


T = TypeVar("T", bound=_Recipe)


def decode(raw: Any, kind: type[T], *, file: str, key: str) -> T:
    """One entry of a recipe file as its frozen type.

    Args:
        raw: What YAML made of it.
        kind: The type it must have.
        file: The file's name, for messages.
        key: Where in the file it stands, for messages.

    Raises:
        UsageError: It does not fit; file, key and the nearest valid key are named.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        unknown = re.search(r"unknown field `([^`]+)`", str(error))
        if unknown is None:
            where = str(error).partition(" - at `$")
            path = where[2].rstrip("`") if where[1] else ""
            raise UsageError(f"{file}: {key}{path}: {where[0]}") from None
        valid = kind.__struct_fields__
        near = nearest(unknown[1], valid, 1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise UsageError(
            f"{file}: {key}: unknown key {unknown[1]!r}",
            hint=f"{hint}Valid keys here: {', '.join(valid)}.",
        ) from None
