"""Are the installed files still what was installed?"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, expect, skipped
from ftbuild.store import tree
from ftbuild.verify.probing import Context

_NAMED = 20
"""Names that a check lists before it only counts."""

_MEND = "Build it again to replace the prefix; packages installed into it have to follow."


def files(installation: Installation, _context: Context) -> tuple[Check, ...]:
    """Every file has the hash and every link the target that the installation recorded.

    Files that were added (packages that users installed) are counted and are no failure.
    """
    result, prefix = installation.manifest.result, installation.prefix
    try:
        raw = (prefix / tree.HASHES).read_bytes()
        found = hashlib.sha256(raw).hexdigest()
        intact = expect("files.list", result.files_sha256, found, _MEND)
        if intact.status is Status.FAILED:
            return intact, skipped("files.content", f"{tree.HASHES} itself is damaged")
        entries = tree.scan(prefix)
    except OSError as error:
        where = error.filename or prefix
        return (_failed("files.list", f"{where} can be read", str(error.strerror)),)
    listed = tree.parse(raw.decode("utf-8", "surrogateescape"))
    present = sorted(listed.keys() & entries.files.keys())
    with ThreadPoolExecutor(tree.WORKERS) as pool:
        digests = dict(zip(present, pool.map(partial(_digest, prefix), present), strict=True))
    changed = {name for name in present if digests[name] != listed[name]}
    emptied = {name for name in changed if entries.files[name] == 0}
    return (
        intact,
        _none("files.missing", listed.keys() - entries.files.keys()),
        _none("files.emptied", emptied),
        _none("files.changed", changed - emptied),
        _none(
            "files.links-changed", {k for k, v in result.links.items() if entries.links.get(k) != v}
        ),
        _added(entries.files.keys() - listed.keys()),
    )


def _digest(prefix: Path, name: str) -> str:
    try:
        return tree.digest(prefix / name)
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _none(name: str, files: Collection[str]) -> Check:
    return expect(name, "none", _names(files), _MEND)


def _added(files: Collection[str]) -> Check:
    count = sum("__pycache__" not in name.split("/") for name in files)
    return Check(name="files.added", status=Status.PASSED, found=f"{count} files")


def _names(files: Collection[str]) -> str:
    """The first of some names and how many there are: `3: bin/a, lib/b, lib/c`."""
    if not files:
        return "none"
    shown = sorted(files)[:_NAMED]
    rest = f", and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return f"{len(files)}: {', '.join(shown)}{rest}"


def _failed(name: str, expected: str, found: str) -> Check:
    return Check(name=name, status=Status.FAILED, expected=expected, found=found, reason=_MEND)
