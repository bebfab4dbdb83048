"""The real uv, against folders of wheels without content and a server on this machine."""

from __future__ import annotations

import http.server
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from ftbuild.auditing.findings import Package
from ftbuild.auditing.inputs.words import Inputs, read_inputs
from ftbuild.auditing.resolving.resolve import read_requirements, resolve
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.wheels.complaints import Unsatisfiable
from ftbuild.wheels.uv import Uv, uv_of
from tests.unit.auditing.examples import TARGET
from tests.unit.wheels.tiny import sdist, wheel

HERE = msgspec.structs.replace(TARGET, python=sys.executable)
OLD = "native-2.0-cp312-cp312-manylinux_2_28_x86_64.whl"
CP314T = "cp314-cp314t-manylinux_2_28_x86_64"


class Setting:
    """A folder of wheels, a project's folder, and uv."""

    def __init__(self, tmp_path: Path) -> None:
        self.wheels = tmp_path / "wheels"
        self.project = tmp_path / "project"
        self.scratch = tmp_path / "scratch"
        for folder in (self.wheels, self.project, self.scratch):
            folder.mkdir()
        self.env: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "UV_CACHE_DIR": str(tmp_path / "cache"),
            "UV_HTTP_RETRIES": "0",
        }
        self.settings: dict[str, object] = {"no-index": True, "find-links": [str(self.wheels)]}

    def uv(self, *, offline: bool = False) -> Uv:
        return uv_of(
            self.env,
            self.project,
            self.scratch / "uv",
            settings=self.settings,
            offline=offline,
            stop=threading.Event(),
        )

    def inputs(
        self, *words: str, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()
    ) -> Inputs:
        return read_inputs(words, extras=extras, groups=groups, cwd=self.project)

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)

    def resolve(self, *words: str, **more: object) -> dict[str, Package]:
        inputs = self.inputs(*words)
        found = resolve(inputs, HERE, self.uv(), scratch=self.scratch, **more)  # type: ignore[arg-type]
        return {package.name: package for package in found}


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_everything_about_a_package(setting: Setting) -> None:
    wheel(setting.wheels, "Big_App", "2.0", "small>=1", "helper ; sys_platform == 'linux'")
    wheel(setting.wheels, "small", "1.5", tag=CP314T)
    wheel(setting.wheels, "small", "1.5", tag="cp314-cp314-win_amd64")
    wheel(setting.wheels, "helper", "1.0", "small", "only-win ; sys_platform == 'win32'")
    wheel(setting.wheels, "only-win", "1.0")
    setting.write("requirements.txt", "big.app\n-r more/base.txt\n")
    (setting.project / "more").mkdir()
    setting.write("more/base.txt", "helper\n")
    found = setting.resolve("requirements.txt", "small<9")
    assert list(found) == ["big-app", "helper", "small"]
    assert found["big-app"].version == "2.0"
    assert found["big-app"].via == ("requirements.txt",)
    assert found["helper"].via == ("more/base.txt", "big-app")
    assert found["helper"].chain == ("more/base.txt",)
    assert found["small"].chain == ("small<9",)
    assert found["small"].via == ("small<9", "big-app", "helper")
    # For every platform: what is there but not for this one is worth telling.
    assert {file.name for file in found["small"].wheels} == {
        f"small-1.5-{CP314T}.whl",
        "small-1.5-cp314-cp314-win_amd64.whl",
    }
    assert found["small"].source is None


def test_the_shortest_way_in(setting: Setting) -> None:
    wheel(setting.wheels, "a", "1", "b")
    wheel(setting.wheels, "b", "1", "c")
    wheel(setting.wheels, "c", "1", "d")
    wheel(setting.wheels, "d", "1")
    wheel(setting.wheels, "z", "1", "d")
    assert setting.resolve("a", "z<2")["d"].chain == ("z<2", "z")
    assert setting.resolve("a")["d"].chain == ("a", "b", "c")


def test_the_newest_version_whatever_wheels_it_has(setting: Setting) -> None:
    """Resolved for the target alone, it would be 1.0."""
    wheel(setting.wheels, "native", "1.0")
    wheel(setting.wheels, "native", "2.0", tag="cp314-cp314-manylinux_2_28_x86_64")
    assert setting.resolve("native")["native"].version == "2.0"


def test_a_version_with_wheels_for_older_releases_only(setting: Setting) -> None:
    wheel(setting.wheels, "native", "2.0", "dep", tag="cp312-cp312-manylinux_2_28_x86_64")
    wheel(setting.wheels, "dep", "1.0", python="<3.14,>=3.9")
    wheel(setting.wheels, "dep", "1.1", python=">=3.14")
    found = setting.resolve("native==2.0")
    assert found["native"].version == "2.0"
    assert found["native"].index
    assert found["dep"].version == "1.1"


