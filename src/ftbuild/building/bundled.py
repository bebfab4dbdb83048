"""What CPython's source brings that others made, as far as it is part of a build.

CPython lists most of it in `Misc/sbom.spdx.json` (SPDX 2.3), with the files of each component. What
is compiled leaves objects in the build tree, under the names of its sources; what is Python is in
the prefix. Two things are not in that list: mimalloc, which tells its version in a header, and the
wheel of pip, which lists what it brings itself. Nothing here stops a build: what cannot be read is
not recorded.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

import msgspec

from ftbuild.model.components import Component
from ftbuild.model.text import Sha256, Url, fitting

_LISTED = "Misc/sbom.spdx.json"
_INCLUDED = {"libb2": ("Modules/_blake2", "libb2.so")}
"""Components whose sources are included by a module's own and so leave no objects: the folder of
that module's objects, and the system's library that takes their place where it is linked."""

_MIMALLOC = "Include/internal/mimalloc/mimalloc.h"
_MIMALLOC_VERSION = re.compile(r"^#define MI_MALLOC_VERSION (\d+)(\d)(\d)\b", re.MULTILINE)
_WITH_MIMALLOC = re.compile(r"^#define WITH_MIMALLOC 1$", re.MULTILINE)
_WHEELS = "ensurepip/_bundled/pip-*.whl"
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9._-]+)==([^\s#;]+)", re.MULTILINE)
_NOT_STATED = frozenset({"NOASSERTION", "NONE", ""})


class _Checksum(msgspec.Struct, frozen=True, rename="camel"):
    algorithm: str
    checksum_value: str


class _Reference(msgspec.Struct, frozen=True, rename="camel"):
    reference_type: str
    reference_locator: str


class _Package(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str = msgspec.field(name="SPDXID")
    name: str
    version_info: str
    download_location: str = ""
    license_concluded: str = ""
    checksums: tuple[_Checksum, ...] = ()
    external_refs: tuple[_Reference, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str = msgspec.field(name="SPDXID")
    file_name: str


class _Relationship(msgspec.Struct, frozen=True, rename="camel"):
    spdx_element_id: str
    related_spdx_element: str
    relationship_type: str


class _Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is read of an SPDX 2.3 document."""

    packages: tuple[_Package, ...]
    files: tuple[_File, ...] = ()
    relationships: tuple[_Relationship, ...] = ()


def bundled(
    source: Path, tree: Path, prefix: Path, *, digests: Mapping[str, str], linked: Iterable[str]
) -> tuple[Component, ...] | None:
    """The components in a build, sorted by name.

    Args:
        source: CPython's source tree.
        tree: The build tree, with its objects.
        prefix: The installed build.
        digests: The hash of every file below the prefix.
        linked: The names of the system libraries that it is linked with.

    Returns:
        The components; None where the source has no list of them that can be read.
    """
    try:
        listed = components((source / _LISTED).read_bytes())
    except (OSError, msgspec.DecodeError, RecursionError):
        return None
    system = tuple(linked)
    found = [
        component
        for component, files in listed.items()
        if _is_part(component.name, files, tree, digests, system)
    ]
    found += _mimalloc(source, tree)
    for wheel in _bundled_wheels(digests):
        found += pip_of(prefix / wheel, digests[wheel])
    return tuple(
        sorted(found, key=lambda each: (each.name.lower(), each.version, each.within or ""))
    )


def components(document: bytes) -> dict[Component, tuple[str, ...]]:
    """The components that an SPDX document lists, each with its files.

    Raises:
        msgspec.DecodeError: It is no such document.
    """
    read = msgspec.json.decode(document, type=_Document)
    names = {file.id: file.file_name for file in read.files}
    contained: dict[str, list[str]] = {}
    for link in read.relationships:
        if link.relationship_type == "CONTAINS" and link.related_spdx_element in names:
            contained.setdefault(link.spdx_element_id, []).append(names[link.related_spdx_element])
    return {_component(package): tuple(contained.get(package.id, ())) for package in read.packages}


def pip_of(wheel: Path, sha256: str) -> Iterator[Component]:
    """pip, by its wheel, and what it brings itself, by the list in that wheel."""
    name, version = wheel.name.split("-")[:2]
    licence, vendored = None, ""
    try:
        with zipfile.ZipFile(wheel) as archive:
            about = archive.read(f"{name}-{version}.dist-info/METADATA").decode(errors="replace")
            licence = HeaderParser().parsestr(about)["License-Expression"]
            vendored = archive.read("pip/_vendor/vendor.txt").decode(errors="replace")
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, zlib.error):
        pass  # another pip may be packaged another way; that it is there is known all the same
    yield Component(
        name=name,
        version=version,
        license=licence,
        purl=_pypi(name, version),
        sha256=sha256,
    )
    for part, exact in _REQUIREMENT.findall(vendored):
        yield Component(name=part, version=exact, purl=_pypi(part, exact), within=name)


def _component(package: _Package) -> Component:
    referred = {each.reference_type: each.reference_locator for each in package.external_refs}
    hashes = {each.algorithm: each.checksum_value for each in package.checksums}
    return Component(
        name=package.name,
        version=package.version_info,
        license=_stated(package.license_concluded),
        purl=fitting(referred.get("purl"), Url),
        cpe=fitting(referred.get("cpe23Type"), Url),
        location=fitting(_stated(package.download_location), Url),
        sha256=fitting(hashes.get("SHA256"), Sha256),
    )


def _is_part(
    name: str, files: Iterable[str], tree: Path, digests: Mapping[str, str], linked: Iterable[str]
) -> bool:
    if name in _INCLUDED:
        folder, library = _INCLUDED[name]
        instead = any(each.startswith(library) for each in linked)
        return not instead and any((tree / folder).glob("*.o"))
    paths = tuple(map(PurePosixPath, files))
    if any(path.suffix == ".c" and (tree / path.with_suffix(".o")).is_file() for path in paths):
        return True
    # Lib/ctypes/macholib/dyld.py becomes lib/python3.14t/ctypes/macholib/dyld.py.
    modules = {"/".join(path.parts[1:]) for path in paths if path.parts[:1] == ("Lib",)}
    return bool(modules) and any("/".join(file.split("/")[2:]) in modules for file in digests)


def _mimalloc(source: Path, tree: Path) -> Iterator[Component]:
    try:
        configured = (tree / "pyconfig.h").read_text(errors="replace")
        version = _MIMALLOC_VERSION.search((source / _MIMALLOC).read_text(errors="replace"))
    except OSError:
        return
    if version is not None and _WITH_MIMALLOC.search(configured):
        number = ".".join(version.groups())  # 212 is 2.1.2
        yield Component(
            name="mimalloc",
            version=number,
            license="MIT",
            purl=f"pkg:github/microsoft/mimalloc@v{number}",
        )


def _bundled_wheels(digests: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in sorted(digests) if PurePosixPath(name).match(_WHEELS))


def _pypi(name: str, version: str) -> str | None:
    return fitting(f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}", Url)


def _stated(value: str) -> str | None:
    return None if value in _NOT_STATED else value
