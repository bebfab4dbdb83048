from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild import catalogue
from ftbuild.errors import UsageError
from ftbuild.upstream import folder_to_update


def test_the_last_of_the_users_folders_is_written_to() -> None:
    assert folder_to_update([Path("a"), Path("b")]) == Path("b")


def test_a_checkout_has_its_own() -> None:
    assert folder_to_update(()) == catalogue.own_recipes()


def test_what_is_installed_is_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipes").mkdir()
    monkeypatch.setattr(catalogue, "__file__", str(tmp_path / "catalogue.py"))
    with pytest.raises(UsageError, match="belong to the installed ftbuild") as caught:
        folder_to_update(())
    assert "--recipes DIR" in caught.value.hint
