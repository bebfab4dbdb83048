"""Standard streams that are closed, full, or read by nobody; locales that know few letters."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.driver import Disk, Done, Ftbuild, intact

BUILD = ("build", "3.97t")
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def through(ftbuild: Ftbuild, script: str, *words: str) -> Done:
    """Run a command by way of a shell script."""
    return ftbuild.start(*words, script=script).done()


def test_closed(ftbuild: Ftbuild) -> None:
    done = through(ftbuild, 'exec "$@" 2>&-', *BUILD)
    assert (done.code, "Next:" in done.out) == (0, True)
    assert intact(ftbuild.root / "bin/python3.97t")
    assert through(ftbuild, 'exec "$@" <&- >&- 2>&-', "verify").code == 0
    for closed in (">&-", "<&-", "<&- >&-"):
        done = through(ftbuild, f'exec "$@" {closed}', "list")
        assert (done.code, done.err, bool(done.out)) == (0, "", ">&-" not in closed)


def test_closed_and_something_is_wrong(ftbuild: Ftbuild) -> None:
    assert through(ftbuild, 'exec "$@" 2>&-', "build", "3.97x").code == 2


@pytest.mark.parametrize(
    "words", [("catalogue",), ("catalogue", "--json"), ("--help",), ("--version",), ("--list",)]
)
def test_nobody_reads_on(ftbuild: Ftbuild, words: tuple[str, ...]) -> None:
    script = '{ "$@"; echo $? > code; } | true; cat code'
    done = through(ftbuild, script.replace('"$@"', 'sleep 0.5; "$@"'), *words)
    assert (done.out, done.err) == ("141\n", "")


def test_a_full_disk_for_a_result(ftbuild: Ftbuild) -> None:
    done = through(ftbuild, 'exec "$@" >/dev/full', "catalogue")
    assert done.code == 3
    assert "standard output cannot be written: No space left" in done.err


def test_a_full_disk_for_progress(ftbuild: Ftbuild) -> None:
    assert through(ftbuild, 'exec "$@" 2>/dev/full', *BUILD).code == 0


def test_few_letters(tmp_path: Path) -> None:
    ftbuild = Ftbuild(tmp_path / "дом", root=tmp_path / "Wörter-文字")
    ftbuild.release("3.97.2")
    ftbuild.env |= ASCII
    assert "W\\u00f6rter" in ftbuild(*BUILD).out
    (item,) = ftbuild("list", "--json").json["builds"]
    assert item["prefix"].startswith(str(ftbuild.root)), "JSON is as exact as anywhere"
    ftbuild("show", "3.97t")
    ftbuild("verify", "--files")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_output_of_few_letters(ftbuild: Ftbuild, encoding: str) -> None:
    ftbuild.env["PYTHONIOENCODING"] = encoding
    assert "\\u2026" in ftbuild("build", "--help").out
    assert "\\u2026" in ftbuild("build", "3…", code=2).err


def test_nobody_has_no_home(ftbuild: Ftbuild) -> None:
    setpriv = shutil.which("setpriv")
    nobody = f'cd /; exec env -u HOME {setpriv} --reuid 12345 --clear-groups "$@"'
    if setpriv is None or through(ftbuild, nobody, "--version").code:
        pytest.skip("this user may not become another, or the other may not read this checkout")
    done = through(ftbuild, nobody, "list", "--root", "/nowhere")
    assert (done.code, done.err) == (0, "")
    for words in (("list", "--root", "~/x"), ("list", "--root", "~nobody-at-all/x")):
        done = through(ftbuild, nobody, *words)
        assert (done.code, "no such home directory" in done.err) == (2, True)
    del ftbuild.env["FTBUILD_ROOT"]
    done = through(ftbuild, nobody, "list")
    assert (done.code, "--root or FTBUILD_ROOT" in done.err) == (2, True)


def test_a_disk_that_fills_up_while_verifying(tmp_path: Path) -> None:
    with Disk(tmp_path / "disk") as disk:
        if not disk.made:
            pytest.skip("this user may not mount a file system here")
        ftbuild = Ftbuild(tmp_path, root=disk.path / "root")
        ftbuild.release("3.97.2")
        ftbuild(*BUILD)
        ftbuild.hook("verify", f'cat /dev/zero > "{disk.path}/fill"; exit 1')
        done = ftbuild("verify", code=3)
        assert "no space left" in done.err.lower()
        assert "FAIL" not in done.out
        (disk.path / "fill").unlink()
        ftbuild.unhook()
        ftbuild("verify")
