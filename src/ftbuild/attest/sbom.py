"""What is in an archive and what it needs: a CycloneDX 1.6 document.

Three kinds of parts: CPython, which is the archive; what CPython's source brings that others made;
the packages of the distribution that brought the libraries which it was linked with, on the system
that it was built on.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.version import Version

import ftbuild
from ftbuild.model import components as model
from ftbuild.model.manifest import Manifest

if TYPE_CHECKING:
    from cyclonedx.model import HashType, Property
    from cyclonedx.model.component import Component
    from packageurl import PackageURL

SUFFIX = ".cdx.json"
"""What follows the archive's name; the one that CycloneDX asks for."""

PART = "ftbuild:part"
"""The property that tells the parts of an archive from what it needs of a system."""

BUNDLED = "bundled"
SYSTEM = "system"

_LICENCE = "PSF-2.0"

_UPDATES = {"a": "alpha", "b": "beta"}
"""The National Vulnerability Database's words for pre-releases; an rc is called that there, too."""


def sbom(manifest: Manifest, *, sha256: str) -> dict[str, Any]:
    """The bill of materials of an archive. Equal archives have equal ones.

    Args:
        manifest: The manifest in the archive.
        sha256: Hash of the archive.
    """
    # 100 ms, which only packing and attesting take.
    from cyclonedx.model.bom import Bom, BomMetaData  # noqa: PLC0415
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
    from cyclonedx.model.tool import ToolRepository  # noqa: PLC0415
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415

    used = manifest.used
    main = _main(manifest, sha256)
    bundled = {each: _bundled(each, ref) for ref, each in _references(used.bundled or ()).items()}
    system = _system(used.linked or ())
    own = Component(name="ftbuild", version=ftbuild.__version__, type=ComponentType.APPLICATION)
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"urn:x-ftbuild:archive:sha256:{sha256}"),
        metadata=BomMetaData(
            timestamp=datetime.fromisoformat(used.started),
            tools=ToolRepository(components=[own]),
            component=main,
        ),
        components=[*bundled.values(), *system],
    )
    direct = (part for each, part in bundled.items() if each.within is None)
    bom.register_dependency(main, [*direct, *system])
    for each, part in bundled.items():
        inner = [other for other_, other in bundled.items() if other_.within == each.name]
        bom.register_dependency(part, inner)
    document: dict[str, Any] = msgspec.json.decode(JsonV1Dot6(bom).output_as_string())
    # The library's model lacks compositions.
    document["compositions"] = _compositions(manifest, main, system)
    return document


def _main(manifest: Manifest, sha256: str) -> Component:
    from cyclonedx.model import (  # noqa: PLC0415
        ExternalReference,
        ExternalReferenceType,
        XsUri,
    )
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
    from cyclonedx.model.license import DisjunctiveLicense  # noqa: PLC0415
    from packageurl import PackageURL  # noqa: PLC0415

    spec, used = manifest.spec, manifest.used
    upstream = (
        [
            ExternalReference(
                type=ExternalReferenceType.SOURCE_DISTRIBUTION,
                url=XsUri(used.upstream),
                hashes=_hashes(spec.source_sha256),
            )
        ]
        if used.upstream
        else []
    )
    return Component(
        name="cpython",
        version=spec.version,
        type=ComponentType.PLATFORM,
        bom_ref="cpython",
        purl=PackageURL("generic", None, "cpython", spec.version),
        cpe=_cpe(spec.version),
        licenses=[DisjunctiveLicense(id=_LICENCE)],
        hashes=_hashes(sha256),
        external_references=upstream,
        properties=_properties(
            ("ftbuild:digest", manifest.digest),
            ("ftbuild:profile", spec.profile),
            ("ftbuild:variant", spec.variant.value),
        ),
    )


def _references(parts: Iterable[model.Component]) -> dict[str, model.Component]:
    """Components by what the document calls them, which the library would else make up."""
    found: dict[str, model.Component] = {}
    for part in dict.fromkeys(parts):
        ref = f"{BUNDLED}:{part.within or 'cpython'}/{part.name}@{part.version}"
        alike = sum(known == ref or known.startswith(f"{ref}#") for known in found)
        found[f"{ref}#{alike + 1}" if alike else ref] = part
    return found


