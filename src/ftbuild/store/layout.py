"""The paths below a root, what makes a directory a root of ours, and what a root must be like."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.files import UNFINISHED, expand_home, make_directory, read_file, write_atomically
from ftbuild.store.locks import held

MARKER = "ftbuild-root.json"
"""The file that makes a directory a root of ours: without it nothing in it is."""

FORMAT = 1
"""The arrangement of a root; one of another is left to the ftbuild that made it."""

_BROUGHT = frozenset({"sources", "archives", "profiles"})
_UNCLAIMED = re.compile(
    r"sources/Python-[^/]+|(archives|profiles)/cpython-[^/]+|locks/[^/]+\.lock"
    rf"|\.{re.escape(MARKER)}\.[0-9a-f]{{8}}{re.escape(UNFINISHED)}"
)
"""Files that may be in a directory before it becomes a root: what somebody has brought along for
the first build, which is judged by its hashes, in directories that may be links; and what a run
leaves that was killed while it made the root. Nothing clears them away."""

_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters, those that turn the line around, and bytes that are not UTF-8."""

_LONGEST = 255
"""Bytes that one name in a path may have on every file system CPython is built on."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What the marker says.

    Attributes:
        format: The arrangement of the root.
        owner: The user's number to whom it belongs.
    """

    format: int
    owner: int


