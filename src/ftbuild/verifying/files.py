"""Are the installed files still what was installed?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, expect, skipped
from ftbuild.store import tree
from ftbuild.store.listing import MANIFEST
from ftbuild.verifying.probing import Context, NoAnswer, ask

_NAMED = 20
"""Names that a check lists before it only counts."""

_MEND = "Build it again to replace the prefix; packages installed into it have to follow."


class _There(msgspec.Struct, frozen=True, kw_only=True):
    """What is below a prefix: the answer of `probes/files.py`.

    Attributes:
        text: The list of hashes that the installation recorded.
        sizes: Bytes of every regular file.
        links: Targets of the symbolic links.
        digests: SHA-256 of every regular file, or why it cannot be read.
    """

    text: str
    sizes: dict[str, int]
    links: dict[str, str]
    digests: dict[str, str]


def files(installation: Installation, context: Context) -> tuple[Check, ...]:
    """Every file has the hash and every link the target that the installation recorded.

    Files that were added (packages that users installed) are counted and are no failure.
    """
    prefix = installation.prefix
    if context.inside is not None:
        own = (MANIFEST, tree.HASHES)
        there = ask(installation, context, "files.py", prefix, *own, kind=_There)
        if isinstance(there, NoAnswer):
            return (there.failed("files.list", f"{prefix} can be read"),)
        entries = tree.Entries(files=there.sizes, links=there.links)
        return _judged(installation, there.text, entries, lambda _: there.digests)
    try:
        text = (prefix / tree.HASHES).read_bytes().decode("utf-8", "surrogateescape")
        entries = tree.scan(prefix)
    except OSError as error:
        where = error.filename or prefix
        return (_failed("files.list", f"{where} can be read", str(error.strerror)),)
    return _judged(installation, text, entries, partial(_digests, prefix))


def _judged(
    installation: Installation,
    text: str,
    entries: tree.Entries,
    digests: Callable[[Sequence[str]], Mapping[str, str]],
) -> tuple[Check, ...]:
    """The checks on what is there.

    Args:
        installation: The build.
        text: Its list of hashes, as it is now.
        entries: What is below its prefix.
        digests: Gives the hashes that files have now, of those named at least.
    """
    result = installation.manifest.result
    found = hashlib.sha256(tree.encode(text)).hexdigest()
    intact = expect("files.list", result.files_sha256, found, _MEND)
    if intact.status is Status.FAILED:
        return intact, skipped("files.content", f"{tree.HASHES} itself is damaged")
    listed = tree.parse(text)
    present = sorted(listed.keys() & entries.files.keys())
    now = digests(present)
    changed = {name for name in present if now[name] != listed[name]}
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


def _digests(prefix: Path, names: Sequence[str]) -> dict[str, str]:
    with ThreadPoolExecutor(tree.WORKERS) as pool:
        return dict(zip(names, pool.map(partial(_digest, prefix), names), strict=True))


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
