"""Packages with something wrong, installed and imported; `made_up` builds them."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from ftbuild import process
from ftbuild.auditing.findings import (
    Culprit,
    Ending,
    Grade,
    Grading,
    Installed,
    Package,
    Probed,
    Target,
)
from ftbuild.auditing.probing.environment import Environment, install, make
from ftbuild.auditing.probing.probe import probe
from ftbuild.auditing.probing.testing import run_tests
from ftbuild.auditing.target import target_of
from ftbuild.errors import Interrupted
from ftbuild.model.events import Event
from ftbuild.model.manifest import Installation
from ftbuild.wheels.uv import Uv, uv_of
from tests.real.made_up import PACKAGES, wheels

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the wheels are tagged for Linux"),
]

_HANGS = 6.0
"""Seconds after which an import hangs, here."""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """An environment with all made-up packages, and what came of probing it."""

    environment: Environment
    target: Target
    uv: Uv
    folder: Path
    found: dict[str, tuple[Probed, ...]]
    left: int
    """Processes that were left when all was over."""

    def environment_for(self, purpose: str) -> Environment:
        """The same environment with a scratch directory of its own."""
        scratch = self.folder / f"scratch-{purpose}"
        scratch.mkdir()
        return msgspec.structs.replace(self.environment, scratch=scratch)

    def one(self, name: str) -> Probed:
        """What came of the only module of a package."""
        (found,) = self.found[name]
        return found


def ignore(_: Event) -> None:
    """Nobody watches."""


def package(name: str) -> Package:
    return Package(name=name.replace("_", "-"), version="1.0", via=(), chain=())


ALL = [package(item.name) for item in PACKAGES]
WITH_WHEEL = Grading(grade=Grade.FREE_THREADED, wheel="there")


@pytest.fixture(scope="module", params=["pair_313", "pair_314"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The made-up packages for each release, imported."""
    _, build = request.getfixturevalue(request.param)
    folder: Path = tmp_path_factory.mktemp("prüfung")
    return _world(build, folder)


def _world(build: Installation, folder: Path) -> World:
    target = target_of(build, os.environ)
    uv = uv_of(
        os.environ | {"FTBUILD_SECRET": "not for them", "PYTHON_GIL": "0"},
        folder,
        folder / "uv",
        settings={"no-index": True, "find-links": [str(wheels(build, folder))]},
        offline=False,
        stop=threading.Event(),
    )
    environment = make(target, folder, uv)
    installed = install(
        ALL, {item.name: WITH_WHEEL for item in ALL}, environment, uv, build=False, jobs=2,
        emit=ignore,
    )  # fmt: skip
    assert {item.how for item in installed.values()} == {"wheel"}
    found = probe(
        environment, target, ALL, jobs=2, timeout=_HANGS, stress=False, emit=ignore,
        stop=threading.Event(),
    )  # fmt: skip
    left = process.end_marked(str(environment.scratch))
    return World(
        environment=environment, target=target, uv=uv, folder=folder, found=found, left=left
    )


@pytest.mark.parametrize("name", ["pure", "loud", "forks", "daemon", "closes", "lingers", "races"])
def test_what_is_fine_is_fine_whatever_it_does_besides(world: World, name: str) -> None:
    assert world.one(name).ending is Ending.FINE, world.one(name)
    assert world.left == 0


def test_extensions_and_packages_are_found_tests_are_not(world: World) -> None:
    assert [(item.module, item.extension, item.ending) for item in world.found["good"]] == [
        ("good", False, Ending.FINE),
        ("good._fine", True, Ending.FINE),
        ("good.inner._other", True, Ending.FINE),
    ]


@pytest.mark.parametrize(
    ("name", "number"), [("crash-null", "SIGSEGV"), ("crash-abort", "SIGABRT")]
)
def test_a_crash_tells_its_signal_and_where_it_was(world: World, name: str, number: str) -> None:
    for item in world.found[name]:
        assert (item.ending, item.signal) == (Ending.CRASHED, number)
    if name == "crash-abort":
        python = [frame for frame in item.frames if "__init__" in frame]
        assert python == [
            "crash_abort/__init__.py:2 in load",
            "crash_abort/__init__.py:3 in <module>",
        ]
    if world.target.label != "3.13t":  # from 3.14 there are native frames, too
        assert ".so at " in item.frames[0], item.frames


