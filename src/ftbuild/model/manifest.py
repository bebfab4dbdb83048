"""`ftbuild.json`: what was asked, what was used and what came out, at the top of every prefix."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from ftbuild.errors import Refused
from ftbuild.model.components import Component, Linked
from ftbuild.model.spec import BuildSpec, Compiler, Make
from ftbuild.model.text import (
    AbsolutePath,
    Argument,
    BuildName,
    Count,
    MaybeUrl,
    RelativePath,
    Seconds,
    Sha256,
    Time,
    Variable,
    Word,
    decode_document,
    fitting,
)
from ftbuild.model.versions import Variant, series_of

FORMAT = 1
"""Version of the manifest's shape. A reader refuses what it does not know."""


class StageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the build: its name, its wall time in seconds, how many commands it ran."""

    name: str
    seconds: Seconds
    units: Count = 0


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What the build was made from, with and on.

    Attributes:
        ftbuild: Version of ftbuild.
        origin: Where the source came from (credentials removed).
        source_size: Bytes of the tarball.
        compiler: The compiler, with path and companion tools.
        make: GNU make.
        promised: Standard-library modules that the libraries found make possible (`ssl`).
        configure: The whole configure command line.
        environment: Variables that the profile set for the build.
        compile_command: A compile command of the final stage, as make ran it.
        link_command: The link command of the interpreter, as make ran it.
        system, machine, libc, kernel: The host.
        jobs: The job budget.
        training: Where the training profile came from: `trained` here, `stored` from an earlier
            build, `given` by the user; None without one.
        stages: Wall time of every stage.
        started: UTC time the build began, ISO 8601, to the millisecond.
        upstream: Where the source's publisher offers it; empty if the catalogue does not have it.
        bundled: What CPython's source brings that others made; None: nobody looked.
        linked: The system libraries that it was linked with; None: nobody looked.
    """

    ftbuild: str
    origin: str
    source_size: Count
    compiler: Compiler
    make: Make
    promised: tuple[str, ...]
    configure: tuple[Argument, ...]
    environment: dict[Variable, Argument]
    compile_command: str
    link_command: str
    system: Word
    machine: Word
    libc: str
    kernel: str
    jobs: Count
    training: str | None
    stages: tuple[StageRecord, ...]
    started: Time
    upstream: MaybeUrl = ""
    bundled: tuple[Component, ...] | None = None
    linked: tuple[Linked, ...] | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came out.

    Attributes:
        pgo: Whether the final compile used a profile.
        lto: Whether the final link was a whole-program one.
        training_profile: SHA-256 over the profile data the final compile used, or None.
        missing: Standard-library modules that are absent because a library was not found.
        environment: Variables that `ftbuild run` and the checks set for it (sanitizer options).
        size: Bytes of all files below the prefix.
        files: Number of regular files.
        files_sha256: Hash of `ftbuild.sha256`, the list of every file's hash.
        links: Symbolic links below the prefix and what they point to.
        left_out: Modules of the standard library that were built and are not there, because a
            container image leaves them out.
        executables: The files that are programs, whose mode is 0755, as that of directories; that
            of all others is 0644. None: an earlier ftbuild made it, and nobody looked.
    """

    pgo: bool
    lto: bool
    training_profile: Sha256 | None
    missing: tuple[str, ...]
    environment: dict[Variable, Argument]
    size: Count
    files: Count
    files_sha256: Sha256
    links: dict[RelativePath, str]
    left_out: tuple[str, ...] = ()
    executables: tuple[str, ...] | None = None


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """What a build that went into an archive, or came out of one, was like when it was packed.

    Attributes:
        prefix: Where it stood, and what its files were made for.
        libc: The oldest C library its binaries run with: `glibc 2.34`, by their newest symbol.
        pointing: The text files that name the prefix, relative to it.
        sha256: Hash of the archive it came from; None in the archive, which cannot know its own,
            and in a copy that was never in one.
    """

    prefix: AbsolutePath
    libc: str
    pointing: tuple[RelativePath, ...]
    sha256: Sha256 | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one installed build.

    Attributes:
        format: `FORMAT`.
        name: Friendly name, `cpython-3.14.7t`.
        digest: `spec.digest`, written out for readers in other languages.
        spec: What was asked.
        used: What it was made from.
        result: What came out.
        archived: How it was packed, in an archive and where it was installed from one.
    """

    format: int
    name: BuildName
    digest: Sha256
    spec: BuildSpec
    used: Used
    result: Result
    archived: Archived | None = None

    @property
    def prefix(self) -> str:
        """The prefix it was configured for, as its files have it."""
        option = "--prefix="
        words = (word for word in self.used.configure if word.startswith(option))
        return next(words, option).removeprefix(option)


def decode_manifest(document: bytes, *, what: str = "its manifest") -> Manifest:
    """A manifest as it was read.

    Raises:
        Refused: It is of a format this ftbuild does not know, or no manifest.
    """
    manifest = decode_document(document, Manifest, format=FORMAT, what=what)
    require_consistent(manifest, what)
    return manifest


def require_consistent(manifest: Manifest, what: str = "its manifest") -> None:
    """Make sure that the parts of a manifest that was read say the same.

    Raises:
        Refused: They do not.
    """
    try:
        datetime.fromisoformat(manifest.used.started)
    except ValueError as error:
        raise Refused(f"{what} cannot be read: {error}") from None
    spec = manifest.spec
    # Which profile goes without saying, the catalogue decides that it was built with.
    named = manifest.name in {spec.friendly_name(""), spec.friendly_name(spec.profile)}
    for wrong, why in (
        (manifest.digest != spec.digest, f"{what}'s digest is not that of what it describes"),
        (not named, f"{what} has a name that is not that of what it describes"),
        (
            fitting(manifest.prefix, AbsolutePath) is None,
            f"{what} does not say for which prefix it was configured",
        ),
        (
            any(_leaves(*link) for link in manifest.result.links.items()),
            f"{what} has links that leave the prefix",
        ),
    ):
        if wrong:
            raise Refused(why, hint="It was altered since.")


def _leaves(name: str, target: str) -> bool:
    """Whether a link leads out of the prefix that it is in."""
    at = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return at.startswith("/") or at.split("/", 1)[0] == ".."


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """An installed build.

    Attributes:
        prefix: Where it is.
        manifest: What is recorded about it.
    """

    prefix: Path
    manifest: Manifest

    @property
    def spec(self) -> BuildSpec:
        """What was asked for."""
        return self.manifest.spec

    @property
    def python(self) -> Path:
        """The interpreter under its one unambiguous name: `bin/python3.14t`."""
        spec = self.manifest.spec
        return self.prefix / "bin" / f"python{series_of(spec.version)}{spec.abiflags}"

    def environment(self, caller: Mapping[str, str]) -> dict[str, str]:
        """The caller's environment with the options this build is to be run with.

        Options of the caller's own (`TSAN_OPTIONS=halt_on_error=1`) come last, and so win.
        """
        needed = self.manifest.result.environment
        joined = {name: " ".join((needed[name], caller.get(name, ""))).strip() for name in needed}
        return {**caller, **joined}

    @property
    def free_threaded(self) -> bool:
        """Whether this is the free-threaded build."""
        return self.manifest.spec.variant is Variant.FREE_THREADED
