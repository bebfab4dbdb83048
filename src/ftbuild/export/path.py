"""Launchers in a directory of the user's choice: `python3.14t`, and `python3.14` for the GIL build.

Each is a link to the launcher of the same name in the root's own `bin`. So it is in step with that
one for good: a newer release or another build takes its place there, and with it here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from ftbuild.errors import UsageError
from ftbuild.export import links
from ftbuild.export.links import Link
from ftbuild.files import expand_home, make_directory
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Request, parse_request
from ftbuild.store import places
from ftbuild.store.layout import Layout
from ftbuild.store.links import launchers
from ftbuild.store.listing import installations, is_linked

_LAUNCHER = re.compile(r"python\d+\.\d+t?(-[a-z0-9-]+)?")


class OnPath(msgspec.Struct, frozen=True, kw_only=True):
    """A directory of launchers, and how a shell finds it.

    Attributes:
        folder: The directory.
        links: What became of the launchers.
        found: Whether the shell finds each of them, and nothing of that name before it.
        shell: The line for bash and zsh that mends it; fish has `fish_add_path` instead.
    """

    folder: Path
    links: tuple[Link, ...]
    found: bool

    @property
    def shell(self) -> str:
        """The line that puts the directory first in bash and zsh."""
        return put_first(self.folder)

    @property
    def fish(self) -> str:
        """The line that does so in fish."""
        plain = re.sub(r"(['\\])", r"\\\1", str(self.folder))
        return f"fish_add_path --move --prepend '{plain}'"


def put_first(folder: Path) -> str:
    """The line that puts a directory first on the PATH of bash and zsh."""
    plain = re.sub(r'(["$`\\])', r"\\\1", str(folder))
    return f'export PATH="{plain}:$PATH"'


def runnable(layout: Layout, default_profile: str) -> dict[str, Installation]:
    """The build that each launcher of the root runs, where the launcher is there."""
    linked = (item for item in installations(layout) if is_linked(layout, item))
    wanted = launchers(linked, default_profile=default_profile)
    return {
        name: item
        for name, item in wanted.items()
        if (layout.bin / name).resolve() == item.python.resolve()
    }


def link(
    layout: Layout,
    found: Collection[Installation],
    *,
    into: Path,
    default_profile: str,
    env: Mapping[str, str],
) -> OnPath:
    """Make the launchers of some builds in a directory; what has a name there already stays.

    Args:
        layout: The root.
        found: The builds.
        into: The directory; made if need be.
        default_profile: The profile whose builds have the plain names.
        env: The caller's environment, for its PATH.

    Raises:
        UsageError: The directory is one of the root's own, or cannot be on a PATH; or no launcher
            runs any of the builds.
        EnvironmentFault: It cannot be written.
    """
    folder = _folder(into)
    if os.pathsep in str(folder):
        raise UsageError(
            f"{folder} cannot be on a PATH, which has its directories with {os.pathsep} between",
            hint="Name another one: ftbuild link path --into ~/.local/bin",
        )
    if folder.resolve().is_relative_to(layout.root.resolve()):
        raise UsageError(
            f"{folder} belongs to the root {layout.root}",
            hint=f"The launchers are in {layout.bin} already: {put_first(layout.bin)}",
        )
    chosen = {item.prefix for item in found}
    with places.hold_places(layout):
        wanted = {
            name: item
            for name, item in runnable(layout, default_profile).items()
            if item.prefix in chosen
        }
        if not wanted:
            names = ", ".join(item.manifest.name for item in found)
            raise UsageError(
                f"no launcher in {layout.bin} runs {names}",
                hint="A launcher runs the newest release of its series; `ftbuild which 3.14.6t` "
                "tells where another one is.",
            )
        try:
            make_directory(folder)
        except OSError as error:
            raise links.unwritable(folder, error) from error
        made = tuple(_linked(layout, folder, name, item) for name, item in sorted(wanted.items()))
        if any(item.status != "taken" for item in made):
            places.record(layout, "path", folder)
    ours = [item.name for item in made if item.status != "taken"]
    return OnPath(folder=folder, links=made, found=all(_first(folder, n, env) for n in ours))


def unlink(layout: Layout, requests: Sequence[Request], *, into: Path | None) -> tuple[Link, ...]:
    """Remove launchers of this root; those of others, and everything else, stays.

    Args:
        layout: The root.
        requests: The builds whose launchers are meant; all if there are none.
        into: The directory; every one in which launchers were made if None.

    Raises:
        UsageError: A request names a release, which a launcher does not.
        EnvironmentFault: A directory cannot be written.
    """
    for request in requests:
        if request.release is not None:
            raise UsageError(
                f"launchers belong to a series, not to a release like {request.text}",
                hint=f"For instance: ftbuild unlink path {request.series}t",
            )
    folders = (_folder(into),) if into else places.places(layout, "path")
    with places.hold_places(layout):
        return tuple(
            removed
            for folder in folders
            for removed in _removed(
                layout,
                folder,
                [path for path in _ours(layout, folder) if _meant(path.name, requests)],
            )
        )


def drop_dangling(layout: Layout) -> tuple[Link, ...]:
    """Remove the launchers, wherever they were made, whose build is gone."""
    with places.hold_places(layout):
        return tuple(
            removed
            for folder in places.places(layout, "path")
            for removed in _removed(
                layout, folder, [path for path in _ours(layout, folder) if not path.exists()]
            )
        )


def _folder(into: Path) -> Path:
    """A directory by the name that the user has for it, links and all."""
    return Path(os.path.abspath(expand_home(into)))  # noqa: PTH100 - it would follow them


def _linked(layout: Layout, folder: Path, name: str, item: Installation) -> Link:
    path, to = folder / name, layout.bin / name
    made = Link(name=name, path=path, build=item.manifest.name, status="linked")
    if links.target(path) == str(to):
        return msgspec.structs.replace(made, status="already")
    if links.is_there(path):
        return msgspec.structs.replace(made, status="taken", note=links.what_is(path))
    links.point(path, to)
    return made


def _removed(layout: Layout, folder: Path, paths: Sequence[Path]) -> list[Link]:
    removed = []
    for path in paths:
        build = path.resolve().parents[1].name.rpartition("-")[0] if path.exists() else ""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise links.unwritable(folder, error) from error
        removed.append(Link(name=path.name, path=path, build=build, status="removed"))
    if not any(_ours(layout, folder)):
        places.forget(layout, "path", folder)
    return removed


def _ours(layout: Layout, folder: Path) -> list[Path]:
    """The launchers in a directory that lead to this root."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if _LAUNCHER.fullmatch(path.name) and links.target(path) == str(layout.bin / path.name)
    ]


def _meant(launcher: str, requests: Sequence[Request]) -> bool:
    """Whether one of the requests, or the lack of any, means a launcher."""
    own = parse_request(launcher.replace("-", "+", 1))
    return not requests or any(
        request.series == own.series
        and own.variant in request.variants
        and request.profile in {None, own.profile}
        for request in requests
    )


def _first(folder: Path, name: str, env: Mapping[str, str]) -> bool:
    """Whether a shell finds a program of that name in that directory, and not in another."""
    for entry in env.get("PATH", os.defpath).split(os.pathsep):
        place = Path(entry or ".")
        if os.access(place / name, os.X_OK):
            return (place / name).resolve() == (folder / name).resolve()
    return False
