"""Brings the wheels of requirements for an interpreter that need not be here: one in an image.

uv resolves, limited to the interpreter's system and machine but not to its ABI: uv knows only that
of the Python it is given, and a resolution for 3.14t must not depend on what ftbuild runs with. So
the lock lists all wheels, the one that fits is selected by its tags here, and where a version has
none, an older one is asked for, as an installer would.

What came out is kept beside the wheels, for the same question: it is answered without the network,
and with the same wheels, for as long as those are in the cache.
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.markers import Marker
from packaging.version import Version

from ftbuild.errors import EnvironmentFault
from ftbuild.fetch.access import Access
from ftbuild.fetch.cache import flaw, keep, recall
from ftbuild.fetch.origins import Origin, Source, Unavailable, printable
from ftbuild.model.events import Downloaded, Downloading, Emit, Event
from ftbuild.model.text import FileName, Sha256, fitting
from ftbuild.model.versions import Variant
from ftbuild.wheels.complaints import Unsatisfiable, complaint_of, error_of, reason_of
from ftbuild.wheels.indexes import redacted, uv_with_indexes
from ftbuild.wheels.tags import accepted_by, best, linux_platforms, wheel_of
from ftbuild.wheels.uv import RESOLVING, Uv

_FORMAT = "1"

_SHOWN = 6
"""Tags that a message lists of the wheels there are."""

_UNWHEELED = re.compile(
    r"ha(s|ve) no (usable wheels|wheels with a matching|`.+?`-compatible wheels)"
)
"""What uv says of versions that have no wheel for the system, or none at all."""

_OFFLINE = "Run it once without --offline: the wheels are kept then."


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """A CPython on Linux, as wheels see it.

    Attributes:
        version: Its release, `3.14.7`, or only the series, `3.13`.
        variant: With the GIL or without.
        machine: `x86_64`, `aarch64`: what `uname -m` says there.
        libc: The C library there: `glibc 2.41`, `musl 1.2`.
    """

    version: str
    variant: Variant = Variant.GIL
    machine: str
    libc: str

    def __str__(self) -> str:
        return f"CPython {self.version}{self.variant.suffix} on {self.machine} with {self.libc}"

    @property
    def tags(self) -> tuple[str, ...]:
        """The wheel tags it accepts, the best first.

        Raises:
            UsageError: Nobody knows the wheels of its C library.
        """
        platforms = linux_platforms(self.machine, self.libc)
        return accepted_by(self.version, self.variant, platforms)

    @property
    def markers(self) -> dict[str, str]:
        """The environment in which it evaluates markers; of a series, that of its first release."""
        release = Version(self.version)
        full = self.version if len(release.release) > 2 else f"{self.version}.0"  # noqa: PLR2004
        return {
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": full,
            "python_version": f"{release.major}.{release.minor}",
            "sys_platform": "linux",
        }


class NoWheel(EnvironmentFault):
    """Of something required there is no wheel that fits. Exit 3."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            hint="A wheel of it in a directory that UV_FIND_LINKS names, or pip's find-links, "
            "would do.",
        )


