from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ftbuild import process
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.export.links import Link
from ftbuild.export.path import OnPath, drop_dangling, link, unlink
from ftbuild.model.versions import Variant, parse_requests
from ftbuild.store.layout import Layout, open_root
from ftbuild.store.links import refresh
from ftbuild.store.listing import installations
from ftbuild.store.places import places
from ftbuild.store.prefixes import remove
from tests.builders import DEFAULT, store
from tests.unit.conftest import state, unwritable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "local" / "bin"


def linked(layout: Layout, folder: Path, path: str = "") -> OnPath:
    found = installations(layout)
    return link(layout, found, into=folder, default_profile=DEFAULT, env={"PATH": path})


def statuses(made: Sequence[Link]) -> dict[str, str]:
    return {item.name: item.status for item in made}


def test_launchers_lead_to_those_of_the_root(layout: Layout, folder: Path) -> None:
    gil, free_threaded = store(layout, Variant.GIL), store(layout)
    made = linked(layout, folder)
    assert statuses(made.links) == {"python3.14": "linked", "python3.14t": "linked"}
    assert (folder / "python3.14").resolve() == gil.python
    assert (folder / "python3.14t").resolve() == free_threaded.python
    assert (folder / "python3.14t").readlink() == layout.bin / "python3.14t"
    assert set(statuses(linked(layout, folder).links).values()) == {"already"}
    assert sorted(path.name for path in folder.iterdir()) == ["python3.14", "python3.14t"]


def test_a_newer_release_takes_its_place_by_itself(layout: Layout, folder: Path) -> None:
    store(layout)
    linked(layout, folder)
    newer = store(layout, version="3.14.8")
    assert (folder / "python3.14t").resolve() == newer.python


def test_a_free_threaded_build_alone_never_gets_the_plain_name(
    layout: Layout, folder: Path
) -> None:
    item = store(layout)
    (item.prefix / "bin" / "python3.14").symlink_to("python3.14t")
    assert statuses(linked(layout, folder).links) == {"python3.14t": "linked"}


def test_only_what_was_asked_for(layout: Layout, folder: Path) -> None:
    gil, _ = store(layout, Variant.GIL), store(layout)
    made = link(layout, [gil], into=folder, default_profile=DEFAULT, env={})
    assert statuses(made.links) == {"python3.14": "linked"}


@pytest.mark.parametrize("kind", ["file", "directory", "link", "dangling link"])
def test_what_has_the_name_already_stays(layout: Layout, folder: Path, kind: str) -> None:
    store(layout, Variant.GIL)
    store(layout)
    folder.mkdir(parents=True)
    theirs = folder / "python3.14"
    if kind == "file":
        theirs.write_text("theirs")
    elif kind == "directory":
        theirs.mkdir()
    else:
        theirs.symlink_to("/bin/sh" if kind == "link" else "/nowhere")
    before = state(theirs)
    made = linked(layout, folder)
    assert statuses(made.links) == {"python3.14": "taken", "python3.14t": "linked"}
    assert kind.rsplit(" ", maxsplit=1)[-1] in made.links[0].note
    assert state(theirs) == before
    assert statuses(unlink(layout, (), into=folder)) == {"python3.14t": "removed"}
    assert state(theirs) == before


def test_a_launcher_of_another_root_is_not_ours(
    layout: Layout, folder: Path, tmp_path: Path
) -> None:
    store(layout)
    folder.mkdir(parents=True)
    (folder / "python3.14t").symlink_to(tmp_path / "other" / "bin" / "python3.14t")
    assert statuses(linked(layout, folder).links) == {"python3.14t": "taken"}
    assert unlink(layout, (), into=folder) == ()
    assert places(layout, "path") == ()


