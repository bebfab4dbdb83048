"""Lays installed builds out as an image's file tree, inside the stage that built them.

What both builds have in common is written once, as one file with several names. Every file has the
time and the modes that it has in an archive, so that equal builds make equal layers.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from ftbuild import process
from ftbuild.archive import details, elf
from ftbuild.archive.bytecode import compile_again, files_of
from ftbuild.archive.naming import RECORD, library, recorded
from ftbuild.archive.pack import survey
from ftbuild.archive.read import contents as contents_of
from ftbuild.archive.relocate import STAMP, moved, repointed, stamped
from ftbuild.building.plan import SUPPRESSIONS as LISTED
from ftbuild.errors import EnvironmentFault, Refused, UsageError
from ftbuild.images.assembling.bytecode import same_magic, twins
from ftbuild.images.assembling.contents import (
    PUBLIC_BIN,
    Contents,
    contents,
    launchers,
)
from ftbuild.images.assembling.needs import packages
from ftbuild.images.names import Flavour, Image
from ftbuild.images.places import PREFIXES, SUPPRESSIONS, prefix
from ftbuild.model.events import Noted
from ftbuild.model.manifest import Installation, Manifest
from ftbuild.model.versions import Request, Variant, series_of
from ftbuild.provision.prove import failures, verified
from ftbuild.provision.world import World
from ftbuild.store import tree
from ftbuild.store.listing import find
from ftbuild.store.prefixes import complete
from ftbuild.toolchain.programs import which
from ftbuild.verifying import QUICK

PACKAGES = f"{PREFIXES}/packages"
"""The distribution's packages whose libraries the builds are linked to, one name a line."""

