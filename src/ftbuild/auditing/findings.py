"""What an audit found: the data that its steps hand on, and that reports are made of.

The flow: words become `Inputs`, which are resolved to `Package`s for a `Target`; what a package
ships is a `Grading`, what came of importing it are `Probed` modules, and what to do about it is
`Advice`. All of that on one package is a `Finding`, all of them an `Audit`.
"""

from __future__ import annotations

import enum

import msgspec

FORMAT = 1
"""Version of the JSON document; counted up when what is there changes its meaning."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The interpreter that a project is audited for.

    Attributes:
        label: What users call it: `3.14t`.
        name: Friendly name of the build: `cpython-3.14.7t`.
        version: `3.14.7`.
        digest: The build's digest.
        python: Path of the interpreter.
        tags: The wheel tags it accepts, the best first: `cp314-cp314t-manylinux_2_36_x86_64`.
        markers: The environment in which it evaluates markers (`python_full_version`, …).
        suffixes: The endings of extension modules it imports: `.cpython-314t-x86_64-linux-gnu.so`.
    """

    label: str
    name: str
    version: str
    digest: str
    python: str
    tags: tuple[str, ...]
    markers: dict[str, str]
    suffixes: tuple[str, ...]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that an index offers.

    Attributes:
        name: File name of the wheel or sdist.
        url: Where it is, without credentials.
        size: Bytes, or None where the index does not say.
        sha256: Its hash, or None where the index does not say.
    """

    name: str
    url: str
    size: int | None = None
    sha256: str | None = None


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A package at the version that the project gets.

    Attributes:
        name: Its normalized name.
        version: The version.
        via: What requires it: names of packages, and the inputs that name it themselves.
        chain: How it gets in, from an input to the package that requires it:
            `("requirements.txt", "pandas")`; only the input where that names it itself.
        index: Address of the index it comes from, without credentials; None for what is not from
            an index.
        wheels: Its wheels for the target's release or later, for any platform and ABI.
        sdist: Its source distribution, if it has one.
        source: Where it comes from instead of an index (a directory, an archive, a repository).
    """

    name: str
    version: str
    via: tuple[str, ...]
    chain: tuple[str, ...]
    index: str | None = None
    wheels: tuple[File, ...] = ()
    sdist: File | None = None
    source: str | None = None


class Grade(enum.StrEnum):
    """What a package ships for the target."""

    PURE = "pure"
    """A wheel without compiled code."""
    FREE_THREADED = "free-threaded"
    """A wheel for the free-threaded ABI of this release: `cp314t`."""
    ABI3T = "abi3t"
    """A wheel for the stable ABI of free-threaded builds (PEP 803)."""
    BINARIES = "binaries"
    """A wheel for this platform and any Python, with programs or libraries but no extension."""
    SUSPICIOUS = "suspicious"
    """A wheel tagged for any ABI that carries extension modules all the same."""
    GIL_ONLY = "gil-only"
    """Wheels for this platform: none for any free-threaded build, or of this release only those
    for the GIL build."""
    OTHER = "other"
    """Wheels, but none for this platform, or none for any build of this release."""
    SDIST_PURE = "sdist-pure"
    """No wheel, and an sdist without native code."""
    SDIST_NATIVE = "sdist-native"
    """No wheel, and an sdist with native code."""
    SDIST = "sdist"
    """No wheel, and an sdist that could not be looked into."""
    LOCAL = "local"
    """Not from an index."""
    UNKNOWN = "unknown"
    """It could not be found out."""


class Grading(msgspec.Struct, frozen=True, kw_only=True):
    """What a package ships for the target, and what it says of itself.

    Attributes:
        grade: What it ships.
        wheel: The wheel the target takes, if there is one.
        abis: The ABI tags of the wheels it has for this platform, whatever the release:
            `("cp313", "cp314", "abi3")`.
        sdist: Whether it has a source distribution.
        level: Its trove classifier for free threading: 1 unstable, 2 beta, 3 stable, 4 resilient;
            0 for the classifier without a level; None without one, or where it is not known.
        inside: The extension modules within a suspicious wheel, or the native sources within an
            sdist; a few of them.
        note: What could not be found out, and why; empty if everything was.
    """

    grade: Grade
    wheel: str | None = None
    abis: tuple[str, ...] = ()
    sdist: bool = False
    level: int | None = None
    inside: tuple[str, ...] = ()
    note: str = ""


class Ending(enum.StrEnum):
    """What came of importing a module in a process of its own."""

    FINE = "fine"
    GIL = "gil"
    CRASHED = "crashed"
    FAILED = "failed"
    HUNG = "hung"


