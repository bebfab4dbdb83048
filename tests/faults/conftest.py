"""Options of the fault suite, and what all of its tests share.

The defaults are a short round for every commit; by hand: `pytest tests/faults --faults-rounds 1000
--faults-examples 1000000`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.dripping import Dripping
from tests.integration.conftest import (  # noqa: F401 - fixtures
    _ctrl_c_works,
    ftbuild,
)
from tests.integration.driver import Disk

ROUNDS = 4
"""Kills in a short round; half as many rounds of the other kinds."""

EXAMPLES = 20_000
"""Documents that the parsers are given in a short round, all together."""

SECONDS = 30
"""That a round may take on a busy machine."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--faults-rounds", type=int, default=ROUNDS, help="random rounds of each kind")
    group.addoption("--faults-seed", type=int, default=0, help="the seed of the first round")
    group.addoption(
        "--faults-examples", type=int, default=EXAMPLES, help="documents for all parsers together"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give long runs their time, and look last at what takes its time beside the others."""
    here = [item for item in items if "tests/faults/" in item.path.as_posix()]
    rounds = config.getoption("--faults-rounds", ROUNDS)
    examples = config.getoption("--faults-examples", EXAMPLES)
    for item in here:
        if "rounds" in _fixtures(item):
            item.add_marker(pytest.mark.timeout(120 + SECONDS * rounds))
        if "examples" in _fixtures(item):
            item.add_marker(pytest.mark.timeout(120 + examples // 50))
    slow = [item for item in here if "dripping" in _fixtures(item)]
    if slow:
        rest = [item for item in items if item not in slow]
        # One worker of several waits for them, first of all; a single one does all else meanwhile.
        at = (
            0
            if _among_others()
            else max(map(rest.index, set(here).difference(slow)), default=-1) + 1
        )
        items[:] = [*rest[:at], *slow, *rest[at:]]
        for item in slow:
            item.add_marker(pytest.mark.xdist_group("dripping"))


@pytest.fixture(scope="session")
def dripping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dripping]:
    """Runs that meet servers which never come to an end; they take up to a minute."""
    with Dripping(tmp_path_factory.mktemp("dripping")) as runs:
        yield runs


@pytest.fixture(autouse=True, scope="session")
def _dripping_begins(request: pytest.FixtureRequest) -> None:
    """Start those runs with the first test: they wait, and the others need not."""
    slow = any("dripping" in _fixtures(item) for item in request.session.items)
    if slow and not _among_others():
        request.getfixturevalue("dripping")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> range:
    """The seeds of the rounds that are asked for."""
    first: int = request.config.getoption("--faults-seed")
    count: int = request.config.getoption("--faults-rounds")
    return range(first, first + count)


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> int:
    """How many documents all parsers together are to be given."""
    count: int = request.config.getoption("--faults-examples")
    return count


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small file system."""
    with Disk(tmp_path / "disk") as made:
        if not made.made:
            pytest.skip("this user may not mount a file system here")
        yield made


def _among_others() -> bool:
    """Whether this is one of several workers of pytest-xdist."""
    return "PYTEST_XDIST_WORKER" in os.environ


def _fixtures(item: pytest.Item) -> list[str]:
    names: list[str] = getattr(item, "fixturenames", [])
    return names
