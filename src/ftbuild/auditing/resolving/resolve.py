"""Which packages a project gets: uv resolves its requirements, transitively.

uv resolves for every platform at once (`--universal`), and what holds for the target is selected
by markers. Resolving for the target alone would choose versions by the wheels there are: it goes
back to ancient versions, or fails, where the newest has none for this interpreter, and that is the
very thing to report.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from packaging import pylock
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from ftbuild.auditing.findings import File, Package, Target
from ftbuild.auditing.inputs.locks import Root
from ftbuild.auditing.inputs.words import Inputs, Line
from ftbuild.errors import UsageError
from ftbuild.model.text import Sha256, fitting
from ftbuild.process import Completed
from ftbuild.wheels.complaints import complaint_of, error_of, wants_to_build
from ftbuild.wheels.indexes import redacted
from ftbuild.wheels.uv import RESOLVING, Uv, confined

_ENVIRONMENT = ("sys_platform", "platform_machine", "implementation_name", "python_full_version")

_SPLIT = re.compile(r"\(markers: |\{\w+ ")
"""What uv says where it fails for some platforms or releases only."""

_UNWHEELED = "has no wheels with a matching Python version tag"
_TAG = re.compile(r"`cp3(\d+)t?`")

_FILES = frozenset({"wheels", "sdist", "archive", "directory", "vcs"})
"""What says where a package in a lock comes from."""

_LOCAL = re.compile(r"(?:-e )?(?P<path>[^;]+?)(?: ; (?P<marker>.+))?")
_OF_PROJECT = re.compile(r"(?:\S+ )?\((?P<file>.+?)(?::(?P<group>[^:/]+))?\)")


class _Stated(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in uv's list of requirements.

    Attributes:
        name: The package's normalized name, or the path of a directory.
        marker: Where it holds; empty for everywhere.
        via: Who requires it, in uv's words.
        index: Where it comes from.
    """

    name: str
    marker: str
    via: tuple[str, ...]
    index: str | None


def resolve(
    inputs: Inputs,
    target: Target,
    uv: Uv,
    *,
    scratch: Path,
    known: Callable[[], Iterable[str]] = tuple,
    also: Sequence[str] = (),
    build: bool = True,
) -> tuple[Package, ...]:
    """The packages that inputs get on a target, by name; empty if they require none.

    Args:
        inputs: What is required.
        target: The interpreter.
        uv: Runs in the inputs' project.
        scratch: A directory to write in.
        known: All names of packages there are; asked only where one does not exist.
        also: Constraints besides: would they go with what is required?
        build: Whether a package whose dependencies only its build can tell may be built.

    Raises:
        Unsatisfiable: No versions fulfil everything.
        UsageError: A requirement cannot be parsed, a package does not exist, the project is not
            for this Python, or something had to be built to go on and must not.
        EnvironmentFault: An index cannot be reached or lets nobody in, or a build failed.
        Interrupted: `uv.stop` was set.
    """
    for label, python in inputs.pythons:
        _require_meant(label, python, target)
    lines = [line for line in inputs.lines if _holds(line.root, target, inputs)]
    if not inputs.files and not inputs.groups and not lines:
        return ()
    asked = Path(tempfile.mkdtemp(dir=scratch, prefix="resolve-"))
    words = _words(inputs, lines, target, asked, (*inputs.pins, *also))
    # What wheels and files tell is enough for nearly every project, and runs no code.
    failed = _attempts(*_unable_to_build(words, uv, asked), target, asked)
    if failed and build and wants_to_build(failed):
        failed = _attempts(words, confined(uv, asked), target, asked)
    if failed:
        raise error_of(failed, cwd=uv.cwd, offline=uv.offline, build=build, known=known)
    stated = tuple(read_requirements((asked / "requirements.txt").read_text(encoding="utf-8")))
    document = tomllib.loads((asked / "pylock.toml").read_text(encoding="utf-8"))
    labels = _Labels(inputs=inputs, lines=tuple(lines), own=asked / "lines.in", cwd=uv.cwd)
    return _packages(document, stated, labels, target, asked)


