"""`ftbuild image` as a user has it, with a real engine: built, verified, built again, refused.

`pytest tests/real/test_images.py --image-profile optimized` builds the optimised image instead.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the images are Linux's"),
    pytest.mark.skipif(
        os.environ.get("FTBUILD_TEST_IMAGES") == "no",
        reason="FTBUILD_TEST_IMAGES=no leaves them out",
    ),
]

_SCRIPT = Path(__file__).parents[1] / "engine.sh"
_SKIP = 77
_IMAGE = "ftbuild-test:both"


class User:
    """Somebody who builds images, with an engine and a root of their own."""

    def __init__(self, env: dict[str, str], root: Path, profile: str) -> None:
        self.env, self.root = {**env, "FTBUILD_ROOT": str(root)}, root
        self.how = ("--network", "host", "--profile", profile)

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ftbuild", "image", *words]

    def ftbuild(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*words),
            env={**self.env, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    def build(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.ftbuild("build", *self.how, *words, **more)

    def docker(self, *words: str) -> str:
        client = subprocess.run(
            [str(_SCRIPT), "client"], env=self.env, stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()
        return subprocess.run(
            [client, *words], env=self.env, stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[User]:
    folder = tmp_path_factory.mktemp("engine")
    up = subprocess.run(
        [str(_SCRIPT), "up", str(folder)], capture_output=True, text=True, check=False
    )
    try:
        if up.returncode == _SKIP:
            pytest.skip(up.stderr.strip())
        assert up.returncode == 0, up.stderr
        name, _, value = up.stdout.strip().partition("=")
        env = {**os.environ, **({name: value} if value else {})}
        yield User(env, folder / "root", pytestconfig.getoption("image_profile"))
    finally:
        subprocess.run([str(_SCRIPT), "down", str(folder)], check=True)


@pytest.fixture(scope="session")
def image(user: User, pytestconfig: pytest.Config) -> str:
    """The image with both builds of the newest 3.14 that can be had."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    words = ("build", "3.14", *user.how, "--tag", _IMAGE)
    with capture.global_and_fixture_disabled():  # it takes minutes: let its progress be seen
        done = subprocess.run(user.argv(*words), env=user.env, check=False)
    assert done.returncode == 0
    return _IMAGE


def left(user: User) -> tuple[list[Path], str]:
    """What a run must not leave: scratch directories of its own, and containers."""
    return list((user.root / "work").glob("*")), user.docker("ps", "--all", "--quiet")


