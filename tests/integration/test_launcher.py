"""`./ftbuild` in checkouts of its own: what it makes, where it may be, what it says is missing."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PARTS = ("ftbuild", "launcher", "recipes", "src", "pyproject.toml")
TOOLS = ("sh", "dirname", "readlink", "id", "uname", "cat", "env", "apt-get", "sudo")
_CAPBSET_DROP, _DAC_OVERRIDE = 24, 1


def _like_anybody() -> None:
    """In a child: root loses what lets it write where nobody may."""
    ctypes.CDLL(None).prctl(_CAPBSET_DROP, _DAC_OVERRIDE, 0, 0, 0)


class Checkout:
    """A copy of this checkout without an environment, and a user with a home of their own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.tools = home / "tools"
        for part in PARTS:
            source, target = TOP / part, folder / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def env(self, **more: str) -> dict[str, str]:
        """The user's environment. uv has what it downloaded before."""
        kept = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "UV_CACHE_DIR", "UV_INDEX_URL")
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "FTBUILD_ROOT": str(self.home / "root"),
            "UV_CACHE_DIR": f"{cache}/uv",
            "UV_LINK_MODE": "copy",
            **{name: os.environ[name] for name in kept if name in os.environ},
            "PYTHON": str(Path(sys.executable).resolve()),
            **more,
        }

    def __call__(
        self, *words: str, env: Mapping[str, str] | None = None, plain: bool = False
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "ftbuild", *words],
            env=dict(env or self.env()),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=_like_anybody if plain else None,
        )

    def only(self, *programs: str) -> str:
        """A PATH with a few programs and what every system has."""
        shutil.rmtree(self.tools, ignore_errors=True)
        self.tools.mkdir()
        for name in (*TOOLS, *programs):
            found = shutil.which(name)
            if found is not None:
                (self.tools / name).symlink_to(found)
        return str(self.tools)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    (tmp_path / "home").mkdir()
    return Checkout(tmp_path / "here", tmp_path / "home")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that has been set up; to be copied, not to be changed."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "home").mkdir()
    found = Checkout(folder / "here", folder / "home")
    done = found("--version")
    if "could not be installed" in done.stderr:
        pytest.skip(f"no package index can be reached: {done.stderr.splitlines()[-1]}")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert "setting up" in done.stderr
    return found


@pytest.fixture
def copied(prepared: Checkout, checkout: Checkout) -> Checkout:
    """A copy of one that has been set up, its environment included."""
    shutil.rmtree(checkout.folder)
    shutil.copytree(prepared.folder, checkout.folder, symlinks=True)
    return checkout


def test_the_second_run_sets_nothing_up(prepared: Checkout) -> None:
    done = prepared("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ftbuild ")