def test_a_fatal_error_tells_why(world: World) -> None:
    found = world.one("crash-fatal")
    assert found.signal == "SIGABRT"
    assert "it is all over" in (found.error or "")


@pytest.mark.parametrize("name", ["single", "multi", "lazy", "tagged-none", "quiet", "chain-c"])
def test_who_switches_the_gil_on_is_named(world: World, name: str) -> None:
    found = world.found[name]
    native = next(item for item in found if item.extension)
    assert native.ending is Ending.GIL
    (culprit,) = native.culprits
    assert (culprit.module, culprit.distribution) == (native.module, name)


def test_a_lazily_imported_one_does_not_count_against_the_package(world: World) -> None:
    endings = {item.module: item.ending for item in world.found["lazy"]}
    assert endings == {"lazy": Ending.FINE, "lazy._late": Ending.GIL}


def test_the_chain_leads_through_other_packages(world: World) -> None:
    found = world.one("chain-a")
    assert found.ending is Ending.GIL
    assert found.culprits == (
        Culprit(
            module="chain_c._core",
            distribution="chain-c",
            chain=("chain_a", "chain_b", "chain_b.inner", "chain_c._core"),
        ),
    )


def test_one_that_is_imported_while_another_is_initialized_is_the_culprit(world: World) -> None:
    found = world.one("nested")
    assert found.ending is Ending.GIL
    assert found.culprits == (
        Culprit(module="multi", distribution="multi", chain=("nested", "multi")),
    )


def test_a_warning_that_is_an_error_fails_and_names_the_culprit(world: World) -> None:
    found = {item.module: item for item in world.found["strict"]}["strict"]
    assert found.ending is Ending.FAILED
    assert "RuntimeWarning" in (found.error or "")
    assert [item.module for item in found.culprits] == ["strict._core"]


@pytest.mark.parametrize(("name", "frame"), [("hang-c", None), ("hang-python", "in spin")])
def test_what_hangs_is_ended(world: World, name: str, frame: str | None) -> None:
    found = world.one(name)
    assert found.ending is Ending.HUNG
    assert frame is None or frame in found.frames[0]


def test_modules_of_a_package_that_hangs_are_not_waited_for(world: World) -> None:
    found = world.found["hang-package"]
    assert [item.ending for item in found] == [Ending.HUNG] * 5
    assert any("hang_package" in (item.error or "") for item in found)


def test_failures_say_why(world: World) -> None:
    assert "libgone.so: cannot open shared object file" in (world.one("lost").error or "")
    assert world.one("leaves").error == "ended the interpreter with exit status 0"
    assert world.one("exits").error == "SystemExit: enough"
    needs = {"lost": "libgone.so", "leaves": None, "exits": None}
    for name, needed in needs.items():
        assert (world.one(name).ending, world.one(name).needs) == (Ending.FAILED, needed)


def test_only_what_nobody_provides_is_needed(world: World) -> None:
    assert world.one("optional").needs == "nowhere_to_be_found"
    assert world.one("outdated").needs is None
    assert "No module named 'imp'" in (world.one("outdated").error or "")


def test_each_module_of_a_larger_package_has_a_process_of_its_own(world: World) -> None:
    endings = {item.module: item.ending for item in world.found["many"]}
    assert endings == {
        "many": Ending.FINE,
        "many._a": Ending.FINE,
        "many._b": Ending.FINE,
        "many._circle": Ending.FINE,
        "many._crash": Ending.CRASHED,
        "many._switch": Ending.GIL,
    }
    assert world.found["many"][0].module == "many._crash"  # the worst first


def test_only_what_shows_with_threads_is_found_by_calling_from_them(world: World) -> None:
    found = probe(
        world.environment_for("stress"), world.target, [package("races"), package("pure")],
        jobs=2, timeout=_HANGS, stress=True, emit=ignore, stop=threading.Event(),
    )  # fmt: skip
    calm, stressed = sorted(found["races"], key=lambda item: item.stress)
    assert (calm.ending, stressed.ending) == (Ending.FINE, Ending.CRASHED)
    assert stressed.signal == "SIGABRT"
    assert [item.ending for item in found["pure"]] == [Ending.FINE, Ending.FINE]


