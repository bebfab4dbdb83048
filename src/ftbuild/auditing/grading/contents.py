"""What is inside a wheel or an sdist that bears on free threading.

A wheel whose tags name an ABI says what it is; of that only the metadata is read. One tagged for
any ABI may carry extension modules all the same, and an sdist may or may not have native code:
into those one has to look. The bytes of a published file never change, so that what was found is
kept for good, under the file's hash.
"""

from __future__ import annotations

import contextlib
import re
import threading
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import msgspec

from ftbuild.auditing.findings import File, Package, Target
from ftbuild.auditing.grading.nearest import files_of
from ftbuild.auditing.grading.wheels import NO_ABI, best
from ftbuild.errors import EnvironmentFault
from ftbuild.fetch import ranges, simple, wire
from ftbuild.fetch.access import OFFLINE, Access
from ftbuild.fetch.cache import keep, recall
from ftbuild.model.events import Emit, Measuring
from ftbuild.wheels.tags import wheel_of

SDIST = 20 << 20
"""Bytes an sdist may have to be looked into: it has to be downloaded for that."""

THREADS = 12
"""Files looked into at a time. Nearly all of it is waiting for answers."""

SHOWN = 8
"""Names that are kept of extension modules, binaries or native sources."""

_FORMAT = "contents-1"
_CLASSIFIER = "Programming Language :: Python :: Free Threading"
_LIBRARY = re.compile(r"\.(?:so(?:\.[0-9.]+)?|dylib|dll|pyd|exe|a)$")
_TAGGED = re.compile(
    r"^([^.]+)\.(?:cpython-[^/]+|cp[0-9]+t?-[^/]+|abi3t?(?:-[^/]+)?|pypy[0-9]+-[^/]+|graalpy[^/]*)\.so$"
)
_PLAIN = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)\.so$")
_SOURCE = re.compile(
    r"\.(?:c|cc|cpp|cxx|c\+\+|cu|pyx|pyx\.in|pyx\.tp|rs|f|f77|f90|f95|mm|s|asm|swg)$",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"^(?:\.?tests?|testing|test_.*|docs?|documentation|examples?|samples?|demos?|bench(?:marks?)?|"
    r"tutorials?|fuzz(?:ing)?|ci|\.github|contrib)$",
    re.IGNORECASE,
)
"""Directories whose sources are not compiled into a package."""

_EXTENDS = re.compile(
    r"\b(?:ext_modules|cffi_modules|rust_extensions|ext_package)\s*=|\b(?:Extension|RustExtension|"
    r"CMakeExtension|Pybind11Extension|CUDAExtension)\s*\(|[\"'](?:ext_modules|cffi_modules|rust_extensions)[\"']"
)
_OPTIONAL = re.compile(
    r"\boptional\s*=\s*True|BuildFailed|BuildExtFailed|ve_build_ext|optional_build_ext|"
    r"class\s+\w*(?:Optional|MaybeBuild|TryBuild)\w*\s*\("
)
_HOOKS = re.compile(r"^\s*\[+tool\.hatch\.build\.(?:targets\.[^.\]]+\.)?hooks\b", re.MULTILINE)
_COMPILING = (
    *("maturin", "mesonpy", "scikit_build_core", "sipbuild", "py_build_cmake", "setuptools_rust"),
    *("skbuild", "enscons", "meson_python", "pymsbuild", "whey_conda", "pybind11"),
)
_PLAIN_BACKENDS = (
    *("flit_core", "flit", "flit_scm", "hatchling", "poetry", "poetry_core", "pdm", "uv_build"),
    *("trampolim", "whey", "jupyter_packaging"),
)


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What is inside a wheel or an sdist, as far as it bears on free threading.

    Attributes:
        extensions: Extension modules within a wheel that is tagged for any ABI; a few of them.
        binaries: Other compiled files within it; a few of them.
        sources: What makes an sdist native: its sources, or the file that says that it compiles
            something; a few of them.
        optional: Whether an sdist seems to do without its native code where that does not compile.
        level: The level of the trove classifier for free threading; 0 for one without a level,
            None without one.
    """

    extensions: tuple[str, ...] = ()
    binaries: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    optional: bool = False
    level: int | None = None


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt of a package for grading it.

    Attributes:
        files: All files of its version, whatever they are for; None where only those that its
            resolution listed are known, which is enough for one that has a wheel for the target.
        contents: What is inside the wheel the target takes, or inside the sdist where that is all
            there is; None where nothing was looked into.
        note: What could not be found out, and why; empty if everything was.
    """

    files: tuple[File, ...] | None = None
    contents: Contents | None = None
    note: str = ""


