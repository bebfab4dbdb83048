"""The real uv, against folders of wheels without content and a server on this machine."""

from __future__ import annotations

import base64
import hashlib
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from packaging.markers import Marker, default_environment

from ftbuild.errors import EnvironmentFault, FtbuildError
from ftbuild.model.events import Downloaded, Event
from ftbuild.model.versions import Variant
from ftbuild.wheels.collect import Interpreter, NoWheel, collect
from ftbuild.wheels.complaints import Unsatisfiable
from tests.unit.wheels.tiny import sdist, wheel

TRIXIE = Interpreter(version="3.13", machine="x86_64", libc="glibc 2.41")
FREE = Interpreter(
    version="3.14.7", variant=Variant.FREE_THREADED, machine="aarch64", libc="musl 1.2"
)


class Setting:
    """A folder of wheels that pip is configured with, a cache, and nothing else."""

    def __init__(self, tmp_path: Path) -> None:
        self.links = tmp_path / "links"
        self.cache = tmp_path / "root" / "wheels"
        self.scratch = tmp_path / "scratch"
        for folder in (self.links, self.scratch):
            folder.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "UV_CACHE_DIR": str(tmp_path / "uv"),
            "UV_HTTP_RETRIES": "0",
            "XDG_CONFIG_DIRS": str(tmp_path),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.links),
        }
        self.events: list[Event] = []

    def collect(
        self,
        *requirements: str,
        interpreter: Interpreter = TRIXIE,
        pins: tuple[str, ...] = (),
        offline: bool = False,
    ) -> list[str]:
        paths = collect(
            requirements,
            interpreter,
            pins=pins,
            cache=self.cache,
            scratch=self.scratch,
            env=self.env,
            emit=self.events.append,
            stop=threading.Event(),
            offline=offline,
        )
        assert all(path.parent == self.cache and path.is_file() for path in paths)
        return [path.name.partition("-py3-none-any")[0] for path in paths]


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_what_is_required_of_what_is_required(setting: Setting) -> None:
    wheel(setting.links, "app", "1.0", "part>=1", "wine ; sys_platform == 'win32'")
    wheel(setting.links, "part", "1.0", "old ; python_version < '3.13'")
    wheel(setting.links, "part", "0.9")
    wheel(setting.links, "wine", "1.0")
    assert setting.collect("app") == ["app-1.0", "part-1.0"]
    original = setting.links / "app-1.0-py3-none-any.whl"
    assert (setting.cache / original.name).read_bytes() == original.read_bytes()


def test_many_downloads_are_told_as_one(setting: Setting) -> None:
    wheel(setting.links, "app", "1.0", "part")
    wheel(setting.links, "part", "1.0")
    setting.collect("app")
    (told,) = (event for event in setting.events if isinstance(event, Downloaded))
    assert told.name == "wheels"
    assert told.size == sum(path.stat().st_size for path in setting.links.glob("*.whl"))
    setting.events.clear()
    setting.collect("app")
    assert not setting.events


def test_for_another_platform_and_abi(setting: Setting) -> None:
    tags = (
        *("cp313-cp313-manylinux_2_28_x86_64", "cp313-cp313-manylinux_2_17_x86_64"),
        *("cp314-cp314-musllinux_1_2_aarch64", "cp314-cp314t-musllinux_1_2_aarch64"),
        *("cp312-abi3-musllinux_1_2_aarch64", "cp313-cp313-win_amd64"),
    )
    for tag in tags:
        wheel(setting.links, "native", "1.0", tag=tag)
    assert setting.collect("native") == ["native-1.0-cp313-cp313-manylinux_2_28_x86_64.whl"]
    found = setting.collect("native", interpreter=FREE)
    assert found == ["native-1.0-cp314-cp314t-musllinux_1_2_aarch64.whl"]


def test_a_release_candidate(setting: Setting) -> None:
    wheel(setting.links, "app", "1.0", "part ; python_version >= '3.15'", python=">=3.15")
    wheel(setting.links, "part", "1.0")
    coming = msgspec.structs.replace(FREE, version="3.15.0rc2")
    assert setting.collect("app", interpreter=coming) == ["app-1.0", "part-1.0"]


def test_an_older_version_that_has_one(setting: Setting) -> None:
    for version in ("2.0", "2.1"):
        wheel(setting.links, "native", version, tag="cp314-cp314-musllinux_1_2_aarch64")
    wheel(setting.links, "native", "1.0", tag="cp314-cp314t-musllinux_1_2_aarch64")
    (found,) = setting.collect("native", interpreter=FREE)
    assert found.startswith("native-1.0-")


def test_pins(setting: Setting) -> None:
    for version in ("1.0", "2.0"):
        wheel(setting.links, "part", version)
        wheel(setting.links, "other", version)
    wheel(setting.links, "app", "1.0", "part")
    assert setting.collect("app", pins=("part==1.0", "other==1.0")) == ["app-1.0", "part-1.0"]
    assert setting.collect("app") == ["app-1.0", "part-2.0"]
    with pytest.raises(Unsatisfiable):
        setting.collect("part>=2", pins=("part==1.0",))


