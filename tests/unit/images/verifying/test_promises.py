from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from ftbuild.images.verifying.containers import Container
from ftbuild.images.verifying.promises import ANYBODY, bytecode, compilers, names, text
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Status
from ftbuild.model.versions import Variant
from tests.builders import build, with_python
from tests.unit.images.engines import engine
from tests.unit.verifying.builds import context, failing, named


def _script(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _container(folder: Path, builds: dict[str, Path]) -> Container:
    """A container with names on its PATH, each of which answers as one of a prefix."""
    bin_ = folder / "bin"
    for suffix, prefix in builds.items():
        answer = msgspec.json.encode(
            {"prefix": str(prefix), "user": "1", "locale": "UTF-8", "files": "utf-8"}
        ).decode()
        _script(bin_ / f"python{suffix}", f"echo '{answer}'")
        _script(bin_ / f"pip{suffix}", f"echo 'pip 26.0 from {prefix}/lib/pip (python 3.14)'")
    # Nothing else: this host has a python3, too.
    docker = engine(folder)
    env = {"PATH": str(bin_)}
    return Container(engine=msgspec.structs.replace(docker, env=env), name="box")


@pytest.fixture
def gil(tmp_path: Path) -> Installation:
    return build(tmp_path / "3.14", Variant.GIL)


@pytest.fixture
def free_threaded(tmp_path: Path) -> Installation:
    return build(tmp_path / "3.14t")


def test_of_both_the_names_in_common_are_the_gil_builds(
    tmp_path: Path, gil: Installation, free_threaded: Installation
) -> None:
    right = dict.fromkeys(("", "3", "3.14"), gil.prefix) | {"3.14t": free_threaded.prefix}
    both = (gil, free_threaded)
    checks = names(_container(tmp_path, right), both, gil)
    assert len(checks) == 8
    assert not failing(checks)
    wrong = right | {"3": free_threaded.prefix}
    found = names(_container(tmp_path, wrong), both, gil)
    assert failing(found) == {"names.python3", "names.pip3"}
    assert named(found)["names.pip3"].found == str(free_threaded.prefix)


def test_the_free_threaded_build_never_has_the_other_ones_name(
    tmp_path: Path, free_threaded: Installation
) -> None:
    right = dict.fromkeys(("", "3", "3.14t"), free_threaded.prefix)
    assert not failing(names(_container(tmp_path, right), (free_threaded,), free_threaded))
    wrong = right | {"3.14": free_threaded.prefix}
    found = names(_container(tmp_path, wrong), (free_threaded,), free_threaded)
    assert failing(found) == {"names.python3.14", "names.pip3.14"}


def test_a_name_that_is_missing_or_broken(tmp_path: Path, gil: Installation) -> None:
    container = _container(tmp_path, dict.fromkeys(("", "3.14"), gil.prefix))
    _script(tmp_path / "bin" / "python3.14", "echo 'Fatal error' >&2; exit 1")
    _script(tmp_path / "bin" / "pip", "echo 'pip 9 from /usr/lib/pip (python 3.14)'")
    _script(tmp_path / "bin" / "python", "echo nonsense")
    found = named(names(container, (gil,), gil))
    assert found["names.python3"].found == "not there"
    assert found["names.python3.14"].found == "exit status 1: Fatal error"
    assert found["names.pip"].found.startswith("pip 9 from /usr/lib/pip")
    assert found["names.python"].found.startswith("an answer that cannot be read")
    assert failing(tuple(found.values())) == {
        "names.python3", "names.pip3", "names.python3.14", "names.pip", "names.python"
    }  # fmt: skip


def test_a_user_without_a_home_reads_and_writes_utf_8(tmp_path: Path) -> None:
    bin_ = tmp_path / "bin"
    _script(bin_ / "python3", f'[ -z "$HOME" ] && exec {sys.executable} "$@"')
    env = {"PATH": f"{bin_}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
    container = Container(engine=msgspec.structs.replace(engine(tmp_path), env=env), name="box")
    found = named(text(container, user=ANYBODY))
    assert found["text.locale"].status is Status.PASSED
    assert found["text.file-names"].status is Status.PASSED
    # An engine that is a script changes no users.
    assert found["users.any"].status is Status.FAILED
    assert (tmp_path / "log").read_text().startswith(f"exec --user {ANYBODY} box ")
    latin = env | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    other = msgspec.structs.replace(container.engine, env=latin)
    checks = text(msgspec.structs.replace(container, engine=other), user=ANYBODY)
    assert "text.locale" in failing(checks)


def test_an_interpreter_that_needs_a_home(tmp_path: Path) -> None:
    _script(tmp_path / "bin" / "python3", "exit 1")
    env = {"PATH": str(tmp_path / "bin")}
    container = Container(engine=msgspec.structs.replace(engine(tmp_path), env=env), name="box")
    assert failing(text(container, user=ANYBODY)) == {"users.any"}


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        ("/usr/bin:\\ncat\\naccess\\ngccgo-tool\\nsuccc.sh\\ncc-config", ""),
        ("/usr/bin:\\nx86_64-linux-gnu-gcc-14\\nclang++\\ncat", "clang++, x86_64-linux-gnu-gcc-14"),
        ("cc", "cc"),
        ("c99", "c99"),
        ("g++-14", "g++-14"),
    ],
)
def test_compilers_are_known_by_their_names(tmp_path: Path, listing: str, found: str) -> None:
    docker = engine(tmp_path, f"*' ls '*) printf '%b\\n' '{listing}'; exit ;;")
    container = Container(engine=docker, name="box")
    (slim,), (dev,) = compilers(container, "slim"), compilers(container, "dev")
    assert slim.found == dev.found == (found or "none")
    assert (slim.status is Status.PASSED) == (not found)
    assert (dev.status is Status.PASSED) == bool(found)


def test_without_its_flavour_nothing_is_asked_of_compilers(tmp_path: Path) -> None:
    (check,) = compilers(Container(engine=engine(tmp_path), name="box"), "")
    assert check.status is Status.SKIPPED


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ('{"sources": 5, "wanting": [], "count": 0}', Status.PASSED),
        ('{"sources": 5, "wanting": ["lib/a.py"], "count": 1}', Status.FAILED),
        ("nonsense", Status.FAILED),
    ],
)
def test_every_module_needs_bytecode(tmp_path: Path, answer: str, status: Status) -> None:
    (check,) = bytecode(with_python(build(tmp_path), f"echo '{answer}'"), context(tmp_path))
    assert check.status is status
    assert ("lib/a.py" in answer) == ("lib/a.py" in check.found)