class _Wheel(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel in a lock; `path` counts from the lock."""

    url: str = ""
    path: str = ""
    size: int | None = None
    hashes: Mapping[str, str] = {}

    @property
    def filename(self) -> str:
        return unquote(urlsplit(self.url).path or self.path).rpartition("/")[2]


class _Package(msgspec.Struct, frozen=True, kw_only=True):
    """A package in a lock."""

    name: str
    version: str = ""
    marker: str = ""
    wheels: tuple[_Wheel, ...] = ()


class _Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A `pylock.toml`, as far as it matters here."""

    packages: tuple[_Package, ...] = ()


class _Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel that fits: where it is, without credentials, and what it must be."""

    name: FileName
    url: str
    sha256: Sha256
    size: int | None = None

    @property
    def source(self) -> Source:
        return Source(filename=self.name, sha256=self.sha256, size=self.size)


def collect(
    requirements: Sequence[str],
    interpreter: Interpreter,
    *,
    pins: Sequence[str] = (),
    cache: Path,
    scratch: Path,
    env: Mapping[str, str],
    emit: Emit,
    stop: threading.Event,
    offline: bool,
) -> tuple[Path, ...]:
    """Have the wheels of requirements, and of all that those require, in the cache.

    Args:
        requirements: What is required: `numpy`, `rich>=13.9`.
        interpreter: Who is to import it.
        pins: Versions to take of what is required one way or another: `idna==3.10`.
        cache: Directory of verified wheels; made if need be.
        scratch: A directory to write in.
        env: The caller's environment, which tells the indexes, certificates and credentials; they
            are named in the configuration of uv and of pip, too.
        emit: Receives progress.
        stop: Ends it when set.
        offline: Whether only what is kept is used.

    Returns:
        Their paths, ordered by name.

    Raises:
        Unsatisfiable: No versions fulfil everything.
        NoWheel: Of a package there is no wheel that fits.
        UsageError: A package does not exist, or the interpreter's C library is unknown.
        EnvironmentFault: An index cannot be reached, or the cache cannot be written to.
        Interrupted: `stop` was set.
    """
    uv, access = _means(env, scratch, interpreter, offline=offline, stop=stop)
    record = cache / "resolved" / f"{_question(requirements, pins, interpreter, uv)}.json"
    chosen = _kept(record)
    if chosen and all(flaw(cache / wheel.name, wheel.source) is None for wheel in chosen):
        return _paths(chosen, cache)
    chosen = _chosen(requirements, pins, interpreter, uv)
    _download(chosen, cache, access, emit)
    keep(record, msgspec.json.encode(chosen))
    return _paths(chosen, cache)


def _paths(chosen: Sequence[_Chosen], cache: Path) -> tuple[Path, ...]:
    return tuple(sorted(cache / wheel.name for wheel in chosen))


def _means(
    env: Mapping[str, str],
    scratch: Path,
    interpreter: Interpreter,
    *,
    offline: bool,
    stop: threading.Event,
) -> tuple[Uv, Access]:
    """A uv with the user's indexes, and how to ask them for files.

    It runs in a project of its own, because what the project around the current directory has in
    its configuration is not about ftbuild's images.
    """
    project = scratch / f"wheels-{interpreter.version}{interpreter.variant.suffix}"
    names = ("sys_platform", "platform_machine", "implementation_name", "python_version")
    limits = " and ".join(f"{name} == '{interpreter.markers[name]}'" for name in names)
    text = f'[tool.uv]\nenvironments = ["{limits}"]\n'
    _write(project / "pyproject.toml", text)
    uv, _ = uv_with_indexes(env, project, project / "uv", offline=offline, stop=stop)
    return uv, Access(env=uv.env, stop=stop, offline=offline, addresses=uv.indexes)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be written: {error.strerror}", hint="Is there space left?"
        ) from error


def _question(
    requirements: Sequence[str], pins: Sequence[str], interpreter: Interpreter, uv: Uv
) -> str:
    """What a resolution's result is kept under: all that has a say in it but the index itself."""
    config = sorted(
        f"{name}={value}"
        for name, value in uv.env.items()
        if name.startswith("UV_") and name != "UV_CACHE_DIR"
    )
    settings = redacted(msgspec.json.encode(uv.settings, order="deterministic").decode())
    asked = (_FORMAT, str(interpreter), sorted(requirements), sorted(pins), config, settings)
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:16]


def _kept(record: Path) -> tuple[_Chosen, ...]:
    """What was kept; nothing if that cannot be used."""
    try:
        return msgspec.json.decode(recall(record) or b"", type=tuple[_Chosen, ...])
    except (msgspec.DecodeError, RecursionError):
        return ()


def _chosen(
    requirements: Sequence[str], pins: Sequence[str], interpreter: Interpreter, uv: Uv
) -> tuple[_Chosen, ...]:
    """The wheels of the newest versions that have some for the interpreter."""
    tags = interpreter.tags
    limits = list(pins)
    fault: NoWheel | None = None
    while True:
        try:
            packages = _resolved(requirements, limits, interpreter, uv)
        except (Unsatisfiable, NoWheel):
            if fault is None:
                raise
            # What newer versions lack is the reason, not that older ones are excluded.
            raise fault from None
        fits = [_fitting(package, tags, uv.cwd) for package in packages]
        unfit = [package for package, fit in zip(packages, fits, strict=True) if fit is None]
        if not unfit:
            return tuple(fit for fit in fits if fit is not None)
        fault = fault or _unfit(unfit[0], interpreter)
        limits += [f"{package.name}<{package.version}" for package in unfit]