def test_an_index_whose_wheels_are_for_older_releases_only(setting: Setting, server: str) -> None:
    """uv refuses what has no wheel for the release and no sdist; an audit is about just that."""
    setting.settings = {"index": [{"url": f"http://{server}/simple", "default": True}]}
    found = setting.resolve("native==2.0")
    assert [file.name for file in found["native"].wheels] == [OLD]
    assert found["native"].index == f"http://{server}/simple"
    assert found["native"].sdist is None


def test_what_cannot_be_done_for_another_platform(setting: Setting) -> None:
    wheel(setting.wheels, "app", "1", "lib>=2")
    wheel(setting.wheels, "lib", "1")
    wheel(setting.wheels, "lib", "2")
    assert setting.resolve("app", "lib<2 ; sys_platform == 'win32'")["lib"].version == "2"


def test_the_version_is_asked_for_to_the_last_digit(setting: Setting) -> None:
    wheel(setting.wheels, "new", "1", python=">=3.14.5")
    assert "new" in setting.resolve("new")


def test_nothing_required(setting: Setting) -> None:
    setting.write("pyproject.toml", '[project]\nname = "p"\nversion = "1"\n')
    assert setting.resolve() == {}
    setting.write("requirements.txt", "# nothing yet\n")
    assert setting.resolve("requirements.txt") == {}


def test_a_project_with_extras_groups_and_a_lock(setting: Setting) -> None:
    for name in ("main", "more", "tests", "unused"):
        wheel(setting.wheels, name, "1.0")
        wheel(setting.wheels, name, "2.0")
    setting.write(
        "pyproject.toml",
        '[project]\nname = "p"\nversion = "1"\ndependencies = ["main"]\n'
        '[project.optional-dependencies]\nx = ["more"]\ny = ["unused"]\n'
        '[dependency-groups]\ntest = ["tests"]\n',
    )
    setting.write(
        "uv.lock",
        'version = 1\nrequires-python = ">=3.9"\n[[package]]\nname = "main"\nversion = "1.0"\n'
        'source = { registry = "https://index.example/simple" }\n'
        '[[package]]\nname = "p"\nversion = "1"\nsource = { virtual = "." }\n',
    )
    inputs = setting.inputs(extras=("x",), groups=("test",))
    found = resolve(inputs, HERE, setting.uv(), scratch=setting.scratch)
    assert [(one.name, one.version, one.via) for one in found] == [
        ("main", "1.0", ("pyproject.toml",)),
        ("more", "2.0", ("pyproject.toml",)),
        ("tests", "2.0", ("pyproject.toml (group test)",)),
    ]


def test_a_lock_file_by_itself(setting: Setting) -> None:
    for name in ("main", "tests"):
        wheel(setting.wheels, name, "1.0")
        wheel(setting.wheels, name, "2.0")
    files = (
        'wheels = [{ url = "https://files.example/%s-1.0-py3-none-any.whl", '
        'hashes = { sha256 = "00" } }]\n'
    )
    setting.write(
        "pylock.toml",
        'lock-version = "1.0"\ncreated-by = "hand"\ndependency-groups = ["test"]\n'
        '[[packages]]\nname = "main"\nversion = "1.0"\n' + files % "main" + "[[packages]]\n"
        'name = "tests"\nversion = "1.0"\nmarker = "\'test\' in dependency_groups"\n'
        + files
        % "tests",
    )
    assert list(setting.resolve("pylock.toml")) == ["main"]
    inputs = setting.inputs("pylock.toml", groups=("test",))
    found = resolve(inputs, HERE, setting.uv(), scratch=setting.scratch)
    assert [(one.name, one.version, one.chain) for one in found] == [
        ("main", "1.0", ("pylock.toml",)),
        ("tests", "1.0", ("pylock.toml",)),
    ]


def test_directories_and_files(setting: Setting) -> None:
    wheel(setting.wheels, "dep", "1.0")
    elsewhere = setting.project / "elsewhere"
    elsewhere.mkdir()
    archive = wheel(elsewhere, "direct", "3.0", "dep")
    (setting.project / "lib").mkdir()
    setting.write(
        "lib/pyproject.toml", '[project]\nname = "lib"\nversion = "1"\ndependencies = ["dep"]\n'
    )
    setting.write("requirements.txt", f"-e ./lib\ndirect @ {archive.as_uri()}\n")
    found = setting.resolve("requirements.txt")
    assert found["lib"].source == str(setting.project / "lib")
    assert found["lib"].via == ("requirements.txt",)
    assert found["direct"].source is not None
    assert found["direct"].source.endswith("direct-3.0-py3-none-any.whl")
    assert found["direct"].index is None
    assert found["dep"].via == ("direct", "lib")