def test_a_copy_runs_its_own_code(copied: Checkout) -> None:
    package = copied.folder / "src/ftbuild/__init__.py"
    package.write_text(package.read_text() + '\n__version__ = "9.9.9"\n')
    program = subprocess.run(
        [copied.folder / ".venv/bin/ftbuild", "--version"],
        env=copied.env(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert program.stdout.strip() == "ftbuild 9.9.9"
    done = copied("--version")
    assert (done.returncode, done.stdout.strip()) == (0, "ftbuild 9.9.9")


def test_a_checkout_that_was_moved_works(copied: Checkout) -> None:
    copied.folder = copied.folder.rename(copied.folder.with_name("there"))
    assert copied("--version").returncode == 0


def test_two_first_runs_at_once_both_work(prepared: Checkout, checkout: Checkout) -> None:
    assert prepared.folder.is_dir()
    command = [str(checkout.folder / "ftbuild"), "--version"]
    runs = [
        subprocess.Popen(command, env=checkout.env(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [run.communicate()[0].startswith("ftbuild ") for run in runs] == [True, True]


def test_what_the_caller_has_for_another_python_has_no_say(
    prepared: Checkout, checkout: Checkout, tmp_path: Path
) -> None:
    assert prepared.folder.is_dir()
    (tmp_path / "typing.py").write_text("raise SystemExit('shadowed')\n")
    more = {
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": "/nowhere",
        "PIP_USER": "1",
        "PIP_TARGET": str(tmp_path / "target"),
        "UV_PYTHON": "3.99",
        "VIRTUAL_ENV": "/nowhere",
    }
    for _ in range(2):
        done = checkout("--version", env=checkout.env(**more))
        assert (done.returncode, done.stdout[:8]) == (0, "ftbuild "), done.stderr
    assert not (tmp_path / "target").exists()


def test_an_environment_of_another_python_is_made_again(copied: Checkout) -> None:
    python = copied.folder / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3.10")
    assert copied("--version").returncode == 0


def test_a_checkout_of_somebody_else_is_run_from_the_users_cache(
    prepared: Checkout, checkout: Checkout
) -> None:
    assert prepared.folder.is_dir()
    checkout.folder.chmod(0o555)
    try:
        done = checkout("--version", plain=True)
        again = checkout("--version", plain=True)
    finally:
        checkout.folder.chmod(0o755)
    assert (done.returncode, again.returncode, again.stderr) == (0, 0, ""), done.stderr
    assert not (checkout.folder / ".venv").exists()
    assert (checkout.home / f".cache/ftbuild/checkouts{checkout.folder}/venv/.ready").exists()


def test_somebody_elses_directory_is_not_cleared(checkout: Checkout) -> None:
    (checkout.folder / ".venv").mkdir()
    (checkout.folder / ".venv/thesis").write_text("mine")
    done = checkout("--version")
    assert (done.returncode, "move it away" in done.stderr) == (3, True)
    assert (checkout.folder / ".venv/thesis").read_text() == "mine"


def test_without_an_index_there_is_one_clear_line(checkout: Checkout) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    env = checkout.env(
        UV_CACHE_DIR=str(checkout.home / "cache"),
        UV_INDEX_URL=nowhere,
        UV_HTTP_RETRIES="0",
        PIP_INDEX_URL=nowhere,
        PIP_RETRIES="0",
        PIP_NO_CACHE_DIR="1",
        PIP_CONFIG_FILE=os.devnull,
    )
    done = checkout("--version", env=env)
    assert (done.returncode, done.stdout) == (3, "")
    first, said = done.stderr.splitlines()
    assert "setting up" in first
    assert said.startswith("error: its packages could not be installed: ")
    assert checkout("--version", env=env).returncode == 3


def test_what_compiles_is_not_set_up_without_a_compiler(checkout: Checkout) -> None:
    env = checkout.env(PATH=checkout.only("uv"))
    done = checkout("build", "3.14", env=env)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: ftbuild needs a C compiler and make. ")
    assert not (checkout.folder / ".venv").exists()
    if shutil.which("apt-get"):
        command = done.stderr.splitlines()[1]
        assert "apt-get update && " in command
        assert "apt-get install -y gcc libc6-dev make pkg-config libssl-dev " in command


def test_what_compiles_nothing_needs_no_compiler(prepared: Checkout) -> None:
    done = prepared("list", env=prepared.env(PATH=prepared.only()))
    assert (done.returncode, "compiler" in done.stderr) == (0, False)


def test_everything_that_is_missing_is_said_at_once(checkout: Checkout) -> None:
    path = checkout.only()
    done = checkout("list", env=checkout.env(PATH=path, PYTHON="python2.7"))
    assert done.returncode == 3
    needs = "error: ftbuild needs Python 3.11 or newer, a C compiler and make. "
    assert done.stderr.startswith(needs)


@pytest.mark.skipif(not shutil.which("apt-get"), reason="tried on a system with apt-get")
@pytest.mark.parametrize("words", [("list",), ("build", "3.14"), ("doctor",)])
def test_advice_does_not_lead_back_to_the_command(
    checkout: Checkout, words: tuple[str, ...]
) -> None:
    """It names the package manager's command, with sudo only where there is one."""
    path = checkout.only()
    (checkout.tools / "sudo").unlink(missing_ok=True)
    done = checkout(*words, env=checkout.env(PATH=path, PYTHON="nowhere"))
    command = done.stderr.splitlines()[1].strip()
    expected = "apt-get update" if not os.geteuid() else "as root: apt-get update"
    assert command.startswith(expected)
    assert "ftbuild" not in command
    assert "sudo" not in command
