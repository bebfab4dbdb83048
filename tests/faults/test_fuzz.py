"""Documents that are almost valid, for every parser: a value or an error of ours, no other."""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ftbuild.errors import FtbuildError
from tests.faults.mutation import EDITS, Edit, mutate
from tests.faults.parsers import PARSERS

PROFILE = settings(
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

ALL = sum(parser.share for parser in PARSERS.values())

LONGEST = 10
"""Seconds that one small document may take; what takes longer would take for ever."""


@pytest.mark.parametrize("name", PARSERS)
def test_a_value_or_an_error_of_ours(
    name: str, examples: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    parser = PARSERS[name]
    expected: tuple[type[Exception], ...] = (FtbuildError, *parser.raises)
    seeds = parser.seeds(tmp_path)
    folder = Path(tempfile.mkdtemp(dir=_memory(tmp_path)))
    first: int = request.config.getoption("--faults-seed")

    @hypothesis.seed(first)
    @settings(PROFILE, max_examples=max(1, examples * parser.share // ALL))
    @given(st.integers(0, len(seeds) - 1), EDITS)
    def holds(number: int, edits: list[Edit]) -> None:
        document = mutate(seeds[number], edits)
        signal.alarm(LONGEST)
        try:
            parser.read(document, folder)
        except expected:
            pass
        finally:
            signal.alarm(0)

    try:
        holds()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _alarm() -> None:
    """Turn a parser that never comes to an end into a failure."""

    def ring(*_: object) -> None:
        raise AssertionError(f"not read within {LONGEST} s")

    signal.signal(signal.SIGALRM, ring)


@pytest.mark.parametrize("name", PARSERS)
def test_the_seeds_are_valid(name: str, tmp_path: Path) -> None:
    """Else nothing would get further than the first line of the parser."""
    parser = PARSERS[name]
    expected: tuple[type[Exception], ...] = (FtbuildError, *parser.raises)
    good = 0
    for document in parser.seeds(tmp_path):
        try:
            parser.read(document, tmp_path)
        except expected:
            continue
        good += 1
    assert good or name in REFUSED


REFUSED = {
    "recipes: signers": "without the file of the key, which is looked for beside it",
    "archives, inside": "the beginning of one: the rest is cut off for speed",
    "pdm.lock": "of a kind that is not read, and says so",
    "gpg's status": "signed by others than who is pinned",
}
"""Of what even the seeds are refused, and why that is fine."""


def _memory(folder: Path) -> Path:
    """Where files are written fastest."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else folder
