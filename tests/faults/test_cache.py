"""The caches of a root: damaged, full, read-only; and time that goes backwards."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.driver import NEW, OLD, Disk, Ftbuild, intact

BUILD = ("build", f"{NEW}t+optimized")
FILE = f"Python-{NEW}.tar.xz"
CACHES = ("sources", "profiles", "configure", "archives", "pairs")


@pytest.mark.parametrize("harm", ["truncated", "altered", "empty", "appended"])
def test_a_bad_cached_source_is_dropped_and_not_reused(ftbuild: Ftbuild, harm: str) -> None:
    ftbuild("fetch", NEW)
    cached = ftbuild.root / "sources" / FILE
    good = cached.read_bytes()
    cached.write_bytes(
        {
            "truncated": good[:100],
            "altered": good[:-1] + b"?",
            "empty": b"",
            "appended": good + b"x",
        }[harm]
    )
    assert "to be fetched again" in ftbuild("fetch", NEW).err
    assert cached.read_bytes() == good
    cached.write_bytes(good[:-1])
    shutil.rmtree(ftbuild.mirror)
    done = ftbuild("build", f"{NEW}t", "--offline", code=3)
    assert "Traceback" not in done.err
    assert ftbuild.trace == []


@pytest.mark.parametrize("content", [b"\xff\0", b"{}", b"[" * 5000], ids=["bytes", "{}", "[[["])
def test_no_cache_is_believed(ftbuild: Ftbuild, content: bytes) -> None:
    """Whatever was damaged in any of them: the next run makes it again, or says what to do."""
    ftbuild(*BUILD)
    ftbuild("pack", f"{NEW}t+optimized")
    for name in CACHES:
        for path in (ftbuild.root / name).iterdir():
            if path.is_file() and path.suffix != ".lock":
                path.write_bytes(content)
    for words in (("list",), ("profiles",), ("verify",), (*BUILD, "--force")):
        done = ftbuild.start(*words).done(90)
        assert done.code in {0, 1}, (words, done)
        assert "Traceback" not in done.err, (words, done)
    assert intact(ftbuild.root / f"cpython-{NEW}t+optimized/bin/python3.97t")
    ftbuild("verify", "--files")


PHASES = ("train", "install", "details")
"""Those that the tests of roots leave out."""


@pytest.mark.parametrize("phase", ["fetch", "unpack", *PHASES])
def test_a_full_disk_leaves_no_poisoned_cache(tmp_path: Path, disk: Disk, phase: str) -> None:
    ftbuild = Ftbuild(tmp_path, root=disk.path / "root")
    ftbuild.release(OLD, NEW)
    ftbuild("build", f"{OLD}t")
    before = ftbuild.installed
    full = f'cat /dev/zero > "{disk.path}/fill"'
    if phase in PHASES:
        ftbuild.hook(phase, full)
    else:
        if phase == "unpack":
            ftbuild("fetch", NEW)
        with (disk.path / "fill").open("wb", buffering=0) as filler:
            with contextlib.suppress(OSError):
                while filler.write(bytes(4096)):
                    pass
            filler.truncate(filler.tell() - 8192)
    done = ftbuild.start(*BUILD).done(90)
    (disk.path / "fill").unlink()
    assert done.code == 3, done
    assert re.search("[Ss]pace", done.err), done
    assert "Traceback" not in done.err
    assert ftbuild.installed == before
    ftbuild.unhook()
    ftbuild(*BUILD)
    ftbuild("gc")
    assert ftbuild.litter == []
    ftbuild("verify", "--files")
    sources = ftbuild.root / "sources"
    assert (sources / FILE).read_bytes() == (ftbuild.mirror / FILE).read_bytes()


def test_a_read_only_cache_works(tmp_path: Path, disk: Disk) -> None:
    """A cache that was filled by somebody else, and may only be read."""
    ftbuild = Ftbuild(tmp_path, root=disk.path / "root")
    ftbuild.release(NEW)
    ftbuild("build", f"{NEW}t")
    shutil.rmtree(ftbuild.mirror)
    disk.remount("ro")
    assert "there already" in ftbuild("build", f"{NEW}t").out
    ftbuild("fetch", NEW)
    ftbuild("gc", "--dry-run")
    ftbuild("verify")
    assert "<x>" in ftbuild("run", f"{NEW}t", "--", "x").out


YEAR = 365 * 24 * 3600


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """A library that sets a program's clock, `CLOCK_SHIFT` seconds from the real one."""
    source, library = Path(__file__).with_name("clock.c"), tmp_path / "clock.so"
    if sys.platform != "linux" or shutil.which("cc") is None:
        pytest.skip("the clock is set by a library that a compiler makes, on Linux")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)  # noqa: S607
    return library


def test_the_clock_moved_back(ftbuild: Ftbuild, clock: Path) -> None:
    def at(years: float, *words: str) -> str:
        shift = f"LD_PRELOAD={clock} CLOCK_SHIFT={int(years * YEAR)}"
        done = ftbuild.start(*words, script=f'exec env {shift} "$@"').done(90)
        assert done.code == 0, (years, words, done)
        assert "Traceback" not in done.err
        return done.out

    at(0.1, "build", f"{NEW}t", "--configure-arg=--with-a")
    at(-5, "build", f"{NEW}t", "--configure-arg=--with-b")
    assert len(ftbuild.prefixes) == 2
    assert ftbuild.installed[0].manifest.used.started > ftbuild.installed[1].manifest.used.started
    assert "nothing to remove" in at(-5, "gc"), "it was replaced just now"
    at(-5, "verify")
    at(-5, "pack", f"{NEW}t")
    at(-40, "list")
    at(-5, "build", f"{NEW}t", "--configure-arg=--with-b", "--force")
    at(1, "gc")
    assert intact(ftbuild.root / "bin/python3.97t")
    assert (ftbuild.root / f"cpython-{NEW}t").resolve() == linked(ftbuild)
    assert ftbuild.litter == []


def linked(ftbuild: Ftbuild) -> Path:
    """The build that was made last, whatever its record says of when."""
    (prefix,) = (i.prefix for i in ftbuild.installed if "--with-b" in i.spec.configure_args)
    return prefix
