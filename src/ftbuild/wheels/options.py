"""The indexes that requirement files name themselves: `--index-url` and its like.

uv heeds them while it resolves. Whatever else asks an index has to be told: looking into wheels,
installing them, and the settings by which pip's configuration is handed on, which would override
the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from ftbuild import files as bounded
from ftbuild.errors import UsageError

_MOST = 500
"""Files that requirement files may include, each once; a judgement. Real ones include a few."""

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
        variables: What they refer to as `${NAME}`, is set, and is not for them.
    """

    main: str | None = None
    extra: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    none: bool = False
    hosts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def options_in(
    paths: Iterable[Path], env: Mapping[str, str], given: Collection[str] = ()
) -> Options:
    """What requirement files, and those that they include, say of indexes.

    The last index named instead of the usual one counts, as with pip. What is not there says
    nothing: uv complains about it.

    Args:
        paths: The files; those of another kind are looked at for variables only.
        env: The caller's environment.
        given: The variables whose values are for them.

    Raises:
        UsageError: A file is not one that uv could be let read, or there are too many.
    """
    found: dict[str, list[str]] = {}
    due = list(paths)[::-1]
    seen: set[str] = set()
    while due:
        path = due.pop()
        place = os.path.realpath(str(path).replace("\0", ""))
        if place in seen:
            continue
        seen.add(place)
        if len(seen) > _MOST:
            raise UsageError(f"the requirement files include more than {_MOST} others")
        text = _text(path)
        found.setdefault("variables", []).extend(variables_in(text, env, given))
        included = []
        for name, value in _stated(text if path.suffix in _SUFFIXES else "", env, given):
            if name in {"--requirement", "--constraint"}:
                own = unquote(urlsplit(value).path) if value.startswith("file:/") else value
                included.append(path.parent / own)
            elif name == "--find-links" and not is_address(value):
                found.setdefault(name, []).append(str(path.parent / value))
            else:
                found.setdefault(name, []).append(value)
        due += reversed(included)
    return Options(
        main=found.get("--index-url", [None])[-1],
        extra=_each(found.get("--extra-index-url", ())),
        links=_each(found.get("--find-links", ())),
        none="--no-index" in found,
        hosts=_each(found.get("--trusted-host", ())),
        variables=_each(found.get("variables", ())),
    )


def variables_in(text: str, env: Mapping[str, str], given: Collection[str] = ()) -> Iterator[str]:
    """The variables that a text refers to, that are set, and that are not for it."""
    names = (match[1] for match in _VARIABLE.finditer(text))
    return (name for name in names if env.get(name) and name not in given)


def is_address(word: str) -> bool:
    """Whether a word is an address, not a path; one that cannot be parsed is neither.

    >>> is_address("https://index.example/simple"), is_address("../wheels"), is_address("http://[")
    (True, False, False)
    """
    try:
        parts = urlsplit(word)
        _ = parts.port
    except ValueError:
        return False
    return len(parts.scheme) > 1 and bool(parts.netloc or parts.scheme == "file")


def _each(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _text(path: Path) -> str:
    """A file's text, if uv may read it, too: no pipe, which has nothing left then."""
    try:
        if path.is_fifo():
            raise UsageError(f"{path} cannot be read: it is a pipe")
        return bounded.read_file(path).decode("utf-8-sig", errors="replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, ValueError):
        return ""
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _stated(text: str, env: Mapping[str, str], given: Collection[str]) -> Iterator[tuple[str, str]]:
    """The options that stand in a text by themselves, by their long names."""
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        if match := _OPTION.fullmatch(_COMMENT.sub("", line).strip()):
            value = _VARIABLE.sub(
                lambda m: (env.get(m[1]) if m[1] in given else "") or m[0],
                match["value"].strip("\"'"),
            )
            yield _LONG.get(match["name"], match["name"]), value
