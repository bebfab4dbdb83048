from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.driver import NEW, OLD, Ftbuild


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_works() -> None:
    """In the background of a shell script SIGINT is ignored, by our children too; not here."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def ftbuild(tmp_path: Path) -> Iterator[Ftbuild]:
    """A user for whom two releases can be built."""
    user = Ftbuild(tmp_path)
    user.release(OLD, NEW)
    yield user
    user.end()
