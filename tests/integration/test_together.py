"""Two runs at once on one root."""

from __future__ import annotations

import signal

from ftbuild.store.locks import held
from tests.integration.driver import NEW, OLD, Ftbuild, intact, wait_for

GATE = 'until [ -e "$hooks/open" ]; do sleep 0.05; done'
"""A hook that holds a stage up until the test opens it."""


def test_the_same_release(ftbuild: Ftbuild) -> None:
    """One builds, the other waits for it and finds it done."""
    ftbuild.hook("compile", GATE)
    first = ftbuild.start("build", "3.97")
    ftbuild.reached("compile", "compile t")
    second = ftbuild.start("build", "3.97")
    wait_for(lambda: second.err.count("another run is building it") == 2, "the second waits")
    (ftbuild.hooks / "open").touch()
    assert first.done().out.count("installed") == 2
    assert second.done().out.count("there already") == 2
    assert sorted(line for line in ftbuild.trace if "compile" in line) == ["compile", "compile t"]
    assert ftbuild.names == ["cpython-3.97.2", "cpython-3.97.2t"]
    assert ftbuild.litter == []


def test_different_releases(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", GATE)
    runs = [ftbuild.start("build", f"{version}t") for version in (NEW, OLD)]
    wait_for(lambda: ftbuild.trace.count("compile t") == 2, "both compile")
    (ftbuild.hooks / "open").touch()
    assert [run.done().code for run in runs] == [0, 0]
    assert ftbuild.names == ["cpython-3.97.2t", "cpython-3.97.1t"]
    assert all(intact(ftbuild.root / f"{name}/bin/python3.97t") for name in ftbuild.names)
    launcher = ftbuild.root / "bin/python3.97t"
    assert launcher.resolve().parents[1] == ftbuild.prefixes[1], "the newest of its series"
    assert ftbuild.litter == []


def test_the_one_that_waits_takes_over_from_one_that_is_killed(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", GATE)
    first = ftbuild.start("build", "3.97t")
    ftbuild.reached("compile t")
    second = ftbuild.start("build", "3.97t")
    wait_for(lambda: "another run is building it" in second.err, "the second waits")
    first.signal(signal.SIGKILL)
    first.done()
    (ftbuild.hooks / "open").touch()
    assert "installed" in second.done().out
    assert intact(ftbuild.root / "bin/python3.97t")


def test_the_one_that_waits_can_be_interrupted(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", GATE)
    first = ftbuild.start("build", "3.97t")
    ftbuild.reached("compile t")
    second = ftbuild.start("build", "3.97t")
    wait_for(lambda: "another run is building it" in second.err, "the second waits")
    second.signal(signal.SIGINT)
    assert second.done().code == 130
    (ftbuild.hooks / "open").touch()
    assert first.done().code == 0
    assert ftbuild.names == ["cpython-3.97.2t"]


def test_gc_spares_what_another_run_links_meanwhile(ftbuild: Ftbuild) -> None:
    words = ("--with-a", "--with-b", "--with-c")
    for word in words:
        ftbuild("build", f"{NEW}t", "--configure-arg", word)
    linked = (ftbuild.root / "cpython-3.97.2t").resolve()
    first, second = (item for item in ftbuild.installed if item.prefix != linked)
    with held(ftbuild.root / "locks" / f"{first.prefix.name}.lock"):
        gc = ftbuild.start("gc", "--days", "0")
        wait_for(lambda: "another run is at it" in gc.err, "gc waits for the first")
        (word,) = second.spec.configure_args
        ftbuild("build", f"{NEW}t", "--configure-arg", word)
    done = gc.done()
    assert done.code == 0
    assert f"removed {first.prefix}" in done.out
    assert str(second.prefix) not in done.out
    assert not first.prefix.exists()
    assert (ftbuild.root / "cpython-3.97.2t").resolve() == second.prefix
    assert intact(ftbuild.root / "bin/python3.97t")


def test_a_build_that_gc_has_removed_meanwhile_is_made_again(ftbuild: Ftbuild) -> None:
    for word in ("--with-a", "--with-b"):
        ftbuild("build", f"{NEW}t", "--configure-arg", word)
    linked = (ftbuild.root / "cpython-3.97.2t").resolve()
    (other,) = (item for item in ftbuild.installed if item.prefix != linked)
    with held(ftbuild.root / "locks" / f"{other.prefix.name}.lock"):
        gc = ftbuild.start("gc", "--days", "0")
        wait_for(lambda: "another run is at it" in gc.err, "gc waits")
        build = ftbuild.start("build", f"{NEW}t", "--configure-arg", *other.spec.configure_args)
        wait_for(lambda: "another run is building it" in build.err, "the build waits, too")
    assert [gc.done().code, build.done().code] == [0, 0]
    assert (ftbuild.root / "cpython-3.97.2t").resolve() == other.prefix
    assert intact(ftbuild.root / "bin/python3.97t")


def test_two_removals_of_one_build(ftbuild: Ftbuild) -> None:
    ftbuild("build", "3.97t")
    (item,) = ftbuild.installed
    with held(ftbuild.root / "locks" / f"{item.prefix.name}.lock"):
        both = [ftbuild.start("remove", "3.97t") for _ in range(2)]
        wait_for(lambda: all("another run is at it" in run.err for run in both), "both wait")
    done = [run.done() for run in both]
    assert [each.code for each in done] == [0, 0]
    said = sorted(each.out.partition("cpython")[0] for each in done)
    assert said == ["", "removed "]
    assert any("was removed by another run" in each.out for each in done)
    assert ftbuild.prefixes == []
    assert list((ftbuild.root / "bin").iterdir()) == []
