"""Ctrl-C, SIGTERM and a terminal that goes end a run within seconds, with all that it started."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.integration.driver import IGNORING, NEW, Ftbuild, intact, wait_for
from tests.unit.fetch.loopback import Server

STUBBORN = """
trap "" TERM INT
setsid sh -c 'trap "" TERM INT; sleep 300; sleep 300' &
sleep 300; sleep 300
"""
"""Two processes that do not end when they are told to; one has left the session."""

BUILD = ("build", "3.97t")

SECONDS = 6.0
"""In which everything must have ended: the grace of 3 and some for a busy machine."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_while_compiling(ftbuild: Ftbuild, number: signal.Signals) -> None:
    ftbuild(*BUILD)
    ftbuild.unhook()
    ftbuild.hook("compile", STUBBORN)
    run = ftbuild.start(*BUILD, "--force")
    ftbuild.reached("compile t")
    run.signal(number)
    started = time.monotonic()
    done = run.done()
    assert time.monotonic() - started < SECONDS
    assert done.code == 130
    assert "interrupted" in done.err
    assert ftbuild.processes == []
    assert ftbuild.litter == []
    assert ftbuild.names == ["cpython-3.97.2t"]
    assert intact(ftbuild.root / "bin/python3.97t")


@pytest.mark.parametrize("stage", ["configure", "pip", "verify"])
def test_in_another_stage(ftbuild: Ftbuild, stage: str) -> None:
    ftbuild.hook(stage, "sleep 20")
    run = ftbuild.start(*BUILD)
    ftbuild.reached(f"{stage} t")
    run.signal(signal.SIGINT)
    started = time.monotonic()
    assert run.done().code == 130
    assert time.monotonic() - started < SECONDS
    assert ftbuild.names == []
    assert ftbuild.processes == []
    assert ftbuild.litter == []


def test_while_fetching(ftbuild: Ftbuild) -> None:
    tarball = (ftbuild.mirror / f"Python-{NEW}.tar.xz").read_bytes()
    with Server() as server:
        server.route(server.stall(tarball, at=1000), path=f"/{NEW}/Python-{NEW}.tar.xz")
        run = ftbuild.start(*BUILD, "--mirror", server.url("/"))
        wait_for(lambda: bool(server.asked), "it fetches")
        run.signal(signal.SIGINT)
        assert run.done().code == 130
    ftbuild(*BUILD, "--quiet")


def test_both_builds_of_a_pair(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", "sleep 300")
    run = ftbuild.start("build", "3.97")
    ftbuild.reached("compile", "compile t")
    run.signal(signal.SIGINT)
    assert run.done().code == 130
    assert ftbuild.processes == []
    assert ftbuild.prefixes == []


def test_one_signal_after_the_other(ftbuild: Ftbuild) -> None:
    """A terminal that goes away sends SIGHUP twice, and who is impatient presses Ctrl-C again."""
    ftbuild(*BUILD)
    ftbuild.unhook()
    ftbuild.hook("compile", STUBBORN)
    run = ftbuild.start(*BUILD, "--force")
    ftbuild.reached("compile t")
    for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGCONT, signal.SIGINT, signal.SIGTERM):
        run.signal(number)
        time.sleep(0.3)
    done = run.done()
    assert (done.code, done.err.count("interrupted")) == (130, 1)
    assert ftbuild.processes == []
    assert ftbuild.litter == []
    assert intact(ftbuild.root / "bin/python3.97t")


def test_nohup(ftbuild: Ftbuild) -> None:
    """What is ignored from the start stays so."""
    ftbuild.hook("compile", 'while [ ! -e "$hooks/go" ]; do sleep 0.05; done')
    run = ftbuild.start(*BUILD, script='trap "" HUP QUIT; exec "$@"')
    ftbuild.reached("compile t")
    run.signal(signal.SIGHUP)
    run.signal(signal.SIGQUIT)
    (ftbuild.hooks / "go").touch()
    assert run.done().code == 0
    assert ftbuild.names == ["cpython-3.97.2t"]


def test_a_terminal_that_is_gone(ftbuild: Ftbuild) -> None:
    """Whoever read what a build says has left; the build is made."""
    ftbuild.hook("compile", 'while [ ! -e "$hooks/go" ]; do sleep 0.05; done')
    script = 'mkfifo said; cat said >/dev/null & reader=$!; "$@" 2>said & build=$!\n'
    script += "while [ ! -e hooks/trace ]; do sleep 0.05; done; kill $reader; wait $reader\n"
    script += "touch hooks/go; wait $build"
    assert ftbuild.start(*BUILD, script=script.replace("\\n", "\n")).done().code == 0
    assert ftbuild.names == ["cpython-3.97.2t"]


def test_sigterm_where_sigint_is_ignored(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", "sleep 300")
    run = ftbuild.start(*BUILD, script=IGNORING)
    ftbuild.reached("compile t")
    run.signal(signal.SIGTERM)
    assert run.done().code == 130
    assert ftbuild.processes == []


def test_what_a_build_left_running_ends_with_it(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", "setsid sleep 300 > /dev/null 2>&1 &")
    ftbuild(*BUILD)
    assert ftbuild.processes == []


def test_what_a_build_left_running_is_not_the_others_business(ftbuild: Ftbuild) -> None:
    """It holds on to the output of its stage; the other build of the run goes on."""
    ftbuild.hook("compile", 'if [ "$2" ]; then sleep 4; else setsid sleep 300 & fi')
    ftbuild("build", "3.97")
    assert ftbuild.processes == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_when_all_is_done_a_signal_says_nothing(ftbuild: Ftbuild, number: signal.Signals) -> None:
    """It comes while Python shuts down, of which what it registers with atexit is a part."""
    script = (
        "import atexit, sys, time\n"
        "from ftbuild.__main__ import main\n"
        "atexit.register(lambda: (print('ending', flush=True), time.sleep(60)))\n"
        "sys.argv = ['ftbuild', 'list']\n"
        "main()\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script],
        env=ftbuild.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    while run.stdout.readline() != "ending\n":
        assert run.poll() is None
    run.send_signal(number)
    assert run.communicate()[1] == ""
    assert run.returncode == -number
