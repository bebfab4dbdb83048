"""Upgrading, removing, collecting: builds over time."""

from __future__ import annotations

from tests.integration.driver import NEW, OLD, Ftbuild, intact


def launched(ftbuild: Ftbuild) -> str:
    """The name of the build that `python3.97t` runs."""
    return (ftbuild.root / "bin/python3.97t").readlink().parts[2].rpartition("-")[0]


def test_upgrade(ftbuild: Ftbuild) -> None:
    ftbuild("build", f"{OLD}t")
    assert launched(ftbuild) == "cpython-3.97.1t"
    ftbuild("upgrade")
    builds = ftbuild("list", "--json").json["builds"]
    assert [(build["version"], build["profile"]) for build in builds] == [
        (NEW, "fast"),
        (OLD, "fast"),
    ]
    assert launched(ftbuild) == "cpython-3.97.2t"
    assert "there already" in ftbuild("upgrade").out
    assert intact(ftbuild.root / "cpython-3.97.1t/bin/python3.97t"), "the old one stays"


def test_upgrade_of_nothing(ftbuild: Ftbuild) -> None:
    assert ftbuild("upgrade").code == 0
    assert "ftbuild build 3.97" in ftbuild("upgrade", "3.97", code=2).err


def test_remove(ftbuild: Ftbuild) -> None:
    ftbuild("build", f"{OLD}t,{NEW}t")
    removed = ftbuild("remove", f"{NEW}t", "--json").json["removed"]
    assert [build["version"] for build in removed] == [NEW]
    assert not (ftbuild.root / "cpython-3.97.2t").is_symlink()
    assert launched(ftbuild) == "cpython-3.97.1t"
    ftbuild("remove", "3.97t")
    assert ftbuild.prefixes == []
    assert list((ftbuild.root / "bin").iterdir()) == []
    assert "ftbuild build 3.97t" in ftbuild("remove", "3.97t", code=2).err


def test_remove_names_what_it_removes(ftbuild: Ftbuild) -> None:
    ftbuild("remove", code=2)


def test_gc_takes_what_was_replaced(ftbuild: Ftbuild) -> None:
    ftbuild("build", "3.97t")
    ftbuild("build", "3.97t", "--configure-arg", "--with-trace-refs")
    linked, replaced = ftbuild("list", "--json").json["builds"]
    assert (linked["linked"], replaced["linked"]) == (True, False)
    assert "nothing to remove" in ftbuild("gc").out, "it was replaced just now"
    assert replaced["prefix"] in ftbuild("gc", "--days", "0", "--dry-run").out
    assert len(ftbuild.prefixes) == 2
    ftbuild("gc", "--days", "0")
    assert [str(prefix) for prefix in ftbuild.prefixes] == [linked["prefix"]]
    assert intact(ftbuild.root / "bin/python3.97t")


def test_profiles_beside_each_other(ftbuild: Ftbuild) -> None:
    ftbuild("build", "3.97t")
    ftbuild("build", "3.97t+optimized")
    assert {path.name for path in (ftbuild.root / "bin").iterdir()} == {
        "python3.97t",
        "python3.97t-optimized",
    }
    assert ftbuild("which", "3.97t+optimized").out != ftbuild("which", "3.97t").out
    assert launched(ftbuild) == "cpython-3.97.2t"
