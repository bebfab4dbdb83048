from __future__ import annotations

import io
import tarfile
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.findings import File, Package
from ftbuild.auditing.grading.contents import (
    Contents,
    Shipped,
    level_of,
    looked,
    sdist_contents,
    wheel_contents,
)
from ftbuild.errors import Interrupted
from ftbuild.fetch.access import Access
from ftbuild.fetch.ranges import Members
from ftbuild.model.events import Event, Measuring
from tests.unit.auditing.examples import TARGET, package
from tests.unit.auditing.grading.platforms import linux
from tests.unit.fetch.loopback import Server, serve

LINUX = linux(TARGET)
STABLE = "Name: spam\nClassifier: Programming Language :: Python :: Free Threading :: 3 - Stable\n"


def wheel(*names: str, found: tuple[str, ...] = ()) -> Contents:
    return wheel_contents(Members(names=names, texts={}, found=frozenset(found)))


@pytest.mark.parametrize(
    "name",
    [
        "spam/_c.cpython-314-x86_64-linux-gnu.so",
        "spam/_c.cpython-39-darwin.so",
        "spam/_c.abi3.so",
        "spam/_c.abi3t-x86_64-linux-gnu.so",
        "spam.pypy311-pp73-x86_64-linux-gnu.so",
        "spam-1.0.data/platlib/_c.abi3.so",
    ],
)
def test_extension_modules_are_known_by_their_names(name: str) -> None:
    assert wheel("spam/__init__.py", name) == Contents(extensions=(name,))


def test_or_by_the_function_that_importing_calls() -> None:
    listed = ("pkg/core.so", "pkg/attach_linux.so", "pkg.libs/libz-1.so.1", "pkg/libfoo.so")
    assert wheel(*listed, found=("pkg/core.so",)) == Contents(
        extensions=("pkg/core.so",), binaries=listed[1:]
    )


@pytest.mark.parametrize(
    "name", ["ruff-1.0.data/scripts/ruff", "spam/lib/libspam.so.1", "spam/spam.dll", "spam/a.pyd"]
)
def test_other_binaries(name: str) -> None:
    assert wheel("spam/__init__.py", name) == Contents(binaries=(name,))


def test_pure_wheels() -> None:
    assert wheel("spam/__init__.py", "spam/so.py", "spam/data.sort") == Contents()


def sdist(*names: str, **texts: str) -> Contents:
    files = {
        "setup": "setup.py",
        "pyproject": "pyproject.toml",
        "info": "PKG-INFO",
    }
    found = {f"spam-1.0/{files[key]}": text for key, text in texts.items()}
    return sdist_contents(
        Members(names=(*(f"spam-1.0/{name}" for name in names), *found), texts=found)
    )


SETUP = "from setuptools import setup, Extension\nsetup(ext_modules=[Extension('c', ['c.c'])])"


@pytest.mark.parametrize(
    ("names", "texts", "sources"),
    [
        (("spam/__init__.py",), {"setup": "setup()"}, ()),
        (("src/spam/_c.c",), {"setup": SETUP}, ("src/spam/_c.c",)),
        (("src/lib.rs", "Cargo.toml"), {}, ("src/lib.rs",)),
        (("spam/fast.pyx", "spam/deep/er.f90"), {}, ("spam/fast.pyx", "spam/deep/er.f90")),
        # What is for testing or documentation is not compiled into a package.
        (("tests/c.c", "docs/examples/x.cpp", "spam/test/x.c"), {"setup": "setup()"}, ()),
        # cffi and the like generate their sources.
        ((), {"setup": "setup(cffi_modules=['build.py:ffi'])"}, ("setup.py",)),
        ((), {"pyproject": "[build-system]\nbuild-backend='maturin'"}, ("pyproject.toml",)),
        ((), {"pyproject": "[tool.setuptools]\next-modules=[{name='c'}]"}, ("pyproject.toml",)),
        # A backend that only packs takes sources for data, unless it has a hook.
        (("spam/t.c",), {"pyproject": "[build-system]\nbuild-backend='hatchling.build'"}, ()),
        (
            ("spam/t.c",),
            {
                "pyproject": "[build-system]\nbuild-backend='hatchling.build'\n"
                "[tool.hatch.build.targets.wheel.hooks.custom]"
            },
            ("spam/t.c",),
        ),
        (
            ("spam/t.c",),
            {
                "pyproject": "[build-system]\nbuild-backend='poetry.core.masonry.api'\n"
                "[tool.poetry]\nbuild='build.py'"
            },
            ("spam/t.c",),
        ),
        (("a.c",), {"pyproject": "nonsense ["}, ("a.c",)),
        (("a.c",), {"pyproject": "tool = 1\nbuild-system = {requires = 1}"}, ("a.c",)),
    ],
)
def test_sdists(names: tuple[str, ...], texts: dict[str, str], sources: tuple[str, ...]) -> None:
    found = sdist(*names, **texts)
    assert found.sources == sources
    assert not found.optional


def test_optional_native_code() -> None:
    assert sdist("c.c", setup=SETUP.replace("])]", "], optional=True)]")).optional
    assert not sdist(setup="optional = True").optional


def test_the_level_of_an_sdist() -> None:
    assert sdist(info=STABLE).level == 3


@given(metadata=st.text())
def test_no_metadata_is_too_strange(metadata: str) -> None:
    assert level_of(metadata) is None


