"""What an engine is given to build from: the Dockerfile, wheels, sources, recipes; nothing else.

Equal contents make an equal context, whenever and wherever it is made: names, modes and times are
fixed, so that an engine takes from its layer cache what it built before.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ftbuild.archive.relocate import STAMP
from ftbuild.errors import EnvironmentFault

DOCKERFILE = "Dockerfile"


def write_context(
    into: Path,
    *,
    dockerfile: str,
    wheels: Mapping[str, Sequence[Path]],
    sources: Sequence[Path],
    overlays: Sequence[Path] = (),
) -> Path:
    """Write a context.

    Args:
        into: The directory to be made.
        dockerfile: The Dockerfile's text.
        wheels: ftbuild's own wheel and those of what it needs, for the Python that runs it, by the
            machine they are for, as `uname -m` calls it.
        sources: Verified tarballs of CPython.
        overlays: The user's folders of recipes, in the order they are laid over ftbuild's.

    Returns:
        The Dockerfile, which lies beside the context so that the builder stage does not depend
        on it.

    Raises:
        EnvironmentFault: It cannot be written.
    """
    try:
        into.mkdir(parents=True)
        for machine, files in wheels.items():
            for file in files:
                _copy(file, into / "wheels" / machine / file.name)
        for file in sources:
            _copy(file, into / "sources" / file.name)
        for number, folder in enumerate(overlays):
            for file in sorted(folder.glob("*.y*ml")):
                _copy(file, into / "overlay" / f"{number:03}" / file.name)
        for folder in sorted(path for path in (into, *into.rglob("*")) if path.is_dir()):
            folder.chmod(0o755)
            os.utime(folder, (STAMP, STAMP))
        path = into.with_name(f"{into.name}.{DOCKERFILE}")
        path.write_text(dockerfile, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(
            f"the build context cannot be written: {error.strerror}: "
            f"{error.filename2 or error.filename}",
            hint="It takes some 30 MB below the root; is there space left?",
        ) from error
    return path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)
    os.utime(target, (STAMP, STAMP))
