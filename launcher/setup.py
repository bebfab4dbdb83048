"""Makes the environment that `./ftbuild` runs in: `setup.py CHECKOUT ENVIRONMENT run|contributors`.

For any Python from 3.11 on, with the standard library alone: nothing else is there yet. uv does it
where there is one, or where pip can bring one; else pip. What the caller has set for another Python
or for pip (`PYTHONPATH`, `PIP_USER`, …) has no say. Ends with one line and status 3 on failure.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

PROGRAM = """\
#!/bin/sh
exec "$(dirname -- "$(readlink -f -- "$0")")/python" -I -m ftbuild "$@"
"""
"""`ftbuild` in the environment. It runs what lies beside it, also in a copy of the checkout."""

OURS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT", "PIP_CONSTRAINT")
"""Options of pip that are about another environment than this one."""


def main(checkout: Path, environment: Path, wanted: str) -> None:
    """Make an environment ready, unless another run has done so meanwhile."""
    lock_file = checkout / "launcher" / f"{wanted}.txt"
    requirements = lock_file.read_text("utf-8")
    with hold(environment.with_name(f"{environment.name}.lock")):
        if is_ready(environment, checkout, lock_file):
            return
        count = len(re.findall(r"^[\w.-]+==", requirements, re.MULTILINE))
        say(f"setting up {environment} (once; {count} packages)")
        create(environment)
        install(environment, lock_file)
        finish(environment, checkout, wanted)


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock of an environment; another first run may be at it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is setting it up")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_ready(environment: Path, checkout: Path, lock_file: Path) -> bool:
    """Whether an environment is ready for this checkout: what `./ftbuild` asks, once more."""
    stamp = environment / ".ready"
    try:
        told = stamp.read_text("utf-8").splitlines()
        fresh = stamp.stat().st_mtime >= lock_file.stat().st_mtime
    except OSError:
        return False
    sets = {lock_file.stem, "contributors"}
    return fresh and told[:1] == [str(checkout)] and sets.issuperset(told[1:])


def create(environment: Path) -> None:
    """Make an environment without pip, in the place of an older one.

    It is tied to the very file of this Python: `python3` may mean another one tomorrow.
    """
    if environment.is_symlink() or (
        environment.is_dir()
        and any(environment.iterdir())
        and not (environment / "pyvenv.cfg").exists()
    ):
        end(f"{environment} is there and no environment of ftbuild's: move it away")
    (environment / ".ready").unlink(missing_ok=True)
    python = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    run([python, "-I", "-m", "venv", "--without-pip", "--clear", str(environment)])


def install(environment: Path, lock_file: Path) -> None:
    """Install what is locked, by the first of uv, a uv that pip brings, and pip that manages to."""
    own = environment / "bin" / "uv"
    arguments = ["--require-hashes", "-r", str(lock_file)]
    by_uv = ["pip", "install", "--quiet", "--no-config", "--python", str(environment), *arguments]
    tried = []
    uv = shutil.which("uv")
    if uv is not None:
        said = attempt([uv, *by_uv])
        if said is None:
            return
        tried.append(said)
    pip = find_pip(environment)
    if pip is None:
        end("its packages could not be installed: " + (tried[0] if tried else "there is no pip"))
    by_pip = [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    if uv is None:
        alone = environment / "uv.txt"
        alone.write_text(locked("uv", lock_file.read_text("utf-8")), "utf-8")
        said = attempt([*by_pip, "--require-hashes", "--no-deps", "-r", str(alone)])
        if said is None:
            said = attempt([str(own), *by_uv])
            if said is None:
                return
    said = attempt([*by_pip, *arguments])
    if said is not None:
        end(
            f"its packages could not be installed: {said}. They come from the index that pip is "
            "configured with: can it be reached?"
        )


def find_pip(environment: Path) -> list[str] | None:
    """The command of a pip that installs into an environment: from the wheel that Python brings."""
    import ensurepip  # noqa: PLC0415 - not there in every Python; uv can do without

    folders = (
        sysconfig.get_config_var("WHEEL_PKG_DIR"),
        Path(ensurepip.__file__).parent / "_bundled",
    )
    for folder in folders:
        for wheel in sorted(Path(folder).glob("pip-*.whl")) if folder else ():
            return [str(environment / "bin" / "python"), "-I", f"{wheel}/pip"]
    return None


def locked(name: str, requirements: str) -> str:
    """The lines of one package in a lock file."""
    match = re.search(rf"^{name}==.*(?:\n    .*)*", requirements, re.MULTILINE)
    return "" if match is None else match[0] + "\n"


def finish(environment: Path, checkout: Path, wanted: str) -> None:
    """Show the environment the checkout's code, and mark it as ready."""
    paths = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    source = checkout / "src"
    # Relative where it can be: a copy of the checkout must never run the other one's code.
    inside = environment.is_relative_to(checkout)
    place = os.path.relpath(source, packages) if inside else str(source)
    (packages / "ftbuild.pth").write_text(f"{place}\n", "utf-8")
    program = environment / "bin" / "ftbuild"
    program.write_text(PROGRAM, "utf-8")
    program.chmod(0o755)
    (environment / ".ready").write_text(f"{checkout}\n{wanted}\n", "utf-8")


def attempt(command: list[str]) -> str | None:
    """Run a command; None where it went well, else the last thing it said."""
    said = subprocess.run(
        command, env=clean(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    if said.returncode == 0:
        return None
    lines = said.stderr.decode(errors="replace").strip().splitlines()
    return next(
        (line.strip() for line in reversed(lines) if "error" in line.lower()),
        lines[-1].strip() if lines else f"{command[0]} ended with status {said.returncode}",
    )


def run(command: list[str]) -> None:
    """Run a command that must go well."""
    said = attempt(command)
    if said is not None:
        end(said)


def clean() -> dict[str, str]:
    """The caller's environment without what is meant for another Python or another target."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name not in {*OURS, "VIRTUAL_ENV", "UV_PYTHON"}
    }
    # Also against a configuration file.
    return kept | {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_REQUIRE_VIRTUALENV": "0"}


def say(text: str) -> None:
    """Tell what goes on."""
    print(f"ftbuild: {text}", file=sys.stderr, flush=True)


def end(text: str) -> NoReturn:
    """Say why there is no environment, and end."""
    print(f"error: {text}", file=sys.stderr)
    raise SystemExit(3)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as error:
        end(f"{error.filename or 'the environment'}: {error.strerror}")