def _bundled(part: model.Component, ref: str) -> Component:
    from cyclonedx.model import (  # noqa: PLC0415
        ExternalReference,
        ExternalReferenceType,
        XsUri,
    )
    from cyclonedx.model.component import Component  # noqa: PLC0415
    from cyclonedx.model.license import LicenseExpression  # noqa: PLC0415

    hashes = _hashes(part.sha256)
    taken = (
        [
            ExternalReference(
                type=ExternalReferenceType.SOURCE_DISTRIBUTION,
                url=XsUri(part.location),
                hashes=hashes,
            )
        ]
        if part.location
        else []
    )
    return Component(
        name=part.name,
        version=part.version,
        bom_ref=ref,
        purl=_read_purl(part.purl),
        cpe=part.cpe,
        licenses=[LicenseExpression(part.license)] if part.license else (),
        # The hash is that of what was taken: of the archive where one is named, not of the files.
        hashes=() if taken else hashes,
        external_references=taken,
        properties=_properties((PART, BUNDLED)),
    )


def _system(linked: Iterable[model.Linked]) -> tuple[Component, ...]:
    """A component for each package, and for each library that no package is known to have brought.

    Which libraries of a package are meant, and where they were, is in its properties.
    """
    from cyclonedx.model.component import Component  # noqa: PLC0415

    together: dict[str, list[model.Linked]] = {}
    for library in linked:
        package = library.package
        key = library.name if package is None else f"{package.name}:{package.architecture}"
        together.setdefault(key, []).append(library)
    return tuple(
        Component(
            name=libraries[0].name if package is None else package.name,
            version=None if package is None else package.version,
            bom_ref=f"{SYSTEM}:{key}",
            purl=None if package is None else purl(package),
            properties=_properties(
                (PART, SYSTEM),
                *(("ftbuild:library", library.name) for library in libraries),
                *(("ftbuild:path", library.path) for library in libraries if library.path),
            ),
        )
        for key, libraries in sorted(together.items())
        for package in (libraries[0].package,)
    )


def _read_purl(text: str | None) -> PackageURL | None:
    """A package URL that others wrote; None where it is none, which is not worth an archive."""
    from packageurl import PackageURL  # noqa: PLC0415

    try:
        return PackageURL.from_string(text) if text else None
    except ValueError:
        return None


def purl(package: model.Package) -> PackageURL:
    """A package of a distribution as a package URL: `pkg:deb/debian/libssl3@3.0.17?arch=amd64`."""
    from packageurl import PackageURL  # noqa: PLC0415

    distro = "-".join(filter(None, (package.distribution, package.release)))
    asked = {"arch": package.architecture, "distro": distro, "epoch": package.epoch}
    return PackageURL(
        package.kind,
        package.distribution or None,
        package.name,
        package.version,
        {key: value for key, value in asked.items() if value},
    )


def _compositions(
    manifest: Manifest, main: Component, system: Sequence[Component]
) -> list[Mapping[str, Any]]:
    """How complete the document is.

    Never called complete: CPython's own list is what its developers know of, and a library that
    was linked statically leaves no name.
    """
    used = manifest.used
    known = (
        used.bundled is not None
        and used.linked is not None
        and all(library.package is not None for library in used.linked)
    )
    ref = main.bom_ref.value
    found: list[Mapping[str, Any]] = [
        {
            "aggregate": "unknown" if known else "incomplete",
            "assemblies": [ref],
            "dependencies": [ref],
        }
    ]
    if system:  # what the distribution's packages need themselves, nobody looked for
        refs = [part.bom_ref.value for part in system]
        found.append({"aggregate": "unknown", "dependencies": refs})
    return found


def _cpe(version: str) -> str:
    """CPython as vulnerability databases name it; an rc is an update of the version to come."""
    parsed = Version(version)
    word, number = parsed.pre or ("", "*")
    update = f"{_UPDATES.get(word, word)}{number}"
    return f"cpe:2.3:a:python:python:{parsed.base_version}:{update}:*:*:*:*:*:*"


def _hashes(sha256: str | None) -> list[HashType]:
    from cyclonedx.model import HashAlgorithm, HashType  # noqa: PLC0415

    return [] if sha256 is None else [HashType(alg=HashAlgorithm.SHA_256, content=sha256)]


def _properties(*pairs: tuple[str, str]) -> list[Property]:
    from cyclonedx.model import Property  # noqa: PLC0415

    return [Property(name=name, value=value) for name, value in pairs]
