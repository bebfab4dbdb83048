from __future__ import annotations

import signal
from pathlib import Path

import pytest

from ftbuild.errors import EnvironmentFault, Interrupted
from ftbuild.images.stored import read
from ftbuild.images.verifying.containers import running
from ftbuild.verifying.probing import PROBES
from tests.unit.images.engines import DOCKER, engine, said

IMAGE = read(DOCKER, reference="app:1")


def _removed(folder: Path) -> bool:
    """Whether the last that the engine was told is to remove the container that it was to run."""
    lines = said(folder)
    (name,) = (word for word in lines[0].split() if word.startswith("--name="))
    return lines[-1] == f"rm --force --volumes {name.removeprefix('--name=')}"


def test_a_container_can_write_nothing_and_is_removed(tmp_path: Path) -> None:
    docker = engine(tmp_path)
    with running(IMAGE, docker, user="65534:65534", folders=[tmp_path]) as container:
        assert container.run("echo", "a b").stdout == "a b\n"
        assert container.run("printenv", "AS_USER", user="1:2").stdout == "1:2\n"
    words = said(tmp_path)[0].split()
    assert {
        "--read-only",
        "--no-healthcheck",
        "--network=none",
        "--user=65534:65534",
        "sha256:ac05",
    } < set(words)
    mounted = [word for word in words if word.startswith("--mount=")]
    assert len(mounted) == 2
    assert f"--mount=type=bind,source={PROBES},target={PROBES},readonly" in mounted
    assert _removed(tmp_path)


def test_it_is_removed_when_the_checks_fail(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), running(IMAGE, engine(tmp_path), user="0:0"):
        raise ZeroDivisionError
    assert _removed(tmp_path)


def test_it_is_removed_when_they_are_stopped(tmp_path: Path) -> None:
    docker = engine(tmp_path)
    with running(IMAGE, docker, user="0:0") as container:
        docker.stop.set()
        with pytest.raises(Interrupted):
            container.run("sleep", "60")
    assert _removed(tmp_path)


def test_a_container_that_is_being_made_is_waited_for(tmp_path: Path) -> None:
    # Docker makes it also when its client is killed meanwhile.
    docker = engine(tmp_path, f"run*) sleep 0.2; touch {tmp_path}/made; exit ;;")
    docker.stop.set()
    with pytest.raises(Interrupted), running(IMAGE, docker, user="0:0"):
        pass
    assert (tmp_path / "made").exists()
    assert _removed(tmp_path)


def test_ctrl_c_does_not_reach_what_makes_a_container(tmp_path: Path) -> None:
    press = "kill -INT $PPID; sleep 1"
    docker = engine(
        tmp_path,
        f"""run*) {press}; {press}; touch {tmp_path}/made; exit ;;
        rm*) {press}; touch {tmp_path}/gone; exit ;;""",
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), running(IMAGE, docker, user="0:0"):
            pass
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "made").exists()
    assert (tmp_path / "gone").exists()
    assert _removed(tmp_path)


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("exec /usr/bin/sleep: exec format error", "linux/amd64"),
        ("docker: Error: sleep: not found.\nSee 'docker run --help'.", "docker run --rm app:1"),
        ("invalid mount config: bind source path does not exist: /x", "on another machine"),
        ("Error: statfs /x: no such file or directory", "on another machine"),
    ],
)
def test_a_container_that_does_not_start(tmp_path: Path, message: str, hint: str) -> None:
    text = message.replace("'", "'\\''")
    docker = engine(tmp_path, f"run*) printf '%s\\n' '{text}' >&2; exit 125 ;;")
    with pytest.raises(EnvironmentFault) as raised, running(IMAGE, docker, user="0:0"):
        pass
    assert hint in raised.value.hint
    assert "See '" not in raised.value.message
    assert _removed(tmp_path)


def test_an_engine_that_does_not_see_this_host(tmp_path: Path) -> None:
    docker = engine(tmp_path, "exec*test*) exit 1 ;;")
    unseen = pytest.raises(EnvironmentFault, match="does not see")
    with unseen as raised, running(IMAGE, docker, user="0:0"):
        pass
    assert "verify on that one" in raised.value.hint
    assert _removed(tmp_path)
