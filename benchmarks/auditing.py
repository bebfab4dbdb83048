"""What well-known packages ship for free-threaded Pythons, from the live index, and how fast.

    python benchmarks/auditing.py --root ROOT [--python 3.14t …] [--json FILE]
    python benchmarks/auditing.py --root ROOT --time [--json FILE]
    python benchmarks/auditing.py --root ROOT --record FILE

The first grades the packages of the audit's known cases and prints each with its version, grade
and level. `--time` resolves and grades a project that gets about 50 packages, first with empty
caches, then again with what that left there, and audits it whole, imports included. `--record`
writes what the index answers, trimmed to what grading needs, for tests/unit/auditing/grading/ to
replay.

ROOT is ftbuild's, with the builds to grade for; 3.15t is graded by its tags alone and needs none.
Exit status: 1 if something could not be resolved.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ftbuild.auditing.findings import File, Grading, Package, Target
from ftbuild.auditing.grading import contents
from ftbuild.auditing.grading.grade import graded
from ftbuild.auditing.grading.nearest import Nearest, nearest_of
from ftbuild.auditing.grading.wheels import NO_ABI, best
from ftbuild.auditing.inputs.words import read_inputs
from ftbuild.auditing.resolving.resolve import resolve
from ftbuild.auditing.target import accepted, target_of
from ftbuild.fetch import ranges, simple
from ftbuild.fetch.access import Access
from ftbuild.model.versions import Variant
from ftbuild.store.layout import layout_of
from ftbuild.store.listing import installations
from ftbuild.wheels.uv import uv_of

CASES: dict[str, tuple[str, ...]] = {
    "current": (
        *("numpy", "pandas", "scipy", "pyyaml", "cryptography", "lxml", "pillow", "msgspec"),
        *("orjson", "psycopg[binary]", "grpcio", "pydantic", "sqlalchemy", "greenlet", "protobuf"),
        *("hypothesis", "requests", "rich", "ruff"),
    ),
    "numpy 1.26": ("numpy==1.26.4",),
}
FIFTY = (
    *("numpy", "pandas", "scipy", "matplotlib", "pillow", "pyyaml", "lxml", "cryptography"),
    *("requests", "httpx", "sqlalchemy", "alembic", "psycopg[binary]", "redis", "rich"),
    *("orjson", "msgspec", "pydantic", "grpcio", "protobuf", "hypothesis", "pytest"),
)
DEFAULT = ("3.13t", "3.14t", "3.15t")
ROUNDS = 3


def targets(root: Path, labels: Sequence[str]) -> dict[str, Target]:
    """The installed builds of these labels, and 3.15t by its tags."""
    found = {}
    for build in installations(layout_of(root)):
        if build.spec.variant is not Variant.GIL:
            target = target_of(build, os.environ)
            found.setdefault(target.label, target)
    if "3.15t" in labels and "3.15t" not in found:
        found["3.15t"] = coming(found["3.14t"])
    return {label: found[label] for label in labels}


def coming(target: Target) -> Target:
    """3.15t, as it will be."""
    version = "3.15.0rc2"
    markers = target.markers | {
        "python_full_version": version,
        "implementation_version": version,
        "python_version": "3.15",
    }
    tags = accepted(version)
    return msgspec.structs.replace(
        target, label="3.15t", name="3.15t", version=version, tags=tags, markers=markers
    )


def resolved(words: Sequence[str], target: Target, cache: Path | None = None) -> list[Package]:
    """The packages that a project with these requirements gets."""
    env = os.environ | ({"UV_CACHE_DIR": str(cache)} if cache else {})
    uv = uv_of(env, Path.cwd(), offline=False, stop=threading.Event())
    inputs = read_inputs(words, extras=(), groups=(), cwd=Path.cwd())
    with tempfile.TemporaryDirectory() as folder:
        return list(resolve(inputs, target, uv, scratch=Path(folder)))


def gradings(
    packages: Sequence[Package], target: Target, access: Access, cache: Path
) -> dict[str, Grading]:
    """What packages ship."""
    shipped = contents.looked(packages, target, access=access, cache=cache, emit=lambda _: None)
    return {each.name: graded(each, target, shipped[each.name]) for each in packages}


def known(found: Mapping[str, Target], access: Access, cache: Path) -> Iterable[dict[str, Any]]:
    """Grade the known cases."""
    for label, target in found.items():
        for case, words in CASES.items():
            packages = resolved(words, target)
            grades = gradings(packages, target, access, cache)
            for each in packages:
                grading = grades[each.name]
                near: Nearest | None = None
                if grading.wheel is None:
                    near = nearest_of(each, target, access=access, cache=cache)
                yield {
                    "target": label,
                    "case": case,
                    "name": each.name,
                    "version": each.version,
                    "grading": msgspec.to_builtins(grading),
                    "nearest": None if near is None else near.version,
                }


def timed(target: Target, access: Access) -> Iterable[dict[str, Any]]:
    """Resolve and grade a project of about 50 packages, cold and warm."""
    with tempfile.TemporaryDirectory() as folder:
        for state in ("cold", *["warm"] * ROUNDS):
            began = time.perf_counter()
            packages = resolved(FIFTY, target, Path(folder, "uv"))
            between = time.perf_counter()
            grades = gradings(packages, target, access, Path(folder, "index"))
            ended = time.perf_counter()
            yield {
                "caches": state,
                "packages": len(packages),
                "resolve": between - began,
                "grade": ended - between,
                "notes": [each.note for each in grades.values() if each.note],
            }


def imported(target: Target, root: Path) -> Iterable[dict[str, Any]]:
    """Audit the same project as a user does, with caches as they are, and importing everything."""
    words = ("--python", f"{target.version}t", "--root", str(root), "--json", "--quiet")
    for _ in range(ROUNDS):
        done = subprocess.run(
            (sys.executable, "-m", "ftbuild", "audit", *FIFTY, *words),
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout:
            raise SystemExit(done.stderr)
        found = json.loads(done.stdout)
        modules = sum(len(each["probed"]) for each in found["findings"])
        yield {
            "packages": len(found["findings"]),
            "modules": modules,
            "seconds": found["seconds"],
            "verdict": found["verdict"],
        }


def recorded(found: Mapping[str, Target], access: Access, cache: Path) -> dict[str, Any]:
    """What the index answers on the known cases, trimmed to what grading needs."""
    packages: dict[str, dict[str, Any]] = {}
    pages: dict[str, dict[str, Any]] = {}
    inside: dict[str, Any] = {}
    for label, target in found.items():
        for case, words in CASES.items():
            listed = resolved(words, target)
            shipped = contents.looked(
                listed, target, access=access, cache=cache, emit=lambda _: None
            )
            for each in listed:
                key = f"{each.name}=={each.version}"
                packages.setdefault(f"{label} {case}", {})[key] = {
                    "wheels": [wheel.name for wheel in each.wheels],
                    "sdist": each.sdist.name if each.sdist else None,
                }
                looked_into = best(each.wheels, target) or best(
                    shipped[each.name].files or (), target
                )
                if looked_into is None:
                    index = each.index or ""
                    offered = simple.page(index, each.name, access=access, cache=cache) or ()
                    pages[each.name] = {
                        offer.name: [offer.requires_python, offer.yanked]
                        for offer in offered
                        if suits(offer.name, each.version)
                    }
                wanted = looked_into.file if looked_into else each.sdist
                if wanted is not None and wanted.name not in inside:
                    named = looked_into is not None and looked_into.tag.abi != NO_ABI
                    if looked_into or shipped[each.name].contents:
                        inside[wanted.name] = members(wanted, access, named=named)
    return {
        "recorded": time.strftime("%Y-%m-%d", time.gmtime()),
        "packages": packages,
        "pages": pages,
        "inside": inside,
    }


def suits(name: str, version: str) -> bool:
    """Whether a file of an index page may matter to a Linux machine, or is of this version."""
    mine = f"-{version}-" in name or f"-{version}." in name
    return mine or ("manylinux" in name and "x86_64" in name) or name.endswith("-any.whl")


def members(wanted: File, access: Access, *, named: bool) -> dict[str, Any]:
    """What is inside a file: the names that may matter, the metadata's classifiers."""
    if wanted.name.endswith(".whl"):
        sought = contents.entry_point
        found = ranges.look(
            wanted.url,
            wanted.size,
            contents.is_metadata,
            sought=(lambda _: None) if named else sought,
            access=access,
        )
    else:
        limit = contents.SDIST
        found = ranges.unroll(wanted.url, wanted.size, contents.tells, limit=limit, access=access)
    return {
        "names": [] if named else [name for name in found.names if not name.endswith(".py")],
        "texts": {name: trimmed(name, text) for name, text in found.texts.items()},
        "found": sorted(found.found),
    }