def _require_meant(label: str, python: str, target: Target) -> None:
    """Whether a project is for the target's Python at all."""
    try:
        meant = SpecifierSet(python)
    except InvalidSpecifier as error:
        raise UsageError(f"{label}: requires-python is no version specifier: {python!r}") from error
    # As uv and pip have it: what is for 3.15 is for its betas.
    if not meant.contains(Version(target.version).base_version):
        raise UsageError(
            f"{label} is for Python {python} only, which excludes {target.version}",
            hint="Audit for another interpreter, or widen requires-python.",
        )


def _holds(root: Root, target: Target, inputs: Inputs) -> bool:
    """Whether a requirement of a lock file holds for the target and what is asked of it."""
    if not root.marker:
        return True
    extras, groups = inputs.of_locks
    environment: dict[str, Any] = {
        **target.markers,
        "extras": frozenset(map(canonicalize_name, extras)),
        "dependency_groups": frozenset(map(canonicalize_name, groups)),
    }
    try:
        return Marker(root.marker).evaluate(environment, context="lock_file")
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{root.text}: no marker: {root.marker!r}: {error}") from error


def _words(
    inputs: Inputs, lines: Sequence[Line], target: Target, asked: Path, pins: Sequence[str]
) -> tuple[str | Path, ...]:
    """The command, up to its output."""
    words: list[str | Path] = [
        *("pip", "compile", "--universal"),
        *("--python", target.python),
        # Against what a project may have set in [tool.uv.pip].
        *("--annotate", "--annotation-style", "split", "--emit-index-annotation"),
        *("--deps", "--no-generate-hashes", "--no-header", "--quiet"),
    ]
    for extra in inputs.extras:
        words += ("--extra", extra)
    for file, group in inputs.groups:
        words += ("--group", f"{file}:{group}")
    if pins:
        words += ("--constraints", _written(asked / "pins.txt", pins))
    words += [file.path for file in inputs.files]
    if lines:
        words.append(_written(asked / "lines.in", [line.root.text for line in lines]))
    return tuple(words)


def _attempts(words: Sequence[str | Path], uv: Uv, target: Target, asked: Path) -> Completed | None:
    """Resolve as the target would, with less strictness where uv has too much of it.

    Returns:
        The run that failed, if it cannot be done.
    """
    python = Version(target.version)
    while True:
        # Of the version that `--python` has, uv keeps 3.14 and forgets the rest.
        tried = (*words, "--python-version", str(python))
        failed = _compiled(tried, uv, asked)
        if failed is None:
            return None
        if older := _older(failed.stderr, python):
            # A version without an sdist whose wheels are all for older releases: uv refuses it,
            # an audit reports it. What holds for the target is selected by markers all the same.
            python = older
        elif _SPLIT.search(failed.stderr) and "environments" not in uv.settings:
            # It cannot be done for some other platform. uv has no word for "this platform,
            # whatever wheels there are" but in the configuration of a project; and leaves out the
            # wheels for other platforms then, which is why this is not the first choice.
            marker = " and ".join(f"{name} == '{target.markers[name]}'" for name in _ENVIRONMENT)
            limited = {**uv.settings, "environments": [marker]}
            uv = msgspec.structs.replace(uv, settings=limited)
        else:
            return failed


def _older(stderr: str, python: Version) -> Version | None:
    """The latest release before this one for which a refused version has wheels."""
    said = complaint_of(stderr)
    if _UNWHEELED not in " ".join(said.text.split()):
        return None
    minors = {int(minor) for hint in said.hints for minor in _TAG.findall(hint)}
    return (
        Version(f"3.{max(older)}") if (older := [x for x in minors if x < python.minor]) else None
    )


def _unable_to_build(
    words: tuple[str | Path, ...], uv: Uv, asked: Path
) -> tuple[tuple[str | Path, ...], Uv]:
    """The command so that it runs no code of any package.

    With `--no-build`, uv would not consider a version that has no wheel for this release, though
    those for others tell what it depends on. So it may build, and each build ends before it begins:
    Python finds no library of its own in the home it is given. uv asks the interpreter what it is
    in isolated mode, which this does not reach.
    """
    env = {**uv.env, "PYTHONHOME": str(asked / "no-python")}
    return (*words, "--no-build-isolation"), msgspec.structs.replace(uv, env=env)


