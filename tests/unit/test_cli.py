from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from invoke.program import Program as Invoke

import ftbuild
from ftbuild import cli
from ftbuild.model.versions import BOTH
from ftbuild.program import spoken_names
from ftbuild.store.layout import Layout
from ftbuild.store.listing import MANIFEST, installations
from tests.builders import store


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Ftbuild:
    """The command line in this process, on a root and a home of its own."""

    def __init__(self, layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
        self.layout = layout
        self._capsys = capsys

    def __call__(self, *words: str) -> Ended:
        with pytest.raises(SystemExit) as caught:
            cli.main(words)
        output = self._capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Ended(code=caught.value.code, out=output.out, err=output.err)


@pytest.fixture(autouse=True)
def _own_home(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FTBUILD_ROOT", str(layout.root))
    monkeypatch.delenv("FTBUILD_MIRROR", raising=False)
    monkeypatch.delenv("FTBUILD_ARCHIVE_STORE", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    terminated = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, terminated)


@pytest.fixture
def ftbuild_(layout: Layout, capsys: pytest.CaptureFixture[str]) -> Ftbuild:
    return Ftbuild(layout, capsys)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("build", "no version was named"),
        ("build 3.14x", "'3.14x' is not a Python version"),
        ("build 3.14t+gil", "contradicts itself"),
        ("build --jobs -1 3.14", "--jobs must not be negative"),
        ("build --source x 3.14.7", "--source and --sha256 go together"),
        ("build --from none.json", "is not a manifest"),
        ("build --root white\tspace 3.14", "white space"),
        ("build --recipes none 3.14", "is not a recipe folder"),
        ("fetch", "no version was named"),
        ("fetch 3.99", "Python 3.99 is not in the catalogue"),
        ("fetch 3.14.99", "The nearest releases are 3.14."),
        ("doctor --toolchain tcc", "names no compiler"),
        ("show 3.13", "no installed build matches 3.13"),
        ("which", "which takes one version"),
        ("which 3.13,3.14", "which takes one version"),
        ("run 3.13 -- -V", "no installed build matches 3.13"),
        ("verify 3.13", "no installed build matches 3.13"),
        ("pack", "no version was named"),
        ("pack 3.13", "no installed build matches 3.13"),
        ("export uv", "no build is installed that uv has a name for"),
        ("export uv 3.13", "no installed build matches 3.13"),
        ("install", "no archive was named"),
        ("install none.tar.zst", "there is no such file"),
        ("build --archive-store ftp://x 3.14", "is not a store's address"),
        ("upgrade 3.13", "no installed build matches 3.13"),
        ("remove", "no version was named"),
        ("remove 3.13", "no installed build matches 3.13"),
        ("gc --days -1", "--days must not be negative"),
        ("biuld", "Did you mean build?"),
        ("list --jsn", "Did you mean --json?"),
    ],
)
def test_bad_input_exits_2_and_says_why(ftbuild_: Ftbuild, line: str, says: str) -> None:
    ended = ftbuild_(*line.split(" "))
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err


