from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ftbuild import process
from ftbuild.building.jobs import JobBudget
from ftbuild.errors import Interrupted
from ftbuild.model.spec import Make
from ftbuild.toolchain.make import find_make
from tests.builders import MAKE

ENV = {"PATH": os.environ["PATH"]}
REAL = find_make(env=ENV)

MAKEFILE = """\
all: a b c d
a b c d:
\t@echo start >> $(LOG); sleep 0.1; echo end >> $(LOG)
"""


KILLED = """\
all: a b
a:
\tsleep 0.2
b:
\tsleep 0.1; kill -KILL $$PPID
"""


def make(budget: JobBudget, folder: Path, log: Path, makefile: str = MAKEFILE) -> int:
    """Run a real make on a slot of the budget, as a build does."""
    folder.mkdir()
    (folder / "Makefile").write_text(makefile)
    stop = threading.Event()
    with budget.slot(stop):
        return process.stream(
            [REAL.path, f"LOG={log}"],
            env={**ENV, "MAKEFLAGS": budget.makeflags},
            cwd=folder,
            log=folder / "log",
            on_line=lambda _: None,
            stop=stop,
            pass_fds=budget.inherited,
        )


def most_at_once(log: Path) -> int:
    running = most = 0
    for line in log.read_text().splitlines():
        running += 1 if line == "start" else -1
        most = max(most, running)
    return most


def free(budget: JobBudget) -> int:
    """How many slots can be taken at this moment."""
    stop = threading.Event()
    stop.set()
    taken = os.read(budget._ours, 100)
    os.write(budget._ours, taken)
    return len(taken)


@pytest.fixture
def budget(tmp_path: Path) -> Iterator[JobBudget]:
    with JobBudget(2, directory=tmp_path, make=REAL) as made:
        yield made


def test_two_makes_share_two_slots(budget: JobBudget, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with ThreadPoolExecutor() as pool:
        codes = pool.map(lambda name: make(budget, tmp_path / name, log), ["one", "two"])
        assert list(codes) == [0, 0]
    assert log.read_text().count("end") == 8
    assert most_at_once(log) == 2
    assert free(budget) == 2


def test_one_make_alone_uses_them_all(budget: JobBudget, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert make(budget, tmp_path / "one", log) == 0
    assert most_at_once(log) == 2
    assert "jobserver" not in (tmp_path / "one" / "log").read_text()


def test_what_a_killed_make_held_comes_back(budget: JobBudget, tmp_path: Path) -> None:
    killed = make(budget, tmp_path / "one", tmp_path / "log", KILLED)
    assert killed == -signal.SIGKILL
    assert free(budget) == 2


def test_it_does_not_while_another_build_runs(budget: JobBudget) -> None:
    stop = threading.Event()
    with budget.slot(stop):
        with budget.slot(stop):
            pass
        assert free(budget) == 1
    assert free(budget) == 2


def test_who_waits_for_a_slot_can_be_stopped(budget: JobBudget) -> None:
    stop = threading.Event()
    with budget.slot(stop), budget.slot(stop):
        threading.Timer(0.05, stop.set).start()
        with pytest.raises(Interrupted), budget.slot(stop):
            pass
    assert free(budget) == 2


def test_who_waits_gets_the_first_that_comes_free(budget: JobBudget) -> None:
    stop = threading.Event()
    order: list[str] = []

    def third() -> None:
        with budget.slot(stop):
            order.append("third")

    with budget.slot(stop):
        with budget.slot(stop):
            waiting = threading.Thread(target=third)
            waiting.start()
            order.append("second")
        waiting.join()
    assert order == ["second", "third"]


def test_slots_are_given_in_the_order_in_which_they_were_asked_for(budget: JobBudget) -> None:
    stop = threading.Event()
    order: list[int] = []

    def build(number: int) -> None:
        with budget.slot(stop):
            order.append(number)

    builds = []
    with budget.slot(stop), budget.slot(stop):
        for number in range(5):
            builds.append(threading.Thread(target=build, args=(number,)))
            builds[-1].start()
            time.sleep(0.02)
    for thread in builds:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_many_builds_leave_exactly_the_slots_there_were(budget: JobBudget) -> None:
    stop = threading.Event()

    def take(_: int) -> None:
        with budget.slot(stop):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(400)))
    assert free(budget) == 2


def test_nothing_stays_open(tmp_path: Path) -> None:
    opened = Path("/proc/self/fd")
    before = len(list(opened.glob("*")))
    with JobBudget(1, directory=tmp_path, make=MAKE):
        assert (tmp_path / "jobserver").is_fifo()
    assert not (tmp_path / "jobserver").exists()
    assert len(list(opened.glob("*"))) == before


@pytest.mark.parametrize(
    ("version", "option"),
    [("3.81", "--jobserver-fds="), ("4.1", "--jobserver-fds="), ("4.3", "--jobserver-auth=")],
)
def test_older_makes_inherit_descriptors(tmp_path: Path, version: str, option: str) -> None:
    old = Make(path="/usr/bin/make", version=version, fifo=False)
    with JobBudget(3, directory=tmp_path, make=old) as budget:
        (number,) = budget.inherited
        assert budget.makeflags == f"-j3 {option}{number},{number}"


def test_newer_makes_are_told_the_name(tmp_path: Path) -> None:
    new = Make(path="/usr/bin/make", version="4.4.1", fifo=True)
    with JobBudget(3, directory=tmp_path, make=new) as budget:
        assert budget.makeflags == f"-j3 --jobserver-auth=fifo:{tmp_path}/jobserver"
        assert budget.inherited == ()
