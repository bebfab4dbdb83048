"""Environments, with a stand-in for uv; the real one is met in tests/real/test_audit_probe.py."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from ftbuild.auditing.findings import Grade, Grading, Package
from ftbuild.auditing.probing.environment import (
    Environment,
    building,
    install,
    make,
    pin,
    telling,
)
from ftbuild.errors import EnvironmentFault
from ftbuild.model.events import Event, Measuring
from ftbuild.wheels.uv import Uv
from tests.unit.auditing.examples import TARGET, package

FAKE = """\
#!/bin/sh
printf 'index=%s %s\\n' "$(grep -o '^"index" = \\[{{"url" = "[^"]*"' | cut -d'"' -f6)" "$*" >> {log}
if [ "$1" = cache ]; then echo /the/cache; exit; fi
said="$*"
for word; do case "$word" in *wheels.txt) said="$said $(cat "$word")"; esac; done
printf '%s\\n' "$said" >> {log}
case "$said" in *offline*)
  printf 'error: Failed to download `offline==1.0`\\n' >&2
  printf '  cause: Network connectivity is disabled\\n' >&2
  exit 1
esac
case "$said" in *unreachable*)
  printf 'error: Failed to fetch: `https://me:secret@index.example/`\\n' >&2
  printf '  cause: error sending request for url\\n' >&2
  exit 1
esac
case "$said" in *broken*)
  printf 'Building broken\\nerror: Failed to build:\\n' >&2
  printf '  cause: no answer from https://me:secret@index.example/simple\\n    at all\\n' >&2
  printf '\\nhint: try harder\\n' >&2
  exit 1
