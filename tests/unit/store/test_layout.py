from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.store.layout import layout_of, open_root, require_space
from tests.unit.conftest import unwritable


def test_a_root_is_made_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    layout = open_root(tmp_path / "deep" / "root")
    assert {path.name for path in layout.root.iterdir()} == {
        *("bin", "configure", "locks", "logs", "pairs", "profiles", "sources", "store", "work"),
    }
    assert layout.work.stat().st_mode & 0o077 == 0
    assert open_root(layout.root) == layout


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\N{NO-BREAK SPACE}"])
def test_white_space_is_refused_before_anything_is_made(tmp_path: Path, space: str) -> None:
    root = tmp_path / f"white{space}space"
    with pytest.raises(UsageError, match="white space") as caught:
        open_root(root)
    assert "--root" in caught.value.hint
    assert not root.exists()


def test_letters_of_any_script_are_fine(tmp_path: Path) -> None:
    assert open_root(tmp_path / "Ünïcode-пример-例").store.is_dir()


def test_a_home_directory_and_relative_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert open_root(Path("~/root")).root == tmp_path / "home" / "root"
    assert open_root(Path("x/../root")).root == tmp_path / "root"


def test_a_link_on_the_way_stays_in_the_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert open_root(tmp_path / "link").root == tmp_path / "link"


def test_to_read_nothing_is_made(tmp_path: Path) -> None:
    assert layout_of(tmp_path / "none").store == tmp_path / "none" / "store"
    assert not (tmp_path / "none").exists()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "root").touch()
    with pytest.raises(EnvironmentFault, match="cannot be used: Not a directory") as caught:
        open_root(tmp_path / "root")
    assert "FTBUILD_ROOT" in caught.value.hint


def test_a_directory_that_may_not_be_written(open_directory: Path) -> None:
    with unwritable(open_directory), pytest.raises(EnvironmentFault, match="Permission denied"):
        open_root(open_directory / "root")


def test_space_is_asked_for_beforehand(tmp_path: Path) -> None:
    layout = open_root(tmp_path)
    require_space(layout, 1)
    with pytest.raises(EnvironmentFault, match=r"GB free; these builds need about 1000000\.0 GB"):
        require_space(layout, 10**15)