def _written(path: Path, lines: Iterable[str]) -> Path:
    # Addresses may hold credentials.
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _compiled(words: Sequence[str | Path], uv: Uv, asked: Path) -> Completed | None:
    """Have uv write what it resolved, both ways; the run that failed, if one did.

    The lock has the files, the requirements tell who requires what. What the first run asked of
    the index is in uv's cache, so that the second needs no network: it takes a tenth of a second,
    and comes to the same result even if the index changes in between.
    """
    done = _run(words, uv, asked / "pylock.toml")
    if not done.ok:
        return done
    cached = msgspec.structs.replace(uv, offline=True)
    if _run(words, cached, asked / "requirements.txt").ok:
        return None
    done = _run(words, uv, asked / "requirements.txt")
    return None if done.ok else done


def _run(words: Sequence[str | Path], uv: Uv, file: Path) -> Completed:
    # uv prefers the versions in a file that is there.
    file.unlink(missing_ok=True)
    return uv.run(*words, "--format", file.name, "--output-file", file, timeout=RESOLVING)


def read_requirements(text: str) -> Iterator[_Stated]:
    r"""The entries of uv's list, with its annotations.

    >>> text = "numpy==2.4.0 ; sys_platform == 'linux'\n    # via pandas\n    # from https://a/\n"
    >>> [(entry.name, entry.via, entry.index) for entry in read_requirements(text)]
    [('numpy', ('pandas',), 'https://a/')]
    """
    blocks: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith(" ") and blocks:
            blocks[-1][1].append(line.strip())
        elif line and not line.startswith("#"):
            blocks.append((line.rstrip(" \\"), []))
    for entry, notes in blocks:
        via: list[str] = []
        index = None
        for note in (note.removeprefix("#").strip() for note in notes if note.startswith("#")):
            if note.startswith("from "):
                index = redacted(note.removeprefix("from "))
            elif said := note.removeprefix("via").strip():
                via.append(said)
        name, marker = _entry(entry)
        yield _Stated(name=name, marker=marker, via=tuple(via), index=index)


def _entry(text: str) -> tuple[str, str]:
    """What a line of uv's list is about, and where it holds."""
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        match = _LOCAL.fullmatch(text)
        return (match["path"], match["marker"] or "") if match else (text, "")
    return canonicalize_name(wanted.name), str(wanted.marker or "")


