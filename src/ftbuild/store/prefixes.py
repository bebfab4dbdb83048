"""Puts builds in place, records them, removes them. Every step leaves a state the next run mends.

A new prefix carries `ftbuild.incomplete` from before it enters the store until its manifest is
written, and a prefix it replaces waits beside it under a name ending in `.aside`. So whatever kills
a run, the next one sees which of the two is whole and restores that (`recover`).
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault, FtbuildError
from ftbuild.files import write_atomically
from ftbuild.model.manifest import Installation, Manifest
from ftbuild.store.layout import Layout
from ftbuild.store.listing import INCOMPLETE, MANIFEST, Damaged, look_at, read_manifest
from ftbuild.store.locks import held, is_free
from ftbuild.store.tree import HASHES, Tree, encode, mode_of, set_modes

_SUFFIXES = frozenset({".aside", ".failed", ".gone"})
"""Of prefixes that are no longer in place: replaced just now, refused, about to be removed."""


def recover(layout: Layout, store_name: str) -> None:
    """Mend what a killed run left at a prefix; its lock must be held.

    Raises:
        EnvironmentFault: Something that ftbuild did not make is in the way.
    """
    prefix = layout.store / store_name
    aside = _aside(prefix)
    if _occupied(prefix) and read_manifest(prefix / MANIFEST) is None:
        _remove_ours(prefix)
    (prefix / INCOMPLETE).unlink(missing_ok=True)  # killed just after the manifest was written
    if aside.is_dir():
        if _occupied(prefix):
            _discard(aside)
        else:
            aside.rename(prefix)


@contextlib.contextmanager
def placed(layout: Layout, store_name: str, staged: Path) -> Iterator[Path]:
    """Move a staged tree to its final prefix; take it back if the block raises.

    An older installation of the same name works again afterwards. The block is to finish the
    prefix and end with `complete`.

    Raises:
        EnvironmentFault: The prefix cannot be put in place.
    """
    prefix = layout.store / store_name
    recover(layout, store_name)
    aside = _aside(prefix)
    try:
        (staged / INCOMPLETE).touch()
        if prefix.is_dir():
            prefix.rename(aside)
        staged.rename(prefix)
    except OSError as error:
        if aside.is_dir() and not prefix.exists():
            aside.rename(prefix)
        raise EnvironmentFault(
            f"{prefix} cannot be put in place: {error.strerror}",
            hint=f"Is {layout.root} still writable, and all of it one file system?",
        ) from error
    try:
        yield prefix
    except BaseException as error:
        _keep_failed(prefix, error)
        if aside.is_dir():
            aside.rename(prefix)
        raise
    if aside.is_dir():
        _discard(aside)


def complete(prefix: Path, manifest: Manifest, tree: Tree) -> Installation:
    """Record a finished prefix: the one act that makes it an installation.

    Its modes are then those of every build, whatever the umask of who made it.

    Args:
        prefix: The prefix, in place.
        manifest: Its record.
        tree: What lies in it; its list of hashes becomes `ftbuild.sha256`.

    Raises:
        EnvironmentFault: The record cannot be written.
    """
    document = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    try:
        write_atomically(prefix / HASHES, encode(tree.text))
        set_modes(prefix, frozenset(tree.executables))
        write_atomically(prefix / MANIFEST, document + b"\n")
        (prefix / MANIFEST).chmod(mode_of(executable=False))
        (prefix / INCOMPLETE).unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"the manifest of {prefix} cannot be written: {error.strerror}",
            hint="Free some space on that file system, then run the same command again.",
        ) from error
    return Installation(prefix=prefix, manifest=manifest)


def remove(layout: Layout, installation: Installation | Damaged) -> None:
    """Take an installation away, or what is left of one; from the first step on nothing lists it.

    Raises:
        EnvironmentFault: Some of it cannot be removed.
    """
    prefix = installation.prefix
    with held(_lock(layout, prefix.name)):
        if isinstance(installation, Damaged) and not isinstance(look_at(prefix), Damaged):
            return  # another run has mended or removed it
        gone = _gone(prefix)
        shutil.rmtree(gone, ignore_errors=True)
        try:
            prefix.rename(gone)
            if gone.is_symlink():
                gone.unlink()  # never through a link
            else:
                shutil.rmtree(gone)
        except OSError as error:
            raise EnvironmentFault(
                f"{prefix} cannot be removed: {error.strerror}: {error.filename}"
            ) from error


def leftovers(layout: Layout) -> tuple[Path, ...]:
    """Unfinished, failed and set-aside prefixes of ours that no run is working on."""
    return tuple(
        path
        for path in sorted(layout.store.iterdir())
        if path.is_dir()
        and ((path / INCOMPLETE).exists() or path.suffix in _SUFFIXES)
        and is_free(_lock(layout, _prefix_name(path)))
    )


def discard(layout: Layout, path: Path) -> None:
    """Remove a leftover; a build that was set aside comes back where its successor is not whole.

    Raises:
        EnvironmentFault: Something that ftbuild did not make is in the way.
    """
    name = _prefix_name(path)
    with held(_lock(layout, name)):
        if path.suffix in {".failed", ".gone"}:
            _discard(path)
        else:
            recover(layout, name)


@contextlib.contextmanager
def claimed(
    layout: Layout, store_name: str, *, stop: threading.Event, on_wait: Callable[[], None]
) -> Iterator[None]:
    """Hold the lock of a prefix and mend what a killed run left there.

    Raises:
        Interrupted: `stop` was set while another run held it.
        EnvironmentFault: Something that ftbuild did not make is in the way.
    """
    with held(_lock(layout, store_name), stop=stop, on_wait=on_wait):
        recover(layout, store_name)
        yield


def _lock(layout: Layout, store_name: str) -> Path:
    return layout.locks / f"{store_name}.lock"


def _prefix_name(path: Path) -> str:
    return path.stem if path.suffix in _SUFFIXES else path.name


def _occupied(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _aside(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.aside")


def _remove_ours(prefix: Path) -> None:
    marks = (INCOMPLETE, MANIFEST, HASHES)
    if (
        prefix.is_symlink()
        or not prefix.is_dir()
        or not (any((prefix / mark).exists() for mark in marks) or not any(prefix.iterdir()))
    ):
        there = look_at(prefix)
        other = f", or {there.remedy}" if isinstance(there, Damaged) else ""
        raise EnvironmentFault(
            f"{prefix} exists and was not made by ftbuild",
            hint=f"Move it away{other}; or choose another --root.",
        )
    _discard(prefix)


def _keep_failed(prefix: Path, error: BaseException) -> None:
    """A prefix that failed its checks is kept for a look, unlisted, until the next or `gc`."""
    if isinstance(error, FtbuildError) and error.exit_code == 1:
        failed = prefix.with_name(f"{prefix.name}.failed")
        _discard(failed)
        prefix.rename(failed)
    else:
        _discard(prefix)


def _gone(path: Path) -> Path:
    return path.with_name(f"{_prefix_name(path)}.gone")


def _discard(path: Path) -> None:
    """Remove a tree of ours. It loses its name first: half of it must not pass for anything."""
    gone = _gone(path)
    if path != gone:
        shutil.rmtree(gone, ignore_errors=True)
        with contextlib.suppress(OSError):
            path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