def test_nothing_fits(setting: Setting) -> None:
    wheel(setting.links, "native", "1.0", tag="cp314-cp314-musllinux_1_2_aarch64")
    with pytest.raises(NoWheel) as caught:
        setting.collect("native", interpreter=FREE)
    assert caught.value.message == (
        "no wheel of native 1.0 fits CPython 3.14.7t on aarch64 with musl 1.2; "
        "there are cp314-musllinux_1_2_aarch64"
    )
    assert "UV_FIND_LINKS" in caught.value.hint


def test_there_is_only_an_sdist(setting: Setting) -> None:
    sdist(setting.links, "source", "1.0", setup="")
    with pytest.raises(NoWheel, match=r"(?s)CPython 3\.13 on x86_64.*source"):
        setting.collect("source")


def test_the_same_question_again(setting: Setting) -> None:
    path = wheel(setting.links, "app", "1.0")
    setting.collect("app")
    path.unlink()
    wheel(setting.links, "app", "2.0")
    # Neither uv nor the folder is asked.
    assert setting.collect("app", offline=True) == ["app-1.0"]
    assert setting.collect("app") == ["app-1.0"]
    # Other questions are asked, and so is this one if its answer was tampered with.
    assert setting.collect("app>=1") == ["app-2.0"]
    (setting.cache / "app-1.0-py3-none-any.whl").write_bytes(b"something else")
    assert setting.collect("app") == ["app-2.0"]


@pytest.mark.parametrize("content", [b"", b"{}", b'[{"name": 1}]', b"\xff"])
def test_a_damaged_record(content: bytes, setting: Setting) -> None:
    wheel(setting.links, "app", "1.0")
    setting.collect("app")
    (record,) = (setting.cache / "resolved").iterdir()
    record.write_bytes(content)
    assert setting.collect("app") == ["app-1.0"]


def test_offline_and_not_kept(setting: Setting) -> None:
    wheel(setting.links, "app", "1.0")
    with pytest.raises(EnvironmentFault, match="offline") as caught:
        setting.collect("app", offline=True)
    assert "--offline" in caught.value.hint


def test_no_place_to_write(setting: Setting) -> None:
    setting.scratch.rmdir()
    setting.scratch.touch()
    with pytest.raises(EnvironmentFault, match=f"{setting.scratch}/.* cannot be written"):
        setting.collect("pure")


def test_an_index_that_cannot_be_reached(setting: Setting) -> None:
    del setting.env["PIP_NO_INDEX"]
    setting.env["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
    with pytest.raises(EnvironmentFault, match=r"127\.0\.0\.1:9/simple.* cannot be reached"):
        setting.collect("app")


def test_markers_are_all_those_there_are() -> None:
    assert TRIXIE.markers.keys() == default_environment().keys()
    assert TRIXIE.markers["python_full_version"] == "3.13.0"
    assert FREE.markers["python_full_version"] == "3.14.7"
    assert Marker("python_version >= '3.13'").evaluate(dict(TRIXIE.markers))


class Index(http.server.SimpleHTTPRequestHandler):
    """An index that lets in whoever knows the password."""

    login = "Basic " + base64.b64encode(b"me:secret").decode()

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == self.login:
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Path]:
    """A folder that is served; `address` in it is where."""
    folder = tmp_path / "served"
    (folder / "app").mkdir(parents=True)

    def serve(*words: object) -> Index:
        return Index(*words, directory=str(folder))  # type: ignore[arg-type]

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        (folder / "address").write_text(f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder
        server.shutdown()
        thread.join()


def offer(folder: Path, path: Path, sha256: str) -> None:
    shutil.copy(path, folder / "app")
    link = f'<a href="{path.name}#sha256={sha256}">{path.name}</a>'
    (folder / "app" / "index.html").write_text(f"<!DOCTYPE html><html><body>{link}</body></html>")


def test_a_private_index(index: Path, setting: Setting, tmp_path: Path) -> None:
    path = wheel(tmp_path, "app", "1.0")
    offer(index, path, hashlib.sha256(path.read_bytes()).hexdigest())
    del setting.env["PIP_NO_INDEX"]
    address = (index / "address").read_text()
    setting.env["PIP_INDEX_URL"] = f"http://me:secret@{address}"
    assert setting.collect("app") == ["app-1.0"]
    (record,) = (setting.cache / "resolved").iterdir()
    assert address in record.read_text()
    assert "secret" not in record.read_text()
    setting.env["PIP_INDEX_URL"] = f"http://me:wrong@{address}"
    # Who asks is no part of the question, and the answer is here.
    assert setting.collect("app") == ["app-1.0"]
    setting.env["UV_CACHE_DIR"] = str(tmp_path / "fresh")
    with pytest.raises(FtbuildError, match="credentials") as caught:
        setting.collect("app>=1")
    assert "wrong" not in f"{caught.value.message}{caught.value.hint}"


def test_another_content_than_the_index_says(index: Path, setting: Setting, tmp_path: Path) -> None:
    offer(index, wheel(tmp_path, "app", "1.0"), "0" * 64)
    del setting.env["PIP_NO_INDEX"]
    setting.env["PIP_INDEX_URL"] = f"http://me:secret@{(index / 'address').read_text()}"
    with pytest.raises(EnvironmentFault, match="not the pinned one"):
        setting.collect("app")
    assert not list(setting.cache.glob("*.whl"))
