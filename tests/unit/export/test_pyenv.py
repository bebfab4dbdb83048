from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ftbuild.errors import UsageError
from ftbuild.export.links import Link
from ftbuild.export.pyenv import MARKER, drop_dangling, link, unlink, versions_of
from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant, parse_requests
from ftbuild.store.layout import Layout, open_root
from ftbuild.store.links import refresh
from ftbuild.store.listing import installations
from ftbuild.store.places import places
from ftbuild.store.prefixes import remove
from tests.builders import DEFAULT, store
from tests.unit.conftest import state


@pytest.fixture
def pyenv(tmp_path: Path) -> Path:
    (tmp_path / "pyenv" / "versions").mkdir(parents=True)
    return tmp_path / "pyenv"


def installed(
    layout: Layout, variant: Variant = Variant.FREE_THREADED, **asked: Any
) -> Installation:
    """A build with the programs that CPython and pip install."""
    item = store(layout, variant, **asked)
    for name in ("python3.14", "pip3.14", "pip", "python3.14-config"):
        (item.prefix / "bin" / name).touch(mode=0o755)
    for name in ("include", "lib"):
        (item.prefix / name).mkdir(exist_ok=True)
    return item


def linked(layout: Layout, pyenv: Path) -> dict[str, str]:
    found = installations(layout)
    return statuses(link(layout, found, pyenv_root=pyenv, default_profile=DEFAULT))


def unlinked(layout: Layout, *words: str, pyenv: Path | None = None) -> dict[str, str]:
    requests = parse_requests(words)
    return statuses(unlink(layout, requests, pyenv_root=pyenv, default_profile=DEFAULT))


def statuses(made: Sequence[Link]) -> dict[str, str]:
    return {item.name: item.status for item in made}


def programs(pyenv: Path, version: str) -> set[str]:
    return {path.name for path in (pyenv / "versions" / version / "bin").iterdir()}


def test_both_builds_under_their_names(layout: Layout, pyenv: Path) -> None:
    gil, free_threaded = installed(layout, Variant.GIL), installed(layout)
    assert linked(layout, pyenv) == {"3.14.7": "linked", "3.14.7t": "linked"}
    for version, item in (("3.14.7", gil), ("3.14.7t", free_threaded)):
        top = pyenv / "versions" / version
        for name in ("python", "python3", item.python.name):
            assert (top / "bin" / name).resolve() == item.python
        assert (top / "include").resolve() == item.prefix / "include"
        assert not (top / "share").is_symlink()
    assert linked(layout, pyenv) == {"3.14.7": "already", "3.14.7t": "already"}


def test_nothing_of_the_free_threaded_build_answers_to_the_other(
    layout: Layout, pyenv: Path
) -> None:
    installed(layout, Variant.GIL)
    installed(layout)
    linked(layout, pyenv)
    assert programs(pyenv, "3.14.7t") == {"python", "python3", "python3.14t", "pip"}
    assert programs(pyenv, "3.14.7") >= {"python", "python3", "python3.14", "pip3.14", "pip"}


def test_links_go_by_way_of_the_friendly_name(layout: Layout, pyenv: Path) -> None:
    """So that a build in its place is what pyenv runs, and none that `gc` took is."""
    installed(layout, configure_args=("--with-a",))
    linked(layout, pyenv)
    again = installed(layout, configure_args=("--with-b",))
    assert (pyenv / "versions/3.14.7t/bin/python").resolve() == again.python


@pytest.mark.parametrize(
    ("profiles", "names"),
    [
        (("fast",), {"3.14.7t": "fast"}),
        (("tsan",), {"3.14.7t": "tsan", "tsan-3.14.7t": "tsan"}),
        (("fast", "tsan"), {"3.14.7t": "fast", "tsan-3.14.7t": "tsan"}),
    ],
)
def test_profiles_have_names_of_their_own(
    layout: Layout, profiles: Sequence[str], names: dict[str, str]
) -> None:
    for profile in profiles:
        installed(layout, profile=profile)
    found = versions_of(installations(layout), default_profile=DEFAULT)
    assert {name: item.spec.profile for name, item in found.items()} == names


