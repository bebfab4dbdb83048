"""What is to be built: the facts about this host, and the specification of one interpreter."""

from __future__ import annotations

import hashlib

import msgspec

from ftbuild.model.text import Argument, Sha256, VersionText, Word
from ftbuild.model.versions import Variant, build_name


class Compiler(msgspec.Struct, frozen=True, kw_only=True):
    """A C compiler of this host.

    Attributes:
        family: `gcc` or `clang`.
        version: `12.2.0`.
        target: The target it compiles for: `x86_64-linux-gnu`.
        path: The executable.
        tools: Companions of the same version, by plain name (`llvm-profdata`), with paths;
            `profile-runtime` is the library that writes clang's profiles.
    """

    family: str
    version: str
    target: str
    path: Argument
    tools: dict[str, Argument] = {}

    @property
    def identity(self) -> str:
        """What decides the code it makes: `gcc 12.2.0 x86_64-linux-gnu`."""
        return f"{self.family} {self.version} {self.target}"


class Make(msgspec.Struct, frozen=True, kw_only=True):
    """GNU make.

    Attributes:
        path: The executable.
        version: `4.3`.
        fifo: Whether it speaks `--jobserver-auth=fifo:PATH` (4.4 and later).
    """

    path: Argument
    version: str
    fifo: bool


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """A system library that was found, with its version (empty where it tells none)."""

    name: str
    version: str


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """Where a build that was packed can run: fields as of `Host`."""

    system: str
    machine: str
    libc: str


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about this machine that a build depends on, read once a run.

    Attributes:
        system: `linux` or `darwin`.
        machine: `x86_64`, `aarch64`, …
        libc: `glibc 2.36`, `musl 1.2.5`, `macos 15.2`.
        kernel: The kernel's release, for the record only.
        cpus: CPUs this process may use: affinity and control-group limits included.
        compiler: The C compiler the builds will use.
        make: GNU make.
        libraries: The optional libraries found, sorted by name.
    """

    system: str
    machine: str
    libc: str
    kernel: str
    cpus: int
    compiler: Compiler
    make: Make
    libraries: tuple[Library, ...]

    @property
    def platform(self) -> Platform:
        """What a packed build has to be made for, to run here."""
        return Platform(system=self.system, machine=self.machine, libc=self.libc)


class StageFlags(msgspec.Struct, frozen=True, kw_only=True):
    """What ftbuild adds to CPython's own options, stage by stage.

    They are given to make, not to configure: they reach the commands and stay out of sysconfig,
    so that extensions are compiled as with any other build.

    Attributes:
        instrument: Compiler options of the instrumented build.
        counters: In place of CPython's options for making an instrumented build; empty: CPython's.
        training: Arguments of the interpreter for the training run; empty: CPython's.
        compile: Compiler options of the final build.
        link: Linker options of the final build.
    """

    instrument: tuple[Argument, ...] = ()
    counters: tuple[Argument, ...] = ()
    training: tuple[Argument, ...] = ()
    compile: tuple[Argument, ...] = ()
    link: tuple[Argument, ...] = ()


class BuildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One interpreter to build. Equal digests mean interchangeable results.

    Attributes:
        version: The release, `3.14.7`.
        variant: GIL or free-threaded.
        profile: The profile's name.
        source_sha256: Hash of the source tarball.
        pgo: Whether the result must have been shaped by a training run.
        lto: Whether the result must have been optimised at link time.
        debug: Whether it is a `--with-pydebug` build.
        sanitizer: `thread`, `address`, or None.
        flags: ftbuild's own configure arguments: the profile's, the compiler's, `--disable-gil`.
        stage_flags: What ftbuild adds to the commands of each stage.
        configure_args: The user's, appended after ours.
        compiler: The compiler's identity.
        debug_info: Whether debug information is kept.
        libraries: The optional libraries with their versions.
        profile_data: SHA-256 of a PGO profile that the user gives, else None.
    """

    version: VersionText
    variant: Variant
    profile: Word
    source_sha256: Sha256
    pgo: bool
    lto: bool
    debug: bool
    sanitizer: Word | None
    flags: tuple[Argument, ...]
    stage_flags: StageFlags = StageFlags()
    configure_args: tuple[Argument, ...]
    compiler: str
    debug_info: bool = False
    libraries: tuple[Library, ...]
    profile_data: Sha256 | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is asked for, as hexadecimal digits."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def training_key(self) -> str:
        """SHA-256 over everything a training profile depends on.

        That is what the digest is made of, but for a profile that was given and the options of the
        final stage: they make use of a profile and have no part in it.
        """
        before = msgspec.structs.replace(self.stage_flags, compile=(), link=())
        asked = msgspec.structs.replace(
            self, profile_data=None, stage_flags=before, debug_info=False
        )
        return asked.digest

    @property
    def abiflags(self) -> str:
        """What `sys.abiflags` of the result will be: `""`, `"t"`, `"d"`, `"td"`."""
        return self.variant.suffix + ("d" if self.debug else "")

    def friendly_name(self, default_profile: str) -> str:
        """`cpython-3.14.7t`, or `cpython-3.14.7t+tsan` where the profile is not the default."""
        return build_name(self.version, self.variant, self.profile, default_profile)

    def store_name(self, default_profile: str) -> str:
        """The name of its prefix in the store: the friendly name and 8 digits of the digest."""
        return f"{self.friendly_name(default_profile)}-{self.digest[:8]}"
