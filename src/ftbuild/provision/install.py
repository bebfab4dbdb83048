"""Installs the archives that a user names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ftbuild import toolchain
from ftbuild.archive.read import read_manifest
from ftbuild.archive.stores import Offer
from ftbuild.building.engine import together
from ftbuild.errors import EnvironmentFault, FtbuildError, Interrupted, Refused, UsageError
from ftbuild.fetch import local_path, printable
from ftbuild.files import expand_home
from ftbuild.model.archive import FORMAT, RECORD_SUFFIX, SUFFIX, Record, archive_name
from ftbuild.model.spec import Platform
from ftbuild.provision.archives import from_archive
from ftbuild.provision.choose import job_for
from ftbuild.provision.make import Outcome
from ftbuild.provision.prove import judge_pairs
from ftbuild.provision.provide import Summary
from ftbuild.provision.world import World
from ftbuild.store.tree import digest
from ftbuild.store.work import scratch

_ADDRESS = re.compile(r"(https?|file)://", re.IGNORECASE)


def install(words: Sequence[str], world: World) -> Summary:
    """Install archives, at once; each is verified before it is linked.

    Args:
        words: Files, addresses of files, and directories, of which all archives for this platform
            are meant.
        world: Where they are to be installed.

    Raises:
        UsageError: A word names no archive: nothing was started.
        Interrupted: The run was stopped; nothing half-made is left.
    """
    here = toolchain.read_platform()
    urls = dict.fromkeys(url for word in words for url in _urls(word, here))
    with scratch(world.layout) as work:
        outcomes = together(
            [partial(_install, url, world, here, work) for url in urls],
            stop=world.stop,
            enough=lambda _: False,
        )
    there = [outcome.installation for outcome in outcomes if outcome.installation]
    return Summary(outcomes=outcomes, pairs=judge_pairs(there, world.layout))


def _urls(word: str, here: Platform) -> tuple[str, ...]:
    """The addresses of the archives that a word means."""
    if _ADDRESS.match(word):
        if not word.endswith(SUFFIX):
            raise UsageError(
                f"{printable(word)} is not the address of an archive",
                hint=f"Give the whole address, up to {SUFFIX}: servers of files are not listed. "
                "`ftbuild build --archive-store URL` finds what it needs by name.",
            )
        return (word,)
    path = expand_home(Path(word)).absolute()
    if not path.is_dir():
        if not path.is_file():
            raise UsageError(f"{printable(word)}: there is no such file or directory")
        return (path.as_uri(),)
    found = sorted(path.glob(archive_name("*", here)))
    if not found:
        raise UsageError(
            f"{printable(word)} holds no archive for {here.system} {here.machine}",
            hint=f"The name of one ends in {archive_name('', here)}.",
        )
    return tuple(each.as_uri() for each in found)


def _install(url: str, world: World, here: Platform, work: Path) -> Outcome:
    name = printable(url).rpartition("/")[2]
    try:
        offer = _offer(url, world)
        job = job_for(offer.record.manifest.spec, world)
        name = job.name
        return from_archive(offer, job, world, here, work)
    except Interrupted as error:
        return Outcome(name=name, status="stopped", error=error)
    except FtbuildError as error:
        return Outcome(name=name, status="failed", error=error)


def _offer(url: str, world: World) -> Offer:
    """An archive with its record: the one beside it, or where a file stands alone, its own.

    Raises:
        Refused: It is no archive of ours; or nothing tells what a server ought to send.
    """
    try:
        offer = world.archives.at(url)
    except Refused as error:
        raise Refused(f"{printable(url)}: {error.message}", hint=error.hint) from error
    if offer is not None:
        return offer
    path = local_path(url)
    if path is None:
        raise Refused(
            f"{printable(url)}{RECORD_SUFFIX} is not there: nothing tells what ought to come",
            hint="Put the record beside the archive; or download the archive from where you trust "
            "it, and install the file.",
        )
    manifest = read_manifest(path)
    try:
        record = Record(
            format=FORMAT, sha256=digest(path), size=path.stat().st_size, manifest=manifest
        )
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be read: {error.strerror}") from error
    return Offer(name=path.name, url=url, record=record)