def test_a_pre_release_is_named_as_pyenv_names_it(layout: Layout, pyenv: Path) -> None:
    store(layout, version="3.15.0rc2")
    assert linked(layout, pyenv) == {"3.15.0rc2t": "linked"}


def test_the_plain_name_goes_to_the_default_profile_when_it_comes(
    layout: Layout, pyenv: Path
) -> None:
    installed(layout, profile="tsan")
    linked(layout, pyenv)
    item = installed(layout)
    assert linked(layout, pyenv) == {"3.14.7t": "updated", "tsan-3.14.7t": "already"}
    assert (pyenv / "versions/3.14.7t/bin/python").resolve() == item.python


def test_programs_that_came_and_went_are_followed(layout: Layout, pyenv: Path) -> None:
    item = installed(layout)
    linked(layout, pyenv)
    (item.prefix / "bin" / "tool").touch(mode=0o755)
    (item.prefix / "bin" / "pip").unlink()
    assert linked(layout, pyenv) == {"3.14.7t": "updated"}
    assert programs(pyenv, "3.14.7t") == {"python", "python3", "python3.14t", "tool"}


@pytest.mark.parametrize("kind", ["directory", "file", "link", "dangling link"])
def test_a_version_of_pyenvs_own_stays(layout: Layout, pyenv: Path, kind: str) -> None:
    installed(layout)
    theirs = pyenv / "versions" / "3.14.7t"
    if kind == "directory":
        (theirs / "bin").mkdir(parents=True)
        (theirs / "bin" / "python").touch()
    elif kind == "file":
        theirs.touch()
    else:
        theirs.symlink_to(pyenv if kind == "link" else "/nowhere")
    before = state(theirs)
    (made,) = link(layout, installations(layout), pyenv_root=pyenv, default_profile=DEFAULT)
    assert made.status == "taken"
    assert kind.rsplit(" ", maxsplit=1)[-1] in made.note
    assert unlinked(layout, pyenv=pyenv) == {}
    assert state(theirs) == before
    assert places(layout, "pyenv") == ()


def test_a_version_of_another_root_stays_and_is_named(
    layout: Layout, pyenv: Path, tmp_path: Path
) -> None:
    other = open_root(tmp_path / "other")
    installed(other)
    linked(other, pyenv)
    installed(layout)
    (made,) = link(layout, installations(layout), pyenv_root=pyenv, default_profile=DEFAULT)
    assert (made.status, f"--root {other.root}" in made.note) == ("taken", True)
    assert unlinked(layout, pyenv=pyenv) == {}
    assert unlinked(other) == {"3.14.7t": "removed"}


@pytest.mark.parametrize("content", [b"", b"{}", b'{"root": "$root", "build": "../x"}', b"\xff"])
def test_a_marker_that_says_nothing_is_nobodys(layout: Layout, pyenv: Path, content: bytes) -> None:
    installed(layout)
    (pyenv / "versions/3.14.7t").mkdir()
    (pyenv / "versions/3.14.7t" / MARKER).write_bytes(
        content.replace(b"$root", os.fsencode(layout.root))
    )
    assert linked(layout, pyenv) == {"3.14.7t": "taken"}
    assert unlinked(layout, pyenv=pyenv) == {}