def test_a_stopped_probe_leaves_nothing(world: World) -> None:
    stop = threading.Event()
    environment = world.environment_for("stop")
    threading.Timer(1.0, stop.set).start()
    with pytest.raises(Interrupted):
        probe(
            environment, world.target, [package("hang_python"), package("daemon")],
            jobs=2, timeout=60.0, stress=False, emit=ignore, stop=stop,
        )  # fmt: skip
    assert process.end_marked(str(environment.scratch)) == 0


def test_what_does_not_go_in_does_not_keep_the_rest_out(world: World, tmp_path: Path) -> None:
    environment = make(world.target, tmp_path, world.uv)
    names = [package("pure"), package("good"), package("nowhere"), package("single")]
    found = install(
        names, {item.name: WITH_WHEEL for item in names}, environment, world.uv, build=False,
        jobs=1, emit=ignore,
    )  # fmt: skip
    assert {name: item.how for name, item in found.items()} == {
        "pure": "wheel",
        "good": "wheel",
        "nowhere": None,
        "single": "wheel",
    }
    assert "nowhere" in found["nowhere"].why


BACKEND = """\
import os, shutil
def build_wheel(folder, settings=None, metadata=None):
    assert 'FTBUILD_SECRET' not in os.environ
    assert os.environ['MAX_JOBS'] == '3'
    if os.path.exists('broken'):
        raise SystemExit('no compiler could be found')
    return os.path.basename(shutil.copy(WHEEL, folder))
"""


def test_an_sdist_is_built_only_on_demand_and_without_secrets(world: World, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (wheel,) = (world.folder / "wheels").glob("pure-*.whl")
    (source / "backend.py").write_text(f"WHEEL = {str(wheel)!r}\n{BACKEND}")
    (source / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'pure'\nversion = '1.0'\n"
    )
    item = Package(name="pure", version="1.0", via=(), chain=(), source=str(source))
    grading = {"pure": Grading(grade=Grade.LOCAL)}
    assert (
        install([item], grading, world.environment, world.uv, build=False, jobs=3, emit=ignore)
        == {}
    )

    def built(purpose: str) -> Installed:
        environment = make(world.target, tmp_path / purpose, world.uv)
        return install([item], grading, environment, world.uv, build=True, jobs=3, emit=ignore)[
            "pure"
        ]

    (source / "broken").touch()
    failed = built("broken")
    assert failed.how is None
    assert any("no compiler could be found" in line for line in failed.log), failed
    (source / "broken").unlink()
    assert built("whole").how == "built"


def test_the_projects_tests_run_with_that_interpreter(world: World, tmp_path: Path) -> None:
    (tmp_path / "check.py").write_text(
        "import os, sys\n"
        "assert 'FTBUILD_SECRET' not in os.environ and not sys._is_gil_enabled()\n"
        "import good\nprint('all well')\n"
    )
    found = run_tests(
        "python check.py", world.environment_for("fine"), tmp_path, timeout=30.0,
        stop=threading.Event(), emit=ignore,
    )  # fmt: skip
    assert (found.code, found.gil_before, found.gil_after) == (0, False, False), found
    assert found.tail[-1] == "all well"
    assert not list(world.environment.packages.glob("*ftbuild*"))


def test_a_subprocess_of_the_tests_is_seen_as_well(world: World, tmp_path: Path) -> None:
    inner = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import chain_a'])"
    found = run_tests(
        f'python -c "{inner}"; exit 3', world.environment_for("inner"), tmp_path, timeout=30.0,
        stop=threading.Event(), emit=ignore,
    )  # fmt: skip
    assert (found.code, found.gil_before, found.gil_after) == (3, False, True), found
    assert [item.chain for item in found.culprits] == [
        ("chain_a", "chain_b", "chain_b.inner", "chain_c._core")
    ]


def test_tests_that_never_end_are_ended(world: World, tmp_path: Path) -> None:
    began = time.monotonic()
    found = run_tests(
        "python -c 'import time; time.sleep(600)'", world.environment_for("late"), tmp_path,
        timeout=1.0, stop=threading.Event(), emit=ignore,
    )  # fmt: skip
    assert found.ending.startswith("took longer than")
    assert (found.gil_before, found.gil_after) == (False, None)
    assert time.monotonic() - began < 60