def _resolved(
    requirements: Sequence[str], limits: Sequence[str], interpreter: Interpreter, uv: Uv
) -> tuple[_Package, ...]:
    """What uv resolves for the interpreter, with all wheels there are for its system.

    Raises:
        NoWheel: A package has none at all.
    """
    lock = uv.cwd / "pylock.toml"
    # uv prefers the versions in a file that is there.
    lock.unlink(missing_ok=True)
    asked, limiting = uv.cwd / "asked.in", uv.cwd / "limits.txt"
    _write(asked, "".join(f"{line}\n" for line in requirements))
    _write(limiting, "".join(f"{line}\n" for line in limits))
    done = uv.run(
        *("pip", "compile", "--universal", "--only-binary", ":all:"),
        *("--format", "pylock.toml", "--output-file", lock, "--quiet", "--no-header"),
        # What is for 3.15 is for its release candidates.
        *(
            "--python",
            sys.executable,
            "--python-version",
            Version(interpreter.version).base_version,
        ),
        *("--constraints", limiting),
        asked,
        timeout=RESOLVING,
    )
    if not done.ok:
        reason = reason_of(complaint_of(done.stderr))
        if _UNWHEELED.search(reason):
            raise NoWheel(f"there are not all the wheels for {interpreter}:\n{reason}")
        raise error_of(done, cwd=uv.cwd, offline=uv.offline, known=tuple)
    found = msgspec.convert(tomllib.loads(lock.read_text(encoding="utf-8")), type=_Lock)
    return tuple(
        package
        for package in found.packages
        if not package.marker or Marker(package.marker).evaluate(dict(interpreter.markers))
    )


def _fitting(package: _Package, tags: tuple[str, ...], folder: Path) -> _Chosen | None:
    """The best wheel of a package, or None if none fits.

    Raises:
        EnvironmentFault: Nobody says what its content must be.
    """
    by_name = {wheel.filename: wheel for wheel in package.wheels}
    found = best(by_name, tags)
    if found is None:
        return None
    name, wheel = found[0], by_name[found[0]]
    url = wheel.url or (folder / wheel.path).resolve().as_uri()
    sha256 = fitting(wheel.hashes.get("sha256"), Sha256)
    if sha256 is None:
        raise EnvironmentFault(
            f"{redacted(url)} cannot be verified: its index gives no SHA-256",
            hint="Put the wheel into a directory, and name that by UV_FIND_LINKS.",
        )
    return _Chosen(name=name, url=redacted(url), sha256=sha256, size=_size(wheel, url))


def _size(wheel: _Wheel, url: str) -> int | None:
    """The bytes of a wheel: an index tells, and so does a directory."""
    parts = urlsplit(url)
    if wheel.size is None and parts.scheme == "file":
        try:
            return Path(unquote(parts.path)).stat().st_size
        except OSError:
            return None
    return wheel.size


def _unfit(package: _Package, interpreter: Interpreter) -> NoWheel:
    there = sorted(
        {
            f"{tag.abi}-{tag.platform}"
            for file in package.wheels
            if (wheel := wheel_of(file.filename)) is not None
            for tag in wheel.tags
        }
    )
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    what = ", ".join(there[:_SHOWN]) or "none at all"
    return NoWheel(
        f"no wheel of {package.name} {package.version} fits {interpreter}; there are {what}{more}"
    )


def _download(chosen: Sequence[_Chosen], cache: Path, access: Access, emit: Emit) -> None:
    """Have the wheels in the cache, each judged by its hash.

    Raises:
        Unavailable: One cannot be had.
    """
    from ftbuild.fetch.download import Downloads  # noqa: PLC0415 - requests takes 50 ms

    brought = _Brought(emit)
    downloads = Downloads(
        cache=cache, env=access.env, emit=brought.see, stop=access.stop, offline=access.offline
    )
    for wheel in chosen:
        origin = Origin(name=urlsplit(wheel.url).hostname or "", url=access.address(wheel.url))
        try:
            downloads.fetch(wheel.source, (origin,))
        except Unavailable as fault:
            if access.offline:
                raise EnvironmentFault(
                    f"{wheel.name} is not in {cache}, and ftbuild is offline", hint=_OFFLINE
                ) from fault
            raise Unavailable(
                f"{wheel.name} cannot be had from {printable(wheel.url)}",
                hint="Is the index up? Credentials belong into its address, "
                "UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD, or ~/.netrc.",
                attempts=fault.attempts,
            ) from fault
    brought.close()


class _Brought:
    """The downloads of many small files, told as those of one: a line each would be too many."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._done: list[Downloaded] = []

    def see(self, event: Event) -> None:
        size = sum(each.size for each in self._done)
        match event:
            case Downloading(origin=origin, done=done):
                self._emit(Downloading(name="wheels", origin=origin, done=size + done, total=None))
            case Downloaded():
                self._done.append(event)
            case _:
                self._emit(event)

    def close(self) -> None:
        """Tell that all of them are there."""
        if self._done:
            self._emit(
                Downloaded(
                    name="wheels",
                    origin=", ".join(sorted({each.origin for each in self._done})),
                    size=sum(each.size for each in self._done),
                    seconds=sum(each.seconds for each in self._done),
                )
            )