def test_what_a_killed_run_left_is_finished(layout: Layout, pyenv: Path) -> None:
    installed(layout)
    (pyenv / "versions/3.14.7t").mkdir()
    assert linked(layout, pyenv) == {"3.14.7t": "linked"}
    (pyenv / "versions/3.14.7t/bin/python").unlink()
    assert linked(layout, pyenv) == {"3.14.7t": "updated"}


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ((), {"3.14.7", "3.14.7t", "3.14.8t", "tsan-3.14.7t"}),
        (("3.14t",), {"3.14.7t", "3.14.8t", "tsan-3.14.7t"}),
        (("3.14.7t",), {"3.14.7t", "tsan-3.14.7t"}),
        (("3.14.7t+tsan",), {"tsan-3.14.7t"}),
        (("3.14.7+gil",), {"3.14.7"}),
        (("3.13",), set()),
    ],
)
def test_unlink_takes_what_is_meant(
    layout: Layout, pyenv: Path, words: Sequence[str], gone: set[str]
) -> None:
    installed(layout, Variant.GIL)
    installed(layout)
    installed(layout, version="3.14.8")
    installed(layout, profile="tsan")
    linked(layout, pyenv)
    assert set(unlinked(layout, *words)) == gone
    left = {path.name for path in (pyenv / "versions").iterdir()}
    assert left == {"3.14.7", "3.14.7t", "3.14.8t", "tsan-3.14.7t"} - gone


def test_unlink_works_where_the_builds_are_gone(layout: Layout, pyenv: Path) -> None:
    item = installed(layout)
    linked(layout, pyenv)
    remove(layout, item)
    refresh(layout, default_profile=DEFAULT)
    assert unlinked(layout, "3.14.7t") == {"3.14.7t": "removed"}
    assert list((pyenv / "versions").iterdir()) == []
    assert places(layout, "pyenv") == ()


def test_environments_inside_a_version_stay(layout: Layout, pyenv: Path) -> None:
    """pyenv-virtualenv makes them there."""
    installed(layout)
    linked(layout, pyenv)
    theirs = pyenv / "versions/3.14.7t/envs/theirs"
    theirs.mkdir(parents=True)
    (made,) = unlink(layout, (), pyenv_root=None, default_profile=DEFAULT)
    assert (made.status, made.note) == ("kept", "envs in it: not ours")
    assert theirs.is_dir()
    assert not (pyenv / "versions/3.14.7t/bin").exists()
    assert linked(layout, pyenv) == {"3.14.7t": "updated"}


def test_a_program_that_somebody_put_there_stays(layout: Layout, pyenv: Path) -> None:
    installed(layout)
    linked(layout, pyenv)
    theirs = pyenv / "versions/3.14.7t/bin/pip"
    theirs.unlink()
    theirs.write_text("theirs")
    assert linked(layout, pyenv) == {"3.14.7t": "already"}
    (kept,) = unlink(layout, (), pyenv_root=None, default_profile=DEFAULT)
    assert (kept.status, kept.note) == ("kept", "bin/pip in it: not ours")
    assert theirs.read_text() == "theirs"


def test_what_lost_its_build_is_dropped_once(layout: Layout, pyenv: Path) -> None:
    gil, _ = installed(layout, Variant.GIL), installed(layout)
    linked(layout, pyenv)
    (pyenv / "versions/3.14.7/envs").mkdir()
    assert drop_dangling(layout) == ()
    remove(layout, gil)
    refresh(layout, default_profile=DEFAULT)
    assert statuses(drop_dangling(layout)) == {"3.14.7": "kept"}
    assert drop_dangling(layout) == ()
    assert (pyenv / "versions/3.14.7t/bin/python").exists()


def test_a_users_link_to_a_version_stays(layout: Layout, pyenv: Path) -> None:
    installed(layout)
    linked(layout, pyenv)
    alias = pyenv / "versions/3.14t"
    alias.symlink_to("3.14.7t")
    assert unlinked(layout) == {"3.14.7t": "removed"}
    assert alias.is_symlink()


def test_the_default_profile_goes_without_saying(layout: Layout, pyenv: Path) -> None:
    installed(layout)
    linked(layout, pyenv)
    assert unlinked(layout, "3.14t+tsan") == {}
    assert unlinked(layout, f"3.14t+{DEFAULT}") == {"3.14.7t": "removed"}


def test_there_must_be_a_pyenv(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no pyenv root"):
        linked(layout, tmp_path / "none")
