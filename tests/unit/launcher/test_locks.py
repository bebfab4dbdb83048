"""What `./ftbuild` installs is what pyproject.toml requires, by hash, and no index is named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[3]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
_LOCKED = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; [^\\]+)? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def locked(name: str) -> dict[str, str]:
    """The versions in a lock file, of which every line is a version or a hash."""
    found = {}
    for line in (TOP / "launcher" / f"{name}.txt").read_text().splitlines():
        match = _LOCKED.fullmatch(line)
        assert match or _HASH.fullmatch(line), line
        if match:
            found[match["name"]] = match["version"]
    return found


@pytest.mark.parametrize("name", ["run", "contributors"])
def test_what_ftbuild_requires_is_locked(name: str) -> None:
    there = locked(name)
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert there[canonicalize_name(requirement.name)] in requirement.specifier


def test_what_contributors_require_is_locked() -> None:
    there = locked("contributors")
    extras = [text for texts in PROJECT["optional-dependencies"].values() for text in texts]
    for requirement in map(Requirement, extras):
        if requirement.name != "ftbuild":
            assert there[canonicalize_name(requirement.name)] in requirement.specifier


def test_users_get_few_packages() -> None:
    assert len(locked("run")) <= 40


def test_both_have_the_same_versions() -> None:
    run, contributors = locked("run"), locked("contributors")
    assert run.items() <= contributors.items()
