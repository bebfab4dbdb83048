"""Whether a shell finds the right build first: the check on the PATH that `doctor` makes.

Whoever types `python3.14t` gets what stands first on the PATH under that name, and whoever looks
for a `3.14` (uv, tox) may take any `python3.14` on it. So each launcher is looked up as a shell
does, and every `python3.14` is asked whether it is a free-threaded build. Asked is what is not one
of ours, the way uv asks: isolated, without site, for seconds at most.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ftbuild.errors import EnvironmentFault
from ftbuild.export.path import put_first, runnable
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant, series_of
from ftbuild.process import capture
from ftbuild.store.layout import Layout
from ftbuild.store.listing import installations
from ftbuild.toolchain import Finding, Grade

_ASK = (
    "import json, os, sys; print(json.dumps({"
    "'version': '.'.join(map(str, sys.version_info[:3])),"
    "'free_threaded': 't' in sys.abiflags,"
    "'executable': os.path.realpath(getattr(sys, '_base_executable', sys.executable))}))"
)

_PATIENCE = 5.0
"""Seconds that somebody's Python has to answer; it takes a fiftieth of one, a shim of pyenv ten
times that."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a Python says of itself."""

    version: str
    free_threaded: bool
    executable: str

    def __str__(self) -> str:
        kind = "free-threaded " if self.free_threaded else ""
        return f"{kind}{self.version}, {self.executable}"


def found_first(
    layout: Layout, *, default_profile: str, env: Mapping[str, str]
) -> tuple[Finding, ...]:
    """What the PATH has for each launcher of the root, and which `python3.14` is none.

    Args:
        layout: The root.
        default_profile: The profile whose builds have the plain names.
        env: The caller's environment.

    Returns:
        A finding for each launcher, and one for every free-threaded build that has the GIL build's
        name; none where nothing is installed.
    """
    runs = runnable(layout, default_profile)
    own = {item.python.parent.resolve(): item for item in installations(layout)}
    hits = {name: list(_hits(name, env)) for name in runs}
    series = dict.fromkeys(f"python{series_of(item.spec.version)}" for item in runs.values())
    return (
        *(_launcher(layout, name, item, hits[name], own, env) for name, item in runs.items()),
        *(
            finding
            for name in series
            for path in hits.get(name) or _hits(name, env)
            if (finding := _impostor(name, path, own, env)) is not None
        ),
    )


def _launcher(
    layout: Layout,
    name: str,
    item: Installation,
    hits: list[Path],
    own: Mapping[Path, Installation],
    env: Mapping[str, str],
) -> Finding:
    """Whether the first program of a launcher's name is its build."""
    if not hits:
        return Finding(
            what=name,
            status=Grade.OPTIONAL,
            note=f"not on the PATH: {put_first(layout.bin)}",
        )
    answer = _asked(hits[0], own, env)
    if answer is not None and Path(answer.executable) == item.python.resolve():
        return Finding(what=name, status=Grade.OK, found=str(hits[0]))
    which = "does not answer" if answer is None else f"is {answer}"
    others = [path for path in hits[1:] if path.resolve() == item.python.resolve()]
    folder = others[0].parent if others else layout.bin
    return Finding(
        what=name,
        status=Grade.WRONG,
        found=str(hits[0]),
        note=f"comes first and {which}. To have {item.manifest.name}: {put_first(folder)}",
    )


def _impostor(
    name: str, path: Path, own: Mapping[Path, Installation], env: Mapping[str, str]
) -> Finding | None:
    """A finding on a `python3.14` that is a free-threaded build."""
    answer = _asked(path, own, env)
    if answer is None or not answer.free_threaded:
        return None
    return Finding(
        what=name,
        status=Grade.WRONG,
        found=str(path),
        note=f"is {answer}: whoever asks for {name.removeprefix('python')} may get it. Take "
        f"{path.parent} off the PATH; {name}t is the name for it",
    )


def _hits(name: str, env: Mapping[str, str]) -> Iterator[Path]:
    """The programs of a name on the PATH, in its order, each once.

    Those of a virtual environment are left out: while it is active, its Python is what is wanted,
    and in one of a free-threaded build `python3.14` is that build.
    """
    seen = set()
    for entry in env.get("PATH", os.defpath).split(os.pathsep):
        path = Path(entry or ".", name)
        # Asked first: of a directory that cannot be looked into the rest is an error.
        if path in seen or not os.access(path, os.X_OK) or not path.is_file():
            continue
        if not (path.parent.parent / "pyvenv.cfg").is_file():
            seen.add(path)
            yield path


def _asked(path: Path, own: Mapping[Path, Installation], env: Mapping[str, str]) -> _Answer | None:
    """What a Python is; None where it does not tell. One of ours is known without asking."""
    real = path.resolve()
    item = own.get(real.parent)
    if item is not None:
        return _Answer(
            version=item.spec.version,
            free_threaded=item.spec.variant is Variant.FREE_THREADED,
            executable=str(real),
        )
    try:
        done = capture([path, "-I", "-S", "-c", _ASK], env=env, timeout=_PATIENCE)
        return msgspec.json.decode(done.stdout.encode(), type=_Answer) if done.ok else None
    except (EnvironmentFault, msgspec.DecodeError):
        return None
