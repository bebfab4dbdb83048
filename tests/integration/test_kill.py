"""Whatever kills a run, nothing half-made is listed, and the next run builds as if nothing was."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.integration.driver import NEW, OLD, Ftbuild, intact, wait_for
from tests.unit.fetch.loopback import Server

STAGES = ("configure", "instrument", "train", "compile", "install", "pip", "details", "verify")


def kill(ftbuild: Ftbuild, *words: str, at: str) -> None:
    """Kill a run as one of its stages has begun."""
    ftbuild.hook(at, "sleep 300")
    run = ftbuild.start(*words)
    ftbuild.reached(f"{at} t")
    run.signal(signal.SIGKILL)
    assert run.done().code == -signal.SIGKILL
    ftbuild.unhook()


HIDING = """
setsid env -i /bin/sh -c 'echo $$ > "$0"; exec /bin/sleep 300' "$hooks/told" > /dev/null 2>&1 &
sleep 300
"""
"""What left its session, its output and its environment."""


@pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux's")
@pytest.mark.parametrize("stage", ["compile", "verify"])
def test_what_was_started_ends_with_us(ftbuild: Ftbuild, stage: str) -> None:
    """With SIGKILL nothing could be told to end; it does all the same, without another run."""
    ftbuild.hook(stage, HIDING)
    run = ftbuild.start("build", "3.97t")
    told = ftbuild.hooks / "told"
    wait_for(lambda: told.exists() and bool(told.read_text()), "it hides")
    run.signal(signal.SIGKILL)
    run.done()
    hidden = Path("/proc", told.read_text().strip())
    wait_for(lambda: not hidden.exists(), "it ends")
    wait_for(lambda: ftbuild.processes == [], "so do the others")
    ftbuild.unhook()
    rebuilt(ftbuild)


def rebuilt(ftbuild: Ftbuild, profile: str = "fast") -> None:
    """Build once more: it is as it would be had nothing happened."""
    ftbuild("build", "3.97t", "--profile", profile)
    assert len(ftbuild.names) == 1
    assert intact(ftbuild.root / "bin/python3.97t")
    assert len(ftbuild.prefixes) == 1
    assert ftbuild.litter == []
    assert ftbuild.processes == []


@pytest.mark.parametrize("stage", STAGES)
def test_in_a_stage(ftbuild: Ftbuild, stage: str) -> None:
    kill(ftbuild, "build", "3.97t", "--profile", "optimized", at=stage)
    assert ftbuild.names == []
    rebuilt(ftbuild, "optimized")
    assert f"{stage} t" in ftbuild.trace


def test_while_fetching(ftbuild: Ftbuild) -> None:
    tarball = (ftbuild.mirror / f"Python-{NEW}.tar.xz").read_bytes()
    with Server() as server:
        server.route(server.stall(tarball, at=1000), path=f"/{NEW}/Python-{NEW}.tar.xz")
        run = ftbuild.start("build", "3.97t", "--mirror", server.url("/"))
        wait_for(lambda: bool(server.asked), "it fetches")
        run.signal(signal.SIGKILL)
        run.done()
    rebuilt(ftbuild)
    assert not list(ftbuild.root.glob("sources/*.part"))


def test_while_unpacking(ftbuild: Ftbuild) -> None:
    ftbuild.release(NEW, padding=150_000_000)
    run = ftbuild.start("build", "3.97t")
    wait_for(lambda: "unpacking" in run.err, "it unpacks")
    run.signal(signal.SIGKILL)
    run.done()
    assert ftbuild.trace == []
    ftbuild.release(NEW)
    rebuilt(ftbuild)


@pytest.mark.parametrize("stage", ["compile", "verify"])
def test_while_replacing(ftbuild: Ftbuild, stage: str) -> None:
    """The old build comes back, at the latest with the next run."""
    ftbuild("build", "3.97t")
    before = ftbuild.installed
    kill(ftbuild, "build", "3.97t", "--force", at=stage)
    assert "there already" in ftbuild("build", "3.97t").out
    assert ftbuild.trace == []
    assert ftbuild.installed == before
    assert intact(ftbuild.root / "bin/python3.97t")
    assert ftbuild.litter == []
    assert ftbuild.processes == []


def test_the_next_run_may_be_for_another_release(ftbuild: Ftbuild) -> None:
    kill(ftbuild, "build", "3.97t", at="verify")
    ftbuild("build", f"{OLD}t")
    assert ftbuild.names == ["cpython-3.97.1t"]
    assert ftbuild.processes == []
    ftbuild("gc")
    assert ftbuild.litter == []
    assert len(ftbuild.prefixes) == 1
