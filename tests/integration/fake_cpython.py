"""Tarballs of a CPython that builds in half a second, and the catalogue that pins them.

Its source is in `source/`: three C files that a real compiler compiles, the targets of CPython's
Makefile, and an interpreter that answers ftbuild's checks as the real one would. At the beginning
of every stage it runs what the test has put into the folder of hooks.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path

from ftbuild.model.versions import series_of

SOURCE = Path(__file__).with_name("source")


def write_tarball(path: Path, version: str, *, hooks: Path, padding: int = 0) -> str:
    """Write the source tarball of a release and return its SHA-256.

    Args:
        path: Where to.
        version: The release.
        hooks: The folder with a shell script for each stage that is to do something special.
        padding: Bytes of a file that nobody needs, so that unpacking takes a while.
    """
    texts = {
        str(file.relative_to(SOURCE)): file.read_text().replace("@hooks@", str(hooks))
        for file in sorted(SOURCE.rglob("*"))
        if file.is_file()
    }
    contents = {name: text.encode() for name, text in texts.items()}
    contents |= {"VERSION": version.encode(), "padding": bytes(padding)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"Python-{version}/{name}")
            member.size = len(content)
            member.mode = 0o755 if name == "configure" else 0o644
            archive.addfile(member, io.BytesIO(content))
    packed = lzma.compress(buffer.getvalue(), preset=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed)
    return hashlib.sha256(packed).hexdigest()


def write_recipes(folder: Path, pins: Mapping[str, str], *, upstream: Path, disk: int) -> None:
    """Write a recipe folder. JSON is YAML, too.

    Args:
        folder: Where to.
        pins: The SHA-256 of each release.
        upstream: The directory that stands in for python.org.
        disk: Bytes that a build is said to take.
    """
    series = {series_of(version) for version in pins}
    files = {
        "cpython.yaml": {
            "series": {
                name: {"status": "bugfix", "free_threading": "supported"} for name in series
            },
            "releases": {
                version: {"sha256": sha256, "size": None, "seen": ["this test"]}
                for version, sha256 in pins.items()
            },
        },
        "profiles.yaml": {
            "default": "fast",
            "profiles": {
                "optimized": {
                    "summary": "PGO and LTO, as of a real build",
                    "configure": ["--enable-optimizations", "--with-lto"],
                    "pgo": True,
                    "lto": True,
                    "disk": disk,
                },
                "fast": {"summary": "neither", "configure": [], "disk": disk},
            },
        },
        "origins.yaml": {
            "origins": {
                "upstream": f"{upstream.as_uri()}/Python-{{version}}.tar.xz",
                "apt_pool": "python{series}_{debian}.orig.tar.xz",
            }
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
