from __future__ import annotations

import os
import threading
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftbuild.errors import UsageError
from ftbuild.wheels.indexes import Configured, configure, default_index, redacted
from ftbuild.wheels.options import Options
from ftbuild.wheels.uv import _toml_of, uv_of

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

    def settings(self, platform: str = "linux", **env: str) -> Mapping[str, Any]:
        return self.configured(None, platform, **env).settings

    def configured(
        self, stated: Options | None = None, /, platform: str = "linux", **env: str
    ) -> Configured:
        return configure(
            self.env | env,
            home=self.path,
            project=self.project,
            default=lambda: USUAL,
            stated=stated or Options(),
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


def default(url: str) -> dict[str, object]:
    return {"url": url, "default": True}


def test_nothing_configured(home: Home) -> None:
    assert home.configured(PIP_CONFIG_FILE=os.devnull) == Configured()


def test_the_environment(home: Home) -> None:
    found = home.settings(PIP_INDEX_URL=MIRROR, PIP_FIND_LINKS="~/wheels https://a.example/")
    assert found == {
        "index": [default(MIRROR)],
        "find-links": [f"{home.path}/wheels", "https://a.example/"],
    }


def test_several_indexes_as_pip_sees_them(home: Home) -> None:
    found = home.settings(PIP_INDEX_URL=MIRROR, PIP_EXTRA_INDEX_URL=f"{OTHER} https://a.example/")
    assert found == {
        "index": [{"url": MIRROR}, {"url": OTHER}, default("https://a.example/")],
        "index-strategy": "unsafe-best-match",
    }
    usual = home.settings(PIP_EXTRA_INDEX_URL=OTHER)
    assert usual == {
        "index": [{"url": USUAL}, default(OTHER)],
        "index-strategy": "unsafe-best-match",
    }
    kept = home.settings(PIP_EXTRA_INDEX_URL=OTHER, UV_INDEX_STRATEGY="first-index")
    assert kept["index-strategy"] == "first-index"


@pytest.mark.parametrize("yes", ["1", "true", "Yes", "on"])
def test_no_index(home: Home, yes: str) -> None:
    found = home.settings(PIP_NO_INDEX=yes, PIP_FIND_LINKS="/wheels")
    assert found == {"no-index": True, "find-links": ["/wheels"]}
    assert home.settings(UV_NO_INDEX=yes) == {"no-index": True}


def test_an_index_after_all(home: Home) -> None:
    assert "no-index" not in home.settings(PIP_NO_INDEX="0", PIP_INDEX_URL=MIRROR)


def test_pips_files_in_their_order(home: Home) -> None:
    def used(**env: str) -> str:
        (entry,) = home.settings(**env)["index"]
        return str(entry["url"])

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
    assert home.settings(platform="darwin")["index"] == [default("https://mac.example/")]


def test_certificates_and_trusted_hosts(home: Home) -> None:
    home.write("home/.config/pip/pip.conf", "[global]\ncert = /ca.pem\ntrusted-host =\n  a\n  b\n")
    found = home.configured(UV_DEFAULT_INDEX=MIRROR)
    assert found.certificates == "/ca.pem"
    assert found.settings["allow-insecure-host"] == ["a", "b"]
    assert not home.configured(SSL_CERT_FILE="/mine.pem").certificates


def test_a_broken_file_is_named_and_not_quoted(home: Home) -> None:
    path = home.write("home/.config/pip/pip.conf", "index-url = https://me:secret@a.example/\n")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        home.settings()
    assert str(path) in caught.value.message
    assert "secret" not in caught.value.message
    path.unlink()
    path = home.write("home/.config/uv/uv.toml", "index-url = https://me:secret@a.example/\n")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        home.settings()
    assert str(path) in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "name", ["UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"]
)
def test_uvs_own_configuration_goes_first(home: Home, name: str) -> None:
    found = home.settings(**{name: OTHER, "PIP_INDEX_URL": MIRROR})
    assert MIRROR not in str(found)
    assert OTHER in str(found)


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
        ("project/pyproject.toml", "not TOML", False),
    ],
)
def test_uvs_own_files_go_first(home: Home, place: str, text: str, known: bool) -> None:
    home.write(place, text)
    assert (MIRROR not in str(home.settings(PIP_INDEX_URL=MIRROR))) == known


def test_the_file_that_uv_is_told_to_read(home: Home) -> None:
    named = home.write("named.toml", f'index-url = "{OTHER}"')
    home.write("project/uv.toml", f'index-url = "{MIRROR}"')
    found = home.settings(PIP_INDEX_URL=MIRROR, UV_CONFIG_FILE=str(named))
    assert found == {"index": [default(OTHER)]}
    assert home.settings(UV_NO_CONFIG="1") == {}


def test_an_index_in_a_requirement_file_replaces_those_of_pip(home: Home) -> None:
    stated = Options(main=MIRROR)
    found = home.configured(stated, PIP_INDEX_URL=OTHER, PIP_EXTRA_INDEX_URL=USUAL)
    assert found.settings == {"index": [default(MIRROR)]}
    found = home.configured(stated, UV_DEFAULT_INDEX=OTHER)
    assert found.settings == {"index": [default(OTHER)]}


