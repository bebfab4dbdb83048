"""Packs builds, and puts packed ones in place: unpacked, re-pointed, verified, linked."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from ftbuild.archive.bytecode import compile_again
from ftbuild.archive.read import contents, repoint, unpack_build
from ftbuild.archive.stores import Offer
from ftbuild.attest import SUFFIXES, write_beside
from ftbuild.building.engine import together
from ftbuild.errors import EnvironmentFault, FtbuildError, Interrupted, Refused
from ftbuild.files import make_directory, open_atomically, write_atomically
from ftbuild.model.archive import (
    FORMAT,
    RECORD_SUFFIX,
    Record,
    archive_name,
    objection,
)
from ftbuild.model.events import BuildFinished, Noted, Warned
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Report
from ftbuild.model.spec import Platform
from ftbuild.provision.choose import Job, offers
from ftbuild.provision.make import Outcome
from ftbuild.provision.prove import failures, verified
from ftbuild.provision.world import World
from ftbuild.store.layout import hold_if_writable, require_space
from ftbuild.store.links import link
from ftbuild.store.listing import installed
from ftbuild.store.prefixes import claimed, complete, placed
from ftbuild.store.tree import digest, holding
from ftbuild.store.work import scratch
from ftbuild.verifying import QUICK


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """An archive that was made.

    Attributes:
        path: The archive; its record, its provenance and its bill of materials are beside it.
        record: That record.
        added: Files and directories that came into the prefix later and were left out.
        added_files: How many files those are.
    """

    path: Path
    record: Record
    added: tuple[str, ...]
    added_files: int


def pack(found: Sequence[Installation], world: World, *, into: Path | None) -> tuple[Packed, ...]:
    """Pack installed builds, each into an archive, with record and attestations beside it.

    Args:
        found: The builds.
        world: The root they are in, and where progress goes.
        into: The directory for the archives, made if need be; the root's own if None.

    Raises:
        Refused: A build is not what was installed, or cannot be moved.
        EnvironmentFault: An archive cannot be written.
    """
    folder = into or world.layout.archives
    try:
        make_directory(folder)
        with hold_if_writable(world.layout, "archives"):  # an archive and what is beside it
            return tuple(_pack(item, world, folder) for item in found)
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename or folder}: {error.strerror}",
            hint="Make sure there is space and permission, or name another directory with "
            "--output.",
        ) from error


def take(todo: Sequence[Job], world: World, here: Platform) -> dict[str, Outcome]:
    """What can be had from archives instead of being made, by store name.

    An archive that is not what it should be is warned of, and then it is as if it were not there.
    """
    offered = {job.store_name: offers(job, world, here) for job in todo}
    wanted = [job for job in todo if offered[job.store_name]]
    if not wanted:
        return {}
    with scratch(world.layout) as work:
        outcomes = together(
            [partial(_take, job, offered[job.store_name], world, here, work) for job in wanted],
            stop=world.stop,
            enough=lambda _: False,
        )
    return {
        job.store_name: outcome
        for job, outcome in zip(wanted, outcomes, strict=True)
        if outcome is not None
    }


def from_archive(offer: Offer, job: Job, world: World, here: Platform, work: Path) -> Outcome:
    """Have the build of an archive in its place.

    Args:
        offer: The archive.
        job: What it must hold.
        world: Where it is to be placed.
        here: What it must run on.
        work: A scratch directory of this run.

    Raises:
        Refused: It is not what it should be, or not for this machine.
        EnvironmentFault: It cannot be had, or be put in place.
        Interrupted: The run was stopped.
    """
    started = time.monotonic()
    report = None
    with claimed(
        world.layout,
        job.store_name,
        stop=world.stop,
        on_wait=lambda: world.emit(Noted(text=f"{job.name}: another run is at it")),
    ):
        have = installed(world.layout, job.spec, job.store_name)
        if have is None:
            _require_fitting(offer, job, here)
            have, report = _install(offer, job, world, work)
        link(world.layout, have, default_profile=world.catalogue.default_profile)
    outcome = Outcome(
        name=job.name,
        status="present" if report is None else "installed",
        installation=have,
        report=report,
        seconds=time.monotonic() - started if report else 0.0,
    )
    detail = f"from {offer.place}" if report else ""
    world.emit(BuildFinished(build=job.name, outcome=outcome.status, detail=detail))
    return outcome


def _pack(item: Installation, world: World, folder: Path) -> Packed:
    from ftbuild.archive.pack import survey, write  # noqa: PLC0415 - elftools take 100 ms

    world.emit(Noted(text=f"packing {item.manifest.name}"))
    used = item.manifest.used
    found = survey(item)
    name = archive_name(
        item.prefix.name, Platform(system=used.system, machine=used.machine, libc=used.libc)
    )
    path, beside = folder / name, folder / (name + RECORD_SUFFIX)
    with open_atomically(path) as sink:
        write(found, sink)
        for suffix in (RECORD_SUFFIX, *SUFFIXES):  # of an older archive, about to be replaced
            (folder / (name + suffix)).unlink(missing_ok=True)
    record = Record(
        format=FORMAT, sha256=digest(path), size=path.stat().st_size, manifest=found.manifest
    )
    write_beside(path, found.manifest, sha256=record.sha256)
    document = msgspec.json.format(msgspec.json.encode(record), indent=2)
    write_atomically(beside, document + b"\n")
    return Packed(path=path, record=record, added=found.added, added_files=found.added_files)


def _take(
    job: Job, offered: Sequence[Offer], world: World, here: Platform, work: Path
) -> Outcome | None:
    """The job's outcome by the first archive that is what it should be; None if there is none."""
    for offer in offered:
        try:
            return from_archive(offer, job, world, here, work)
        except Interrupted as error:
            return Outcome(name=job.name, status="stopped", error=error)
        except FtbuildError as error:
            said = error.message.replace("\n", " ")
            world.emit(Warned(text=f"{job.name}: not from {offer.place}: {said}"))
    return None