def test_the_image_passes_every_check_inside_as_root_and_as_nobody(user: User, image: str) -> None:
    done = user.ftbuild("verify", image, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    statuses: dict[str, int] = {}
    for verified in document["images"]:
        for report in verified["reports"]:
            for check in report["checks"]:
                statuses[check["status"]] = statuses.get(check["status"], 0) + 1
    assert statuses["passed"] > 100
    assert "failed" not in statuses
    assert left(user) == ([], "")


def test_python3_is_the_gil_build_and_python314t_the_other(user: User, image: str) -> None:
    code = "import sys; print(sys._is_gil_enabled(), sys.prefix)"
    for python, said in (
        ("python3", "True /opt/python/3.14"),
        ("python3.14", "True /opt/python/3.14"),
        ("python3.14t", "False /opt/python/3.14t"),
    ):
        run = ("run", "--rm", "--network", "none", "--read-only", "--user", "12345:12345")
        assert user.docker(*run, image, python, "-c", code) == said


def test_what_both_builds_have_in_common_is_there_once(user: User, image: str) -> None:
    code = (
        "import os; files = ['/opt/python/3.14/lib/python3.14/os.py', "
        "'/opt/python/3.14t/lib/python3.14t/os.py']; "
        "print(len({os.stat(file).st_ino for file in files}), os.stat(files[0]).st_nlink)"
    )
    assert user.docker("run", "--rm", "--network", "none", image, "python3", "-c", code) == "1 2"


def test_labels_say_what_it_is_and_what_it_is_made_from(user: User, image: str) -> None:
    labels: dict[str, Any] = json.loads(
        user.docker("image", "inspect", image, "--format", "{{json .Config.Labels}}")
    )
    base = json.loads(user.docker("image", "inspect", "debian:trixie-slim"))[0]
    prefix = "org.opencontainers.image"
    assert labels[f"{prefix}.version"].startswith("3.14.")
    assert labels[f"{prefix}.revision"] == f"v{labels[f'{prefix}.version']}"
    assert labels[f"{prefix}.source"].endswith(".tar.xz")
    assert labels[f"{prefix}.base.name"] == "debian:trixie-slim"
    digests = [base["Id"], *(digest.rpartition("@")[2] for digest in base["RepoDigests"])]
    assert labels[f"{prefix}.base.digest"] in digests
    assert labels[f"{prefix}.created"].endswith("Z")


def test_building_again_takes_every_step_from_the_cache(user: User, image: str) -> None:
    before = user.docker("image", "inspect", image, "--format", "{{.Id}}")
    done = user.build("3.14", "--tag", image, "--json")
    assert done.returncode == 0, done.stderr
    (built,) = json.loads(done.stdout)["images"]
    # The base itself is no step that could be cached, on some engines.
    assert built["steps"] - built["cached"] <= 2
    assert built["id"] == before
    assert left(user) == ([], "")


def test_a_name_that_another_image_has_is_not_taken_from_it(user: User, image: str) -> None:
    user.docker("tag", "debian:trixie-slim", "ftbuild-test:other")
    done = user.build("3.14", "--tag", "ftbuild-test:other")
    assert done.returncode == 2
    assert "there already" in done.stderr
    assert "--force" in done.stderr
    assert image


def test_without_an_engine_the_hint_installs_one(user: User, tmp_path: Path) -> None:
    done = user.build("3.14", PATH=str(tmp_path))
    assert done.returncode == 3
    assert "no container engine" in done.stderr
    assert "apt-get install podman" in done.stderr


def test_an_engine_that_is_down(user: User, tmp_path: Path) -> None:
    done = user.build("3.14", "--engine", "docker", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 3
    assert "daemon" in done.stderr
    assert "systemctl start docker" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_no_permission_on_the_socket(user: User, tmp_path: Path) -> None:
    socket = Path(user.env.get("DOCKER_HOST", "").removeprefix("unix://") or "/run/docker.sock")
    client = subprocess.run(
        [str(_SCRIPT), "client"], env=user.env, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    # A client that runs as nobody, who may reach the socket but not open it.
    other = tmp_path / "docker"
    other.write_text(
        f'#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups {client} "$@"\n'
    )
    other.chmod(0o755)
    for folder in socket.parents:
        folder.chmod(folder.stat().st_mode | 0o011)
    done = user.build("3.14", "--engine", str(other), HOME="/")
    assert done.returncode == 3
    assert "no permission" in done.stderr
    assert "usermod -aG docker" in done.stderr


def test_a_base_that_cannot_be_pulled(user: User, tmp_path: Path) -> None:
    (tmp_path / "images.yaml").write_text(
        "bases:\n"
        "  nowhere:\n"
        "    image: registry.invalid/base:1\n"
        "    manager: apt\n"
        '    python: "3.13"\n'
        "    libc: glibc 2.41\n"
        "    compiler: [gcc]\n"
        "    interpreter: [python3]\n"
        "    runtime: []\n"
    )
    done = user.build("3.14", "--recipes", str(tmp_path), "--base", "nowhere")
    assert done.returncode == 3
    assert "the base registry.invalid/base:1 cannot be pulled" in done.stderr
    assert "docs/images.md" in done.stderr


def test_an_architecture_that_cannot_be_run_here(user: User) -> None:
    other = "arm64" if os.uname().machine == "x86_64" else "amd64"
    emulated = list(Path("/proc/sys/fs/binfmt_misc").glob("qemu-*"))
    if emulated:
        pytest.skip(f"{emulated[0].name} emulates here")
    done = user.build("3.14", "--platform", f"linux/{other}")
    assert done.returncode == 3
    assert "cannot be built here" in done.stderr


def test_an_image_that_is_not_there_and_one_that_is_not_ours(user: User) -> None:
    done = user.ftbuild("verify", "ftbuild-test:absent")
    assert done.returncode == 2
    assert "ftbuild-test:absent" in done.stderr
    done = user.ftbuild("verify", "debian:trixie-slim")
    assert done.returncode in {1, 2}
    assert "debian:trixie-slim" in done.stderr
    assert left(user) == ([], "")


def test_ctrl_c_ends_the_build_and_leaves_nothing(user: User, image: str) -> None:
    assert image
    words = ("build", "3.14", *user.how, "--no-cache", "--tag", "ftbuild-test:stopped")
    with subprocess.Popen(
        user.argv(*words),
        env=user.env,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        seen = []
        for line in run.stderr:
            seen.append(line)
            if "builder 2/" in line:
                run.send_signal(signal.SIGINT)
                break
        rest = run.stderr.read()
    assert run.returncode == 130, "".join(seen) + rest
    assert "Traceback" not in rest
    for _ in range(50):
        if left(user) == ([], ""):
            break
        time.sleep(0.2)
    assert left(user) == ([], "")
    assert not user.docker("images", "--quiet", "ftbuild-test:stopped")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_told_as_one(user: User) -> None:
    if shutil.which("dockerd") is None or "DOCKER_HOST" not in user.env:
        pytest.skip("the engine is not ours to start on a small disk")
    # Not pytest's own folder, whose name is too long for dockerd's sockets.
    small = Path(tempfile.mkdtemp(prefix="ftbuild-"))
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=400m", "none", str(small)], check=True)
    try:
        up = subprocess.run(
            [str(_SCRIPT), "up", str(small / "engine"), "0"],
            env={**user.env, "DOCKER_HOST": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        if up.returncode == _SKIP:
            pytest.skip(up.stderr.strip())
        host = up.stdout.strip().partition("=")[2]
        done = user.build("3.14", "--tag", "ftbuild-test:full", DOCKER_HOST=host)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "full" in done.stderr
        assert "docker system prune" in done.stderr
        assert left(user) == ([], "")
    finally:
        subprocess.run([str(_SCRIPT), "down", str(small / "engine")], check=True)
        subprocess.run(["/bin/umount", "--lazy", str(small)], check=True)
        small.rmdir()