class _Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """What every manifest has said since the first ftbuild."""

    format: int
    name: str
    digest: str


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are below a root. Paths only; `open_root` makes them."""

    root: Path

    @property
    def store(self) -> Path:
        """The installed prefixes, by store name."""
        return self.root / "store"

    @property
    def bin(self) -> Path:
        """Launchers with unambiguous names: the one directory that goes on a PATH."""
        return self.root / "bin"

    @property
    def sources(self) -> Path:
        """Verified source tarballs."""
        return self.root / "sources"

    @property
    def profiles(self) -> Path:
        """Stored training profiles."""
        return self.root / "profiles"

    @property
    def configure(self) -> Path:
        """What configure found out about this host."""
        return self.root / "configure"

    @property
    def archives(self) -> Path:
        """Packed builds; made by the first `pack`."""
        return self.root / "archives"

    @property
    def exports(self) -> Path:
        """What was made for other tools; made by the first `export`."""
        return self.root / "exports"

    @property
    def logs(self) -> Path:
        """One folder a build, one file a stage."""
        return self.root / "logs"

    @property
    def pairs(self) -> Path:
        """The verdicts on pairs, one JSON file each."""
        return self.root / "pairs"

    @property
    def bench(self) -> Path:
        """Measurements, one JSON file each; made by the first `bench`."""
        return self.root / "bench"

    @property
    def index(self) -> Path:
        """What package indexes said, and what is inside their files; made by the first `audit`."""
        return self.root / "index"

    @property
    def wheels(self) -> Path:
        """Verified wheels for images; made by the first `image build`."""
        return self.root / "wheels"

    @property
    def places(self) -> Path:
        """Where links to builds were made outside the root; made by the first `link`."""
        return self.root / "places"

    @property
    def work(self) -> Path:
        """Scratch directories of runs, on the same file system as the store."""
        return self.root / "work"

    @property
    def locks(self) -> Path:
        """Lock files."""
        return self.root / "locks"

    @property
    def written(self) -> tuple[Path, ...]:
        """The directories of files that runs write, each replaced as a whole."""
        named = (self.archives, self.pairs, self.places, self.profiles, self.bench)
        return (*named, self.configure, self.exports / "uv", self.wheels, self.index)


def layout_of(root: Path) -> Layout:
    """The layout of a root to read from; nothing is made, and it need not be there.

    Raises:
        UsageError: No file system takes the name, or no terminal and no JSON document.
    """
    # Not resolve(): the path the user gave is the one that prefixes carry.
    path = Path(os.path.abspath(expand_home(root)))  # noqa: PTH100
    text = str(path)
    spoiled = _UNSHOWN.search(text)
    if spoiled or max(len(os.fsencode(part)) for part in path.parts) > _LONGEST:
        why = "is not UTF-8, or has control characters (white space such as a line's end is one)"
        raise UsageError(
            f"the root {text!a} {why if spoiled else f'has a name of more than {_LONGEST} bytes'}",
            hint="Choose another one with --root or FTBUILD_ROOT. Letters of any script are fine.",
        )
    return Layout(root=path)


def look_at_root(root: Path) -> Layout:
    """The layout of a root to read from, which need not be there. Nothing is made.

    Raises:
        UsageError: As of `layout_of`.
        EnvironmentFault: It cannot be looked at, or is that of another ftbuild.
    """
    layout = layout_of(root)
    try:
        read_mark(layout)
        for path in (layout.root, layout.store):
            if path.exists():
                os.scandir(path).close()
    except OSError as error:
        raise _unusable(layout, error) from error
    return layout


def open_root(root: Path) -> Layout:
    """The layout of a root that can be built in; it is made, or claimed, if need be.

    A root of ours that may only be read is let pass, for whoever finds that nothing is left to do;
    `require_writable` is for the others.

    Raises:
        UsageError: The path contains white space, which CPython's make rules cannot handle.
        EnvironmentFault: It cannot be made or written, has something in it that is not ours, or is
            that of another ftbuild.
    """
    layout = layout_of(root)
    require_plain(layout)
    try:
        make_directory(layout.root)
        there = [path for path in (layout.root, layout.store, layout.locks) if path.exists()]
        if not all(map(_may_write, there)) and (read_mark(layout) or _has_builds(layout)):
            return layout
        unmarked = _is_to_be_marked(layout)
        for path in (layout.store, layout.bin, layout.work, layout.locks):
            if path.is_symlink():
                raise EnvironmentFault(
                    f"{path} is a symbolic link; ftbuild clears up there, and follows none",
                    hint=f"Put a directory in its place: rm {shlex.quote(str(path))}",
                )
        if unmarked:
            _claim(layout)
        for path in (
            *(layout.store, layout.bin, layout.logs, layout.pairs),
            *(layout.sources, layout.profiles, layout.configure),
        ):
            make_directory(path)
        for path in (layout.work, layout.locks):
            make_directory(path, 0o700)
    except OSError as error:
        raise _unusable(layout, error) from error
    require_writable(layout)
    return layout


def read_mark(layout: Layout) -> Mark | None:
    """What makes a directory a root of ours; None where nothing does.

    Raises:
        EnvironmentFault: The marker is no file of ours, or of a format that we do not know.
        OSError: It cannot be looked at.
    """
    path = layout.root / MARKER
    try:
        content = b"" if path.is_symlink() else read_file(path, limit=4096)
        mark = msgspec.json.decode(content, type=Mark)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise EnvironmentFault(
            f"{path} is not what ftbuild writes: {error}",
            hint="Choose another root with --root or FTBUILD_ROOT, or find out who put it there.",
        ) from error
    if mark.format != FORMAT:
        raise EnvironmentFault(
            f"{layout.root} was made by another ftbuild: its format is {mark.format}, and this one "
            f"knows {FORMAT}",
            hint="Use that ftbuild, or choose another root with --root or FTBUILD_ROOT.",
        )
    return mark


def is_writable(layout: Layout) -> bool:
    """Whether a root is there, and this user may add to it."""
    return all(map(_may_write, (layout.root, layout.store, layout.locks)))


def require_writable(layout: Layout) -> None:
    """Make sure that a root can be added to.

    Raises:
        EnvironmentFault: It cannot.
    """
    if not is_writable(layout):
        raise EnvironmentFault(
            f"the root {layout.root} is not writable",
            hint="Choose a directory you may write with --root or FTBUILD_ROOT.",
        )


def hold_if_writable(layout: Layout, name: str) -> contextlib.AbstractContextManager[None]:
    """Hold a lock of a root by its name; in one that may only be read there is nothing to guard."""
    if not is_writable(layout):
        return contextlib.nullcontext()
    return held(layout.locks / f"{name}.lock")


def root_complaints(layout: Layout, *, user: int) -> tuple[str, ...]:
    """What is wrong with the owner and the permissions of a root, with the command that mends it.

    Args:
        layout: The root, which need not be there.
        user: Who works with it. Roots of the superuser are for everybody to read.
    """
    quoted, complaints = shlex.quote(str(layout.root)), []
    there = (layout.root, layout.store, layout.bin, layout.sources)
    states = {path: path.stat() for path in there if os.access(path, os.F_OK)}
    owner = states[layout.root].st_uid if states else user
    if owner not in {user, 0} or owner != user == 0:
        complaints.append(
            f"the root {layout.root} belongs to another user (number {owner}); to make it yours: "
            f"{'sudo ' if user else ''}chown -R {user} {quoted}"
        )
    loose = [str(path) for path, state in states.items() if state.st_mode & stat.S_IWOTH]
    if loose:
        complaints.append(
            f"everybody may write to {', '.join(loose)}, and so replace what you run; to mend "
            f"that: chmod -R o-w {quoted}"
        )
    return tuple(complaints)


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _claim(layout: Layout) -> None:
    """Mark a directory as a root of ours, if it still may become one when the lock is held."""
    make_directory(layout.locks, 0o700)
    with held(layout.locks / "root.lock"):
        if _is_to_be_marked(layout):
            mark = Mark(format=FORMAT, owner=os.geteuid())
            write_atomically(layout.root / MARKER, msgspec.json.encode(mark) + b"\n")


def _is_to_be_marked(layout: Layout) -> bool:
    """Whether the marker is missing, or a root is this user's now that was another's.

    Raises:
        EnvironmentFault: Something is in it that is not ours, or builds of another user.
    """
    mark = read_mark(layout)
    if mark is not None:
        return mark.owner != os.geteuid() == layout.root.stat().st_uid
    if _has_builds(layout, os.geteuid()):
        return True
    if _has_builds(layout):
        raise EnvironmentFault(
            f"the builds in {layout.root} belong to another user",
            hint="Run this as that user, or choose another root with --root or FTBUILD_ROOT.",
        )
    stranger = next(_strange(layout.root), None)
    if stranger is None:
        return True
    own = msgspec.json.encode(Mark(format=FORMAT, owner=os.geteuid())).decode()
    earlier = (
        " If it is the root of an earlier ftbuild, without a build of yours by now, say so: "
        f"echo {shlex.quote(own)} > {shlex.quote(str(layout.root / MARKER))}"
    )
    raise EnvironmentFault(
        f"{layout.root / stranger} exists and was not made by ftbuild: {layout.root} is no root of "
        "its own",
        hint="Name a new or an empty directory with --root or FTBUILD_ROOT."
        f"{earlier if layout.store.is_dir() else ''}",
    )


def _has_builds(layout: Layout, owner: int | None = None) -> bool:
    """Whether a build is in a store, as ftbuild has put it there since its first version."""
    if layout.store.is_symlink():
        return False
    for path in layout.store.glob("cpython-*/ftbuild.json"):
        try:
            known = msgspec.json.decode(read_file(path), type=_Recognised)
            whose = path.stat().st_uid
        except (OSError, msgspec.DecodeError):
            continue
        if path.parent.name == f"{known.name}-{known.digest[:8]}" and owner in {None, whose}:
            return True
    return False


def _strange(top: Path, folder: str = "") -> Iterator[str]:
    """What is below a directory and was not made by us for all we know, by relative name."""
    with os.scandir(top / folder) as entries:
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False) or (name in _BROUGHT and entry.is_dir()):
                if name != "lost+found":  # of the file system itself, and not to be looked into
                    yield from _strange(top, name)
            elif not _UNCLAIMED.fullmatch(name) or (
                name.startswith("locks/") and entry.stat(follow_symlinks=False).st_size
            ):
                yield name


def _unusable(layout: Layout, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"the root {layout.root} cannot be used: {error.strerror}: {error.filename}",
        hint="Choose a directory you may write with --root or FTBUILD_ROOT.",
    )


def require_plain(layout: Layout) -> None:
    """Make sure that CPython can be built below a root.

    Raises:
        UsageError: Its path contains white space, which CPython's make rules cannot handle.
    """
    if any(character.isspace() for character in str(layout.root)):
        raise UsageError(
            f"there is white space in the root {str(layout.root)!r}, which CPython's make "
            "cannot handle",
            hint="Choose another one with --root or FTBUILD_ROOT. Letters of any script are fine.",
        )


def require_space(layout: Layout, needed: int) -> None:
    """Make sure that a number of bytes is free below the root.

    Raises:
        EnvironmentFault: There is less; the message says how much is needed and how much there is.
    """
    free = shutil.disk_usage(layout.root).free
    if free < needed:
        raise EnvironmentFault(
            f"{layout.root} has {free / 1e9:.1f} GB free; these builds need about "
            f"{needed / 1e9:.1f} GB while they run",
            hint="Free some space (`ftbuild gc` removes old builds), or choose another --root.",
        )
