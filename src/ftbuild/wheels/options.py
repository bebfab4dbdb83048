"""The indexes that requirement files name themselves: `--index-url` and its like.

uv heeds them while it resolves. Whatever else asks an index has to be told: looking into wheels,
installing them, and the arguments by which pip's configuration is handed on, which would override
the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPTION = re.compile(r"(?P<name>--[a-z-]+(?=[\s=]|$)|-[ifrc])\s*=?\s*(?P<value>.*)")
_LONG = {"-i": "--index-url", "-f": "--find-links", "-r": "--requirement", "-c": "--constraint"}
_SUFFIXES = frozenset({".txt", ".in"})


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What requirement files say of indexes.

    Attributes:
        main: The index instead of the usual one; None if none is named.
        extra: Indexes besides.
        links: Directories and pages with links to files.
        none: Whether no index is to be asked.
        hosts: Hosts that are trusted without a certificate.
    """

    main: str | None = None
    extra: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    none: bool = False
    hosts: tuple[str, ...] = ()


def options_in(files: Iterable[Path], env: Mapping[str, str]) -> Options:
    """What requirement files, and those that they include, say of indexes.

    The last index named instead of the usual one counts, as with pip. What cannot be read says
    nothing: uv complains about it.

    Args:
        files: The files; those of another kind are passed over.
        env: Holds the variables that they refer to as `${NAME}`.
    """
    found: dict[str, list[str]] = {}
    due = [path for path in files if path.suffix in _SUFFIXES][::-1]
    seen: set[Path] = set()
    while due:
        path = due.pop()
        if path in seen:
            continue
        seen.add(path)
        included = []
        for name, value in _stated(path, env):
            if name in {"--requirement", "--constraint"}:
                included.append(path.parent / value)
            elif name == "--find-links" and (place := path.parent / value).exists():
                found.setdefault(name, []).append(str(place))
            else:
                found.setdefault(name, []).append(value)
        due += reversed(included)
    return Options(
        main=found.get("--index-url", [None])[-1],
        extra=_each(found.get("--extra-index-url", ())),
        links=_each(found.get("--find-links", ())),
        none="--no-index" in found,
        hosts=_each(found.get("--trusted-host", ())),
    )


def _each(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _stated(path: Path, env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The options that stand in a file by themselves, by their long names."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        if match := _OPTION.fullmatch(_COMMENT.sub("", line).strip()):
            value = _VARIABLE.sub(lambda m: env.get(m[1]) or m[0], match["value"].strip("\"'"))
            yield _LONG.get(match["name"], match["name"]), value
