"""Engines that are scripts: their containers are this host, or they answer as the real ones do."""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from ftbuild.images.engine import Engine

DOCKER = """[{"Id": "sha256:ac05", "Os": "linux", "Architecture": "amd64", "Config": {
  "Env": ["PATH=/opt/python/3.14/bin:/usr/bin", "FLAGS=a=b", "EMPTY="],
  "Labels": {"org.opencontainers.image.base.name": "debian:trixie-slim"}},
  "RootFS": {"Type": "layers", "Layers": ["sha256:790d", "sha256:8c74"]}, "Size": 1}]"""
"""What `docker image inspect` prints, shortened; podman prints the same with another `Id`."""

# exec [--user USER] [--workdir DIRECTORY] CONTAINER COMMAND…
_EXEC = """exec)
    shift
    while :; do case $1 in
      --user) export AS_USER="$2"; shift 2 ;; --workdir) cd "$2" || exit 1; shift 2 ;; *) break ;;
    esac; done
    shift
    exec "$@" ;;"""


def engine(folder: Path, cases: str = "", *, kind: str = "docker", path: str = "") -> Engine:
    """An engine whose containers are this host.

    Args:
        folder: Where its script is, and `log`, to which it writes each of its command lines.
        cases: What it does for other words than `exec`, as branches of a shell's `case "$*" in`.
        kind: What it passes for.
        path: Directories in front of the PATH of its containers.
    """
    binary = folder / "engine"
    binary.write_text(
        f"""#!/bin/sh
echo "$*" >> {folder}/log
case "$*" in
{cases}
esac
case "$1" in
{_EXEC}
esac
"""
    )
    binary.chmod(0o755)
    places = (path, str(Path(sys.executable).parent), os.defpath)
    env = {"PATH": ":".join(filter(None, places)), "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    return Engine(kind=kind, binary=str(binary), env=env, stop=threading.Event())


def said(folder: Path) -> list[str]:
    """The command lines that the engine was given, in order."""
    return (folder / "log").read_text().splitlines()


def command(folder: Path, name: str, answers: Mapping[str, tuple[int, str, str]]) -> Path:
    """A command that, by the beginning of its arguments, exits and prints as told."""
    folder.mkdir(exist_ok=True)
    lines = ["#!/bin/sh", f'echo "$*" >>{folder}/{name}.asked', 'case "$*" in']
    for words, (status, out, err) in answers.items():
        lines.append(
            f"{shlex.quote(words)}*) printf %s {shlex.quote(out)}; "
            f"printf %s {shlex.quote(err)} >&2; exit {status};;"
        )
    lines += ["*) echo unknown >&2; exit 125;;", "esac", ""]
    path = folder / name
    path.write_text("\n".join(lines))
    path.chmod(0o755)
    return path


def versions(client: str, server: str) -> tuple[int, str, str]:
    """What `docker version --format '{{json .}}'` answers."""
    return 0, json.dumps({"Client": {"Version": client}, "Server": {"Version": server}}), ""


def answering(
    folder: Path, answers: Mapping[str, tuple[int, str, str]], kind: str = "docker"
) -> Engine:
    """An engine whose command answers as told."""
    return Engine(
        kind=kind,
        binary=str(command(folder, kind, answers)),
        env={"PATH": "/usr/bin:/bin"},
        stop=threading.Event(),
    )
