"""Small answers that are kept for the next run. A cache that cannot be written to forgets."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path


def keep(path: Path, content: bytes) -> None:
    """Keep something under a name, whole or not at all; directories are made if need be.

    What had the name before, a symbolic link included, is replaced and never written through.
    """
    writer = f"{os.getpid()}.{threading.get_ident()}"
    temporary = path.with_name(f".{path.name}.{writer}.new")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
