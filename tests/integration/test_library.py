"""What a program has of ftbuild: `import ftbuild`, in this process and in one of its own."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import ftbuild as library
from ftbuild.model.events import BuildFinished, Event, StageStarted
from tests.integration.driver import Ftbuild

FAST = library.Options(profile="fast")

SCRIPT = """
import sys, ftbuild
world = ftbuild.world(sys.argv[1], recipes=[sys.argv[2]], mirrors=[sys.argv[3]])
summary = ftbuild.build("3.97t", options=ftbuild.Options(profile="fast"), world=world)
print(*(outcome.status for outcome in summary.outcomes))
"""


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def world(ftbuild: Ftbuild, events: list[Event]) -> library.World:
    return library.world(recipes=[ftbuild.recipes], env=ftbuild.env, emit=events.append)


def test_what_is_resolved_is_what_is_built(world: library.World, events: list[Event]) -> None:
    foreseen = library.resolve("3.97", options=FAST, world=world)
    assert not world.layout.root.exists()
    # From another thread than the one that may handle signals, as in a service.
    with ThreadPoolExecutor(1) as pool:
        summary = pool.submit(library.build, "3.97", options=FAST, world=world).result()
    assert [outcome.status for outcome in summary.outcomes] == ["installed", "installed"]
    assert all(pair.ok for pair in summary.pairs)
    assert len(summary.pairs) == 1
    found = library.installed("3.97", world=world)
    assert [item.spec for item in found] == list(foreseen)
    finished = [event.build for event in events if isinstance(event, BuildFinished)]
    assert sorted(finished) == sorted(item.manifest.name for item in found)
    again = library.build("3.97", options=FAST, world=world)
    assert [outcome.status for outcome in again.outcomes] == ["present", "present"]


def test_verify_says_for_each_build_and_then_for_the_pair(world: library.World) -> None:
    library.build("3.97", options=FAST, world=world)
    reports = library.verify(world=world)
    assert [report.kind for report in reports] == ["verify", "verify", "pair"]
    (report,) = library.verify("3.97t", hashes=True, world=world)
    assert report.ok
    (build,) = library.installed("3.97t", world=world)
    build.python.write_text("#!/bin/sh\n")
    (report,) = library.verify("3.97t", hashes=True, world=world)
    assert not report.ok


def test_a_build_that_fails_is_an_outcome_with_its_error(
    ftbuild: Ftbuild, world: library.World
) -> None:
    ftbuild.hook("compile", 'test "$2" != t')
    gil, free_threaded = library.build("3.97", options=FAST, world=world).outcomes
    assert gil.status == "installed"
    assert free_threaded.status == "failed"
    assert isinstance(free_threaded.error, library.BuildFailed)
    assert free_threaded.error.log is not None
    assert free_threaded.error.log.is_file()


def test_what_cannot_be_is_raised(world: library.World) -> None:
    with pytest.raises(library.UsageError, match="not in the catalogue"):
        library.resolve("3.97.9", world=world)
    with pytest.raises(library.UsageError, match="no version was named"):
        library.build(world=world)
    with pytest.raises(library.UsageError, match="no installed build"):
        library.verify("3.97", world=world)
    assert library.installed(world=world) == ()


def test_setting_the_event_stops_the_build(ftbuild: Ftbuild) -> None:
    stop = threading.Event()

    def emit(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "compile":
            stop.set()

    ftbuild.hook("compile", "sleep 30")
    world = library.world(recipes=[ftbuild.recipes], env=ftbuild.env, emit=emit, stop=stop)
    (outcome,) = library.build("3.97t", options=FAST, world=world).outcomes
    assert outcome.status == "stopped"
    assert isinstance(outcome.error, library.Interrupted)
    assert ftbuild.litter == []
    assert ftbuild.processes == []


def test_ctrl_c_ends_the_processes_of_a_program_that_builds(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", "sleep 30")
    places = (str(ftbuild.root), str(ftbuild.recipes), str(ftbuild.mirror))
    running = ftbuild.python("-c", SCRIPT, *places)
    ftbuild.reached("compile t")
    running.signal(signal.SIGINT)
    done = running.done()
    assert done.code != 0
    assert "KeyboardInterrupt" in done.err or "stopped" in done.out
    assert ftbuild.litter == []
    assert ftbuild.processes == []
