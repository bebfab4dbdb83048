"""Dockerfiles from the catalogue, and the file by which `docker buildx bake` makes all of them.

They are kept in the repository, for people to read and for plain `docker build`; rendering again
must give no difference. `ftbuild image build` renders its own, for the release that can be had.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from packaging.version import Version

from ftbuild.errors import EnvironmentFault
from ftbuild.images.names import REPOSITORY, Flavour, Image, rendered
from ftbuild.images.places import FLAVOUR, SUPPRESSIONS, prefix
from ftbuild.model.recipes import Catalogue
from ftbuild.model.text import sanitise_line
from ftbuild.model.versions import Variant, is_prerelease, series_of

FOLDER = "docker"
BAKE = f"{FOLDER}/docker-bake.hcl"

_WIDTH = 90


def dockerfile_path(image: Image) -> str:
    """Where an image's Dockerfile is kept: `docker/3.14/trixie-dev.Dockerfile`."""
    return f"{FOLDER}/{series_of(image.release)}/{_file_name(image)}.Dockerfile"


def files(catalogue: Catalogue) -> dict[str, str]:
    """All files that are kept in the repository, by path."""
    images = rendered(catalogue)
    return {
        **{dockerfile_path(image): dockerfile(image, catalogue) for image in images},
        BAKE: bake(images),
    }


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What came of writing the repository's files, or of comparing them.

    Attributes:
        files: Their number.
        changed: Paths of those that were, or would be, written anew.
        stale: Paths of Dockerfiles that no recipe asks for any more.
    """

    files: int
    changed: tuple[str, ...]
    stale: tuple[str, ...]


def write_files(catalogue: Catalogue, top: Path, *, write: bool) -> Written:
    """Write the files that are kept in the repository, or only tell which are out of date.

    Args:
        catalogue: What they are rendered from.
        top: The directory that has the folder `docker`.
        write: Whether to write, and to remove what no recipe asks for any more.

    Raises:
        EnvironmentFault: One cannot be written.
    """
    wanted = files(catalogue)
    there = {str(path.relative_to(top)) for path in (top / FOLDER).glob("*/*.Dockerfile")}
    try:
        changed = tuple(path for path, text in wanted.items() if _text(top / path) != text.encode())
        stale = tuple(sorted(there - wanted.keys()))
        if write:
            for path in changed:
                (top / path).parent.mkdir(parents=True, exist_ok=True)
                (top / path).write_text(wanted[path], encoding="utf-8")
            for path in stale:
                (top / path).unlink()
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename} cannot be written: {error.strerror}",
            hint="Name another directory with --output.",
        ) from error
    return Written(files=len(wanted), changed=changed, stale=stale)


def _text(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def dockerfile(image: Image, catalogue: Catalogue) -> str:
    """The Dockerfile of an image, of both builds or one: which, an argument of it tells."""
    base = image.base
    libraries = _libraries(image, catalogue)
    final = list(base.runtime)
    if image.flavour is not Flavour.SLIM:
        final += [*base.compiler, *base.develop, *libraries]
    return _rendered(
        "Dockerfile.j2",
        image=image,
        series=series_of(image.release),
        path=dockerfile_path(image),
        spoken=_spoken(image),
        manager=base.manager,
        builder=[*base.compiler, *base.interpreter, *libraries],
        final=final,
        environment=environment(image, catalogue),
        labels=labels(image, catalogue),
    )


def environment(image: Image, catalogue: Catalogue) -> dict[str, str]:
    """The variables of an image.

    The GIL build is first on the PATH: the names that both builds have are its own.
    """
    both = (prefix(image.release, variant) for variant in Variant)
    variables = {
        "PATH": ":".join((*(f"{each}/bin" for each in both), "${PATH}")),
        "LANG": "C.UTF-8",
    }
    for name, value in catalogue.profile(image.profile).environment.items():
        variables[name] = value.replace("{suppressions}", SUPPRESSIONS)
    return variables


def labels(image: Image, catalogue: Catalogue) -> dict[str, str]:
    """What an image's Dockerfile says of it, under the names of the OCI's image specification.

    The revision is CPython's tag, the source its tarball. What is known only when it is built, the
    digest of the base among it, `ftbuild.images.making.build` adds.
    """
    return {
        "org.opencontainers.image.title": f"CPython {series_of(image.release)}",
        "org.opencontainers.image.description": "CPython with and without the GIL, built from "
        "verified source",
        "org.opencontainers.image.version": image.release,
        "org.opencontainers.image.revision": f"v{image.release}",
        "org.opencontainers.image.source": catalogue.origins.upstream.format(
            base=Version(image.release).base_version, version=image.release
        ),
        "org.opencontainers.image.licenses": "PSF-2.0",
        "org.opencontainers.image.base.name": image.base.image,
        FLAVOUR: image.flavour.value,
    }


def bake(images: Iterable[Image]) -> str:
    """The bake file: every image of the repository's Dockerfiles, with both builds and with one."""
    by_release: dict[str, list[Image]] = {}
    for image in images:
        by_release.setdefault(image.release, []).append(image)
    every = [_series(release, found) for release, found in by_release.items()]
    groups = [{"name": "default", "targets": [series["target"] for series in every]}]
    return _rendered("docker-bake.hcl.j2", repository=REPOSITORY, every=every, groups=groups)


