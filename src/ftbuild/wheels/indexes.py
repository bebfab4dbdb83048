"""Which package indexes the user has configured, for uv; and addresses without their credentials.

uv does not read pip's configuration. A company's mirror is often named there and nowhere else, and
whoever silently asked the public index instead would get other packages than the user does, and
tell a stranger the names of private ones.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ftbuild.errors import UsageError
from ftbuild.wheels.options import Options
from ftbuild.wheels.uv import Uv, uv_of

_UV_NAMES = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"),
    *("UV_FIND_LINKS", "UV_NO_INDEX"),
)
_UV_KEYS = ("index-url", "extra-index-url", "find-links", "no-index")
_TRUE = ("y", "yes", "t", "true", "on", "1")
"""What pip takes for yes: distutils' strtobool."""

_DEFAULT = re.compile(r"--default-index .*?by\s+default:\s+<(\S+?)>", re.DOTALL)

_NAMED = re.compile(r"^[A-Za-z0-9_.-]+=(?=[A-Za-z]+:)")

_CREDENTIALS = re.compile(r"(?<=://)[^\s/?#'\"`<>]*@")
"""What stands between `://` and the host: everything up to the last @ of the authority, because a
password may hold one."""


class Indexes(msgspec.Struct, frozen=True, kw_only=True):
    """What uv is told about indexes, where it has not been told itself.

    Attributes:
        variables: For uv's environment. Addresses are here and not among the arguments because
            they may hold credentials, and arguments are there for every user of a machine to see.
        arguments: What uv has no variable for.
    """

    variables: Mapping[str, str] = {}
    arguments: tuple[str, ...] = ()


def default_index(uv: Uv) -> str | None:
    """The address of the index that uv asks if nobody names one; None if it does not tell.

    Raises:
        EnvironmentFault: uv cannot be started.
    """
    found = _DEFAULT.search(uv.run("pip", "compile", "--help").stdout)
    return found[1] if found else None


