"""Targets on a platform that does not depend on where the tests run."""

from __future__ import annotations

import msgspec
from packaging import tags

from ftbuild.auditing.findings import Target


def linux(target: Target, version: str = "3.14.7") -> Target:
    """The target as it is with glibc 2.39 on x86-64, of a release, wherever the tests run."""
    platforms = [
        *(f"manylinux_2_{minor}_x86_64" for minor in range(39, 4, -1)),
        *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
    ]
    short = f"cp{''.join(version.split('.')[:2])}"
    major, minor = (int(part) for part in version.split(".")[:2])
    found = (
        *tags.cpython_tags((major, minor), abis=[f"{short}t"], platforms=platforms),
        *tags.compatible_tags((major, minor), short, platforms=platforms),
    )
    return msgspec.structs.replace(
        target, label=f"{major}.{minor}t", version=version, tags=tuple(map(str, found))
    )
