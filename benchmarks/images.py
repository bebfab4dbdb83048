"""How big images are, how fast their interpreters, and how long building one again takes.

    python benchmarks/images.py sizes BASE IMAGE … [--reference IMAGE]
    python benchmarks/images.py speed IMAGE PYTHON=HOST_PYTHON … [--rounds 5] [--json FILE]
    python benchmarks/images.py again -- ftbuild image build 3.14 …

`sizes` exports the file systems and counts the bytes of what an image has and its base has not, or
has otherwise: what its layers add up to where no layer hides another. Hard links count once. The
reference is one that somebody else's recipe makes on the same base, such as docker-library's for
one GIL build (github.com/docker-library/python): its size is the unit of the ratios. Bytecode in
it does not count: that recipe removes it.

`speed` runs benchmarks of the pyperformance suite in a container of the image and on the host in
turn, same scripts, same loops, same hash seed. PYTHON is the interpreter's path in the image,
HOST_PYTHON that of a build of the same release, profile and compiler on this host. Ratios of best
and median times, and their geometric means; below 1 the image is faster. The host's interpreter
once more, under another name, shows what chance does.

`again` runs a command three times and prints what each took.

The engine is docker, by DOCKER_HOST; `--docker` names its client. Exit status: 1 if something
could not be measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ratios import Measured, compare, means, ratios
from suite import BENCHMARKS, QUICK, SCRIPTS, Bench, FailedError, fetched

WORK = Path("~/.cache/ftbuild-benchmarks").expanduser()
RUNS = 3  # of a command that is timed

Files = dict[str, tuple[int, str]]


def run(*argv: str | Path) -> str:
    """What a command that must succeed prints."""
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        raise FailedError(f"{argv[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout.strip()


def exported(docker: str, image: str) -> Files:
    """The regular files of an image: size in bytes and hash, each file once."""
    container = run(docker, "create", image, "true")
    try:
        with subprocess.Popen([docker, "export", container], stdout=subprocess.PIPE) as export:
            found = {}
            with tarfile.open(fileobj=export.stdout, mode="r|") as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.isreg() else None
                    if content is not None:
                        hashed = hashlib.file_digest(content, "sha256").hexdigest()
                        found[member.name] = (member.size, hashed)
            return found
    finally:
        run(docker, "rm", container)


def above(image: Files, base: Files) -> tuple[int, int]:
    """Bytes that an image has above its base: all of them, and those of bytecode."""
    new = {name: size for name, (size, hashed) in image.items() if base.get(name) != (size, hashed)}
    return sum(new.values()), sum(size for name, size in new.items() if name.endswith(".pyc"))


def sizes(asked: argparse.Namespace) -> None:
    """Print what images add to their base."""
    base = exported(asked.docker, asked.base)
    images = [*([asked.reference] if asked.reference else []), *asked.images]
    found = {image: above(exported(asked.docker, image), base) for image in images}
    unit = 0
    if asked.reference:
        total, bytecode = found[asked.reference]
        unit = total - bytecode
    print(f"{'above ' + asked.base:<40} {'without bytecode':>18} {'with':>18}")
    for image, (total, bytecode) in found.items():
        cells = [
            f"{size / 1e6:.1f} MB" + (f" {size / unit:6.2f}" if unit else "")
            for size in (total - bytecode, total)
        ]
        print(f"{image:<40} {cells[0]:>18} {cells[1]:>18}")


def wrappers(
    folder: Path, asked: argparse.Namespace, container: str, packages: Path
) -> dict[str, Path]:
    """Commands that stand for interpreters: each on the host, twice, and in the container."""
    found = {}
    for pair in asked.pythons:
        inside, _, host = pair.partition("=")
        name = Path(inside).name
        ours = f"PYTHONPATH={packages} exec {host}"
        theirs = (
            f"exec {asked.docker} exec --env PYTHONPATH={packages} --env PYTHONHASHSEED "
            f"{container} {inside}"
        )
        for title, command in (
            (f"{name}-host", ours),
            (f"{name}-again", ours),
            (f"{name}-image", theirs),
        ):
            path = folder / title
            path.write_text(f'#!/bin/sh\n{command} "$@"\n')
            path.chmod(0o755)
            found[title] = path
    return found


def speed(asked: argparse.Namespace) -> None:
    """Measure interpreters in an image beside those on the host."""
    WORK.mkdir(parents=True, exist_ok=True)
    packages = fetched(WORK)
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        folder = Path(name)
        # pyperf's reports come by files, through a directory that both see.
        tempfile.tempdir = str(folder)
        mounts = [word for place in (WORK, folder) for word in ("--volume", f"{place}:{place}")]
        start = ("run", "--detach", "--rm", "--network", "none", *mounts, asked.image)
        container = run(asked.docker, *start, "sleep", "infinity")
        try:
            names = wrappers(folder, asked, container, packages)
            suite = {title: Measured(command=BENCHMARKS[title]) for title in QUICK}
            bench = Bench(scripts=packages / SCRIPTS, venvs=names, affinity=None)
            measure(bench, suite, list(names), asked.rounds)
        finally:
            run(asked.docker, "rm", "--force", container)
    pairs = [
        (f"{base}-{other}", f"{base}-host")
        for base in (Path(pair.partition("=")[0]).name for pair in asked.pythons)
        for other in ("again", "image")
    ]
    found = [compare(list(suite.values()), *pair) for pair in pairs]
    print(ratios(suite, list(names)))
    print(f"\n{means(found)}\n\nload {os.getloadavg()[0]:.1f}")
    if asked.json:
        document = {"means": [asdict(each) for each in found], "pairs": pairs}
        asked.json.write_text(json.dumps(document, indent=2))


def measure(bench: Bench, suite: Mapping[str, Measured], names: Sequence[str], rounds: int) -> None:
    """Run the suite round by round; whichever interpreter comes first changes."""
    for each in range(rounds):
        for number, (title, measured) in enumerate(suite.items()):
            if each == 0:
                bench.calibrate(names[0], measured)
            first = (each + number) % len(names)
            turn = [*names[first:], *names[:first]]
            measured.add({name: bench.values(name, measured, seed=each) for name in turn})
            print(f"round {each + 1}/{rounds}: {title}", file=sys.stderr, flush=True)


def again(asked: argparse.Namespace) -> None:
    """Time a command."""
    taken = []
    for _ in range(RUNS):
        started = time.monotonic()
        subprocess.run(asked.command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.monotonic() - started)
    listed = ", ".join(f"{seconds:.1f} s" for seconds in taken)
    print(f"{listed}; median {statistics.median(taken):.1f} s; load {os.getloadavg()[0]:.1f}")


def main() -> int:
    """Measure and print."""
    about, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--docker", default="docker")
    tasks = parser.add_subparsers(required=True)
    task = tasks.add_parser("sizes")
    task.add_argument("base")
    task.add_argument("images", nargs="+")
    task.add_argument("--reference")
    task.set_defaults(task=sizes)
    task = tasks.add_parser("speed")
    task.add_argument("image")
    task.add_argument("pythons", nargs="+")
    task.add_argument("--rounds", type=int, default=5)
    task.add_argument("--json", type=Path)
    task.set_defaults(task=speed)
    task = tasks.add_parser("again")
    task.add_argument("command", nargs="+")
    task.set_defaults(task=again)
    asked = parser.parse_args()
    try:
        asked.task(asked)
    except (FailedError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
