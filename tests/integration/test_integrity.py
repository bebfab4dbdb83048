"""What a prefix is like afterwards: the same whoever made it, and told where it is not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.integration.driver import NEW, Ftbuild

LIBRARY = "lib/python3.97t"


def modes(prefix: Path) -> dict[str, int]:
    """The permissions of everything below a prefix, and its own."""
    return {
        str(path.relative_to(prefix)): stat.S_IMODE(path.lstat().st_mode)
        for path in (prefix, *prefix.rglob("*"))
        if not path.is_symlink()
    }


@pytest.mark.parametrize("umask", ["000", "027", "077"])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: str) -> None:
    """Of a build, its archive, its installation elsewhere, and its copy for a tool cache."""
    script = f'umask {umask}; exec "$@"'
    maker, user = Ftbuild(tmp_path / "maker"), Ftbuild(tmp_path / "user")
    for each in (maker, user):
        each.release(NEW)
    out, cache = tmp_path / "out", tmp_path / "cache"
    for each, words in (
        (maker, ("build", "3.97t")),
        (maker, ("pack", "3.97t", "--output", str(out))),
        (user, ("install", str(out))),
        (user, ("export", "toolcache", "--dir", str(cache))),
    ):
        done = each.start(*words, script=script).done()
        assert done.code == 0, done
    copies = [path.parent for path in cache.rglob("ftbuild.json")]
    for prefix in (*maker.prefixes, *user.prefixes, *copies):
        wrong = {
            name: mode
            for name, mode in modes(prefix).items()
            if mode != (0o755 if (prefix / name).is_dir() or name.startswith("bin/") else 0o644)
        }
        assert not wrong, prefix
    maker("verify", "--files")
    user("verify", "--files")


def test_what_was_done_to_a_build_is_told(ftbuild: Ftbuild) -> None:
    ftbuild("build", "3.97t")
    (prefix,) = ftbuild.prefixes
    site = prefix / LIBRARY / "site-packages"
    (site / "mine.pth").write_text("import os\n")
    (site / "theirs.py").touch()
    (prefix / LIBRARY / "mine.py").touch()
    done = ftbuild("verify", "--files")
    assert f"warn files.hooks                  1: {LIBRARY}/site-packages/mine.pth" in done.out
    assert f"warn files.standard-library       1: {LIBRARY}/mine.py" in done.out
    assert (
        f"note files.added                  1 files: {LIBRARY}/site-packages/theirs.py" in done.out
    )
    (prefix / "bin/python3.97t").chmod(0o777)
    (prefix / LIBRARY / "os").mkdir()
    (prefix / LIBRARY / "os/__init__.py").touch()
    (report,) = ftbuild("verify", "--files", "--json", code=1).json["reports"]
    failed = {check["name"] for check in report["checks"] if check["status"] == "failed"}
    assert failed == {"files.modes", "files.shadowing"}
