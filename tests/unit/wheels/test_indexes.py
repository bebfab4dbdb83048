from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import UsageError
from ftbuild.wheels.indexes import (
    Indexes,
    configuration_of,
    default_index,
    indexes,
    named_indexes,
    redacted,
)
from ftbuild.wheels.options import Options
from ftbuild.wheels.uv import uv_of

MIRROR = "https://mirror.example/simple"
OTHER = "https://other.example/simple"
USUAL = "https://index.example/simple"


class Home:
    """A home directory and a project, with nothing of this machine's configuration."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "home"
        self.project = tmp_path / "project"
        self.system = tmp_path / "system"
        for folder in (self.path, self.project, self.system):
            folder.mkdir()
        self.env = {"XDG_CONFIG_DIRS": str(self.system)}

    def write(self, place: str, text: str) -> Path:
        path = self.path.parent / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def indexes(self, platform: str = "linux", **env: str) -> Indexes:
        return self.stated(Options(), platform, **env)

    def stated(self, stated: Options, platform: str = "linux", **env: str) -> Indexes:
        return indexes(
            self.env | env,
            home=self.path,
            project=self.project,
            default=lambda: USUAL,
            stated=stated,
            platform=platform,
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    real = Path.is_file

    def is_file(path: Path) -> bool:
        return real(path) and path.is_relative_to(tmp_path)

    # Nothing that this machine has in /etc.
    monkeypatch.setattr(Path, "is_file", is_file)
    return Home(tmp_path)


def test_nothing_configured(home: Home) -> None:
    assert home.indexes(PIP_CONFIG_FILE=os.devnull) == Indexes()


def test_the_environment(home: Home) -> None:
    found = home.indexes(PIP_INDEX_URL=MIRROR, PIP_FIND_LINKS="~/wheels https://a.example/")
    assert found.variables == {
        "UV_DEFAULT_INDEX": MIRROR,
        "UV_FIND_LINKS": f"{home.path}/wheels,https://a.example/",
    }
    assert found.arguments == ()


def test_several_indexes_as_pip_sees_them(home: Home) -> None:
    found = home.indexes(PIP_INDEX_URL=MIRROR, PIP_EXTRA_INDEX_URL=f"{OTHER} https://a.example/")
    assert found.variables == {
        "UV_INDEX": f"{MIRROR} {OTHER}",
        "UV_DEFAULT_INDEX": "https://a.example/",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    usual = home.indexes(PIP_EXTRA_INDEX_URL=OTHER)
    assert usual.variables == {
        "UV_INDEX": USUAL,
        "UV_DEFAULT_INDEX": OTHER,
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    kept = home.indexes(PIP_EXTRA_INDEX_URL=OTHER, UV_INDEX_STRATEGY="first-index")
    assert kept.variables["UV_INDEX_STRATEGY"] == "first-index"


@pytest.mark.parametrize("yes", ["1", "true", "Yes", "on"])
def test_no_index(home: Home, yes: str) -> None:
    found = home.indexes(PIP_NO_INDEX=yes, PIP_INDEX_URL=MIRROR, PIP_FIND_LINKS="/wheels")
    assert found.arguments == ("--no-index",)
    assert found.variables == {"UV_FIND_LINKS": "/wheels"}


def test_an_index_after_all(home: Home) -> None:
    assert home.indexes(PIP_NO_INDEX="0", PIP_INDEX_URL=MIRROR).arguments == ()


def test_pips_files_in_their_order(home: Home) -> None:
    def used(**env: str) -> str:
        return home.indexes(**env).variables["UV_DEFAULT_INDEX"]

    def config(at: str) -> str:
        return f"[global]\nindex-url = https://{at}.example/\n"

    home.write("system/pip/pip.conf", config("system"))
    assert used() == "https://system.example/"
    home.write("home/.pip/pip.conf", config("legacy"))
    assert used() == "https://legacy.example/"
    home.write("home/.config/pip/pip.conf", config("user"))
    assert used() == "https://user.example/"
    home.write("xdg/pip/pip.conf", config("xdg"))
    assert used(XDG_CONFIG_HOME=str(home.path.parent / "xdg")) == "https://xdg.example/"
    home.write("venv/pip.conf", config("site"))
    assert used(VIRTUAL_ENV=str(home.path.parent / "venv")) == "https://site.example/"
    named = home.write("named.conf", config("named"))
    assert used(PIP_CONFIG_FILE=str(named)) == "https://named.example/"
    assert used(PIP_CONFIG_FILE=str(named), PIP_INDEX_URL=MIRROR) == MIRROR
    home.write("home/.config/pip/pip.conf", "[install]\nindex_url = https://install.example/\n")
    assert used() == "https://install.example/"


def test_a_mac_has_its_own_places(home: Home) -> None:
    text = "[global]\nindex-url = https://mac.example/\n"
    home.write("home/Library/Application Support/pip/pip.conf", text)
    found = home.indexes(platform="darwin")
    assert found.variables["UV_DEFAULT_INDEX"] == "https://mac.example/"


def test_certificates_and_trusted_hosts(home: Home) -> None:
    home.write("home/.config/pip/pip.conf", "[global]\ncert = /ca.pem\ntrusted-host =\n  a\n  b\n")
    assert home.indexes(UV_DEFAULT_INDEX=MIRROR).variables == {
        "SSL_CERT_FILE": "/ca.pem",
        "UV_INSECURE_HOST": "a b",
    }
    assert "SSL_CERT_FILE" not in home.indexes(SSL_CERT_FILE="/mine.pem").variables


def test_a_broken_file_is_named_and_not_quoted(home: Home) -> None:
    path = home.write("home/.config/pip/pip.conf", "index-url = https://me:secret@a.example/\n")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        home.indexes()
    assert str(path) in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "name", ["UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"]
)
def test_uvs_own_configuration_goes_first(home: Home, name: str) -> None:
    assert home.indexes(**{name: OTHER, "PIP_INDEX_URL": MIRROR}).variables == {}


@pytest.mark.parametrize(
    ("place", "text", "known"),
    [
        ("home/.config/uv/uv.toml", f'index-url = "{OTHER}"', True),
        ("system/uv/uv.toml", f'[pip]\nextra-index-url = ["{OTHER}"]', True),
        ("project/uv.toml", f'[[index]]\nurl = "{OTHER}"', True),
        ("project/pyproject.toml", f'[[tool.uv.index]]\nurl = "{OTHER}"', True),
        ("pyproject.toml", "[tool.uv.pip]\nno-index = true", True),
        ("project/pyproject.toml", "[tool.uv]\nprerelease = 'allow'", False),
        # Only what names it comes from it.
        ("project/uv.toml", f'[[index]]\nurl = "{OTHER}"\nexplicit = true', False),
        ("project/uv.toml", "not TOML", False),
    ],
)
def test_uvs_own_files_go_first(home: Home, place: str, text: str, known: bool) -> None:
    home.write(place, text)
    assert ("UV_DEFAULT_INDEX" not in home.indexes(PIP_INDEX_URL=MIRROR).variables) == known


def test_the_file_that_uv_is_told_to_read(home: Home) -> None:
    named = home.write("named.toml", f'index-url = "{OTHER}"')
    assert home.indexes(PIP_INDEX_URL=MIRROR, UV_CONFIG_FILE=str(named)).variables == {}


def test_an_index_in_a_requirement_file_replaces_those_of_pip(home: Home) -> None:
    stated = Options(main=MIRROR)
    found = home.stated(stated, PIP_INDEX_URL=OTHER, PIP_EXTRA_INDEX_URL=USUAL)
    assert found.variables == {"UV_DEFAULT_INDEX": MIRROR}
    found = home.stated(stated, UV_DEFAULT_INDEX=OTHER)
    assert "UV_DEFAULT_INDEX" not in found.variables


def test_further_indexes_in_a_requirement_file_come_after_those_of_pip(home: Home) -> None:
    stated = Options(extra=(OTHER,), links=("/wheels",), hosts=("other.example",))
    found = home.stated(stated, PIP_INDEX_URL=MIRROR, PIP_FIND_LINKS="/more")
    assert found.variables == {
        "UV_INSECURE_HOST": "other.example",
        "UV_FIND_LINKS": "/more,/wheels",
        "UV_INDEX": MIRROR,
        "UV_DEFAULT_INDEX": OTHER,
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    found = home.stated(Options(extra=(OTHER,)), UV_INDEX=USUAL)
    assert found.variables == {"UV_INDEX": f"{USUAL} {OTHER}"}


def test_a_requirement_file_may_want_no_index(home: Home) -> None:
    found = home.stated(Options(none=True, main=MIRROR), PIP_INDEX_URL=OTHER)
    assert found == Indexes(arguments=("--no-index",))


def test_indexes_with_their_names(home: Home) -> None:
    home.write("home/.config/uv/uv.toml", f'[[index]]\nurl = "{MIRROR}"')
    home.write("project/pyproject.toml", f'[[tool.uv.index]]\nname = "own"\nurl = "{OTHER}"')
    found = named_indexes(home.env, home=home.path, project=home.project)
    assert found == (MIRROR, f"own={OTHER}")


def test_the_nearest_configuration(home: Home) -> None:
    assert configuration_of(home.project) is None
    above = home.write("uv.toml", "")
    home.write("project/pyproject.toml", "[project]\nname = 'p'\n")
    assert configuration_of(home.project) == above
    own = home.write("project/pyproject.toml", "[tool.uv]\n")
    assert configuration_of(home.project) == own


def test_the_index_that_uv_asks_by_itself(tmp_path: Path) -> None:
    uv = uv_of(os.environ, tmp_path, offline=False, stop=threading.Event())
    found = default_index(uv)
    assert found is not None
    assert found.startswith("https://")
    assert found.endswith("/simple")


PLAIN = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)
SECRET = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=8)


@given(user=PLAIN, secret=SECRET.filter(lambda text: not set(text) & set("/?#'\"`<>")))
def test_no_credential_is_left(user: str, secret: str) -> None:
    said = f"Failed to fetch: `https://{user}:{secret}@host.example/x`, see git+ssh://git@b.example"
    assert redacted(said) == "Failed to fetch: `https://host.example/x`, see git+ssh://b.example"


@pytest.mark.parametrize(
    "text", ["pkg @ https://host.example/a@1.0", "https://host.example/?a=b@c", "me@host.example"]
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert redacted(text) == text
