from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftbuild import catalogue, process
from ftbuild.catalogue import load, own_recipes
from ftbuild.errors import UsageError
from ftbuild.model.versions import Variant, series_of

OWN = load()
HASH = "a" * 64


def folder(path: Path, **files: str) -> Path:
    """A recipe folder with the given files, without their `.yaml`."""
    path.mkdir(exist_ok=True)
    for name, text in files.items():
        (path / f"{name}.yaml").write_text(textwrap.dedent(text))
    return path


def refusal(path: Path, **files: str) -> UsageError:
    """The error that a folder with these files gives."""
    with pytest.raises(UsageError) as caught:
        load([folder(path, **files)])
    return caught.value


def test_our_own_recipes_hang_together() -> None:
    hashes = [release.sha256 for release in OWN.releases.values()]
    assert len(hashes) == len(set(hashes))
    assert {series_of(version) for version in OWN.releases} == set(OWN.series)
    assert all(OWN.candidates(series) for series in OWN.series)
    assert set(OWN.profiles) == {"optimized", "fast", "debug", "tsan", "asan"}
    assert OWN.default_profile == "optimized"


def test_the_flags_of_a_profile_are_what_it_says_it_is() -> None:
    for profile in OWN.profiles.values():
        assert "--disable-gil" not in profile.configure
        assert profile.pgo == ("--enable-optimizations" in profile.configure)
        assert profile.lto == ("--with-lto" in profile.configure)
        assert profile.debug == ("--with-pydebug" in profile.configure)
        assert (profile.sanitizer is not None) == any("sanitizer" in f for f in profile.configure)
        assert set(profile.suppressions) in (set(), set(Variant))


def test_a_folder_adds_replaces_and_puts_its_mirrors_in_front(tmp_path: Path) -> None:
    first = folder(
        tmp_path / "first",
        cpython=f"""\
            series:
              "3.16": {{status: prerelease, free_threading: supported}}
            releases:
              "3.16.0a1": {{sha256: {HASH}, size: 5, seen: [me]}}
              "3.14.7": {{sha256: {HASH}, size: null, seen: [me]}}
            """,
        origins="origins: {mirrors: [https://one.example/]}",
    )
    second = folder(
        tmp_path / "second",
        profiles="""\
            default: mine
            profiles:
              mine: {summary: my own, configure: [--with-lto=full], lto: true, disk: 1}
            """,
        origins="""origins: {mirrors: [/srv/python], upstream: "https://two.example/{version}"}""",
    )
    known = load([first, second])
    assert known.releases["3.16.0a1"].size == 5
    assert known.releases["3.14.7"].sha256 == HASH
    assert known.releases["3.14.6"] == OWN.releases["3.14.6"]
    assert known.default_profile == "mine"
    assert set(known.profiles) == {*OWN.profiles, "mine"}
    assert known.origins.mirrors == ("/srv/python", "https://one.example/")
    assert known.origins.upstream == "https://two.example/{version}"
    assert known.origins.apt_pool == OWN.origins.apt_pool


def test_a_signer_has_the_key_beside_it(tmp_path: Path) -> None:
    folder(
        tmp_path,
        signers=f"""\
            signers:
              "3.14": {{openpgp: {"A" * 40}, key: mine.asc}}
            """,
    )
    (tmp_path / "mine.asc").write_text("a key")
    known = load([tmp_path])
    assert known.signers["3.14"].key == str(tmp_path / "mine.asc")
    assert known.signers["3.14"].identity is None, "entries are replaced as a whole"
    assert known.signers["3.13"] == OWN.signers["3.13"]
    assert set(OWN.signers) == set(OWN.series)


def test_mirrors_stay_where_a_later_folder_names_none(tmp_path: Path) -> None:
    first = folder(tmp_path / "first", origins="origins: {mirrors: [https://one.example/]}")
    second = folder(tmp_path / "second", origins="origins: {apt_pool: 'pool/{debian}'}")
    assert load([first, second]).origins.mirrors == ("https://one.example/",)


@pytest.mark.parametrize("text", ["", "releases: {}", "# nothing yet\n"])
def test_a_file_may_be_empty(tmp_path: Path, text: str) -> None:
    assert load([folder(tmp_path, cpython=text)]) == OWN