esac
"""

WHEEL = Grading(grade=Grade.FREE_THREADED, wheel="there")
SDIST = Grading(grade=Grade.SDIST, sdist=True)


@pytest.fixture
def uv(tmp_path: Path) -> Uv:
    """A program that complains of everything that is broken, and writes down what it is told."""
    program = tmp_path / "uv"
    program.write_text(FAKE.format(log=tmp_path / "told"))
    program.chmod(0o755)
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/somebody",
        "AWS_SECRET_ACCESS_KEY": "for nobody",
        "CFLAGS": "-O9",
    }
    settings = {
        "index": [{"url": "https://me:secret@private.example/simple"}],
        "https-proxy": "https://me:secret@proxy.example",
        "http-proxy": "http://proxy.example",
    }
    return Uv(
        binary=str(program),
        env=env,
        cwd=tmp_path,
        folder=tmp_path / "uv-folder",
        settings=settings,
        stop=threading.Event(),
    )


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "scratch").mkdir()
    path = tmp_path / "venv"
    return Environment(
        path=path, python=path / "bin" / "python", scratch=tmp_path / "scratch", search="/bin"
    )


def ignore(_: Event) -> None:
    """Nobody watches."""


def test_one_is_made_for_the_target(uv: Uv, tmp_path: Path) -> None:
    made = make(TARGET, tmp_path / "new", _holding(uv, tmp_path / "new"))
    assert made.python == tmp_path / "new" / "venv" / "bin" / "python"
    assert made.scratch.is_dir()
    assert made.search == "/usr/bin:/bin"
    assert f"--python {TARGET.python}" in (tmp_path / "told").read_text()


def _holding(uv: Uv, folder: Path) -> Uv:
    folder.mkdir()
    return uv


def test_one_that_cannot_be_made_is_an_error(uv: Uv, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="Failed to build") as caught:
        make(TARGET, tmp_path / "broken", uv)
    assert "ftbuild verify 3.14t" in caught.value.hint


def test_what_does_not_go_in_is_found_and_the_rest_goes_in(
    uv: Uv, environment: Environment
) -> None:
    names = ["a", "b", "broken", "c", "d", "broken-too", "e"]
    found = install(
        [package(name) for name in names], dict.fromkeys(names, WHEEL), environment, uv,
        build=False, jobs=1, emit=ignore,
    )  # fmt: skip
    assert {name for name, item in found.items() if item.how == "wheel"} == {*"abcde"}
    assert (
        found["broken"].why == "Failed to build: no answer from https://index.example/simple at all"
    )


def test_without_a_wheel_nothing_is_tried_unless_it_is_to_be_built(
    uv: Uv, environment: Environment
) -> None:
    given = [package("a"), package("b")]
    gradings = {"a": WHEEL, "b": SDIST}
    found = install(given, gradings, environment, uv, build=False, jobs=1, emit=ignore)
    assert set(found) == {"a"}
    heard: list[Event] = []
    found = install(given, gradings, environment, uv, build=True, jobs=1, emit=heard.append)
    assert {name: item.how for name, item in found.items()} == {"a": "wheel", "b": "built"}
    assert heard == [Measuring(task="audit", label="build b 1.0", done=0, total=1, left=None)]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("offline", "offline==1.0 is not in uv's cache, and --offline forbids"),
        ("unreachable", "wheels cannot be fetched: .*https://index.example/`: error sending"),
    ],
)
def test_no_package_is_blamed_for_the_network(
    uv: Uv, environment: Environment, name: str, says: str
) -> None:
    given = [package("a"), package(name)]
    with pytest.raises(EnvironmentFault, match=says) as caught:
        install(given, {"a": WHEEL, name: WHEEL}, environment, uv, build=False, jobs=1, emit=ignore)
    assert "--no-probe" in caught.value.hint


def test_a_package_from_an_index_of_its_own_is_asked_for_there(
    uv: Uv, environment: Environment, tmp_path: Path
) -> None:
    corp, other = "https://corp.example/simple", "https://other.example/simple"
    mine = corp.replace("corp", "me:sec=ret@corp") + "/"
    entries = [{"url": other}, {"name": "corp", "url": mine, "explicit": True}]
    asking = msgspec.structs.replace(uv, settings={"index": entries})
    given = [
        package("a"),
        msgspec.structs.replace(package("b"), index=corp),
        msgspec.structs.replace(package("c"), index=corp),
    ]
    gradings = {"a": WHEEL, "b": WHEEL, "c": SDIST}
    found = install(given, gradings, environment, asking, build=True, jobs=1, emit=ignore)
    assert {name: item.how for name, item in found.items()} == {
        "a": "wheel",
        "b": "wheel",
        "c": "built",
    }
    told = (tmp_path / "told").read_text().splitlines()
    runs = [line.split()[0] for line in told if line.startswith("index=") and " pip " in line]
    assert runs == [f"index={other}", f"index={mine}", f"index={mine}"]


def test_nothing_to_install_starts_nothing(
    uv: Uv, environment: Environment, tmp_path: Path
) -> None:
    assert install([], {}, environment, uv, build=True, jobs=1, emit=ignore) == {}
    assert not (tmp_path / "told").exists()


def test_a_build_that_fails_keeps_its_last_lines_without_credentials(
    uv: Uv, environment: Environment
) -> None:
    given = {"broken": SDIST}
    found = install(
        [package("broken")], given, environment, uv, build=True, jobs=1, emit=ignore
    )["broken"]  # fmt: skip
    assert found.how is None
    assert found.log[0] == "Building broken"
    assert "secret" not in "".join((*found.log, found.why))


def test_of_a_long_build_the_first_errors_and_the_last_lines_are_kept() -> None:
    errors = [
        "../numpy/core/src/x.c:12:5: error: too few arguments to function",
        "x.c:1:10: fatal error: Python.h: No such file or directory",
        "error[E0277]: the trait bound is not satisfied",
        "x.o: undefined reference to `_Py_Foo'",
        "ModuleNotFoundError: No module named 'Cython'",
        "../meson.build:1:0: ERROR: Unknown compiler(s): [['cc']]",
    ]
    warnings = ["x.c:9: warning: unused variable 'error'", "Compiling errors.c"] * 100
    found = telling([*warnings, *errors, *warnings])
    assert found[:7] == (*errors, "…")
    assert found[7:] == tuple(warnings[-23:])
    assert telling(warnings) == tuple(warnings[-30:])
    assert telling(errors) == tuple(errors)


def test_a_build_sees_no_credentials(uv: Uv, tmp_path: Path) -> None:
    found = building(uv, tmp_path, 3).env
    assert found["UV_CACHE_DIR"] == "/the/cache"
    assert found["http_proxy"] == "http://proxy.example"
    assert "secret" not in "".join(found.values())
    assert not {"AWS_SECRET_ACCESS_KEY", "CFLAGS", "https_proxy"} & set(found)
    assert found["HOME"] == str(tmp_path / "home")
    assert (found["MAKEFLAGS"], found["MAX_JOBS"]) == ("-j3", "3")


@pytest.mark.parametrize(
    ("source", "pinned"),
    [
        (None, "a==1.0"),
        ("https://files.example/a-1.0.whl", "a @ https://files.example/a-1.0.whl"),
        ("/src/a b", "a @ file:///src/a%20b"),
    ],
)
def test_a_pin_names_exactly_one(source: str | None, pinned: str) -> None:
    assert pin(Package(name="a", version="1.0", via=(), chain=(), source=source)) == pinned