def indexes(
    env: Mapping[str, str],
    *,
    home: Path,
    project: Path,
    default: Callable[[], str | None],
    stated: Options = Options(),  # noqa: B008 - it is frozen
    platform: str = sys.platform,
) -> Indexes:
    """What pip's configuration says, as far as uv's own says nothing on indexes.

    What requirement files say goes first, but for what the environment tells uv: an index that they
    name replaces all others.

    pip takes the best version from all its indexes; uv takes the first index that has the name.
    So whoever has more than one from pip gets pip's way (`unsafe-best-match`): the version that
    the project gets today is the one to audit. And pip knows all files of that version, whichever
    index has them, while uv takes those of the first index that has any; so the main index comes
    first, as a mirror beside it may hold no more than what some other Python needed.

    pip's certificates and trusted hosts are handed on in any case.

    Args:
        env: The caller's environment.
        home: The home directory.
        project: Where uv looks for its configuration.
        default: Tells the index that uv asks if nobody names one; asked only where it matters.
        stated: What requirement files say.
        platform: `sys.platform` of this host; `darwin` keeps files elsewhere.

    Raises:
        UsageError: A configuration file of pip's cannot be read.
    """
    said = _pip(env, home, platform)
    variables = {}
    # uv_of takes these three, the first that is set.
    trusted = any(env.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"))
    if "cert" in said and not trusted:
        variables["SSL_CERT_FILE"] = said["cert"]
    hosts = (*said.get("trusted-host", "").split(), *stated.hosts)
    if hosts and "UV_INSECURE_HOST" not in env:
        variables["UV_INSECURE_HOST"] = " ".join(hosts)
    of_uv = _uv_knows(env, home, project)
    configured = {} if of_uv else said
    main, extra = configured.get("index-url"), configured.get("extra-index-url", "").split()
    if stated.main and not (env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL")):
        main, extra = stated.main, []
    extra = [*extra, *stated.extra]
    links = [*_expanded(configured.get("find-links", ""), home), *stated.links]
    if links:
        own = filter(None, [env.get("UV_FIND_LINKS")])
        variables["UV_FIND_LINKS"] = ",".join((*own, *links))
    if stated.none or configured.get("no-index", "").lower() in _TRUE:
        return Indexes(variables=variables, arguments=("--no-index",))
    if extra and not of_uv:
        variables["UV_INDEX_STRATEGY"] = env.get("UV_INDEX_STRATEGY", "unsafe-best-match")
        main = main or default()
        # Of uv's indexes, the default is asked last.
        *extra, main = filter(None, (main, *extra))
    if main:
        variables["UV_DEFAULT_INDEX"] = main
    if extra:
        variables["UV_INDEX"] = " ".join((*env.get("UV_INDEX", "").split(), *extra))
    return Indexes(variables=variables)


def uv_with_indexes(
    env: Mapping[str, str],
    project: Path,
    *,
    offline: bool,
    stop: threading.Event,
    stated: Options = Options(),  # noqa: B008 - it is frozen
) -> Uv:
    """A uv that asks the user's indexes, wherever they are named.

    Args:
        env: The caller's environment.
        project: Where it runs, and looks for its configuration.
        offline: Whether it may use nothing but its cache.
        stop: Ends it when set.
        stated: What requirement files say.

    Raises:
        UsageError: A configuration file of pip's cannot be read.
        EnvironmentFault: There is no uv.
    """
    home = Path(env.get("HOME") or "/")
    bare = uv_of(env, project, offline=offline, stop=stop)
    own = indexes(
        env, home=home, project=project, default=lambda: default_index(bare), stated=stated
    )
    return uv_of(
        {**env, **own.variables},
        project,
        index=own.arguments,
        named=named_indexes(env, home=home, project=project),
        offline=offline,
        stop=stop,
    )


def named_indexes(env: Mapping[str, str], *, home: Path, project: Path) -> tuple[str, ...]:
    """The indexes in uv's configuration files, `NAME=URL` or `URL`, for whoever asks them himself.

    Args:
        env: The caller's environment.
        home: The home directory.
        project: Where uv looks for its configuration.
    """
    return tuple(
        f"{entry['name']}={entry['url']}" if "name" in entry else str(entry["url"])
        for settings in _settings(env, home, project)
        for entry in settings.get("index", ())
        if "url" in entry
    )


def address_in(word: str) -> str:
    """The address in `NAME=URL` or `URL`.

    >>> address_in("corp=https://index.example/simple?a=b")
    'https://index.example/simple?a=b'
    """
    return _NAMED.sub("", word, count=1)


def _expanded(links: str, home: Path) -> Iterator[str]:
    """Places separated by white space; pip resolves a leading `~`."""
    for word in links.split():
        yield str(home / word[2:]) if word.startswith("~/") else word


def configuration_of(directory: Path) -> Path | None:
    """The file that configures uv for a directory: the nearest, in it or above, or None.

    That is a `uv.toml`, or a `pyproject.toml` with a table `tool.uv`; a `pyproject.toml` without
    one does not end uv's search.
    """
    for place in (directory, *directory.parents):
        if (own := place / "uv.toml").is_file():
            return own
        project = place / "pyproject.toml"
        if project.is_file() and "uv" in _table(project).get("tool", {}):
            return project
    return None


def redacted(text: str) -> str:
    """A text without the credentials in its addresses.

    >>> redacted("Failed to fetch: `https://me:secret@index.example/simple/`")
    'Failed to fetch: `https://index.example/simple/`'
    """
    return _CREDENTIALS.sub("", text)


def _uv_knows(env: Mapping[str, str], home: Path, project: Path) -> bool:
    """Whether uv has an index of its own: by environment, user, system or project."""
    return any(env.get(name) for name in _UV_NAMES) or any(
        map(_names_index, _settings(env, home, project))
    )


def _settings(env: Mapping[str, str], home: Path, project: Path) -> Iterator[dict[str, Any]]:
    """The settings of uv: of the one file it is told to read, or of system, user and project."""
    if file := env.get("UV_CONFIG_FILE"):
        yield _table(Path(file))
        return
    user = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    system = (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    for place in (user, *map(Path, system), Path("/etc")):
        yield _table(place / "uv" / "uv.toml")
    if (own := configuration_of(project)) is not None:
        table = _table(own)
        yield table if own.name == "uv.toml" else table.get("tool", {}).get("uv", {})


def _names_index(settings: Mapping[str, Any]) -> bool:
    """Whether a table of uv's settings names an index that every package may come from."""
    general = [entry for entry in settings.get("index", ()) if not entry.get("explicit")]
    tables = (settings, settings.get("pip", {}))
    return bool(general) or any(key in table for table in tables for key in _UV_KEYS)


def _table(path: Path) -> dict[str, Any]:
    """A TOML file's content; nothing if it is not there or cannot be read: uv will say so."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _pip(env: Mapping[str, str], home: Path, platform: str) -> dict[str, str]:
    """The options of pip as `pip install` sees them: environment, `[install]`, `[global]`."""
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for file in (path for path in _pip_files(env, home, platform) if path.is_file()):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, ValueError) as error:
            # The error quotes the line, which may hold a password.
            raise UsageError(
                f"pip's configuration {file} cannot be read: it is not the INI format",
                hint="`pip config debug` tells which files there are.",
            ) from error
        for name, options in sections.items():
            if parser.has_section(name):
                options.update({key.replace("_", "-"): v for key, v in parser.items(name)})
    variables = {
        name.removeprefix("PIP_").replace("_", "-").lower(): value
        for name, value in env.items()
        if name.startswith("PIP_") and value
    }
    return sections["global"] | sections["install"] | variables


def _pip_files(env: Mapping[str, str], home: Path, platform: str) -> Iterator[Path]:
    """Configuration files of pip, the later overriding the earlier (pip 26, configuration.py)."""
    named = env.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    if platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    else:
        for place in (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
            yield Path(place) / "pip" / "pip.conf"
        yield Path("/etc/pip.conf")
    if not (named and Path(named).exists()):
        yield home / ".pip" / "pip.conf"
        support = home / "Library" / "Application Support" / "pip"
        if platform == "darwin" and support.is_dir():
            yield support / "pip.conf"
        else:
            yield Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if environment := env.get("VIRTUAL_ENV"):
        yield Path(environment) / "pip.conf"
    if named:
        yield Path(named)
