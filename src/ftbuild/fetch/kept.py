"""Small answers that are kept for the next run. A cache that cannot be written to forgets."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ftbuild.files import make_directory, write_atomically


def keep(path: Path, content: bytes) -> None:
    """Keep something under a name, whole or not at all; directories are made if need be.

    What had the name before, a symbolic link included, is replaced and never written through.
    """
    with contextlib.suppress(OSError):
        make_directory(path.parent)
        write_atomically(path, content, durable=False)