def test_a_root_that_cannot_be_written_exits_3(ftbuild_: Ftbuild, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = ftbuild_("build", "3.14", "--root", str(tmp_path / "file"))
    assert ended.code == 3
    assert "--root or FTBUILD_ROOT" in ended.err


def test_a_recipe_of_the_users_that_is_wrong_is_named(ftbuild_: Ftbuild, tmp_path: Path) -> None:
    own = tmp_path / ".config" / "ftbuild" / "recipes"
    own.mkdir(parents=True)
    (own / "profiles.yaml").write_text("profiles: {fast: {sumary: x}}")
    ended = ftbuild_("fetch", "3.14")
    assert ended.code == 2
    assert f"{own / 'profiles.yaml'}: profiles.fast: unknown key 'sumary'" in ended.err


def test_nothing_is_installed_yet(ftbuild_: Ftbuild) -> None:
    assert "`ftbuild build 3.14` is a start" in ftbuild_("list").out
    assert ftbuild_("list", "--json").json == {"format": 1, "builds": []}
    assert "nothing to verify" in ftbuild_("verify").out
    assert ftbuild_("gc").out == "nothing to remove\n"


@pytest.mark.parametrize(
    "line",
    [
        *("list", "show", "profiles", "verify", "upgrade", "gc", "gc --dry-run"),
        *("unlink path", "unlink pyenv"),
    ],
)
@pytest.mark.parametrize("name", ["root", "none", "empty"])
def test_who_reports_on_a_root_without_builds_has_nothing_to_say(
    ftbuild_: Ftbuild, tmp_path: Path, line: str, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    ended = ftbuild_(*line.split(), "--root", str(tmp_path / name))
    assert ended.code == 0
    assert "nothing" in ended.out.lower()


@pytest.mark.parametrize(
    "line",
    [
        *("which 3.14t", "run 3.14t", "show 3.14t", "remove 3.14t", "pack 3.14", "verify 3.14"),
        *("bench", "audit numpy", "export uv", "export toolcache --dir DIR", "export tox"),
        *("export nox", "link path --into DIR", "link pyenv"),
    ],
)
def test_who_needs_a_build_says_how_to_get_one(
    ftbuild_: Ftbuild, tmp_path: Path, line: str
) -> None:
    ended = ftbuild_(*line.replace("DIR", str(tmp_path / "dir")).split())
    assert ended.code == 2
    assert "`ftbuild build 3.14" in ended.err
    assert not (tmp_path / "dir").exists()


@pytest.mark.parametrize("name", ["red\x1b[31m", "x" * 300])
@pytest.mark.parametrize("line", ["build 3.14", "list --json", "gc", "which 3.14", "doctor"])
def test_a_root_of_a_name_that_cannot_be_used(ftbuild_: Ftbuild, line: str, name: str) -> None:
    ended = ftbuild_(*line.split(), "--root", name)
    assert ended.code == 2
    assert "the root '" in ended.err
    assert ended.err.replace("\n", "").isprintable()


@pytest.mark.parametrize("line", ["install", "build 3.14 --from", "pack --output"])
def test_a_path_that_cannot_be_looked_at(ftbuild_: Ftbuild, line: str) -> None:
    """No name may be so long: whoever is the superuser cannot look at it either."""
    store(ftbuild_.layout)
    words = line.split()
    ended = ftbuild_(words[0], *words[1:], "./" + "x" * 300, *(["3.14t"] if "pack" in line else []))
    assert ended.code in {2, 3}
    assert ended.err.startswith("ftbuild: ")


def test_reading_makes_nothing(ftbuild_: Ftbuild, tmp_path: Path) -> None:
    assert ftbuild_("list", "--root", str(tmp_path / "none")).code == 0
    assert not (tmp_path / "none").exists()


def test_what_is_installed_is_listed_shown_and_found(ftbuild_: Ftbuild) -> None:
    gil, free_threaded = (store(ftbuild_.layout, variant) for variant in BOTH)
    listed = ftbuild_("list").out.splitlines()
    assert listed[0].split() == ["name", "profile", "compiler", "size", "built", "prefix"]
    assert listed[1].split()[:2] == ["cpython-3.14.7", "fast"]
    found = ftbuild_("list", "--json").json["builds"]
    assert [build["python"] for build in found] == [str(gil.python), str(free_threaded.python)]
    assert all(build["linked"] for build in found)
    assert f"digest     {free_threaded.manifest.digest}" in ftbuild_("show", "3.14t").out
    assert ftbuild_("which", "3.14t").out == f"{free_threaded.python}\n"
    assert ftbuild_("which", "3.14").out == f"{gil.python}\n"


def test_remove_and_gc(ftbuild_: Ftbuild) -> None:
    layout = ftbuild_.layout
    replaced = store(layout)
    linked = store(layout, configure_args=("-C",))
    would = ftbuild_("gc", "--days", "0", "--dry-run")
    assert would.out == f"would remove {replaced.prefix}\n"
    assert ftbuild_("gc", "--days", "0", "--json").json["replaced"][0]["name"] == "cpython-3.14.7t"
    assert installations(layout) == (linked,)
    removed = ftbuild_("remove", "3.14.7t")
    assert removed.out.startswith("removed cpython-3.14.7t (")
    assert not list(layout.store.iterdir())
    assert not list(layout.bin.iterdir())


def test_verify_answers_by_its_exit_code(ftbuild_: Ftbuild) -> None:
    made = store(ftbuild_.layout)
    good = ftbuild_("verify", "--files", "3.14t", "--json")
    assert good.code == 0
    assert good.json["reports"][0]["ok"]
    made.python.write_text("something else")
    bad = ftbuild_("verify", "--files", "3.14t")
    assert bad.code == 1
    assert "bin/python3.14t" in bad.out
    assert "checks failed" in bad.err


@pytest.mark.parametrize("words", [["-c", "print('a b')"], ["x.py", "--help", "--", "*", ""]])
def test_run_hands_over_every_word_as_it_is(layout: Layout, words: list[str]) -> None:
    store(layout)
    source = Path(ftbuild.__file__).parents[1]
    command = [sys.executable, "-m", "ftbuild", "run", "3.14t", "--", *words]
    env = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    assert done.stdout == "".join(f"{word}\n" for word in words)


def test_help_on_everything(ftbuild_: Ftbuild) -> None:
    for name in spoken_names(cli.namespace).values():
        ended = ftbuild_(*name.split(), "--help")
        assert ended.code == 0
        assert ended.out.startswith(f"Usage: ftbuild {name}")


def test_every_option_has_a_line_of_help() -> None:
    bare = [
        f"{context.name} {flags}"
        for context in cli.namespace.to_contexts()
        for flags, text in context.help_tuples()
        if not text
    ]
    assert bare == []


def test_inv_runs_the_same_tasks(ftbuild_: Ftbuild, capsys: pytest.CaptureFixture[str]) -> None:
    store(ftbuild_.layout)
    inv = Invoke(namespace=cli.namespace)
    inv.run(["inv", "show", "--versions", "3.14t", "--json"])
    assert json.loads(capsys.readouterr().out)["builds"][0]["name"] == "cpython-3.14.7t"
    with pytest.raises(SystemExit) as caught:
        inv.run(["inv", "which", "--versions", "3.13"])
    assert caught.value.code == 2
    assert "no installed build matches 3.13" in capsys.readouterr().err


def test_an_image_of_a_profile_of_ones_own(ftbuild_: Ftbuild, tmp_path: Path) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "profiles.yaml").write_text(
        "profiles: {mine: {summary: mine, configure: [], disk: 1}}\n"
    )
    words = ("image", "assemble", "3.14.7", "--profile", "mine", "--into", str(tmp_path / "into"))
    assert "there is no profile 'mine'" in ftbuild_(*words).err
    assert "no installed build matches" in ftbuild_(*words, "--recipes", str(recipes)).err


def test_a_damaged_build_is_told_and_can_be_removed(ftbuild_: Ftbuild) -> None:
    whole, bad = (store(ftbuild_.layout, variant) for variant in BOTH)
    (bad.prefix / MANIFEST).write_bytes(b'{"format": 1, "name": "\\u001b[31m')
    listed = ftbuild_("list")
    assert listed.code == 0
    assert whole.manifest.name in listed.out
    assert f"damaged: {bad.prefix}: {MANIFEST} cannot be read" in listed.out
    assert f"`ftbuild remove {bad.prefix.name}`" in listed.out
    found = ftbuild_("list", "--json").json
    assert [build["name"] for build in found["builds"]] == [whole.manifest.name]
    (told,) = found["damaged"]
    assert (told["name"], told["prefix"]) == (bad.prefix.name, str(bad.prefix))
    verified = ftbuild_("verify", "--files")
    assert verified.code == 1
    assert f"{bad.prefix.name}: 0 passed, 1 failed" in verified.out
    assert ftbuild_("verify", "--files", "3.14+gil").code == 0
    assert ftbuild_("which", "3.14").out == f"{whole.python}\n"
    assert f"{bad.prefix.name} is damaged" in ftbuild_("which", "3.14t").err
    assert ftbuild_("gc").out == "nothing to remove\n"
    removed = ftbuild_("remove", bad.prefix.name)
    assert (removed.code, removed.out.partition(",")[0]) == (0, f"removed {bad.prefix}")
    assert ftbuild_("list", "--json").json.keys() == {"format", "builds"}


def test_one_of_two_builds_of_a_name_is_removed_by_its_own(ftbuild_: Ftbuild) -> None:
    replaced = store(ftbuild_.layout)
    linked = store(ftbuild_.layout, configure_args=("-C",))
    assert ftbuild_("remove", replaced.prefix.name).code == 0
    assert installations(ftbuild_.layout) == (linked,)
    again = ftbuild_("remove", replaced.prefix.name)
    assert again.code == 2
