"""The paths below a root, and the conditions a root must meet."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.files import expand_home


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


def layout_of(root: Path) -> Layout:
    """The layout of a root to read from; nothing is made, and it need not be there."""
    # Not resolve(): the path the user gave is the one that prefixes carry.
    return Layout(root=Path(os.path.abspath(expand_home(root))))  # noqa: PTH100


def open_root(root: Path) -> Layout:
    """The layout of a root that can be built in; missing directories are made.

    Raises:
        UsageError: The path contains white space, which CPython's make rules cannot handle.
        EnvironmentFault: It cannot be made or written.
    """
    layout = layout_of(root)
    require_plain(layout)
    root = layout.root
    try:
        for path in (
            *(layout.store, layout.bin, layout.logs, layout.pairs),
            *(layout.sources, layout.profiles, layout.configure),
        ):
            path.mkdir(parents=True, exist_ok=True)
        for path in (layout.work, layout.locks):
            path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"the root {root} cannot be used: {error.strerror}: {error.filename}",
            hint="Choose a directory you may write with --root or FTBUILD_ROOT.",
        ) from error
    if not os.access(layout.store, os.W_OK):
        raise EnvironmentFault(
            f"the root {root} is not writable",
            hint="Choose a directory you may write with --root or FTBUILD_ROOT.",
        )
    return layout


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