def test_further_indexes_in_a_requirement_file_come_after_those_of_pip(home: Home) -> None:
    stated = Options(extra=(OTHER,), links=("/wheels",), hosts=("other.example",))
    found = home.configured(stated, PIP_INDEX_URL=MIRROR, PIP_FIND_LINKS="/more")
    assert found.settings == {
        "allow-insecure-host": ["other.example"],
        "find-links": ["/more", "/wheels"],
        "index": [{"url": MIRROR}, default(OTHER)],
        "index-strategy": "unsafe-best-match",
    }
    found = home.configured(Options(extra=(OTHER,)), UV_INDEX=USUAL)
    assert found.settings == {"index": [{"url": USUAL}, {"url": OTHER}]}


def test_a_requirement_file_may_want_no_index(home: Home) -> None:
    assert home.configured(Options(none=True)).settings == {"no-index": True}


def test_the_nearest_configuration(home: Home) -> None:
    home.write("uv.toml", "resolution = 'lowest'\n")
    home.write("project/pyproject.toml", "[project]\nname = 'p'\n")
    assert home.settings() == {"resolution": "lowest"}
    home.write("project/pyproject.toml", "[tool.uv]\n")
    assert home.settings() == {}


def test_the_files_of_user_and_project_together(home: Home) -> None:
    home.write(
        "home/.config/uv/uv.toml",
        f'cache-dir = "/cache"\nresolution = "highest"\nfind-links = ["mine"]\n'
        f'[[index]]\nname = "b"\nurl = "{MIRROR}"\n[pip]\nprerelease = "allow"\n',
    )
    home.write(
        "project/uv.toml",
        f'resolution = "lowest"\nfind-links = ["../theirs"]\n'
        f'[[index]]\nname = "a"\nurl = "{OTHER}"\n[[index]]\nname = "b"\nurl = "{OTHER}"\n'
        '[pip]\noutput-file = "/x"\nfork-strategy = "fewest"\n',
    )
    assert home.settings() == {
        "cache-dir": "/cache",
        "resolution": "lowest",
        "find-links": [f"{home.project}/../theirs", f"{home.path}/.config/uv/mine"],
        # The first of a name counts.
        "index": [{"name": "a", "url": OTHER}, {"name": "b", "url": OTHER}],
        "pip": {"prerelease": "allow", "fork-strategy": "fewest"},
    }


LOGIN = {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "pass word"}
CORP = "https://corp.example/simple"
MINE = "https://me:pass%20word@corp.example/simple"


def test_a_password_goes_where_the_user_says(home: Home) -> None:
    assert home.settings(UV_INDEX=f"corp={CORP}", **LOGIN)["index"] == [
        {"name": "corp", "url": MINE}
    ]
    assert home.settings(UV_DEFAULT_INDEX=f"corp={CORP}", **LOGIN)["index"] == [
        {"name": "corp", "url": MINE, "default": True}
    ]
    home.write("home/.config/uv/uv.toml", f'[[index]]\nname = "corp"\nurl = "{CORP}"')
    assert home.settings(**LOGIN)["index"] == [{"name": "corp", "url": MINE}]


def test_a_project_does_not_get_a_password_by_a_name(home: Home) -> None:
    home.write("project/uv.toml", f'[[index]]\nname = "corp"\nurl = "{OTHER}"')
    found = home.configured(**LOGIN)
    assert found.settings == {"index": [{"name": "corp", "url": OTHER}]}
    (told,) = found.refused
    assert "the password of corp" in told
    assert f"UV_INDEX=corp={OTHER}" in told
    assert "pass" not in told.replace("the password of", "")
    # Where the user has said that it goes there, nothing is kept back.
    assert not home.configured(UV_INDEX=f"corp={OTHER}", **LOGIN).refused


def test_what_a_project_has_no_say_in(home: Home) -> None:
    home.write(
        "project/pyproject.toml",
        '[tool.uv]\ncache-dir = "/x"\npython-install-mirror = "https://a.example"\n'
        'keyring-provider = "subprocess"\nallow-insecure-host = ["corp.example"]\n'
        'http-proxy = "http://a.example"\nprerelease = "allow"\ndev-dependencies = []\n'
        '"\\u001b[31m" = 1\n[[tool.uv.index]]\nurl = "https://a.example"\n'
        'authenticate = "always"\n',
    )
    found = home.configured()
    assert found.settings == {"index": [{"url": "https://a.example"}], "prerelease": "allow"}
    assert found.refused == (
        "uv's allow-insecure-host",
        "uv's cache-dir",
        "uv's http-proxy",
        "uv's keyring-provider",
        "uv's python-install-mirror",
    )


def test_a_project_does_not_lift_the_certificate_of_the_users_index(home: Home) -> None:
    stated = Options(hosts=("corp.example:443", "other.example"))
    found = home.configured(stated, PIP_INDEX_URL=MINE)
    assert found.settings["allow-insecure-host"] == ["other.example"]


NONSENSE = st.recursive(
    st.booleans() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["name", "url", "default", "index", "pip"]), inner)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    table=st.dictionaries(
        st.sampled_from(["index", "index-url", "extra-index-url", "find-links", "pip", "no-index"]),
        NONSENSE,
    ),
    word=st.text(),
)
def test_any_settings_of_a_project(
    home: Home, table: dict[str, object], word: str, tmp_path: Path
) -> None:
    (home.project / "uv.toml").write_text(_toml_of(table), encoding="utf-8")
    stated = Options(main=word or None, extra=(word,), links=(word,), hosts=(word,))
    found = home.configured(stated, **LOGIN)
    tomllib.loads(_toml_of(found.settings))


def test_the_index_that_uv_asks_by_itself(tmp_path: Path) -> None:
    uv = uv_of(os.environ, tmp_path, tmp_path / "uv", offline=False, stop=threading.Event())
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
