"""The one way to run a container engine: docker, podman or buildah, whichever answers first.

Docker builds with BuildKit, since 20.10 its own part; from 23 on the client wants the plugin buildx
for that. Podman and buildah build in the process that was started, and need no daemon.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ftbuild import process
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.events import Emit, Noted

KINDS = ("docker", "podman", "buildah")
"""The engines, in the order they are tried."""

_OLDEST = (20, 10)
"""The oldest Docker that was tried; BuildKit is a part of it."""

_PLUGIN = 23
"""The first Docker client that leaves BuildKit to the plugin buildx."""

_TIMEOUT = 600.0
"""Seconds that a command may take which is not a build."""

_ANSWER = 60.0
"""Seconds an engine has to say that it is there; docker over ssh takes a few."""

_DRIVER = re.compile(r"^Driver:\s+(\S+)", re.MULTILINE)
_NUMBERS = re.compile(r"(\d+)\.(\d+)")
_PODMAN = "podman"


class _Component(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    name: str = ""


class _Side(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    version: str
    components: tuple[_Component, ...] | None = None


class _Versions(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What `docker version --format '{{json .}}'` prints."""

    client: _Side
    server: _Side


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """An engine that answers.

    Attributes:
        kind: `docker`, `podman` or `buildah`.
        binary: The path of its command.
        env: The environment it runs in.
        stop: Ends a command when set.
        buildx: The driver of docker's plugin buildx, `docker` or `docker-container`; empty where
            the plugin is not there.
    """

    kind: str
    binary: str
    env: Mapping[str, str]
    stop: threading.Event
    buildx: str = ""

    def run(
        self, *words: str | Path, stdin: str = "", timeout: float = _TIMEOUT
    ) -> process.Completed:
        """Run one command of the engine; failing is not an error.

        Raises:
            EnvironmentFault: It cannot be started.
            Interrupted: `stop` was set.
        """
        return process.capture(
            (self.binary, *words), env=self.env, timeout=timeout, stdin=stdin, stop=self.stop
        )


def engine_of(
    env: Mapping[str, str], stop: threading.Event, emit: Emit, *, want: str = ""
) -> Engine:
    """The engine to use.

    Args:
        env: The caller's environment: PATH, DOCKER_HOST.
        stop: Ends what the engine does when set.
        emit: Is told of those that were passed over.
        want: `docker`, `podman`, `buildah` or the path of one; empty for the first that answers.

    Raises:
        UsageError: What is wanted is none of these.
        EnvironmentFault: None is there, or none answers; every one's reason is given.
    """
    name = Path(want).name
    if want and name not in KINDS:
        raise UsageError(
            f"there is no engine {want!r}", hint=f"Those that ftbuild knows: {', '.join(KINDS)}."
        )
    passed = {**env, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}
    faults: list[EnvironmentFault] = []
    for kind in [name] if want else KINDS:
        # It also runs from other directories than the current one.
        for binary in [os.path.abspath(want)] if os.sep in want else _on_path(kind, env):  # noqa: PTH100 - links stay
            engine = Engine(kind=kind, binary=binary, env=passed, stop=stop)
            try:
                found = _answering(engine)
            except EnvironmentFault as fault:
                faults.append(fault)
                continue
            for passed_over in faults:
                emit(Noted(text=f"{passed_over.message}; {found.binary} is used instead"))
            return found
    if not faults:
        raise EnvironmentFault(
            f"there is no container engine: neither {' nor '.join([name] if want else KINDS)} is "
            "on the PATH",
            hint="Install one: `apt-get install podman` needs no daemon, `apt-get install "
            "docker.io` is Docker.",
        )
    raise EnvironmentFault("\n".join(fault.message for fault in faults), hint=faults[0].hint)


def _on_path(name: str, env: Mapping[str, str]) -> Iterator[str]:
    """Every command of that name, in the order of the PATH; each file once."""
    seen = set()
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which(name, path=folder)
        if found is not None and os.path.realpath(found) not in seen:
            seen.add(os.path.realpath(found))
            yield os.path.abspath(found)  # noqa: PTH100 - links stay


def _answering(engine: Engine) -> Engine:
    """An engine that is asked whether it is there and can build.

    Raises:
        EnvironmentFault: It does not answer, or cannot build.
    """
    done = _asked(engine, "--version")
    if engine.kind != "docker":
        if not done.ok:
            raise EnvironmentFault(f"{engine.binary} does not run: {last_words(done)}")
        return engine
    if done.stdout.lower().startswith(_PODMAN):
        # Distributions' package podman-docker calls podman by this name.
        return msgspec.structs.replace(engine, kind=_PODMAN)
    done = _asked(engine, "version", "--format", "{{json .}}")
    if not done.ok:
        raise _silent(engine, last_words(done))
    try:
        versions = msgspec.json.decode(done.stdout, type=_Versions)
    except msgspec.DecodeError as error:
        raise EnvironmentFault(
            f"{engine.binary} does not answer as Docker does: {error}",
            hint="Name another one with --engine.",
        ) from error
    if any(_PODMAN in part.name.lower() for part in versions.server.components or ()):
        raise EnvironmentFault(
            f"{engine.binary} talks to Podman, which cannot build for it",
            hint="Take podman's own command: --engine podman.",
        )
    server, client = _version(versions.server.version), _version(versions.client.version)
    if server < _OLDEST:
        raise EnvironmentFault(
            f"{engine.binary} talks to Docker {versions.server.version}, which is too old",
            hint=f"Docker {_OLDEST[0]}.{_OLDEST[1]} is the first that can build these images.",
        )
    driver = _DRIVER.search(_asked(engine, "buildx", "inspect").stdout)
    if client[0] >= _PLUGIN and driver is None:
        raise EnvironmentFault(
            f"{engine.binary} cannot build: it is Docker {versions.client.version} without the "
            "plugin buildx",
            hint="Install it: `apt-get install docker-buildx-plugin` with Docker's own packages, "
            "`apt-get install docker-buildx` with Debian's.",
        )
    return msgspec.structs.replace(engine, buildx=driver[1] if driver else "")


def _asked(engine: Engine, *words: str) -> process.Completed:
    """What an engine says of itself.

    Raises:
        EnvironmentFault: It takes too long, which tells nothing of what it lacks.
    """
    done = engine.run(*words, timeout=_ANSWER)
    if done.timed_out:
        raise EnvironmentFault(
            f"{engine.binary} {words[0]} {done.ending}",
            hint="Run the same command again when less is going on, or name another one: --engine.",
        )
    return done


def _silent(engine: Engine, said: str) -> EnvironmentFault:
    """Why docker's daemon does not answer, and what to do."""
    if "permission denied" in said.lower():
        return EnvironmentFault(
            f"{engine.binary}: no permission on Docker's socket: {said}",
            hint="Join its group, `sudo usermod -aG docker $USER`, and log in again (members of it "
            "are as good as root); or take podman, which needs neither.",
        )
    return EnvironmentFault(
        f"{engine.binary}: {said}",
        hint="Start it, `sudo systemctl start docker`, or say where it is with DOCKER_HOST.",
    )


def _version(text: str) -> tuple[int, int]:
    """Major and minor number of `20.10.24+dfsg1`; `dev` is newer than any."""
    found = _NUMBERS.match(text)
    return (int(found[1]), int(found[2])) if found else (sys.maxsize, 0)


def last_words(done: process.Completed) -> str:
    """The last line that a command said, for a message; how it ended where it said nothing."""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1].strip() if lines else done.ending
