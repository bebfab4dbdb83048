"""Builds as versions of pyenv: `3.14.7t` and `3.14.7`, and `tsan-3.14.7t` for another profile.

pyenv takes every directory below `versions/` for a version, and every program in its `bin/` for one
that this version has. A link to a prefix would do, but for two things. A free-threaded prefix has a
`bin/python3.14` and a `bin/pip3.14`, and they would answer with it. And no prefix has a
`bin/python`, for which pyenv then takes the system's, without a word. So a version is a directory
of our own, with links to the programs under their unambiguous names, and `python`.

The links go by way of the friendly name, `<root>/cpython-3.14.7t`: whoever builds a release again
has it in pyenv at once, as with `pyenv install --force`, and `gc` never leaves them dangling.

A profile stands before the release because of `pyenv latest`, by which pyenv finds out what `3.14`
means: it leaves out what ends in a number and a `t`, so `3.14.7t-tsan` would be a 3.14 to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec
from packaging.version import Version

from ftbuild.archive.naming import own_program
from ftbuild.errors import UsageError
from ftbuild.export import links
from ftbuild.export.links import Link
from ftbuild.files import expand_home, make_directory, read_file, write_atomically
from ftbuild.model.manifest import Installation
from ftbuild.model.text import AbsolutePath, BuildName
from ftbuild.model.versions import Request, Variant, parse_request, series_of
from ftbuild.store import places
from ftbuild.store.layout import Layout
from ftbuild.store.listing import installations, is_linked

MARKER = "ftbuild-link.json"
"""The file by which we know a version of pyenv for one that we made."""

_FOLDERS = ("include", "lib", "share")
"""Where `pyenv prefix` sends those who look for headers and libraries."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What the marker says: the root and the friendly name of the build that the links lead to."""

    root: AbsolutePath
    build: BuildName


def versions_of(
    found: Collection[Installation], *, default_profile: str
) -> dict[str, Installation]:
    """What pyenv is to call each build; pure.

    As with launchers, the plain name is the default profile's, or that of what there is, and a
    build of another profile has a name of its own besides.
    """
    names: dict[str, Installation] = {}
    plain: dict[tuple[str, Variant], Installation] = {}
    for item in found:
        spec = item.spec
        key = (spec.version, spec.variant)
        if spec.profile == default_profile or key not in plain:
            plain[key] = item
        if spec.profile != default_profile:
            names[f"{spec.profile}-{spec.version}{spec.variant.suffix}"] = item
    for (version, variant), item in plain.items():
        names[f"{version}{variant.suffix}"] = item
    return dict(sorted(names.items(), key=lambda pair: _order(pair[1], pair[0])))


def link(
    layout: Layout,
    found: Collection[Installation],
    *,
    pyenv_root: Path,
    default_profile: str,
) -> tuple[Link, ...]:
    """Show builds to pyenv; a version that is there and not ours stays as it is.

    Args:
        layout: The root.
        found: The builds.
        pyenv_root: pyenv's own root.
        default_profile: The profile whose builds have the plain names.

    Raises:
        UsageError: There is no pyenv root.
        EnvironmentFault: It cannot be written.
    """
    root = _existing(pyenv_root)
    chosen = {item.prefix for item in found}
    with places.hold_places(layout):
        linked = [item for item in installations(layout) if is_linked(layout, item)]
        wanted = versions_of(linked, default_profile=default_profile)
        made = tuple(
            _linked(layout, root / "versions" / name, item)
            for name, item in wanted.items()
            if item.prefix in chosen
        )
        if any(item.status != "taken" for item in made):
            places.record(layout, "pyenv", root)
    return made


def unlink(
    layout: Layout,
    requests: Sequence[Request],
    *,
    pyenv_root: Path | None,
    default_profile: str,
) -> tuple[Link, ...]:
    """Take builds of this root away from pyenv, also those that are not installed any more.

    Args:
        layout: The root.
        requests: The builds; all if there are none.
        pyenv_root: pyenv's own root; every one that builds were shown to if None.
        default_profile: The profile of builds whose names say none.

    Raises:
        EnvironmentFault: A directory cannot be written.
    """
    given = (expand_home(pyenv_root).absolute(),) if pyenv_root else ()
    roots = given or places.places(layout, "pyenv")
    with places.hold_places(layout):
        return tuple(
            removed
            for root in roots
            for removed in _removed(
                layout,
                root,
                [
                    (path, made)
                    for path, made in _ours(layout, root)
                    if _meant(made.build, requests, default_profile)
                ],
            )
        )


def drop_dangling(layout: Layout) -> tuple[Link, ...]:
    """Take away, wherever they were shown, the builds that are gone."""
    with places.hold_places(layout):
        return tuple(
            removed
            for root in places.places(layout, "pyenv")
            for removed in _removed(
                layout,
                root,
                [
                    (path, made)
                    for path, made in _ours(layout, root)
                    if not (layout.root / made.build).exists() and _links(layout, path)
                ],
            )
        )


def _existing(pyenv_root: Path) -> Path:
    root = expand_home(pyenv_root).absolute()
    if not root.is_dir():
        raise UsageError(
            f"there is no pyenv root {root}",
            hint="Name it with --pyenv-root or PYENV_ROOT; `pyenv root` prints it.",
        )
    return root