def test_a_member_of_a_workspace(setting: Setting) -> None:
    wheel(setting.wheels, "dep", "1.0")
    place = setting.project / "a member"
    place.mkdir()
    text = '[project]\nname = "member"\nversion = "1"\ndependencies = ["dep"]\n'
    (place / "pyproject.toml").write_text(text)
    setting.write(
        "pyproject.toml",
        '[project]\nname = "main"\nversion = "1"\ndependencies = ["member"]\n'
        '[tool.uv.workspace]\nmembers = ["a member"]\n'
        "[tool.uv.sources]\nmember = { workspace = true }\n",
    )
    found = setting.resolve("pyproject.toml")
    assert found["member"].via == ("pyproject.toml",)
    assert found["dep"].chain == ("pyproject.toml", "member")


@pytest.mark.parametrize(
    ("python", "says"),
    [("<3.14", "toml is for Python <3.14 only"), ("3.x", "requires-python is no version")],
)
def test_a_project_for_other_pythons(setting: Setting, python: str, says: str) -> None:
    setting.write(
        "pyproject.toml",
        f'[project]\nname = "p"\nversion = "1"\nrequires-python = "{python}"\n',
    )
    with pytest.raises(UsageError, match=says):
        setting.resolve()


def test_a_beta_counts_as_its_release(setting: Setting) -> None:
    wheel(setting.wheels, "app", "1")
    text = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.15"\n'
    setting.write("pyproject.toml", text + 'dependencies = ["app"]\n')
    beta = msgspec.structs.replace(
        HERE, version="3.15.0b2", markers=HERE.markers | {"python_full_version": "3.15.0b2"}
    )
    found = resolve(setting.inputs(), beta, setting.uv(), scratch=setting.scratch)
    assert [package.name for package in found] == ["app"]


def test_what_else_is_required(setting: Setting) -> None:
    wheel(setting.wheels, "app", "1", "lib<2")
    wheel(setting.wheels, "lib", "1")
    wheel(setting.wheels, "lib", "2")
    with pytest.raises(Unsatisfiable) as caught:
        setting.resolve("app", also=("lib>=2",))
    assert "versions of app depend on lib<2" in caught.value.reason
    assert "\n  " not in caught.value.reason


def test_a_package_that_does_not_exist(setting: Setting) -> None:
    with pytest.raises(UsageError, match="reqeusts does not exist") as caught:
        setting.resolve("reqeusts", known=lambda: ["requests", "flask"])
    assert caught.value.hint == "Names like reqeusts: requests"


def test_a_line_that_is_no_requirement(setting: Setting) -> None:
    setting.write("requirements.txt", "# größer\napp\n-r base.txt\n")
    setting.write("base.txt", "# für alle\nfoo bar\n")
    with pytest.raises(UsageError, match=r"base\.txt, line 2: no requirement"):
        setting.resolve("requirements.txt")


def test_a_file_that_is_not_there(setting: Setting) -> None:
    setting.write("requirements.txt", "app\n-r gone.txt\n")
    with pytest.raises(UsageError, match=r"requirements\.txt, line 2: .*gone\.txt"):
        setting.resolve("requirements.txt")


def test_what_only_a_build_tells(setting: Setting) -> None:
    broken = "import sys\nsys.exit('the library is missing')\n"
    sdist(setting.wheels, "built", "1.0", setup=broken)
    with pytest.raises(EnvironmentFault, match=r"what built==1\.0 depends on") as failed:
        setting.resolve("built")
    assert any("the library is missing" in line for line in failed.value.tail)


