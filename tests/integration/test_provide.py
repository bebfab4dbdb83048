"""The chain without its command line, with checks of the test's own."""

from __future__ import annotations

import threading

import pytest

from ftbuild.archive.stores import Archives
from ftbuild.catalogue import load
from ftbuild.errors import Refused
from ftbuild.fetch.sources import Sources
from ftbuild.model.events import Event, StageProgress
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, expect
from ftbuild.model.versions import parse_request
from ftbuild.provision import Options, World, provide
from ftbuild.store.layout import open_root
from ftbuild.verifying import Checker, Context
from tests.integration.driver import Ftbuild, intact


def runs(installation: Installation, _context: Context) -> tuple[Check, ...]:
    return (expect("fake.runs", expected=True, found=intact(installation.python)),)


def is_real(installation: Installation, _context: Context) -> tuple[Check, ...]:
    return (expect("fake.is-real", "a real CPython", "a fake"),)


def world(ftbuild: Ftbuild, *checks: Checker, seen: list[Event]) -> World:
    """What the command line would make of this user, but for the checks."""
    catalogue = load([ftbuild.recipes])
    layout = open_root(ftbuild.root)
    stop = threading.Event()
    sources = Sources(
        catalogue=catalogue,
        cache=layout.sources,
        mirrors=(str(ftbuild.mirror),),
        given={},
        env=ftbuild.env,
        emit=seen.append,
        stop=stop,
        offline=False,
    )
    return World(
        catalogue=catalogue,
        layout=layout,
        env=ftbuild.env,
        emit=seen.append,
        stop=stop,
        sources=sources,
        checks=checks,
        archives=Archives((), env=ftbuild.env, emit=seen.append, stop=stop),
    )


def test_a_build_that_passes(ftbuild: Ftbuild) -> None:
    seen: list[Event] = []
    summary = provide([parse_request("3.97t")], Options(), world(ftbuild, runs, seen=seen))
    (outcome,) = summary.outcomes
    assert outcome.status == "installed"
    assert outcome.report is not None
    assert [check.name for check in outcome.report.checks] == ["fake.runs"]
    assert summary.pairs == ()
    progress = [event for event in seen if isinstance(event, StageProgress)]
    assert [(event.stage, event.done, event.total) for event in progress] == [
        ("compile", done, 3) for done in (1, 2, 3)
    ]


def test_a_build_that_does_not(ftbuild: Ftbuild) -> None:
    summary = provide([parse_request("3.97")], Options(), world(ftbuild, runs, is_real, seen=[]))
    assert [outcome.status for outcome in summary.outcomes] == ["failed", "failed"]
    for outcome in summary.outcomes:
        with pytest.raises(Refused, match=r"fake\.is-real: expected a real CPython, found a fake"):
            raise outcome.error or AssertionError
    assert ftbuild.names == []