def test_unlink_without_words_takes_all_from_everywhere(layout: Layout, folder: Path) -> None:
    store(layout, Variant.GIL)
    store(layout)
    linked(layout, folder)
    linked(layout, folder.with_name("sbin"))
    assert len(unlink(layout, (), into=None)) == 4
    assert [*folder.iterdir(), *folder.with_name("sbin").iterdir()] == []
    assert unlink(layout, (), into=None) == ()
    assert places(layout, "path") == ()


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("3.14t", {"python3.14t", "python3.14t-tsan"}),
        ("3.14t+tsan", {"python3.14t-tsan"}),
        ("3.14", {"python3.14", "python3.14t", "python3.14t-tsan"}),
        ("3.14+gil", {"python3.14"}),
        ("3.13", set()),
    ],
)
def test_unlink_takes_what_is_meant(
    layout: Layout, folder: Path, words: str, gone: set[str]
) -> None:
    store(layout, Variant.GIL)
    store(layout)
    store(layout, profile="tsan")
    linked(layout, folder)
    assert set(statuses(unlink(layout, parse_requests([words]), into=None))) == gone


def test_a_release_is_no_launcher(layout: Layout) -> None:
    with pytest.raises(UsageError, match=r"a series, not to a release like 3\.14\.7t"):
        unlink(layout, parse_requests(["3.14.7t"]), into=None)


def test_what_lost_its_build_is_dropped_and_nothing_else(layout: Layout, folder: Path) -> None:
    gil, _ = store(layout, Variant.GIL), store(layout)
    linked(layout, folder)
    (folder / "dangling").symlink_to("/nowhere")
    assert drop_dangling(layout) == ()
    remove(layout, gil)
    refresh(layout, default_profile=DEFAULT)
    assert statuses(drop_dangling(layout)) == {"python3.14": "removed"}
    assert sorted(path.name for path in folder.iterdir()) == ["dangling", "python3.14t"]


def test_unlink_works_where_the_builds_are_gone(layout: Layout, folder: Path) -> None:
    item = store(layout)
    linked(layout, folder)
    remove(layout, item)
    refresh(layout, default_profile=DEFAULT)
    assert statuses(unlink(layout, parse_requests(["3.14t"]), into=folder)) == {
        "python3.14t": "removed"
    }


def test_whether_a_shell_finds_them(layout: Layout, folder: Path, tmp_path: Path) -> None:
    store(layout)
    other = tmp_path / "other"
    other.mkdir()
    shadow = other / "python3.14t"
    shadow.write_text("#!/bin/sh\n")
    shadow.chmod(0o755)
    assert not linked(layout, folder).found
    assert linked(layout, folder, f"/nowhere:{folder}:{other}").found
    assert not linked(layout, folder, f"{other}:{folder}").found
    assert linked(layout, folder, f"{layout.bin}:{other}").found
    assert linked(layout, folder).shell == f'export PATH="{folder}:$PATH"'


def test_what_the_shell_is_to_be_told_is_quoted(layout: Layout, tmp_path: Path) -> None:
    store(layout)
    folder = tmp_path / """a"$HOME`\\'b"""
    told = linked(layout, folder)
    said = process.capture(
        ["/bin/sh", "-c", f'{told.shell}; printf %s "$PATH"'], env={"PATH": "/bin"}, timeout=10
    )
    assert said.stdout == f"{folder}:/bin"
    assert told.fish.endswith("""a"$HOME`\\\\\\'b'""")


def test_a_directory_that_no_path_can_name(layout: Layout, tmp_path: Path) -> None:
    store(layout)
    with pytest.raises(UsageError, match="cannot be on a PATH"):
        linked(layout, tmp_path / "a:b")
    assert not (tmp_path / "a:b").exists()


def test_a_place_is_forgotten_by_any_of_its_names(layout: Layout, folder: Path) -> None:
    store(layout)
    linked(layout, folder)
    unlink(layout, (), into=folder / "x" / "..")
    assert places(layout, "path") == ()


def test_the_roots_own_bin_is_refused(layout: Layout) -> None:
    with pytest.raises(UsageError, match="belongs to the root") as caught:
        linked(layout, layout.bin)
    assert f'export PATH="{layout.bin}:$PATH"' in caught.value.hint


def test_a_directory_that_cannot_be_written(open_directory: Path) -> None:
    layout = open_root(open_directory / "root")
    store(layout)
    with unwritable(open_directory), pytest.raises(EnvironmentFault, match="cannot be changed"):
        linked(layout, open_directory / "bin")
