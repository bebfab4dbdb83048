"""What must hold for every entry of recipes/libraries.yaml."""

from __future__ import annotations

import pytest

from ftbuild.catalogue import load

CATALOGUE = load()
EVERY_LINUX = {"apt", "dnf", "apk", "pacman", "zypper"}


def test_every_manager_is_there() -> None:
    assert set(CATALOGUE.managers) == EVERY_LINUX | {"brew"}


@pytest.mark.parametrize("name", sorted(CATALOGUE.libraries))
def test_library(name: str) -> None:
    recipe = CATALOGUE.libraries[name]
    assert set(recipe.packages) <= set(CATALOGUE.managers)
    assert set(recipe.platforms) <= {"linux", "darwin"}
    if recipe.packages and "linux" in recipe.platforms:
        assert set(recipe.packages) >= EVERY_LINUX
    if not recipe.imports:
        assert not recipe.packages, "nobody is asked to install what brings no module"
    if recipe.packages:
        assert recipe.symbol, "doctor links a program with it"
        assert recipe.link or recipe.pkg_config


def test_every_manager_can_say_what_is_installed() -> None:
    assert all(manager.installed for manager in CATALOGUE.managers.values())


def test_versioned_compilers_name_their_version() -> None:
    for manager in CATALOGUE.managers.values():
        for family, packages in manager.versioned.items():
            assert family in {"gcc", "clang"}
            assert any("{major}" in package for package in packages)


def test_only_zlib_is_required() -> None:
    assert [n for n, recipe in CATALOGUE.libraries.items() if recipe.required] == ["zlib"]
