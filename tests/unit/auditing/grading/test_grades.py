"""Known packages, as the public index had them on 22 November 2026.

`python benchmarks/auditing.py --root ROOT --record FILE` asks it again (FILE is `index.json.gz` in
tests/unit/auditing/answers); after that some of what is expected here is out of date.

What is expected was read off each project's list of files for Linux on x86-64 by hand:

- 3.13t is not built for any more; 3.14t is where most are; some have no 3.15t yet.
- psycopg-binary, orjson and grpcio have wheels for every GIL build and no other.
- protobuf has `cp310-abi3`, which no free-threaded build takes, and one of pure Python for all
  others; SQLAlchemy and charset-normalizer have such a one beside theirs for particular ABIs.
- hypothesis and cryptography have `cp314t` for 3.14t and `abi3.abi3t` from 3.15 on.
- PyYAML 6.0.3 is older than 3.15.
- NumPy 1.26.4 has cp39 to cp312. The first newer version with the right wheel is 2.1.0 for 3.13t
  and 2.3.2 for 3.14t.
"""

from __future__ import annotations

import gzip
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild.auditing.findings import File, Grade, Grading, Package, Target
from ftbuild.auditing.grading.contents import looked
from ftbuild.auditing.grading.grade import graded
from ftbuild.auditing.grading.nearest import nearest_of
from ftbuild.fetch.access import Access
from tests.unit.auditing.examples import TARGET
from tests.unit.auditing.grading.platforms import linux
from tests.unit.fetch.loopback import Server, serve

ANSWERS: dict[str, Any] = msgspec.json.decode(
    gzip.decompress((Path(__file__).parent / "answers" / "index.json.gz").read_bytes())
)
TARGETS = {
    "3.13t": linux(TARGET, "3.13.15"),
    "3.14t": linux(TARGET, "3.14.7"),
    "3.15t": linux(TARGET, "3.15.0rc2"),
}
PURE, FREE, ABI3T, GIL, OTHER = (
    Grade.PURE,
    Grade.FREE_THREADED,
    Grade.ABI3T,
    Grade.GIL_ONLY,
    Grade.OTHER,
)
EXPECTED: dict[str, tuple[Grade, Grade, Grade]] = {
    # by name: for 3.13t, 3.14t and 3.15t
    "numpy": (GIL, FREE, FREE),
    "pandas": (GIL, FREE, FREE),
    "scipy": (GIL, FREE, FREE),
    "pyyaml": (GIL, FREE, OTHER),
    "cryptography": (GIL, FREE, ABI3T),
    "lxml": (GIL, FREE, FREE),
    "pillow": (GIL, FREE, FREE),
    "msgspec": (GIL, FREE, FREE),
    "orjson": (GIL, GIL, GIL),
    "psycopg": (PURE, PURE, PURE),
    "psycopg-binary": (GIL, GIL, GIL),
    "grpcio": (GIL, GIL, GIL),
    "pydantic": (PURE, PURE, PURE),
    "pydantic-core": (GIL, FREE, FREE),
    "sqlalchemy": (PURE, FREE, FREE),
    "greenlet": (GIL, FREE, FREE),
    "protobuf": (PURE, PURE, PURE),
    "hypothesis": (GIL, FREE, ABI3T),
    "requests": (PURE, PURE, PURE),
    "rich": (PURE, PURE, PURE),
    "ruff": (Grade.BINARIES, Grade.BINARIES, Grade.BINARIES),
    "charset-normalizer": (PURE, FREE, FREE),
    "cffi": (GIL, FREE, FREE),
}
LEVELS = {"requests": 2, "cryptography": 3, "charset-normalizer": 4, "cffi": 2}
"""Those whose METADATA has the classifier; the others of them have none."""


@pytest.fixture(scope="module")
def index() -> Iterator[Server]:
    """A server that answers what the public index answered."""
    with Server() as server:
        for name, inside in ANSWERS["inside"].items():
            server.route(serve(archive(inside)), path=f"/{name}")
        for project, files in ANSWERS["pages"].items():
            page = [
                {
                    "filename": name,
                    "url": f"/{name}",
                    "hashes": {},
                    "requires-python": requires,
                    "yanked": yanked,
                }
                for name, (requires, yanked) in files.items()
            ]
            body = msgspec.json.encode({"files": page})
            server.route(serve(body), path=f"/simple/{project}/")
        yield server


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def archive(inside: dict[str, Any]) -> bytes:
    """A zip with the same names, the same metadata, and the same functions."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name in dict.fromkeys((*inside["names"], *inside["texts"])):
            stem = Path(name).name.partition(".")[0]
            marker = f"PyInit_{stem}" if name in inside["found"] else ""
            packed.writestr(name, inside["texts"].get(name, marker))
    return file.getvalue()


def project(server: Server, label: str, case: str) -> tuple[Package, ...]:
    """The packages that uv chose."""
    found = []
    for key, files in ANSWERS["packages"][f"{label} {case}"].items():
        name, _, version = key.partition("==")
        sdist = files["sdist"]
        found.append(
            Package(
                name=name,
                version=version,
                via=("requirements.txt",),
                chain=("requirements.txt",),
                index=server.url("/simple"),
                wheels=tuple(offered(server, wheel) for wheel in files["wheels"]),
                sdist=offered(server, sdist) if sdist else None,
            )
        )
    return tuple(found)


def offered(server: Server, name: str) -> File:
    return File(name=name, url=server.url(f"/{name}"))


def gradings(packages: tuple[Package, ...], target: Target, cache: Path) -> dict[str, Grading]:
    asking = Access(env={}, stop=threading.Event())
    shipped = looked(packages, target, access=asking, cache=cache, emit=lambda _: None)
    return {each.name: graded(each, target, shipped[each.name]) for each in packages}


@pytest.mark.parametrize("label", TARGETS)
def test_known_packages(index: Server, label: str, tmp_path: Path) -> None:
    column = list(TARGETS).index(label)
    found = gradings(project(index, label, "current"), TARGETS[label], tmp_path)
    assert {name: found[name].grade for name in EXPECTED} == {
        name: grades[column] for name, grades in EXPECTED.items()
    }
    # Whatever else they require has no native code.
    others = {found[name].grade for name in found.keys() - EXPECTED.keys()}
    assert others == {PURE}
    assert not any(grading.note for grading in found.values())
    if label != "3.13t":  # without a wheel, nobody looks
        levels = {name: found[name].level for name in EXPECTED if found[name].level is not None}
        assert levels == LEVELS


@pytest.mark.parametrize(
    ("label", "newer"), [("3.13t", "2.1.0"), ("3.14t", "2.3.2"), ("3.15t", "2.5.2")]
)
def test_numpy_1(index: Server, label: str, newer: str, tmp_path: Path) -> None:
    target = TARGETS[label]
    packages = project(index, label, "numpy 1.26")
    [numpy] = packages
    grading = gradings(packages, target, tmp_path)["numpy"]
    assert grading == Grading(
        grade=Grade.GIL_ONLY, abis=("cp39", "cp310", "cp311", "cp312"), sdist=True
    )
    asking = Access(env={}, stop=threading.Event())
    near = nearest_of(numpy, target, access=asking, cache=tmp_path)
    assert near is not None
    assert near.version == newer
    assert f"-cp3{label[2:4]}-cp3{label[2:4]}t-manylinux" in near.wheel.name
