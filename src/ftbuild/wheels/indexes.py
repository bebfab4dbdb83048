"""What uv is told: which package indexes the user has configured; and what a project may say.

uv does not read pip's configuration. A company's mirror is often named there and nowhere else, and
whoever silently asked the public index instead would get other packages than the user does, and
tell a stranger the names of private ones.

A project is a stranger's. What it says of indexes and of resolving counts; what acts beyond that
(a cache, certificates, programs) does not, and no credential of the user's goes to an address that
only the project names. docs/security.md has the table.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ftbuild import files
from ftbuild.errors import UsageError
from ftbuild.fetch.access import logins, with_credentials
from ftbuild.wheels.options import Options, is_address
from ftbuild.wheels.uv import Uv, entries_of, uv_of

_OF_PROJECTS = frozenset(
    {
        *("index", "index-url", "extra-index-url", "find-links", "no-index", "index-strategy"),
        *("constraint-dependencies", "override-dependencies", "exclude-dependencies"),
        *("build-constraint-dependencies", "environments", "required-environments"),
        *("resolution", "prerelease", "prerelease-package", "fork-strategy"),
        *("exclude-newer", "exclude-newer-package", "dependency-metadata"),
        *("no-sources", "no-sources-package", "torch-backend"),
        *("config-settings", "config-settings-package", "extra-build-dependencies"),
    }
)
"""The settings of uv's that a project has a say in: what is resolved, and from where."""

_OF_USERS = re.compile(
    r"cache-dir|keyring-provider|allow-insecure-host|(https?|no)-proxy|native-tls|system-certs"
    r"|offline|no-cache|python-(preference|downloads|downloads-json-url)|[a-z]+-install-mirror"
)
"""Those that are the user's alone. uv reads others by itself where they stand, or they are of no
use to an audit."""

_PLACES = ("index", "find-links")
_OF_AN_INDEX = ("name", "url", "default", "explicit", "format", "ignore-error-codes")

_UV_NAMES = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"),
    *("UV_FIND_LINKS", "UV_NO_INDEX"),
)
_UV_KEYS = ("find-links", "no-index")
_TRUE = ("y", "yes", "t", "true", "on", "1")
"""What pip takes for yes: distutils' strtobool."""

_DEFAULT = re.compile(r"--default-index .*?by\s+default:\s+<(\S+?)>", re.DOTALL)

_NAMED = re.compile(r"^([A-Za-z0-9_.-]+)=(?=[A-Za-z]+:)")
_LOGIN = re.compile(r"UV_INDEX_\w+_(USERNAME|PASSWORD)")

_CREDENTIALS = re.compile(r"(?<=://)[^\s/?#'\"`<>]*@")
"""What stands between `://` and the host: everything up to the last @ of the authority, because a
password may hold one."""


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """What uv is told.

    Attributes:
        settings: As in a `uv.toml`; may hold credentials.
        certificates: pip's file of them, where no variable names one.
        refused: What the project says and has no say in, for people.
    """

    settings: Mapping[str, Any] = {}
    certificates: str = ""
    refused: tuple[str, ...] = ()


def default_index(uv: Uv) -> str | None:
    """The address of the index that uv asks if nobody names one; None if it does not tell.

    Raises:
        EnvironmentFault: uv cannot be started.
    """
    found = _DEFAULT.search(uv.run("pip", "compile", "--help").stdout)
    return found[1] if found else None