@pytest.mark.parametrize(
    ("classifier", "level"),
    [
        ("Programming Language :: Python :: Free Threading :: 4 - Resilient", 4),
        ("Programming Language :: Python :: Free Threading :: 1 - Unstable", 1),
        ("Programming Language :: Python :: Free Threading", 0),
        ("Programming Language :: Python :: 3", None),
        ("Framework :: Programming Language :: Python :: Free Threading :: 4", None),
    ],
)
def test_levels(classifier: str, level: int | None) -> None:
    assert level_of(f"Name: x\nClassifier: {classifier}\n\nClassifier: nothing") == level


def test_a_description_is_no_classifier() -> None:
    line = "Classifier: Programming Language :: Python :: Free Threading :: 4 - Resilient"
    assert level_of(f"Name: x\n\n{line}") is None


def zipped(names: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in names.items():
            archive.writestr(name, text)
    return file.getvalue()


def tarred(names: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in names.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return file.getvalue()


NAMED = "spam-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl"
ANY = "ham-1.0-py3-none-any.whl"
SDIST = "eggs-1.0.tar.gz"
SOURCES = {"eggs-1.0/c.c": "", "eggs-1.0/setup.py": SETUP, "eggs-1.0/PKG-INFO": STABLE}


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def project(server: Server) -> tuple[Package, ...]:
    """Three packages: a wheel that names its ABI, one for any, and an sdist."""
    bodies = {
        NAMED: zipped({"spam-1.0.dist-info/METADATA": STABLE}),
        ANY: zipped({"ham-1.0.dist-info/METADATA": "Name: ham", "ham/_c.so": "-PyInit__c-"}),
        SDIST: tarred(SOURCES),
    }
    found = []
    for number, (name, body) in enumerate(bodies.items()):
        server.route(serve(body), path=f"/{name}")
        digest = f"{number}" * 64
        file = File(name=name, url=server.url(f"/{name}"), size=len(body), sha256=digest)
        found.append(
            msgspec.structs.replace(
                package(name.partition("-")[0]),
                index=server.url("/simple"),
                wheels=(file,) if name.endswith(".whl") else (),
                sdist=None if name.endswith(".whl") else file,
            )
        )
    return tuple(found)


def look(
    packages: tuple[Package, ...], cache: Path, *, offline: bool = False
) -> tuple[dict[str, Shipped], list[Event]]:
    events: list[Event] = []
    asking = Access(env={}, stop=threading.Event(), offline=offline)
    return looked(packages, LINUX, access=asking, cache=cache, emit=events.append), events


def test_looking_into_a_project(tmp_path: Path) -> None:
    with Server() as server:
        packages = project(server)
        found, events = look(packages, tmp_path)
        paths = [asked.path for asked in server.asked]
    assert found == {
        "spam": Shipped(contents=Contents(level=3)),
        "ham": Shipped(contents=Contents(extensions=("ham/_c.so",))),
        "eggs": Shipped(contents=Contents(sources=("c.c",), level=3), files=()),
    }
    assert f"/{NAMED}.metadata" in paths
    assert "/simple/eggs/" in paths
    assert [each.done for each in events if isinstance(each, Measuring)] == [1, 2, 3]
    # The server is gone, and everything that was found is kept.
    again, _ = look(packages, tmp_path, offline=True)
    assert again["ham"] == found["ham"]
    assert again["eggs"].contents == found["eggs"].contents


def test_metadata_apart_from_its_wheel(tmp_path: Path) -> None:
    with Server() as server:
        [spam, *_] = project(server)
        server.route(serve(STABLE.encode()), path=f"/{NAMED}.metadata")
        found, _ = look((spam,), tmp_path)
        assert [asked.path for asked in server.asked] == [f"/{NAMED}.metadata"]
    assert found["spam"].contents == Contents(level=3)


def test_wheels_for_older_pythons_are_found_on_the_index(tmp_path: Path) -> None:
    old = "spam-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"
    page = {
        "files": [
            {"filename": name, "url": f"/{name}", "hashes": {}}
            for name in (old, old.replace("1.0", "1.1"), "spam-1.0.tar.gz")
        ]
    }
    with Server() as server:
        server.route(serve(msgspec.json.encode(page)), path="/simple/spam/")
        spam = msgspec.structs.replace(package("spam"), index=server.url("/simple"))
        found, _ = look((spam,), tmp_path)
        assert [asked.path for asked in server.asked] == ["/simple/spam/"]
    assert [file.name for file in found["spam"].files or ()] == [old, "spam-1.0.tar.gz"]
    assert found["spam"].contents is None
    assert not found["spam"].note


def test_what_cannot_be_had_is_a_note(tmp_path: Path) -> None:
    with Server() as server:
        packages = project(server)
    found, _ = look(packages, tmp_path, offline=True)
    assert found["ham"].contents is None
    assert "offline" in found["ham"].note
    assert "index" in found["eggs"].note
    assert not list(tmp_path.rglob("*.json"))


def test_what_is_not_from_an_index_is_left_alone(tmp_path: Path) -> None:
    local = msgspec.structs.replace(package("spam"), source="/src/spam")
    assert look((local,), tmp_path)[0] == {"spam": Shipped()}


def test_it_can_be_stopped(tmp_path: Path) -> None:
    with Server() as server:
        packages = project(server)
        for name in (f"{NAMED}.metadata", ANY, "simple/eggs/"):
            server.route(server.hush, path=f"/{name}")
        asking = Access(env={}, stop=threading.Event())
        threading.Timer(0.1, asking.stop.set).start()
        with pytest.raises(Interrupted):
            looked(packages, LINUX, access=asking, cache=tmp_path, emit=lambda _: None)
