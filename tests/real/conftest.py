"""Real builds of both pairs, made once a session by the command line as a user would.

`FTBUILD_TEST_ROOT` names a root to keep and reuse between sessions; without it they are made anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ftbuild.model.manifest import Installation
from ftbuild.store.layout import Layout
from ftbuild.store.listing import installations

_TIMEOUT = 3600
"""Seconds a test may take with the builds that the first of them waits for."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """How the image is built that the tests of images share."""
    parser.addoption("--image-profile", default="fast", help="fast, optimized")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time that real builds take."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(_TIMEOUT))


Pair = tuple[Installation, Installation]
"""The GIL build and the free-threaded build of one release."""


def ftbuild(*words: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Run the `ftbuild` command on a root."""
    return subprocess.run(
        [sys.executable, "-m", "ftbuild", *words],
        env={**os.environ, "FTBUILD_ROOT": str(root)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """A root with both pairs in the fast profile; letters beyond ASCII in its path must work."""
    kept = os.environ.get("FTBUILD_TEST_ROOT")
    path = Path(kept) if kept else tmp_path_factory.mktemp("prüfung-Ω")
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():  # it takes minutes: let its progress be seen
        done = ftbuild("build", "3.13,3.14", "--profile", "fast", root=path)
    assert done.returncode == 0, done.stdout
    return path


@pytest.fixture(scope="session")
def pair_313(root: Path) -> Pair:
    """The 3.13 pair."""
    return _pair(root, "3.13.")


@pytest.fixture(scope="session")
def pair_314(root: Path) -> Pair:
    """The 3.14 pair."""
    return _pair(root, "3.14.")


def _pair(root: Path, series: str) -> Pair:
    gil, free_threaded = (
        item for item in installations(Layout(root=root)) if item.spec.version.startswith(series)
    )
    return gil, free_threaded
