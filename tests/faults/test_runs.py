"""Runs that are killed, interrupted, or in each other's way: one scenario a test."""

from __future__ import annotations

import fcntl
import json
import signal
import threading
from pathlib import Path

import pytest

from tests.faults.stage import FOREIGN
from tests.integration.driver import NEW, OLD, Ftbuild, intact, wait_for

BUILD = ("build", f"{NEW}t")
GATE = 'until [ -e "$hooks/open" ]; do sleep 0.05; done'


def test_kill_9_frees_the_lock_and_the_next_run_takes_over(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", GATE)
    first = ftbuild.start(*BUILD)
    ftbuild.reached("compile t")
    waiting = ftbuild.start(*BUILD)
    wait_for(lambda: "another run is building it" in waiting.err, "it waits")
    first.signal(signal.SIGKILL)
    first.done()
    (ftbuild.hooks / "open").touch()
    assert "installed" in waiting.done().out
    assert intact(ftbuild.root / "bin/python3.97t")
    ftbuild("gc")
    assert ftbuild.litter == []
    assert ftbuild.processes == []


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT], ids=lambda n: n.name
)
def test_a_signal_ends_the_whole_process_tree(ftbuild: Ftbuild, number: signal.Signals) -> None:
    """Ctrl-C, a supervisor, a terminal that goes away, Ctrl-\\."""
    ftbuild.hook("compile", 'setsid sleep 300 & (trap "" HUP TERM INT QUIT; sleep 300) & sleep 300')
    run = ftbuild.start(*BUILD)
    ftbuild.reached("compile t")
    run.signal(number)
    assert run.done().code == 130
    assert ftbuild.processes == []
    assert ftbuild.names == []
    assert ftbuild.litter == []