def trimmed(name: str, text: str) -> str:
    """Of metadata, the lines that matter."""
    if not name.endswith(("METADATA", "PKG-INFO")):
        return text
    kept = [line for line in text.splitlines() if line.startswith("Classifier: Programming")]
    return "\n".join(kept)


def line(case: Mapping[str, Any]) -> str:
    """A grade for people."""
    grading = case["grading"]
    tags = ",".join(grading["abis"])
    words = (
        f"{case['target']:6}{case['name']:22}{case['version']:12}{grading['grade']:15}"
        f"{'-' if grading['level'] is None else grading['level']}  {tags}"
    )
    near = f"  → {case['nearest']}" if case["nearest"] else ""
    return f"{words}{near}  {grading['note']}".rstrip()


def arguments() -> argparse.Namespace:
    """The command line."""
    about, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--python", nargs="+", default=DEFAULT, metavar="SERIESt")
    parser.add_argument("--cache", type=Path, help="kept between runs; default: none")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--record", type=Path, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def main() -> int:
    """Grade, time or record."""
    asked = arguments()
    access = Access(env=os.environ, stop=threading.Event())
    found = targets(asked.root, asked.python)
    with tempfile.TemporaryDirectory() as folder:
        cache = asked.cache or Path(folder)
        if asked.record:
            content = json.dumps(recorded(found, access, cache), separators=(",", ":"))
            asked.record.write_bytes(gzip.compress(content.encode(), mtime=0))
            print(f"{asked.record}: {asked.record.stat().st_size:,} bytes")
            return 0
        rows: list[dict[str, Any]] = []
        if asked.time:
            target = next(iter(found.values()))
            for row in timed(target, access):
                rows.append(row)
                print(
                    f"{row['caches']}: {row['packages']} packages, "
                    f"resolved in {row['resolve']:.2f} s, graded in {row['grade']:.2f} s"
                )
            for row in imported(target, asked.root):
                rows.append(row)
                steps = ", ".join(f"{step} {took:.1f} s" for step, took in row["seconds"].items())
                print(f"{row['packages']} packages, {row['modules']} modules: {steps}")
        else:
            for row in known(found, access, cache):
                rows.append(row)
                print(line(row), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
