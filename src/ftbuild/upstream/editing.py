"""Adds releases to a recipe file as lines, and leaves every other line as it is.

To load the file and write it anew would lose its comments and its layout, and make a diff that
nobody can review.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import yaml
from packaging.version import Version

from ftbuild.errors import UsageError
from ftbuild.model.recipes import Release

_INDENT = 2


def inserted(text: str, releases: Mapping[str, Release], *, name: str) -> str:
    """The text of a `cpython.yaml` with further releases, each behind the next older one.

    Args:
        text: The file as it is; it may be empty or lack the section.
        releases: What to add; what is there by now, another run has added.
        name: The file's name, for messages.

    Raises:
        UsageError: The section is written in a way that no line can be added to.
    """
    section = _section(text, name)
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += end
    if section is None:
        lines.append(f"releases:{end}")
        places, indent, first = {}, _INDENT, len(lines)
    else:
        key, entries = section
        places = {Version(_name(entry)): _last(value) + 1 for entry, value in entries}
        indent = entries[0][0].start_mark.column if entries else _INDENT
        first = entries[0][0].start_mark.line if entries else key.start_mark.line + 1
    # From the newest on: what is put in further up moves what stands below.
    new = [version for version in releases if Version(version) not in places]
    for version in sorted(new, key=Version, reverse=True):
        older = [known for known in places if known < Version(version)]
        place = places[max(older)] if older else first
        lines.insert(place, f"{' ' * indent}{_line(version, releases[version])}{end}")
    after = "".join(lines)
    if not _has(after, releases):  # nothing may stand behind the end of a document, for one
        raise _unfit(name)
    return after


def difference(before: str, after: str, name: str) -> str:
    """What changed between two texts of a file, as a unified diff."""
    names = f"a/{name}", f"b/{name}"
    return "".join(
        difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), *names
        )
    )


def _has(text: str, releases: Iterable[str]) -> bool:
    try:
        section = _section(text, "")
    except UsageError:
        return False
    return section is not None and {_name(key) for key, _ in section[1]}.issuperset(releases)


def _line(version: str, release: Release) -> str:
    size = "null" if release.size is None else release.size
    seen = ", ".join(release.seen)
    return f'"{version}": {{sha256: {release.sha256}, size: {size}, seen: [{seen}]}}'


_Entries = list[tuple[yaml.ScalarNode, yaml.Node]]


def _section(text: str, name: str) -> tuple[yaml.Node, _Entries] | None:
    """The key `releases` and its entries, or None where there is no such section."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UsageError(f"{name}: {error}") from None
    if root is None:
        return None
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _unfit(name)
    for key, value in root.value:
        if key.value == "releases":
            if isinstance(value, yaml.ScalarNode) and not value.value:
                return key, []
            if not isinstance(value, yaml.MappingNode) or value.flow_style:
                raise _unfit(name)
            if any(
                after.start_mark.line <= _last(entry)
                for (_, entry), (after, _) in pairwise(value.value)
            ):
                raise _unfit(name)
            return key, value.value
    return None


def _name(key: yaml.ScalarNode) -> str:
    name: str = key.value
    return name


def _last(node: yaml.Node) -> int:
    """The line a node ends in. A block's own mark is behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return max(map(_last, _leaves(node)), default=node.start_mark.line)
    end = node.end_mark
    return end.line if end.column else end.line - 1


def _leaves(node: yaml.CollectionNode) -> Iterator[yaml.Node]:
    for child in node.value:
        yield from child if isinstance(child, tuple) else (child,)


def _unfit(name: str) -> UsageError:
    return UsageError(
        f"{name}: no line can be added to the section `releases`",
        hint='Write it as a block, a line for each release: `  "3.14.7": {sha256: …, size: …, '
        "seen: […]}`.",
    )
