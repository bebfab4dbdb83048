from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ftbuild
from ftbuild.errors import EnvironmentFault, Interrupted
from ftbuild.store.locks import held, is_free

HOLDER = """
import sys
from pathlib import Path
from ftbuild.store.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "a.lock"


def test_one_at_a_time(lock: Path) -> None:
    assert is_free(lock)
    with held(lock):
        assert not is_free(lock)
    assert is_free(lock)


def test_the_next_one_gets_it_and_is_told_once_that_it_waits(lock: Path) -> None:
    told: list[str] = []
    waits = threading.Event()
    order: list[str] = []

    def tell() -> None:
        told.append("waiting")
        waits.set()

    def second() -> None:
        with held(lock, on_wait=tell):
            order.append("second")

    with held(lock):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(5)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert told == ["waiting"]


def test_who_waits_can_be_stopped(lock: Path) -> None:
    stop = threading.Event()
    with (
        held(lock),
        pytest.raises(Interrupted, match="while waiting"),
        held(lock, stop=stop, on_wait=stop.set),
    ):
        pass


def test_kill_frees_it(lock: Path) -> None:
    source = Path(ftbuild.__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)],
        env={"PYTHONPATH": str(source)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert not is_free(lock)
        holder.kill()
        holder.wait()
        assert is_free(lock)


def test_it_is_freed_by_an_error(lock: Path) -> None:
    with pytest.raises(LookupError), held(lock):
        raise LookupError
    assert is_free(lock)


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be locked"), held(tmp_path):
        pass