@pytest.mark.parametrize(
    ("file", "text", "says", "hint"),
    [
        ("cpython", "release: {}", "unknown key 'release'", "Did you mean 'releases'?"),
        ("cpython", 'releases: {"3.14.7": {size: 1}}', "releases.3.14.7: ", ""),
        ("cpython", "releases: {3.10: {}}", "releases: 3.1 must be quoted", 'Write "3.1":'),
        ("cpython", 'releases: {"3.14": {}}', "'3.14' is not a release such as 3.14.7", ""),
        ("cpython", 'releases: {"3.14.7t": {}}', "'3.14.7t' is not a release", ""),
        ("cpython", 'series: {"3.14.7": {}}', "'3.14.7' is not a series such as 3.14", ""),
        ("cpython", 'series: {"3.14": {}, "3.14": {}}', "'3.14' stands twice", ""),
        ("cpython", "releases: []", "releases: expected a mapping, found list", ""),
        ("cpython", "- 3.14", "expected the sections series, releases", ""),
        ("cpython", "releases: {", "expected node content", ""),
        ("cpython", "? [a]\n: b", "a key in line 1 is no plain value", ""),
        ("profiles", "default: 3", "default: expected text, found int", ""),
        ("profiles", "default: 2026-13-01", "month must be in 1..12", ""),
        ("profiles", "profiles: {mine: {summry: x}}", "unknown key 'summry'", "'summary'?"),
        ("profiles", "profiles: {fast: {pgo: 1}}", "profiles.fast", ""),
        ("libraries", "libraries: {x: {modules: [a], header: h, since: 4}}", "x.since", ""),
        ("libraries", "libraries: {x: {modules: [a], header: h, since: new}}", "x.since", ""),
        ("signers", 'signers: {"3.14": {openpgp: abc, key: k}}', "3.14.openpgp: ", ""),
        ("signers", f'signers: {{"3.14": {{openpgp: {"A" * 40}}}}}', "go together", ""),
        ("signers", 'signers: {"3.14": {issuer: x}}', "go together", ""),
        ("signers", 'signers: {"3.14.7": {}}', "'3.14.7' is not a series", ""),
        (
            "signers",
            f'signers: {{"3.14": {{openpgp: {"A" * 40}, key: none.asc}}}}',
            "there is no file none.asc",
            "",
        ),
        ("origins", "origins: {mirrors: https://one.example/}", "origins.mirrors", ""),
        ("origins", "origins: {mirrors: }", "origins.mirrors", ""),
        ("origins", "origins: {upsteam: x}", "unknown key 'upsteam'", "'upstream'?"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(
    tmp_path: Path, file: str, text: str, says: str, hint: str
) -> None:
    error = refusal(tmp_path, **{file: text})
    assert str(tmp_path / f"{file}.yaml") in error.message
    assert says in error.message
    assert hint in error.hint


def test_a_file_of_another_name(tmp_path: Path) -> None:
    error = refusal(tmp_path, profile="")
    assert "not a recipe file" in error.message
    assert error.hint == "Did you mean profiles.yaml?"


def test_a_release_of_a_series_that_nobody_describes(tmp_path: Path) -> None:
    text = f'releases: {{"3.16.0": {{sha256: {HASH}, size: null, seen: [me]}}}}'
    assert 'Add "3.16" under `series`' in refusal(tmp_path, cpython=text).hint


def test_a_default_that_is_no_profile(tmp_path: Path) -> None:
    assert "no profile 'fastest'" in refusal(tmp_path, profiles="default: fastest").message


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a recipe folder"):
        load([tmp_path / "none"])


@given(st.binary(max_size=60) | st.text("{}[]:-,&*!|>'\"?#% \nab01._", max_size=60).map(str.encode))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_does_worse_than_being_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "profiles.yaml").write_bytes(content)
    try:
        known = load([tmp_path])
    except UsageError:
        return
    assert set(OWN.profiles) <= set(known.profiles)


def test_they_lie_beside_the_sources_in_a_checkout() -> None:
    assert (own_recipes() / "cpython.yaml").is_file()


@pytest.mark.parametrize(
    ("place", "project", "packaged"),
    [
        ("vendor/lib", "ftbuild", False),
        ("src", "theirs", False),
        ("src", None, False),
        ("src", "ftbuild", True),
    ],
)
def test_what_lies_above_an_installed_ftbuild_is_not_its_checkout(
    tmp_path: Path, place: str, project: str | None, packaged: bool
) -> None:
    """Installed with `--target`, it may have a stranger's tasks and recipes two levels above."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "tasks.py").write_text("raise SystemExit('a stranger')")
    if project:
        (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "{project}"\n')
    package = tmp_path / place / "ftbuild"
    package.mkdir(parents=True)
    for path in Path(catalogue.__file__).parent.iterdir():
        (package / path.name).symlink_to(path)
    if packaged:
        (package / "recipes").symlink_to(catalogue.own_recipes())
    script = "from ftbuild import catalogue, cli; print(cli._checkout_tasks())\n"
    script += "print(catalogue.own_recipes())"
    done = process.capture(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(package.parent), "HOME": "/"}
    )
    assert done.stdout.startswith("None\n"), done
    assert str(tmp_path / "recipes") not in done.stdout
    assert done.ok == packaged


@pytest.mark.parametrize(
    "profile",
    [
        "x/../..: {summary: x, configure: [], disk: 1}",
        "..: {summary: x, configure: [], disk: 1}",
        'x: {summary: x, configure: [], disk: 1, environment: {"A=B": x}}',
        'x: {summary: x, configure: ["a\\0b"], disk: 1}',
    ],
)
def test_no_profile_holds_what_no_build_could(tmp_path: Path, profile: str) -> None:
    error = refusal(tmp_path / "own", profiles=f"profiles:\n  {profile}\n")
    assert error.message.startswith(str(tmp_path / "own" / "profiles.yaml"))
