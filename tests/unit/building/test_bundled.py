from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.building.bundled import bundled, components, pip_of
from ftbuild.model.components import Component

FILES = {
    "expat": ("Modules/expat/COPYING", "Modules/expat/xmlparse.c"),
    "libb2": ("Modules/_blake2/impl/blake2.h",),
    "macholib": ("Lib/ctypes/macholib/dyld.py",),
    "mpdecimal": ("Modules/_decimal/libmpdec/basearith.c",),
}
WHEEL = "lib/python3.14t/ensurepip/_bundled/pip-26.2.1-py3-none-any.whl"


def spdx(**more: Any) -> bytes:
    """An SPDX document as CPython has it."""
    document: dict[str, Any] = {
        "spdxVersion": "SPDX-2.3",
        "packages": [
            {
                "SPDXID": f"SPDXRef-PACKAGE-{name}",
                "name": name,
                "versionInfo": "1.0",
                "licenseConcluded": "NOASSERTION",
                "downloadLocation": f"https://files.example/{name}.tar.gz",
                "checksums": [
                    {"algorithm": "SHA1", "checksumValue": "0"},
                    {"algorithm": "SHA256", "checksumValue": "a" * 64},
                ],
                "externalRefs": [
                    {
                        "referenceCategory": "SECURITY",
                        "referenceType": "cpe23Type",
                        "referenceLocator": f"cpe:2.3:a:{name}",
                    }
                ],
            }
            for name in FILES
        ],
        "files": [
            {"SPDXID": f"F-{file}", "fileName": file} for ff in FILES.values() for file in ff
        ],
        "relationships": [
            {
                "spdxElementId": f"SPDXRef-PACKAGE-{name}",
                "relatedSpdxElement": f"F-{file}",
                "relationshipType": "CONTAINS",
            }
            for name, files in FILES.items()
            for file in files
        ],
    }
    return json.dumps(document | more).encode()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    write(path / "Misc/sbom.spdx.json", spdx())
    write(path / "Include/internal/mimalloc/mimalloc.h", b"#define MI_MALLOC_VERSION 212   // x\n")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    write(path / "pyconfig.h", b"/* #undef WITH_MIMALLOC */\n")
    return path


def write(path: Path, content: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def names(source: Path, tree: Path, *linked: str, files: tuple[str, ...] = ()) -> list[str]:
    found = bundled(
        source, tree, tree.parent, digests=dict.fromkeys(files, "f" * 64), linked=linked
    )
    assert found is not None
    return [each.name for each in found]


def test_what_the_document_says() -> None:
    first, *_ = components(spdx())
    assert first == Component(
        name="expat",
        version="1.0",
        cpe="cpe:2.3:a:expat",
        location="https://files.example/expat.tar.gz",
        sha256="a" * 64,
    )


def test_what_was_not_compiled_is_not_part(source: Path, tree: Path) -> None:
    """With the system's expat and libmpdec, CPython compiles nothing of its own copies."""
    assert names(source, tree) == []


def test_what_left_objects_is_part(source: Path, tree: Path) -> None:
    write(tree / "Modules/expat/xmlparse.o")
    assert names(source, tree) == ["expat"]


def test_what_is_python_is_part_where_it_is_installed(source: Path, tree: Path) -> None:
    assert names(source, tree, files=("lib/python3.14t/ctypes/macholib/dyld.py",)) == ["macholib"]
    assert names(source, tree, files=("lib/python3.14t/other/dyld.py",)) == []


def test_sources_that_others_include(source: Path, tree: Path) -> None:
    write(tree / "Modules/_blake2/blake2b_impl.o")
    assert names(source, tree, "libc.so.6") == ["libb2"]
    assert names(source, tree, "libb2.so.1") == []


def test_mimalloc_where_it_is_configured(source: Path, tree: Path) -> None:
    write(tree / "pyconfig.h", b"#define WITH_MIMALLOC 1\n")
    found = bundled(source, tree, tree, digests={}, linked=())
    assert found is not None
    assert [(each.name, each.version) for each in found] == [("mimalloc", "2.1.2")]


def test_a_source_without_a_list(tree: Path, tmp_path: Path) -> None:
    assert bundled(tmp_path, tree, tree, digests={}, linked=()) is None
    write(tmp_path / "Misc/sbom.spdx.json", b"{}")
    assert bundled(tmp_path, tree, tree, digests={}, linked=()) is None


def test_a_list_alone_is_enough(tree: Path, tmp_path: Path) -> None:
    """Of the rest, whatever cannot be read is left out."""
    write(tmp_path / "Misc/sbom.spdx.json", spdx())
    (tree / "pyconfig.h").unlink()
    assert names(tmp_path, tree, files=(WHEEL,)) == ["pip"]


def test_pip_and_what_it_brings(tmp_path: Path) -> None:
    wheel = tmp_path / "pip-26.2.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pip-26.2.1.dist-info/METADATA", "Name: pip\nLicense-Expression: MIT\n\n#")
        vendored = "# Copies\nCacheControl==0.14.4  # x\nrequests==2.34.2\n    urllib3==2.7.0\n"
        archive.writestr("pip/_vendor/vendor.txt", vendored)
    pip, *parts = pip_of(wheel, "f" * 64)
    assert pip == Component(
        name="pip", version="26.2.1", license="MIT", purl="pkg:pypi/pip@26.2.1", sha256="f" * 64
    )
    assert [part.purl for part in parts] == [
        "pkg:pypi/cachecontrol@0.14.4",
        "pkg:pypi/requests@2.34.2",
        "pkg:pypi/urllib3@2.7.0",
    ]
    assert {part.within for part in parts} == {"pip"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip"])
def test_a_wheel_that_cannot_be_read_is_pip_all_the_same(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "pip-26.2.1-py3-none-any.whl", content)
    (pip,) = pip_of(tmp_path / "pip-26.2.1-py3-none-any.whl", "f" * 64)
    assert (pip.version, pip.license) == ("26.2.1", None)


@given(st.binary(max_size=60) | st.just(spdx(files=[], relationships=[])))
def test_any_document(document: bytes) -> None:
    try:
        found = components(document)
    except msgspec.DecodeError:
        return
    assert all(files == () for files in found.values())