_BYTECODE = ".pyc"
_STRIP = ("strip", "llvm-strip")
_STRIP_TIMEOUT = 300.0
"""Seconds; all files of a build take two."""


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """What was laid out.

    Attributes:
        prefixes: Where the builds are in the image.
        size: Bytes of all files, those with several names counted once.
        bytecode: Bytes of those that are bytecode.
        packages: The distribution's packages that the image needs.
        left_out: The modules of the standard library that are not there.
    """

    prefixes: tuple[str, ...]
    size: int
    bytecode: int
    packages: tuple[str, ...]
    left_out: tuple[str, ...]


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A build, and what of it goes where.

    Attributes:
        item: The build.
        place: Its prefix in the image.
        folder: Its prefix in the tree.
        found: What of it is there.
        pointing: The files, by their names in the build, that name its prefix.
        stale: The sources among those whose bytecode is to be made again.
        hashes: The hashes of its files, by their names in the build, in an archive.
        programs: Those of its files that are programs, by their names in the build.
    """

    item: Installation
    place: str
    folder: Path
    found: Contents
    pointing: frozenset[str]
    stale: tuple[str, ...]
    hashes: dict[str, str]
    programs: frozenset[str]

    @property
    def library(self) -> str:
        """The directory of its standard library."""
        return library(series_of(self.item.spec.version), self.item.spec.variant)


def builds(
    release: str, variant: Variant | None, profile: str, world: World
) -> tuple[Installation, ...]:
    """The installed builds that an image is of.

    Args:
        release: The release.
        variant: The one build; None for both.
        profile: The profile.
        world: Where they are installed.

    Raises:
        UsageError: One is not installed; the hint has the command that builds it.
    """
    text = {None: release, Variant.GIL: f"{release}+gil", Variant.FREE_THREADED: f"{release}t"}
    wanted = Request(
        text=text[variant],
        series=series_of(release),
        release=release,
        variant=variant,
        profile=profile,
    )
    return tuple(
        item
        for each in wanted.variants
        for item in find(
            world.layout,
            msgspec.structs.replace(wanted, variant=each, text=text[each]),
            default_profile=world.catalogue.default_profile,
        )
    )


def assemble(image: Image, into: Path, world: World) -> Assembled:
    """Lay the installed builds of an image out as its file tree.

    Args:
        image: Which builds, and what of them is wanted.
        into: The directory to be made, whose contents go onto the root of the image's base.
        world: Where they are installed, and where events go.

    Raises:
        UsageError: There is something in the directory already, or a build is not installed.
        Refused: A build is not what was installed, or does not work where it was laid.
        EnvironmentFault: A file cannot be written; `strip` or a package is missing.
        Interrupted: The run was stopped.
    """
    found = builds(image.release, image.variant, image.profile, world)
    return lay_out(found, flavour=image.flavour, primary=image.primary, into=into, world=world)


def lay_out(
    found: Sequence[Installation], *, flavour: Flavour, primary: Variant, into: Path, world: World
) -> Assembled:
    """Lay builds of one release out, one of each variant; the primary is `python3` and `pip`.

    Otherwise as `assemble`.
    """
    into = into.absolute()  # the interpreters run in other directories
    _require_empty(into)
    with contextlib.ExitStack() as unfinished:
        unfinished.callback(shutil.rmtree, into, ignore_errors=True)
        try:
            plans = [_planned(item, flavour, into) for item in found]
            plans.sort(key=lambda plan: plan.item.spec.variant is not primary)
            _lay(plans, flavour, world)
            _launch(plans, primary, into)
            _join_suppressions(plans, into)
            binaries = {str(path.relative_to(into)): path for path in _binaries(into)}
            needed = packages(binaries, env=world.env, stop=world.stop)
            listed = "".join(f"{name}\n" for name in needed)
            (into / PACKAGES.lstrip("/")).write_text(listed)
            _settle(into)
            size, bytecode = _sizes(into)
        except OSError as error:
            raise EnvironmentFault(
                # A full disk has no file's name.
                f"{error.filename or into}: {error.strerror}",
                hint="Is there space left on that file system?",
            ) from error
        unfinished.pop_all()
    return Assembled(
        prefixes=tuple(plan.place for plan in plans),
        size=size,
        bytecode=bytecode,
        packages=needed,
        left_out=tuple(sorted({name for plan in plans for name in plan.found.left_out})),
    )


def _require_empty(into: Path) -> None:
    if into.is_symlink() or (into.exists() and (not into.is_dir() or any(into.iterdir()))):
        raise UsageError(
            f"{into} is there already, and not an empty directory",
            hint="Give --into a directory that is to be made.",
        )


def _planned(item: Installation, flavour: Flavour, top: Path) -> _Plan:
    """What of a build goes where below `top`.

    Raises:
        Refused: It is not what was installed, or cannot be moved.
    """
    spec, looked = item.spec, survey(item)
    assert looked.manifest.archived is not None  # noqa: S101 - a survey has it
    pointing = frozenset(looked.manifest.archived.pointing)
    hashes = tree.parse(looked.hashes.decode("utf-8", "surrogateescape"))
    found = contents(
        hashes,
        item.manifest.result.links,
        series=series_of(spec.version),
        variant=spec.variant,
        flavour=flavour,
    )
    compiled = {
        name: files
        for name, source in found.files.items()
        if source in pointing and (files := files_of(name, found.files))
    }
    gone = frozenset(name for files in compiled.values() for name in files)
    kept = {name: source for name, source in found.files.items() if name not in gone}
    place = prefix(spec.version, spec.variant)
    return _Plan(
        item=item,
        place=place,
        folder=top / place.lstrip("/"),
        found=msgspec.structs.replace(found, files=kept),
        pointing=pointing,
        stale=tuple(compiled),
        hashes=hashes,
        programs=frozenset(looked.manifest.result.executables or ()),
    )


def _lay(plans: Sequence[_Plan], flavour: Flavour, world: World) -> None:
    """Lay builds out, make them whole there, and prove that they work."""
    shelf: dict[tuple[str, int], Path] = {}
    with tempfile.TemporaryDirectory(prefix="ftbuild-image-") as scratch:
        for plan in plans:
            world.emit(Noted(text=f"laying out {plan.item.manifest.name} as {plan.place}"))
            digests = _copy(plan, plans[0], shelf)
            if flavour is Flavour.SLIM:
                _strip(tuple(_binaries(plan.folder)), world)
            # Before anything is compiled: bytecode has the time of its source.
            _settle(plan.folder)
            again = {name: frozenset({0}) for name in plan.stale}
            compile_again(_here(plan), again, mark=scratch, stop=world.stop)
            known = tree.parse(contents_of(plan.folder, digests).text)
            _record(plan, known)
            there = contents_of(plan.folder, known)
            _prove(plan, there, world, Path(scratch))
            complete(plan.folder, _holding(_moved(plan, plan.place), there, plan), there)


def _copy(plan: _Plan, first: _Plan, shelf: dict[tuple[str, int], Path]) -> dict[str, str]:
    """Write a build's files and links; what is there already gets another name.

    Args:
        plan: The build.
        first: The one whose bytecode it can have.
        shelf: The files that are there already, by hash and mode; grows.

    Returns:
        The hashes of its files, but for ELF files, of which symbols may yet be cut off.
    """
    twin = _readable(plan, first)
    digests = {}
    for name, source in plan.found.files.items():
        path, origin = plan.folder / name, plan.item.prefix / source
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in twin:
            os.link(first.folder / twin[name], path)
            continue
        content, digest = origin.read_bytes(), plan.hashes[source]
        mode = tree.mode_of(executable=source in plan.programs)
        if source in plan.pointing:
            content = repointed(source, content, plan.item.manifest.prefix, plan.place)
            digest = hashlib.sha256(content).hexdigest()
        elif name == f"{plan.library}/{details.NAME}":
            content = details.without(content, {*plan.found.files, *plan.found.links})
            digest = hashlib.sha256(content).hexdigest()
        elif name.endswith(_BYTECODE):
            content = stamped(content)
        if content.startswith(elf.MAGIC):
            _write(path, content, mode)
            continue
        digests[name] = digest
        if content and (digest, mode) in shelf:
            os.link(shelf[digest, mode], path)
        else:
            _write(path, content, mode)
            shelf[digest, mode] = path
    for name, target in plan.found.links.items():
        (plan.folder / name).symlink_to(target)
    return digests


def _write(path: Path, content: bytes, mode: int) -> None:
    path.write_bytes(content)
    path.chmod(mode)


def _readable(plan: _Plan, first: _Plan) -> dict[str, str]:
    """The bytecode that a build can have of another one, by name."""
    if plan is first:
        return {}
    own, other = (
        {name: each.hashes[source] for name, source in each.found.files.items()}
        for each in (plan, first)
    )
    found = twins(own, other, library=plan.library, other_library=first.library)
    for name, theirs in found.items():
        here = (plan.item.prefix / plan.found.files[name]).read_bytes()
        return found if same_magic(here, (first.folder / theirs).read_bytes()) else {}
    return {}


def _strip(files: Sequence[Path], world: World) -> None:
    """Cut symbol tables and debug information off; what programs are linked by stays.

    Raises:
        EnvironmentFault: There is nothing to do it with, or it fails.
    """
    if not files:
        return
    program = next((found for name in _STRIP if (found := which(name, world.env))), None)
    if program is None:
        raise EnvironmentFault(
            f"there is neither {' nor '.join(_STRIP)} on the PATH",
            hint="Install binutils or llvm; or keep the symbols, with --flavour dev.",
        )
    done = process.capture(
        (program, "--strip-all", *files),
        env={**world.env, "LC_ALL": "C"},
        timeout=_STRIP_TIMEOUT,
        stop=world.stop,
    )
    if not done.ok:
        said = done.stderr.strip().rpartition("\n")[2]
        raise EnvironmentFault(f"{program} failed: {done.ending}" + (f": {said}" if said else ""))


def _record(plan: _Plan, digests: dict[str, str]) -> None:
    """Make the lists of installed packages' files true.

    Args:
        plan: The build, in place.
        digests: The hashes of all its files; those of the lists change.
    """
    names = {source: name for name, source in plan.found.files.items()}
    sizes = tree.scan(plan.folder).files
    for source, name in names.items():
        if name.endswith(RECORD):
            content = (plan.item.prefix / source).read_bytes()
            path = plan.folder / name
            path.unlink()  # both builds' may still be one file
            made = recorded(content, name, names=names, digests=digests, sizes=sizes)
            _write(path, made, 0o644)
            digests[name] = hashlib.sha256(made).hexdigest()


def _prove(plan: _Plan, there: tree.Tree, world: World, scratch: Path) -> None:
    """Make sure that a build works where it lies.

    Raises:
        Refused: It does not.
    """
    here = _here(plan)
    manifest = _holding(here.manifest, there, plan)
    here = msgspec.structs.replace(here, manifest=manifest)
    report = verified(here, world, scratch / plan.folder.name, QUICK)
    if not report.ok:
        raise Refused(
            f"{plan.item.manifest.name} does not work in the image's tree: {failures(report)}",
            hint="`ftbuild verify` tells whether the build itself does.",
        )


def _here(plan: _Plan) -> Installation:
    """A build as it is in the tree."""
    return Installation(prefix=plan.folder, manifest=_moved(plan, str(plan.folder)))


def _moved(plan: _Plan, place: str) -> Manifest:
    """The manifest that a build has at another prefix."""
    manifest = plan.item.manifest
    there = moved(manifest, manifest.prefix, place)
    return msgspec.structs.replace(there, archived=manifest.archived)


def _holding(manifest: Manifest, there: tree.Tree, plan: _Plan) -> Manifest:
    """A manifest of what is there."""
    held = tree.holding(manifest, there)
    result = msgspec.structs.replace(held.result, left_out=plan.found.left_out)
    return msgspec.structs.replace(held, result=result)


def _launch(plans: Iterable[_Plan], primary: Variant, top: Path) -> None:
    """Make the programs of all builds known outside their prefixes."""
    folder = top / PUBLIC_BIN
    folder.mkdir(parents=True)
    for plan in plans:
        spec = plan.item.spec
        scripts = launchers(
            plan.found,
            plan.place,
            series=series_of(spec.version),
            variant=spec.variant,
            primary=spec.variant is primary,
        )
        for name, script in scripts.items():
            _write(folder / name, script.encode(), 0o755)


def _join_suppressions(plans: Iterable[_Plan], top: Path) -> None:
    """Put the sanitizer's suppression lists of all builds in one, where there are any."""
    paths = (plan.folder / LISTED for plan in plans)
    lines = [line for path in paths if path.exists() for line in path.read_text().splitlines()]
    if lines:
        (top / SUPPRESSIONS.lstrip("/")).write_text(
            "".join(f"{line}\n" for line in dict.fromkeys(lines))
        )


def _binaries(top: Path) -> Iterator[Path]:
    """The ELF files below a directory."""
    for name in tree.scan(top).files:
        path = top / name
        with path.open("rb") as file:
            if file.read(len(elf.MAGIC)) == elf.MAGIC:
                yield path


def _settle(top: Path) -> None:
    """Give everything below a directory the modes and the time that it has in an archive."""
    tree.set_modes(top)
    for folder, folders, files in os.walk(top, topdown=False):
        for name in (*files, *folders):
            os.utime(Path(folder, name), (STAMP, STAMP), follow_symlinks=False)
    os.utime(top, (STAMP, STAMP))


def _sizes(top: Path) -> tuple[int, int]:
    """Bytes below a directory, each file counted once, and those of bytecode among them."""
    seen: dict[int, tuple[int, bool]] = {}
    for name in tree.scan(top).files:
        status = (top / name).lstat()
        seen[status.st_ino] = status.st_size, name.endswith(_BYTECODE)
    return sum(size for size, _ in seen.values()), sum(
        s for s, compiled in seen.values() if compiled
    )