def looked(
    packages: Sequence[Package], target: Target, *, access: Access, cache: Path, emit: Emit
) -> dict[str, Shipped]:
    """Look into what packages ship, by name; what cannot be had is a note.

    Args:
        packages: The packages.
        target: The interpreter.
        access: How to ask.
        cache: Directory where answers are kept; made if need be.
        emit: Receives progress.

    Raises:
        Interrupted: The run was stopped.
    """
    found: dict[str, Shipped] = {}
    alone = _Alone()
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = {
            pool.submit(_shipped, each, target, access, cache, alone): each for each in packages
        }
        try:
            for done in as_completed(waiting):
                package = waiting[done]
                found[package.name] = done.result()
                label = f"looking into {package.name}"
                emit(
                    Measuring(
                        task="audit", label=label, done=len(found), total=len(packages), left=None
                    )
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


class _Alone:
    """Which servers were seen not to have metadata apart from its wheel (PEP 658)."""

    def __init__(self) -> None:
        self._without: set[str] = set()
        self._lock = threading.Lock()

    def may_have(self, url: str) -> bool:
        with self._lock:
            return urlsplit(url).netloc not in self._without

    def lacks(self, url: str) -> None:
        with self._lock:
            self._without.add(urlsplit(url).netloc)


def _shipped(
    package: Package, target: Target, access: Access, cache: Path, alone: _Alone
) -> Shipped:
    if package.source is not None:
        return Shipped()
    taken = best(package.wheels, target)
    files, notes = None, []
    if taken is None and package.index is not None:
        # A resolution lists only wheels for the target's release or later.
        try:
            offered = simple.page(package.index, package.name, access=access, cache=cache)
            files = files_of(offered or (), package.version)
        except EnvironmentFault as fault:
            notes.append(f"its index does not tell what else there is: {fault.message}")
    taken = taken or best(files or (), target)
    if taken is not None:
        named = taken.tag.abi != NO_ABI
        look = _named_wheel if named else _wheel
        contents, why = _remembered(taken.file, cache, lambda file: look(file, access, alone))
    elif _only_sdist(files or package.wheels) and package.sdist is not None:
        contents, why = _remembered(package.sdist, cache, lambda file: _sdist(file, access))
    else:
        contents, why = None, ""
    return Shipped(
        files=files, contents=contents, note="; ".join((*notes, *([why] if why else [])))
    )


def sources(file: File, *, access: Access, cache: Path) -> tuple[str, ...]:
    """What makes an sdist native, a few names; nothing where that cannot be found out.

    Raises:
        Interrupted: The run was stopped.
    """
    contents, _ = _remembered(file, cache, lambda file: _sdist(file, access))
    return contents.sources if contents else ()


def _only_sdist(files: Iterable[File]) -> bool:
    """Whether there is no wheel of a particular ABI or platform: then the sdist tells."""
    tags = (tag for file in files if (wheel := wheel_of(file.name)) for tag in wheel.tags)
    return all(tag.abi == NO_ABI and tag.platform == "any" for tag in tags)


def _remembered(
    file: File, cache: Path, look: Callable[[File], Contents]
) -> tuple[Contents | None, str]:
    """What is inside a file, from the cache if it was looked into before; or why nobody knows."""
    path = None
    if file.sha256 is not None:
        path = cache / _FORMAT / file.sha256[:2] / f"{file.sha256}.json"
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.decode(recall(path) or b"", type=Contents), ""
    try:
        contents = look(file)
    except wire.Failed as failed:
        return None, f"{file.name} was not looked into: {failed.said}"
    if path is not None:
        keep(path, msgspec.json.encode(contents))
    return contents, ""


def _named_wheel(file: File, access: Access, alone: _Alone) -> Contents:
    """Of a wheel that names its ABI, only the metadata."""
    if access.offline and urlsplit(file.url).scheme != "file":
        raise wire.Failed(OFFLINE)
    if alone.may_have(file.url):
        text = ranges.document(f"{file.url}.metadata", access=access)
        if text is not None:
            return Contents(level=level_of(text))
        alone.lacks(file.url)
    members = ranges.look(file.url, file.size, is_metadata, access=access)
    return Contents(level=_level(members.texts))


def _wheel(file: File, access: Access, _: _Alone) -> Contents:
    members = ranges.look(file.url, file.size, is_metadata, sought=entry_point, access=access)
    return wheel_contents(members)


def _sdist(file: File, access: Access) -> Contents:
    if file.name.endswith(".zip"):
        members = ranges.look(file.url, file.size, tells, access=access)
    else:
        members = ranges.unroll(file.url, file.size, tells, limit=SDIST, access=access)
    return sdist_contents(members)


def wheel_contents(members: ranges.Members) -> Contents:
    """What is inside a wheel that is tagged for any ABI.

    An extension module is known by the ABI in its file name, or, if that has none, by the function
    that importing it calls: there are libraries beside Python code that ctypes loads.
    """
    compiled = [name for name in members.names if _LIBRARY.search(name.lower())]
    extensions = [name for name in compiled if _is_tagged_extension(name) or name in members.found]
    others = [name for name in compiled if name not in extensions]
    programs = [name for name in members.names if _is_program(name)]
    return Contents(
        extensions=tuple(extensions[:SHOWN]),
        binaries=tuple((others + programs)[:SHOWN]),
        level=_level(members.texts),
    )


def sdist_contents(members: ranges.Members) -> Contents:
    """What is inside an sdist: whether building it compiles something, as far as names tell."""
    texts = {PurePosixPath(name).name: text for name, text in members.texts.items()}
    names = [name.partition("/")[2] for name in members.names]
    setup, backend = texts.get("setup.py", ""), _backend(texts.get("pyproject.toml", ""))
    sources = [name for name in names if _SOURCE.search(name) and not _is_aside(name)]
    hooked = backend.hooked or "setup.py" in texts
    if backend.name in _PLAIN_BACKENDS and not hooked:
        # It packs whatever is there, and compiles nothing.
        sources = []
    declared = [
        name
        for name, says in (
            ("setup.py", _EXTENDS.search(setup) is not None),
            ("pyproject.toml", backend.compiles),
        )
        if says
    ]
    # What is closest to the top says most.
    sources.sort(key=lambda name: (name.count("/"), name))
    return Contents(
        sources=tuple((sources or declared)[:SHOWN]),
        optional=bool((sources or declared) and _OPTIONAL.search(setup)),
        level=level_of(texts.get("PKG-INFO", "")),
    )


def level_of(metadata: str) -> int | None:
    """The level of the trove classifier for free threading.

    >>> level_of("Classifier: Programming Language :: Python :: Free Threading :: 3 - Stable")
    3
    >>> level_of("Classifier: Programming Language :: Python :: Free Threading")
    0
    >>> level_of("Name: spam") is None
    True
    """
    levels = [
        int(found[1]) if (found := re.match(r"::\s*([0-9])", rest)) else 0
        for classifier in HeaderParser().parsestr(metadata).get_all("Classifier", [])
        for word, mark, rest in [str(classifier).strip().partition(_CLASSIFIER)]
        if mark and not word
        for rest in [rest.strip()]
    ]
    return max(levels, default=None)


def _level(texts: Mapping[str, str]) -> int | None:
    return max(
        (level for text in texts.values() if (level := level_of(text)) is not None), default=None
    )


def is_metadata(name: str) -> bool:
    """Whether a member is a wheel's metadata, and not that of something it has inside."""
    return re.fullmatch(r"[^/]+\.dist-info/METADATA", name) is not None


def _is_tagged_extension(name: str) -> bool:
    return _TAGGED.match(PurePosixPath(name).name) is not None


def entry_point(name: str) -> bytes | None:
    """The function that an extension module without an ABI in its name has; None for others."""
    path = PurePosixPath(name)
    found = _PLAIN.match(path.name)
    if found is None or any(part.endswith(".libs") for part in path.parts):
        return None
    return b"PyInit_" + found[1].encode()


def _is_program(name: str) -> bool:
    return re.fullmatch(r"[^/]+\.data/scripts/[^/]+", name) is not None


def tells(name: str) -> bool:
    """Whether a member of an sdist says how it is built, or describes it."""
    top, _, rest = name.partition("/")
    return bool(top) and rest in {"setup.py", "pyproject.toml", "PKG-INFO"}


def _is_aside(name: str) -> bool:
    return any(_ASIDE.match(part) for part in name.split("/")[:-1])


class _Backend(msgspec.Struct, frozen=True, kw_only=True):
    """How an sdist is built.

    Attributes:
        name: The top-level module of its build backend; empty where that is setuptools by default.
        compiles: Whether it was made for compiling, or is told to.
        hooked: Whether it runs code of the package's own.
    """

    name: str = ""
    compiles: bool = False
    hooked: bool = False


def _backend(pyproject: str) -> _Backend:
    try:
        parsed = tomllib.loads(pyproject)
    except tomllib.TOMLDecodeError:
        return _Backend()
    build, tool = _table(parsed, "build-system"), _table(parsed, "tool")
    name = str(build.get("build-backend", "")).partition(":")[0].partition(".")[0]
    required = build.get("requires")
    names = required if isinstance(required, list) else []
    requires = [str(each).lower().replace("-", "_") for each in names]
    return _Backend(
        name=name,
        compiles=name in _COMPILING
        or any(
            each.startswith(("maturin", "cffi", "cython", "setuptools_rust")) for each in requires
        )
        or "ext-modules" in _table(tool, "setuptools"),
        hooked=_HOOKS.search(pyproject) is not None
        or "build" in _table(tool, "poetry")
        or "build" in _table(tool, "pdm")
        or "backend-path" in build,
    )


def _table(parent: Mapping[str, object], name: str) -> dict[str, object]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}