def _series(release: str, images: Iterable[Image]) -> Mapping[str, Any]:
    """What the bake file's template needs of the images of one release."""
    versions = [release] if is_prerelease(release) else [series_of(release), release]
    found = [
        {
            "name": _file_name(image),
            "path": dockerfile_path(image),
            "suffixes": _suffixes(image),
        }
        for image in images
    ]
    return {
        "target": versions[0].replace(".", "-"),
        "versions": versions,
        "release": release,
        "files": found,
    }


def _suffixes(image: Image) -> tuple[str, ...]:
    """What follows in the tags of an image; on the default base its name may be left out."""
    flavour = f"-{word}" if (word := _flavour_word(image)) else ""
    full = f"{flavour}-{image.base_name}"
    return (flavour, full) if image.default_base else (full,)


def _file_name(image: Image) -> str:
    """What tells an image's file, and its target, from others of the release: `trixie-dev`."""
    return "-".join(filter(None, (image.base_name, _flavour_word(image))))


def _flavour_word(image: Image) -> str:
    return "" if image.flavour is Flavour.SLIM else image.flavour.value


def _spoken(image: Image) -> str:
    words = ["ftbuild image build"]
    words.append(series_of(image.release) if image.series_named else image.release)
    if not image.default_base:
        words.append(f"--base {image.base_name}")
    if image.flavour is not Flavour.SLIM:
        words.append(f"--flavour {image.flavour}")
    return " ".join(words)


def _libraries(image: Image, catalogue: Catalogue) -> tuple[str, ...]:
    """The packages of the libraries that a release can use, on the image's distribution."""
    major, minor = map(int, series_of(image.release).split("."))
    found = (
        recipe.packages[image.base.manager]
        for recipe in catalogue.libraries.values()
        if image.base.manager in recipe.packages
        and "linux" in recipe.platforms
        and recipe.imports
        and tuple(map(int, recipe.since.split("."))) <= (major, minor)
    )
    return tuple(dict.fromkeys(found))


def _rendered(name: str, **values: Any) -> str:
    """A template of this package, filled in; one that lacks a value is an error."""
    import jinja2  # noqa: PLC0415 - 40 ms, and a builder stage does without

    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701 - no markup
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(in_lines=_in_lines, quoted=_quoted)
    text = (resources.files("ftbuild.images.making") / name).read_text("utf-8")
    return environment.from_string(text).render(values)


def _quoted(value: str) -> str:
    """A value between quotes, where a Dockerfile goes on to replace variables."""
    return sanitise_line(value).replace("\\", "\\\\").replace('"', '\\"')


def _in_lines(words: Iterable[str]) -> list[str]:
    """Words in lines of a width that people read."""
    return textwrap.wrap(" ".join(words), _WIDTH, break_long_words=False, break_on_hyphens=False)
