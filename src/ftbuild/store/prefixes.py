"""Puts builds in place, records them, removes them. Every step leaves a state the next run mends.

A new prefix carries `ftbuild.incomplete` from before it enters the store until its manifest is
written, and a prefix it replaces waits beside it under a name ending in `.aside`. So whatever kills
a run, the next one sees which of the two is whole and restores that (`recover`).
"""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault, FtbuildError
from ftbuild.files import write_atomically
from ftbuild.model.manifest import Installation, Manifest
from ftbuild.store.layout import Layout
from ftbuild.store.links import hold_names
from ftbuild.store.listing import INCOMPLETE, MANIFEST, Damaged, look_at, read_manifest
from ftbuild.store.locks import held, is_free
from ftbuild.store.marked import is_marked, remove_marked
from ftbuild.store.tree import HASHES, Tree, encode, mode_of, set_modes

_NAME = re.compile(r"(?P<prefix>cpython-.+?-[0-9a-f]{8})((\.[0-9a-f]{8})?\.gone|\.aside|\.failed)?")
"""Names of prefixes, also of those no longer in place: about to be removed, replaced, refused."""

_MARKS = (MANIFEST, HASHES, INCOMPLETE)
"""Files of which a prefix has one, in place or not. Without it, or the name, it is not ours."""


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
    if is_marked(aside, _MARKS):
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
    if _occupied(aside):
        raise _foreign(aside)
    try:
        (staged / INCOMPLETE).touch(0o644)
        if prefix.is_dir():
            prefix.rename(aside)
        staged.rename(prefix)
    except OSError as error:
        if aside.is_dir() and not _occupied(prefix):
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


def remove(
    layout: Layout,
    installation: Installation | Damaged,
    *,
    still: Callable[[Installation], bool] = lambda _: True,
    on_wait: Callable[[], None] = lambda: None,
) -> bool:
    """Take an installation away, or what is left of one; from the first step on nothing lists it.

    Args:
        layout: The root.
        installation: What was chosen, before its locks were held.
        still: Asked once they are, of what is there by then: whether it is to go.
        on_wait: Called where another run is at it.

    Returns:
        Whether it was removed; if not, another run has removed it, or it is not to go any more.

    Raises:
        EnvironmentFault: Some of it cannot be removed.
    """
    prefix = installation.prefix
    with held(_lock(layout, prefix.name), on_wait=on_wait):
        try:
            with hold_names(layout):
                if not _is_still(installation, still):
                    return False
                gone = _make_gone(prefix)
            if gone.is_symlink():
                gone.unlink()
                return True
            if not is_marked(gone, _MARKS):
                (gone / INCOMPLETE).touch(0o644)  # damaged, and named by the user: ours from now on
            remove_marked(gone, _MARKS)
        except OSError as error:
            raise EnvironmentFault(
                f"{prefix} cannot be removed: {error.strerror}: {error.filename}"
            ) from error
    return True


def leftovers(layout: Layout) -> tuple[Path, ...]:
    """Unfinished, failed and set-aside prefixes of ours that no run is working on."""
    if layout.store.is_symlink() or not layout.store.is_dir():
        return ()
    return tuple(
        path
        for path in sorted(layout.store.iterdir())
        if _is_leftover(path) and is_free(_lock(layout, _prefix_name(path)))
    )


def discard(layout: Layout, path: Path) -> bool:
    """Remove a leftover; a build that was set aside comes back where its successor is not whole.

    Returns:
        Whether it still was one; another run may have mended it.

    Raises:
        EnvironmentFault: Something that ftbuild did not make is in the way.
    """
    name = _prefix_name(path)
    with held(_lock(layout, name)):
        if not _is_leftover(path):
            return False
        if path.suffix in {".failed", ".gone"}:
            _discard(path)
        elif not is_marked(path, _MARKS):
            path.rmdir()
        else:
            recover(layout, name)
    return True


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
    known = _NAME.fullmatch(path.name)
    return known["prefix"] if known else path.name


def _occupied(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _is_still(chosen: Installation | Damaged, still: Callable[[Installation], bool]) -> bool:
    """Whether what was chosen to be removed is still there, and still to go; locks are held."""
    there = look_at(chosen.prefix)
    if isinstance(chosen, Damaged):
        return isinstance(there, Damaged)  # else another run has mended or removed it
    if not is_marked(chosen.prefix, _MARKS):
        return False
    return still(there if isinstance(there, Installation) else chosen)


def _aside(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.aside")


def _is_leftover(path: Path) -> bool:
    if not _NAME.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    if not is_marked(path, _MARKS):
        return not any(path.iterdir())  # killed before the first file, or after the last
    return path.name != _prefix_name(path) or (path / INCOMPLETE).exists()


def _remove_ours(prefix: Path) -> None:
    empty = prefix.is_dir() and not prefix.is_symlink() and not any(prefix.iterdir())
    if not (empty or is_marked(prefix, _MARKS)):
        raise _foreign(prefix)
    _discard(prefix)


def _keep_failed(prefix: Path, error: BaseException) -> None:
    """A prefix that failed its checks is kept for a look, unlisted, until the next or `gc`."""
    failed = prefix.with_name(f"{prefix.name}.failed")
    if is_marked(failed, _MARKS):
        _discard(failed)
    if isinstance(error, FtbuildError) and error.exit_code == 1 and not _occupied(failed):
        prefix.rename(failed)
    else:
        _discard(prefix)


def _make_gone(path: Path) -> Path:
    """Take a tree's name from it before it goes: half of it must not pass for anything.

    Raises:
        OSError: It cannot be renamed.
    """
    gone = path.with_name(f"{_prefix_name(path)}.gone")
    if path.suffix == gone.suffix:
        return path
    with contextlib.suppress(OSError):
        remove_marked(gone, _MARKS)  # of a run that was killed
    if _occupied(gone):
        gone = gone.with_suffix(f".{secrets.token_hex(4)}.gone")
    path.rename(gone)
    return gone


def _discard(path: Path) -> None:
    """Remove a tree of ours, as far as that goes; the rest is a leftover."""
    with contextlib.suppress(OSError):
        remove_marked(_make_gone(path), _MARKS)


def _foreign(path: Path) -> EnvironmentFault:
    return EnvironmentFault(
        f"{path} exists and was not made by ftbuild",
        hint="Move it away, or choose another --root.",
    )