def test_two_installs_of_one_prefix_at_once_both_end_valid(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    ftbuild("pack", f"{NEW}t", "--output", "packed")
    ftbuild("remove", f"{NEW}t")
    runs = [ftbuild.start("install", "packed") for _ in range(3)]
    assert [run.done().code for run in runs] == [0, 0, 0]
    assert len(ftbuild.prefixes) == 1
    assert ftbuild.names == ["cpython-3.97.2t"]
    assert ftbuild.litter == []
    ftbuild("verify", "--files")


def test_an_interrupted_install_is_never_listed(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    ftbuild("pack", f"{NEW}t", "--output", "packed")
    ftbuild("remove", f"{NEW}t")
    for stage in ("recompile", "verify"):
        ftbuild.unhook()
        ftbuild.hook(stage, "sleep 300")
        run = ftbuild.start("install", "packed")
        ftbuild.reached(f"{stage} t")
        assert ftbuild("list", "--json").json["builds"] == []
        run.signal(signal.SIGKILL)
        run.done()
        assert ftbuild("list", "--json").json["builds"] == []
    ftbuild.unhook()
    ftbuild("install", "packed")
    assert ftbuild.names == ["cpython-3.97.2t"]
    assert ftbuild.litter == []
    assert ftbuild.processes == []


@pytest.mark.parametrize("marker", ["truncated", "garbage", "unknown format"])
def test_a_truncated_or_unknown_completion_marker_means_redo(ftbuild: Ftbuild, marker: str) -> None:
    """It is said to be damaged, hinders nothing else, and is built again."""
    ftbuild("build", f"{OLD}t")
    ftbuild(*BUILD)
    (prefix,) = (path for path in ftbuild.prefixes if NEW in path.name)
    file = prefix / "ftbuild.json"
    good = file.read_bytes()
    file.write_bytes(
        {
            "truncated": good[: len(good) // 2],
            "garbage": b"\xff\0\x1b[31m",
            "unknown format": json.dumps({**json.loads(good), "format": 99}).encode(),
        }[marker]
    )
    listed = ftbuild("list", "--json").json["builds"]
    assert [item["version"] for item in listed if item.get("status") != "damaged"] == [OLD]
    ftbuild("verify", f"{OLD}t", "--files")
    ftbuild.unhook()
    ftbuild(*BUILD)
    assert "compile t" in ftbuild.trace
    assert len(ftbuild.prefixes) == 2
    assert intact(prefix / "bin/python3.97t")


def test_a_failed_replacement_leaves_the_old_build_working(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    before = ftbuild.installed
    for stage in ("configure", "install", "verify"):
        ftbuild.unhook()
        ftbuild.hook(stage, "exit 1")
        assert ftbuild.start(*BUILD, "--force").done().code in {1, 3}
        assert ftbuild.installed == before
        assert intact(ftbuild.root / "bin/python3.97t")
    ftbuild("gc")
    assert ftbuild.litter == []


def test_corruption_after_install_is_detected(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    library = ftbuild.prefixes[0] / "lib/python3.97t"
    python = ftbuild.prefixes[0] / "bin/python3.97t"
    good = (library / "os.py").read_bytes()
    for damage in (good[:-1], good + b"#", bytes([good[0] ^ 1]) + good[1:]):
        (library / "os.py").write_bytes(damage)
        assert "lib/python3.97t/os.py" in ftbuild("verify", "--files", code=1).out
    (library / "os.py").write_bytes(good)
    ftbuild("verify", "--files")
    python.chmod(0o777)
    assert "bin/python3.97t" in ftbuild("verify", "--files", code=1).out
    python.chmod(0o755)
    (library / "os.py").unlink()
    assert "lib/python3.97t/os.py" in ftbuild("verify", "--files", code=1).out


def test_a_build_that_was_linked_meanwhile_is_not_collected(ftbuild: Ftbuild) -> None:
    """`gc` waits for a lock; before it has it, another run takes what it was to remove."""
    release = f"{NEW}t"
    prefixes: list[Path] = []
    for letter in "abc":
        ftbuild("build", release, "--configure-arg", f"--with-{letter}")
        prefixes.append((ftbuild.root / f"cpython-{release}").resolve())
    listed = [item.prefix for item in ftbuild.installed if item.prefix != prefixes[-1]]
    first, second = listed
    letter = "abc"[prefixes.index(second)]
    with (ftbuild.root / "locks" / f"{first.name}.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        collecting = ftbuild.start("gc", "--days", "0")
        threading.Event().wait(2)
        ftbuild("build", release, "--configure-arg", f"--with-{letter}")
        assert (ftbuild.root / f"cpython-{release}").resolve() == second
    assert collecting.done().code == 0
    assert intact(ftbuild.root / f"cpython-{release}/bin/python3.97t")
    assert intact(ftbuild.root / "bin/python3.97t")


def test_two_removes_of_one_build_at_once(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    with (ftbuild.root / "locks" / f"{ftbuild.prefixes[0].name}.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        runs = [ftbuild.start("remove", f"{NEW}t") for _ in range(2)]
        threading.Event().wait(2)
    ends = [run.done() for run in runs]
    assert {done.code for done in ends} == {0}, ends
    assert ftbuild.prefixes == []
    assert list((ftbuild.root / "bin").iterdir()) == []


COMMANDS = (
    ("gc",),
    ("gc", "--days", "0"),
    BUILD,
    (*BUILD, "--force"),
    ("pack", f"{NEW}t"),
    ("install", "packed"),
    ("verify",),
    ("fetch", "3.97"),
    ("upgrade",),
    ("remove", f"{NEW}t"),
)


def test_foreign_files_in_the_root_survive_every_command(ftbuild: Ftbuild) -> None:
    """Also where ftbuild has its own: `work`, `store`, `bin`, and names that end as ours do."""
    ftbuild(*BUILD)
    ftbuild("pack", f"{NEW}t", "--output", "packed")
    ours = ("work/thesis/chapter.txt", "work/note.txt", "store/mine.txt", "bin/mine", "mine")
    like_ours = ("store/notes.aside/x", "store/notes.gone/x", "locks/mine", "archives/mine")
    names = (*ours, *like_ours)
    precious = [ftbuild.root / name for name in names]
    for path in precious:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FOREIGN)
    for words in COMMANDS:
        ftbuild(*words)
        lost = [path for path in precious if not path.exists() or path.read_text() != FOREIGN]
        assert not lost, (words, lost)


def test_a_directory_of_others_does_not_become_a_root(ftbuild: Ftbuild) -> None:
    """Nothing is made, changed or removed in it, and what to do is said."""
    for name in ("work/thesis/chapter.txt", "store/goods/list", "bin/mine"):
        path = ftbuild.folder / "theirs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FOREIGN)
    theirs = ftbuild.folder / "theirs"
    before = sorted(theirs.rglob("*"))
    for words in (BUILD, ("gc",), ("fetch", "3.97"), ("pack", f"{NEW}t"), ("remove", f"{NEW}t")):
        done = ftbuild.start(*words, "--root", str(theirs)).done()
        assert done.code in {2, 3}, (words, done)
        assert "--root" in done.err or "no installed build" in done.err, (words, done)
        assert sorted(theirs.rglob("*")) == before, words


def test_a_root_says_whose_it_is(ftbuild: Ftbuild) -> None:
    ftbuild("fetch", NEW)
    marker = json.loads((ftbuild.root / "ftbuild-root.json").read_text())
    assert {"format", "owner"} <= set(marker)