def _linked(layout: Layout, folder: Path, item: Installation) -> Link:
    """Make one version, or bring one of ours up to date."""
    build = item.manifest.name
    made = Link(name=folder.name, path=folder, build=build, status="linked")
    before = _made(layout, folder)
    if before is None and links.is_there(folder) and not _is_empty(folder):
        return msgspec.structs.replace(made, status="taken", note=_what_is(folder))
    marker = msgspec.json.encode(Made(root=str(layout.root), build=build)) + b"\n"
    try:
        make_directory(folder / "bin")
        if before is None or before.build != build:
            # First of all: what a killed run leaves is known for ours.
            write_atomically(folder / MARKER, marker)
    except OSError as error:
        raise links.unwritable(folder, error) from error
    changed = _sync(layout, folder, _wanted(layout, item))
    if before is None:
        return made
    return msgspec.structs.replace(made, status="updated" if changed else "already")


def _wanted(layout: Layout, item: Installation) -> dict[str, Path]:
    """The links of a version, relative to it."""
    series, prefix = series_of(item.spec.version), layout.root / item.manifest.name
    programs = sorted(path.name for path in (prefix / "bin").iterdir())
    wanted = {
        f"bin/{name}": prefix / "bin" / name
        for name in programs
        if own_program(name, series, item.spec.variant) == name
    }
    for name in ("python", "python3"):
        wanted[f"bin/{name}"] = prefix / "bin" / item.python.name
    return wanted | {name: prefix / name for name in _FOLDERS if (prefix / name).is_dir()}


def _sync(layout: Layout, folder: Path, wanted: dict[str, Path]) -> bool:
    """Make the links of a version those that are wanted; return whether any changed."""
    stale = [p for p in _links(layout, folder) if str(p.relative_to(folder)) not in wanted]
    for path in stale:
        path.unlink(missing_ok=True)
    changed = bool(stale)
    for name, to in wanted.items():
        path = folder / name
        if links.target(path) == str(to):
            continue
        if links.is_there(path) and not _leads_here(layout, path):
            continue  # somebody put a program of that name there: in our directory, but theirs
        links.point(path, to)
        changed = True
    return changed


def _removed(layout: Layout, root: Path, found: Sequence[tuple[Path, Made]]) -> list[Link]:
    removed = []
    for folder, made in found:
        gone = Link(name=folder.name, path=folder, build=made.build, status="removed")
        try:
            for path in _links(layout, folder):
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # something of others is in it
                (folder / "bin").rmdir()
            left = _left(folder)
            if not left:
                (folder / MARKER).unlink(missing_ok=True)
                folder.rmdir()
        except OSError as error:
            raise links.unwritable(folder, error) from error
        if left:
            note = f"{', '.join(left)} in it: not ours"
            gone = msgspec.structs.replace(gone, status="kept", note=note)
        removed.append(gone)
    if not any(_ours(layout, root)):
        places.forget(layout, "pyenv", root)
    return removed


def _left(folder: Path) -> list[str]:
    """What of others is in a version of ours, by its name there."""
    there = {path for path in folder.iterdir() if path.name != MARKER}
    programs = folder / "bin"
    if programs.is_dir() and not programs.is_symlink():
        there = there - {programs} | set(programs.iterdir())
    return sorted(str(path.relative_to(folder)) for path in there)


def _ours(layout: Layout, root: Path) -> list[tuple[Path, Made]]:
    """The versions of a pyenv that lead to this root, and what their markers say."""
    return [
        (path.parent, made)
        for path in sorted((root / "versions").glob(f"*/{MARKER}"))
        if (made := _made(layout, path.parent)) is not None
    ]


def _made(layout: Layout, folder: Path) -> Made | None:
    """What the marker of a version says, if it is one of this root."""
    if folder.is_symlink():
        return None
    made = _read(folder)
    return made if made is not None and made.root == str(layout.root) else None


def _read(folder: Path) -> Made | None:
    """A marker, if it is there and one that this ftbuild understands."""
    try:
        return msgspec.json.decode(read_file(folder / MARKER), type=Made)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None


def _links(layout: Layout, folder: Path) -> list[Path]:
    """The links in a version that lead to this root."""
    there = [folder / name for name in _FOLDERS]
    if (folder / "bin").is_dir() and not (folder / "bin").is_symlink():
        there += sorted((folder / "bin").iterdir())
    return [path for path in there if _leads_here(layout, path)]


def _leads_here(layout: Layout, path: Path) -> bool:
    return links.target(path).startswith(f"{layout.root}/cpython-")


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())


def _what_is(folder: Path) -> str:
    made = _read(folder)
    if made is None:
        return links.what_is(folder)
    return f"made by `ftbuild link pyenv --root {made.root}`"


def _meant(build: str, requests: Sequence[Request], default_profile: str) -> bool:
    """Whether one of the requests, or the lack of any, means a build."""
    own = parse_request(build)
    return not requests or any(
        request.series == own.series
        and request.release in {None, own.release}
        and own.variant in request.variants
        and request.profile in {None, own.profile or default_profile}
        for request in requests
    )


def _order(item: Installation, name: str) -> tuple[bool, Version, bool, str]:
    """Plain names first, by release, the GIL build before the other."""
    spec = item.spec
    return (name[0].isalpha(), Version(spec.version), item.free_threaded, name)