def test_code_of_packages_is_not_run_where_it_must_not_be(setting: Setting, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    sdist(setting.wheels, "built", "1.0", setup=f"open({str(trace)!r}, 'w').close()\n")
    with pytest.raises(UsageError, match=r"only building built==1\.0 could tell") as refused:
        setting.resolve("built", build=False)
    assert "--no-probe" in refused.value.hint
    assert not trace.exists()
    with pytest.raises(EnvironmentFault):
        setting.resolve("built")
    assert trace.exists()


def test_a_build_sees_nothing_of_the_caller(setting: Setting, tmp_path: Path) -> None:
    trace = tmp_path / "seen"
    setting.env = {**setting.env, "LETTER": "not for them"}
    told = f"import os, sys\nopen({str(trace)!r}, 'w').write(repr(dict(os.environ)))\nsys.exit(1)\n"
    sdist(setting.wheels, "built", "1.0", setup=told)
    with pytest.raises(EnvironmentFault):
        setting.resolve("built")
    assert "not for them" not in trace.read_text()
    assert repr(str(tmp_path)) not in trace.read_text(), "the caller's home"


def test_what_a_wheel_for_another_release_tells(setting: Setting) -> None:
    sdist(setting.wheels, "old", "1.0", setup="raise SystemExit\n")
    wheel(setting.wheels, "old", "1.0", "leaf", tag="cp27-cp27m-manylinux1_x86_64")
    wheel(setting.wheels, "leaf", "1.0")
    found = setting.resolve("old", build=False)
    assert found["old"].sdist is not None
    assert found["leaf"].via == ("old",)


class _Index(http.server.BaseHTTPRequestHandler):
    """An index with one wheel, and for other paths the status that they begin with."""

    wheel = b""

    def do_GET(self) -> None:
        first = self.path.split("/")[1]
        page = f'<a href="/{OLD}">{OLD}</a>'.encode()
        body = {"simple": page, OLD: self.wheel}.get(first, b"")
        self.send_response(200 if body else int(first))
        self.send_header("Content-Type", "text/html" if body == page else "application/zip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the base class's word

    def log_message(self, *args: object) -> None:
        """Not in the tests' output."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    made = wheel(tmp_path, "native", "2.0", tag=OLD.removeprefix("native-2.0-")[:-4])
    monkeypatch.setattr(_Index, "wheel", made.read_bytes())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Index) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize("code", ["401", "403"])
def test_an_index_that_lets_nobody_in(setting: Setting, server: str, code: str) -> None:
    setting.settings = {
        "index": [{"url": f"http://me:s3cr@t@{server}/{code}/simple", "default": True}]
    }
    with pytest.raises(EnvironmentFault) as caught:
        setting.resolve("app")
    assert f"http://{server}/{code}/simple lets nobody in" in caught.value.message
    assert "netrc" in caught.value.hint
    assert "s3cr" not in caught.value.message + caught.value.hint


def test_an_address_that_lets_nobody_in(setting: Setting, server: str) -> None:
    address = f"http://{server}/401/app-1.0-py3-none-any.whl"
    with pytest.raises(EnvironmentFault, match=f"{address} lets nobody in"):
        setting.resolve(f"app @ {address.replace('://', '://me:s3cret@')}")


def test_an_address_without_anything(setting: Setting, server: str) -> None:
    address = f"http://{server}/404/app-1.0-py3-none-any.whl"
    with pytest.raises(UsageError, match=f"{address} does not exist"):
        setting.resolve(f"app @ {address}")


def test_no_network(setting: Setting) -> None:
    setting.settings = {"index": [{"url": "http://me:s3cret@127.0.0.1:9/simple", "default": True}]}
    with pytest.raises(
        EnvironmentFault, match=r"http://127\.0\.0\.1:9/simple/app/ cannot be reached"
    ):
        setting.resolve("app")


def test_offline(setting: Setting) -> None:
    setting.settings = {"index": [{"url": "http://127.0.0.1:9/simple", "default": True}]}
    inputs = setting.inputs("app")
    with pytest.raises(EnvironmentFault, match="app is not in uv's cache") as caught:
        resolve(inputs, HERE, setting.uv(offline=True), scratch=setting.scratch)
    assert "without --offline" in caught.value.hint


def test_uvs_list_is_read() -> None:
    text = """# a comment
-e ./lib
    # via -r requirements.txt
numpy==2.4.0 ; sys_platform == 'linux' \\
    --hash=sha256:00
    # via
    #   -c pins.txt
    #   pandas
    # from https://me:secret@index.example/simple
"""
    local, numpy = read_requirements(text)
    assert (local.name, local.via) == ("./lib", ("-r requirements.txt",))
    assert (numpy.name, numpy.marker) == ("numpy", 'sys_platform == "linux"')
    assert numpy.via == ("-c pins.txt", "pandas")
    assert numpy.index == "https://index.example/simple"


def test_runs_at_the_same_time_have_settings_of_their_own(setting: Setting) -> None:
    """Questions about advice are asked by threads; one may be limited to the target."""
    wheel(setting.wheels, "app", "1", "lib>=2")
    wheel(setting.wheels, "lib", "1")
    wheel(setting.wheels, "lib", "2")
    uv = setting.uv()
    inputs = [setting.inputs("app", "lib<2 ; sys_platform == 'win32'"), setting.inputs("lib")]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda each: resolve(each, HERE, uv, scratch=setting.scratch), inputs * 4)
    assert [len(packages) for packages in found] == [2, 1] * 4
