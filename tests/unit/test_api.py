from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ftbuild
from ftbuild import api
from ftbuild.errors import UsageError


@pytest.mark.parametrize("name", ftbuild.__all__)
def test_whatever_is_offered_is_there(name: str) -> None:
    assert getattr(ftbuild, name).__name__ == name
    assert name in dir(ftbuild)


def test_nothing_else_is() -> None:
    with pytest.raises(AttributeError, match="no attribute 'provide'"):
        ftbuild.provide  # type: ignore[attr-defined]  # noqa: B018 - reading it is the test


def test_a_function_is_not_replaced_by_a_package() -> None:
    import ftbuild.auditing  # noqa: PLC0415 - what might take their place
    import ftbuild.building.engine  # noqa: PLC0415
    import ftbuild.verifying.checks  # noqa: PLC0415

    assert (ftbuild.build, ftbuild.verify, ftbuild.audit) == (api.build, api.verify, api.audit)


def test_importing_it_takes_nothing_along() -> None:
    code = "import ftbuild, sys; print([name for name in sys.modules if name.startswith('ftb')])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(ftbuild.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['ftbuild']"


def test_a_root_is_named_or_the_environments_or_the_users_own(tmp_path: Path) -> None:
    assert api.root_of(tmp_path, {"FTBUILD_ROOT": "/elsewhere"}) == tmp_path
    assert api.root_of("", {"FTBUILD_ROOT": "/elsewhere"}) == Path("/elsewhere")
    assert api.root_of("", {}).parts[-3:] == (".local", "share", "ftbuild")
    home = {"HOME": "/home/you"}
    assert api.root_of("", home) == Path("/home/you/.local/share/ftbuild")
    assert api.root_of("", home | {"XDG_DATA_HOME": "/data"}) == Path("/data/ftbuild")
    assert api.root_of("", home | {"XDG_DATA_HOME": "data"}) == api.root_of("", home)


def test_the_users_own_recipes_are_those_of_the_given_environment(tmp_path: Path) -> None:
    own = tmp_path / ".config/ftbuild/recipes"
    own.mkdir(parents=True)
    assert api.recipe_folders(["/mine"], {"HOME": str(tmp_path)}) == [own, Path("/mine")]
    config = {"XDG_CONFIG_HOME": str(tmp_path / ".config")}
    assert api.recipe_folders("/mine", config) == [own, Path("/mine")]
    assert api.recipe_folders((), {"HOME": "/nowhere"}) == []


@pytest.mark.parametrize("mirrors", ["/srv/mirror", Path("/srv/mirror"), [Path("/srv/mirror")]])
def test_one_word_is_not_its_letters(tmp_path: Path, mirrors: str | Path | list[Path]) -> None:
    made = ftbuild.world(tmp_path, mirrors=mirrors, archive_stores=mirrors, env={})
    assert made.sources.origins("3.14.7")[0].url == "file:///srv/mirror/Python-3.14.7.tar.xz"


def test_a_world_is_made_of_what_is_given_and_writes_nothing(tmp_path: Path) -> None:
    env = {"FTBUILD_MIRROR": "/one,/two", "FTBUILD_ROOT": str(tmp_path / "root")}
    made = ftbuild.world(mirrors=["/zero"], env=env)
    urls = [origin.url for origin in made.sources.origins("3.14.7")]
    mirrors = dict.fromkeys(url.split("/")[3] for url in urls if url.startswith("file:"))
    assert list(mirrors) == ["zero", "one", "two"]
    assert made.layout.root == tmp_path / "root"
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_that_is_wrong_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "cpython.yaml").write_text("releases: {'3.14.99': {}}\n")
    with pytest.raises(UsageError, match="sha256"):
        ftbuild.world(recipes=[tmp_path])