def configure(
    env: Mapping[str, str],
    *,
    home: Path,
    project: Path,
    default: Callable[[], str | None],
    stated: Options = Options(),  # noqa: B008 - it is frozen
    platform: str = sys.platform,
) -> Configured:
    """What the environment, uv's files and, as far as those say nothing on indexes, pip's say.

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
        UsageError: A configuration file cannot be read.
    """
    said = _pip(env, home, platform)
    passwords = {name: value for name, value in env.items() if _LOGIN.fullmatch(name)}
    own, last = _of_variables(env, passwords)
    mine: dict[str, Any] = {}
    for table in _of_user(env, home):
        entries = [_with_login(entry, passwords) for entry in entries_of(table)]
        mine = _merged(mine, table | {"index": entries})
    table, refused = _permitted(_of_project(env, project))
    settings = _merged(table, mine)
    of_uv = any(env.get(name) for name in _UV_NAMES) or _names_index(settings)
    configured = {} if of_uv else said
    main, extra = configured.get("index-url"), configured.get("extra-index-url", "").split()
    # Where the user's credentials go is for the user to trust.
    words = (main or "", *extra, *(entry["url"] for entry in (*own, *last, *entries_of(mine))))
    known = logins({}, words)
    private = {urlsplit(url).hostname for url in known}
    hosts = [host for host in stated.hosts if host.partition(":")[0].lower() not in private]
    if hosts := [*said.get("trusted-host", "").split(), *hosts]:
        settings["allow-insecure-host"] = [*settings.get("allow-insecure-host", ()), *hosts]
    if stated.main and not last:
        main, extra = stated.main, []
    extra = [*extra, *stated.extra]
    links = [word for word in env.get("UV_FIND_LINKS", "").split(",") if word]
    links += [*_expanded(configured.get("find-links", ""), home), *stated.links]
    if links:
        settings["find-links"] = [*links, *settings.get("find-links", ())]
    none = (env.get("UV_NO_INDEX", ""), configured.get("no-index", ""))
    if stated.none or any(word.lower() in _TRUE for word in none):
        settings["no-index"] = True
    elif extra and not of_uv:
        settings["index-strategy"] = "unsafe-best-match"
        main = main or default()
        # Of uv's indexes, the default is asked last.
        *extra, main = filter(None, (main, *extra))
    if strategy := env.get("UV_INDEX_STRATEGY"):
        settings["index-strategy"] = strategy
    if main and not last:
        last = [{"url": main}]
    last = [{**entry, "default": True} for entry in last]
    # As uv has it, the first of a name counts, and the first default; in one file it takes no two.
    distinct: dict[str, dict[str, Any]] = {}
    for entry in (*own, *({"url": url} for url in extra), *last, *entries_of(settings)):
        distinct.setdefault("" if entry.get("default") else entry.get("name", entry["url"]), entry)
    settings["index"] = list(distinct.values())
    trusted = any(env.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"))
    return Configured(
        settings={key: value for key, value in settings.items() if value not in ([], {})},
        certificates="" if trusted else said.get("cert", ""),
        refused=(*refused, *_withheld(entries_of(table), known, passwords)),
    )


def uv_with_indexes(
    env: Mapping[str, str],
    project: Path,
    folder: Path,
    *,
    offline: bool,
    stop: threading.Event,
    stated: Options = Options(),  # noqa: B008 - it is frozen
    variables: Sequence[str] = (),
) -> tuple[Uv, tuple[str, ...]]:
    """A uv that asks the user's indexes, wherever they are named.

    Args:
        env: The caller's environment.
        project: Where it runs, and looks for its configuration.
        folder: A directory of ours, for what it is configured by.
        offline: Whether it may use nothing but its cache.
        stop: Ends it when set.
        stated: What requirement files say.
        variables: What the project may have of the environment.

    Returns:
        It, and what the project says and has no say in, for people.

    Raises:
        UsageError: A configuration file cannot be read.
        EnvironmentFault: There is no uv.
    """
    bare = uv_of(env, project, folder, offline=offline, stop=stop)
    configured = configure(
        env,
        home=Path(env.get("HOME") or "/"),
        project=project,
        default=lambda: default_index(bare),
        stated=stated,
    )
    if configured.certificates:
        env = {**env, "SSL_CERT_FILE": configured.certificates}
    uv = uv_of(
        env,
        project,
        folder,
        settings=configured.settings,
        variables=variables,
        offline=offline,
        stop=stop,
    )
    return uv, configured.refused


def _entry(word: str) -> dict[str, Any]:
    """An index from `NAME=URL` or `URL`."""
    if match := _NAMED.match(word):
        return {"name": match[1], "url": word[match.end() :]}
    return {"url": word}


def _of_variables(
    env: Mapping[str, str], passwords: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The indexes that variables tell uv, and the one in place of the usual one."""
    own, last = (
        [_with_login(_entry(word), passwords) for word in env.get(name, "").split()]
        for name in ("UV_INDEX", "UV_DEFAULT_INDEX")
    )
    own += [{"url": word} for word in env.get("UV_EXTRA_INDEX_URL", "").split()]
    last += [{"url": word} for word in env.get("UV_INDEX_URL", "").split()]
    return own, last[:1]


def _withheld(
    entries: Iterable[dict[str, Any]], known: Sequence[str], passwords: Mapping[str, str]
) -> Iterator[str]:
    """The passwords that indexes of a project would get by their names, for people."""
    for entry in entries:
        url, asked = entry["url"], _with_login(entry, passwords)["url"]
        if asked != url and with_credentials(url, known) == url:
            name = entry["name"]
            yield f"the password of {name} (UV_INDEX={name}={redacted(url)} sends it)"


def _with_login(entry: dict[str, Any], passwords: Mapping[str, str]) -> dict[str, Any]:
    """An index of the user's with the credentials that the environment has for its name."""
    found = logins(passwords, (f"{entry['name']}={entry['url']}",)) if "name" in entry else ()
    return {**entry, "url": found[0]} if found else entry


def _expanded(links: str, home: Path) -> Iterator[str]:
    """Places separated by white space; pip resolves a leading `~`."""
    for word in links.split():
        yield str(home / word[2:]) if word.startswith("~/") else word


def redacted(text: str) -> str:
    """A text without the credentials in its addresses.

    >>> redacted("Failed to fetch: `https://me:secret@index.example/simple/`")
    'Failed to fetch: `https://index.example/simple/`'
    """
    return _CREDENTIALS.sub("", text)


def _of_user(env: Mapping[str, str], home: Path) -> Iterator[dict[str, Any]]:
    """The user's settings of uv: of the one file that it is told to read, or user and system."""
    if named := env.get("UV_CONFIG_FILE"):
        yield _placed(_table(Path(named)), Path(named).parent)
        return
    if env.get("UV_NO_CONFIG", "").lower() in _TRUE:
        return
    user = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    system = (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    for place in (user, *map(Path, system), Path("/etc")):
        if (file := place / "uv" / "uv.toml").is_file():
            yield _placed(_table(file), file.parent)
            if place != user:
                return


def _of_project(env: Mapping[str, str], directory: Path) -> dict[str, Any]:
    """A project's settings of uv: in the nearest file of a directory or above that has some.

    That is a `uv.toml`, or a `pyproject.toml` with a table `tool.uv`; a `pyproject.toml` without
    one does not end uv's search.
    """
    if env.get("UV_CONFIG_FILE") or env.get("UV_NO_CONFIG", "").lower() in _TRUE:
        return {}
    for place in (directory, *directory.parents):
        if (own := place / "uv.toml").is_file():
            return _placed(_table(own), place)
        project = place / "pyproject.toml"
        if project.is_file() and "uv" in (tool := _tools(project)):
            return _placed(tool["uv"], place)
    return {}


def _tools(project: Path) -> dict[str, Any]:
    """`[tool]` of a pyproject.toml; nothing of one that cannot be read: it need not be ours."""
    try:
        tool = _table(project).get("tool", {})
    except UsageError:
        return {}
    return tool if isinstance(tool, dict) and isinstance(tool.get("uv", {}), dict) else {}


def _placed(table: dict[str, Any], base: Path) -> dict[str, Any]:
    """Settings with absolute paths, and with all indexes in one list, in the order of uv's."""

    def address(word: Any) -> str:
        return word if is_address(str(word)) else str(base / str(word))

    found = {
        key: value
        for key, value in table.items()
        if not key.endswith("index-url") and key not in {*_PLACES, "pip"}
    }
    indexes = [{**entry, "url": address(entry["url"])} for entry in entries_of(table)]
    if isinstance(further := table.get("extra-index-url"), list):
        indexes += [{"url": address(word)} for word in further]
    if "index-url" in table and not any(entry.get("default") for entry in indexes):
        indexes.append({"url": address(table["index-url"]), "default": True})
    if indexes:
        found["index"] = indexes
    if isinstance(links := table.get("find-links"), list):
        found["find-links"] = [address(word) for word in links]
    if isinstance(table.get("pip"), dict):
        # What `uv pip` is told goes before what all of uv is told.
        found["pip"] = _placed(table["pip"], base)
        places = {key: found["pip"].pop(key) for key in _PLACES if key in found["pip"]}
        found = _merged(places, found)
    return found


def _permitted(table: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What of its settings a project has a say in; and the names of others, for people."""
    found = {key: value for key, value in table.items() if key in _OF_PROJECTS}
    if isinstance(pip := table.get("pip"), dict):
        found["pip"] = {key: value for key, value in pip.items() if key in _OF_PROJECTS}
    if "index" in found:
        found["index"] = [
            {key: entry[key] for key in _OF_AN_INDEX if key in entry} for entry in entries_of(found)
        ]
    others = sorted(key for key in table if _OF_USERS.fullmatch(key))
    return found, tuple(f"uv's {key}" for key in others)


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as uv puts them together: lists one after the other, else the first counts."""
    found = {**second, **first}
    for key in first.keys() & second.keys():
        one, other = first[key], second[key]
        if isinstance(one, list) and isinstance(other, list):
            found[key] = [*one, *other]
        elif isinstance(one, dict) and isinstance(other, dict):
            found[key] = _merged(one, other)
    return found


def _names_index(settings: Mapping[str, Any]) -> bool:
    """Whether settings name an index that every package may come from."""
    general = [entry for entry in entries_of(settings) if not entry.get("explicit")]
    tables = (settings, settings.get("pip", {}))
    return bool(general) or any(key in table for table in tables for key in _UV_KEYS)


def _table(path: Path) -> dict[str, Any]:
    """A TOML file's content.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return tomllib.loads(files.read_text(path))
    except (OSError, ValueError) as error:
        # A parser's error may quote a password.
        why = error.strerror if isinstance(error, OSError) else "it is not TOML"
        raise UsageError(f"uv's configuration {path} cannot be read: {why}") from None


def _pip(env: Mapping[str, str], home: Path, platform: str) -> dict[str, str]:
    """The options of pip as `pip install` sees them: environment, `[install]`, `[global]`."""
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for file in (path for path in _pip_files(env, home, platform) if path.is_file()):
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(files.read_text(file))
        except (configparser.Error, OSError, ValueError) as error:
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