class _Labels(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to call inputs by the user's names for them.

    Attributes:
        inputs: The inputs.
        lines: The requirements that were handed over in a file of their own.
        own: That file.
        cwd: Where uv ran.
    """

    inputs: Inputs
    lines: tuple[Line, ...]
    own: Path
    cwd: Path

    def of(self, via: str, package: str) -> tuple[str, ...]:
        """The inputs behind one of uv's annotations; none if it means a package."""
        kind, _, file = via.partition(" ")
        if kind == "-c":
            # It only limits the version.
            return ()
        if kind == "-r":
            return self._of_file(file, package)
        if match := _OF_PROJECT.fullmatch(via):
            group = f" (group {match['group']})" if match["group"] else ""
            return tuple(f"{label}{group}" for label in self._of_file(match["file"], package))
        return ()

    def _of_file(self, file: str, package: str) -> tuple[str, ...]:
        place = os.path.realpath(self.cwd / file)
        if place == os.path.realpath(self.own):
            found = [line.label for line in self.lines if _name(line.root.text) == package]
            return tuple(dict.fromkeys(found)) or ("command line",)
        for known in self.inputs.files:
            if os.path.realpath(known.path) == place:
                return (known.label,)
        # A file that another includes, or a pyproject.toml of which only a group is wanted.
        for known in self.inputs.files:
            beside = os.path.relpath(place, os.path.realpath(known.path.parent))
            return (os.path.normpath(Path(known.label).parent / beside),)
        return (os.path.relpath(place, os.path.realpath(self.cwd)),)


def _name(text: str) -> str:
    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        return ""


def _packages(
    document: Mapping[str, Any],
    stated: Sequence[_Stated],
    labels: _Labels,
    target: Target,
    asked: Path,
) -> tuple[Package, ...]:
    locked = [
        package
        for package in _locked(document)
        if package.marker is None or package.marker.evaluate(dict(target.markers))
    ]
    by_name = {
        entry.name: entry
        for entry in stated
        if not entry.marker or Marker(entry.marker).evaluate(dict(target.markers))
    }
    by_place = {
        os.path.realpath(labels.cwd / _path(name)): entry for name, entry in by_name.items()
    }
    nobody = _Stated(name="", marker="", via=(), index=None)
    entries: dict[str, _Stated] = {}
    for package in locked:
        place = package.directory.path if package.directory else ""
        entries[package.name] = by_name.get(
            package.name, by_place.get(os.path.realpath(asked / place), nobody)
        )
    # Kept apart: `rich` may be an input and a package.
    parents = {name: _packages_in(entry.via, entries) for name, entry in entries.items()}
    sources = {
        name: tuple(dict.fromkeys(who for said in entry.via for who in labels.of(said, name)))
        for name, entry in entries.items()
    }
    chains = _chains(sources, parents)
    return tuple(
        Package(
            name=package.name,
            version=str(package.version or ""),
            via=(*sources[package.name], *parents[package.name]),
            chain=chains[package.name],
            index=_index(package, entries[package.name]),
            wheels=tuple(map(_file, package.wheels or ())),
            sdist=_file(package.sdist) if package.sdist else None,
            source=_source(package, asked),
        )
        for package in sorted(locked, key=lambda package: package.name)
    )


def _path(name: str) -> str:
    """The path of a directory, which uv also tells as an address.

    >>> _path("file:///home/me/a%20b")
    '/home/me/a b'
    """
    parts = urlsplit(name)
    return unquote(parts.path) if parts.scheme == "file" else name


def _locked(document: Mapping[str, Any]) -> Iterator[pylock.Package]:
    """The packages in uv's lock, and what uv leaves out of it that PEP 751 wants there.

    A package of which no file suits the release comes without files; and a file whose index tells
    no hash comes without hashes (uv 0.9).
    """
    found = []
    for entry in document.get("packages", ()):
        if not _FILES & set(entry):
            yield pylock.Package(
                name=canonicalize_name(entry["name"]),
                version=Version(entry["version"]) if "version" in entry else None,
                marker=Marker(entry["marker"]) if "marker" in entry else None,
            )
            continue
        mended = dict(entry)
        if "wheels" in mended:
            mended["wheels"] = [_hashed(wheel) for wheel in mended["wheels"]]
        mended |= {kind: _hashed(mended[kind]) for kind in ("sdist", "archive") if kind in mended}
        found.append(mended)
    yield from pylock.Pylock.from_dict({**document, "packages": found}).packages


def _hashed(file: Mapping[str, Any]) -> dict[str, Any]:
    return {**file, "hashes": file.get("hashes") or {"none": ""}}


def _packages_in(via: Iterable[str], known: Mapping[str, object]) -> tuple[str, ...]:
    """The packages that annotations name."""
    names = (canonicalize_name(said.partition("[")[0]) for said in via)
    return tuple(name for name in dict.fromkeys(names) if name in known)


def _chains(
    sources: Mapping[str, tuple[str, ...]], parents: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """The shortest way to each package: an input, then what requires the next."""
    found = {name: labels[:1] for name, labels in sources.items() if labels}
    while missing := {
        # `rich` as an input is said once.
        name: found[parent] if found[parent] == (parent,) else (*found[parent], parent)
        for name, whos in parents.items()
        if name not in found
        for parent in [who for who in whos if who in found][:1]
    }:
        found |= missing
    return {name: found.get(name, ()) for name in sources}


def _index(package: pylock.Package, entry: _Stated) -> str | None:
    if package.directory or package.vcs or package.archive:
        return None
    return redacted(package.index) if package.index else entry.index


def _file(file: pylock.PackageWheel | pylock.PackageSdist) -> File:
    return File(
        name=file.filename,
        url=redacted(file.url or file.path or ""),
        size=file.size,
        sha256=fitting(file.hashes.get("sha256", "").lower(), Sha256),
    )


def _source(package: pylock.Package, asked: Path) -> str | None:
    """Where a package comes from that no index has."""
    if package.directory is not None:
        return os.path.realpath(asked / package.directory.path)
    if (vcs := package.vcs) is not None:
        return redacted(f"{vcs.type}+{vcs.url or vcs.path}@{vcs.commit_id}")
    if (archive := package.archive) is not None:
        return redacted(archive.url or os.path.realpath(asked / str(archive.path)))
    return None