def _require_fitting(offer: Offer, job: Job, here: Platform) -> None:
    """Make sure, by its record, that an archive is worth its download.

    Raises:
        Refused: It is for another platform, or holds another build.
    """
    manifest = offer.record.manifest
    why = objection(manifest, here)
    if manifest.digest != job.spec.digest:
        why = f"it holds another build: {manifest.name} with the digest {manifest.digest}"
    if why is not None:
        raise Refused(f"{offer.name}: {why}")


def _install(offer: Offer, job: Job, world: World, work: Path) -> tuple[Installation, Report]:
    """Unpack, re-point, put in place, verify and record a build; its lock is held."""
    world.emit(Noted(text=f"{job.name}: unpacking {offer.place}"))
    into = work / job.store_name
    prefix = world.layout.store / job.store_name
    require_space(world.layout, offer.record.manifest.result.size)
    try:
        archive = world.archives.fetch(offer, work)
        found = unpack_build(archive, into, stop=world.stop)
        if found.manifest != offer.record.manifest:
            raise Refused(f"{offer.name} has another manifest than its record says")
        moved = repoint(found, prefix, name=job.name, sha256=offer.record.sha256)
        with placed(world.layout, job.store_name, found.top):
            placed_build = Installation(prefix=prefix, manifest=moved.manifest)
            compile_again(placed_build, moved.stale, mark=str(work), stop=world.stop)
            there = contents(prefix, moved.digests)
            installation = Installation(prefix=prefix, manifest=holding(moved.manifest, there))
            report = verified(installation, world, work / f"verify-{job.name}", QUICK)
            if not report.ok:
                raise Refused(
                    f"{job.name}: {failures(report)}",
                    hint=f"It was not linked. The prefix is kept for a look: {prefix}.failed",
                )
            return complete(prefix, installation.manifest, there), report
    except OSError as error:
        raise EnvironmentFault(
            f"{job.name}: {error.strerror}: {error.filename}",
            hint="Is there space left on the disk, and is the root still writable?",
        ) from error
    finally:
        shutil.rmtree(into, ignore_errors=True)