class Culprit(msgspec.Struct, frozen=True, kw_only=True):
    """An extension module that switched the GIL on.

    Attributes:
        module: Its full name.
        distribution: The package it belongs to, or None if no installed one has its file.
        chain: The modules that were being imported at that moment, outermost first, the culprit
            last.
    """

    module: str
    distribution: str | None
    chain: tuple[str, ...]


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """A module that was imported, or called from many threads, in a process of its own.

    Attributes:
        module: Its full name.
        extension: Whether it is an extension module; a top-level module otherwise.
        ending: What came of it.
        seconds: Wall time.
        culprits: Who switched the GIL on.
        signal: The signal that ended it: `SIGSEGV`.
        frames: The top of the faulthandler's traceback, innermost first.
        error: The exception of a failed import: `ImportError: libfoo.so.1: cannot open …`.
        needs: What a failed import lacks that no package of the project provides: a top-level
            module, or a shared library. Something optional, while the rest can be imported.
        stress: Whether it was called from many threads at once, not only imported.
    """

    module: str
    extension: bool
    ending: Ending
    seconds: float
    culprits: tuple[Culprit, ...] = ()
    signal: str | None = None
    frames: tuple[str, ...] = ()
    error: str | None = None
    needs: str | None = None
    stress: bool = False


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a package could be installed into the throw-away environment.

    Attributes:
        how: `wheel`, `built` (its sdist was compiled here), or None if it is not installed.
        why: Why it is not.
        log: The first errors and the last lines of a build that failed.
        seconds: How long building it took; 0 for a wheel.
    """

    how: str | None
    why: str = ""
    log: tuple[str, ...] = ()
    seconds: float = 0.0


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about a package that ships nothing for the target.

    Attributes:
        version: The nearest version that ships a wheel for it: the next newer, else the last older.
        wheel: That wheel.
        allowed: Whether the project's constraints allow that version; None if it was not found out.
        forbidden_by: Who forbids it, in the resolver's words.
        text: The advice, a sentence.
    """

    version: str | None = None
    wheel: str | None = None
    allowed: bool | None = None
    forbidden_by: str = ""
    text: str = ""


class Status(enum.StrEnum):
    """The verdict on one package; the worst first."""

    CRASH = "crash"
    """Importing it ends the interpreter, or never ends."""
    GIL = "gil"
    """It switches the GIL back on."""
    MISSING = "missing"
    """It ships nothing for this interpreter, and was not compiled."""
    FAILED = "failed"
    """It cannot be installed or imported."""
    SUSPICIOUS = "suspicious"
    """Its wheel claims to suit every ABI and carries extension modules."""
    UNKNOWN = "unknown"
    """It could not be found out."""
    FINE = "fine"
    """Nothing speaks against it."""


BLOCKING = frozenset({Status.CRASH, Status.GIL, Status.MISSING, Status.FAILED})
"""The verdicts that keep a project from switching."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Everything found about one package.

    Attributes:
        package: The package.
        grading: What it ships.
        installed: What came of installing it; None where nothing was installed.
        probed: Its modules that were imported; the worst first.
        advice: What to do about it.
        status: The verdict.
        detail: The verdict's reason, half a sentence.
    """

    package: Package
    grading: Grading
    installed: Installed | None = None
    probed: tuple[Probed, ...] = ()
    advice: Advice | None = None
    status: Status
    detail: str


class TestsRun(msgspec.Struct, frozen=True, kw_only=True):
    """The project's own tests, run in the throw-away environment.

    Attributes:
        command: The command.
        code: Its exit status; negative is the signal that ended it.
        ending: How it ended, for people: `exit status 1`, `timed out`.
        seconds: Wall time.
        gil_before: Whether the GIL was on when its interpreter started.
        gil_after: Whether it was on when that ended; None where that was not learnt.
        culprits: Who switched it on.
        tail: The last lines it printed.
    """

    command: str
    code: int
    ending: str
    seconds: float
    gil_before: bool | None
    gil_after: bool | None
    culprits: tuple[Culprit, ...] = ()
    tail: tuple[str, ...] = ()


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """A project's dependencies against one interpreter.

    Attributes:
        ftbuild: Version of ftbuild.
        target: The interpreter.
        inputs: What was audited, in words: `requirements.txt`, `numpy==1.26.4`.
        probed: Whether modules were imported.
        findings: One for each package, the worst first.
        tests: The project's tests, if they were run.
        notes: What a reader has to know besides: inputs left out, an index that did not answer.
        seconds: Wall time of each step: `resolve`, `grade`, `install`, `probe`, `advise`.
        kind: What this document is: `audit`.
        format: `FORMAT`.
    """

    ftbuild: str
    target: Target
    inputs: tuple[str, ...]
    probed: bool
    findings: tuple[Finding, ...]
    tests: TestsRun | None = None
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = {}
    kind: str = "audit"
    format: int = FORMAT

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What keeps the project from switching."""
        return tuple(item for item in self.findings if item.status in BLOCKING)
