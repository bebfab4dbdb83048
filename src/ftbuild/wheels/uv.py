"""How uv is run: which one, and in which environment."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ftbuild import process
from ftbuild.errors import EnvironmentFault
from ftbuild.files import write_atomically

_TIMEOUT = 3600.0
"""Seconds that one run of uv may take: it may download gigabytes, or compile a package."""

RESOLVING = 900.0
"""Seconds that a resolution may take: uv goes on with an index that sends a byte now and then.
Dozens of packages take seconds; one that has to be built to tell what it requires, minutes."""

PASSED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
    # What git and keyring, which uv starts, ask for the user's credentials.
    *("SSH_AUTH_SOCK", "GIT_SSH", "GIT_SSH_COMMAND", "DBUS_SESSION_BUS_ADDRESS"),
    *("UV_KEYRING_PROVIDER", "UV_CREDENTIALS_DIR"),
    *("NETRC", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT"),
    *("UV_CACHE_DIR", "UV_NO_CACHE", "UV_LINK_MODE", "UV_INSECURE_HOST", "UV_NATIVE_TLS"),
    *("UV_SYSTEM_CERTS", "UV_HTTP_TIMEOUT", "UV_HTTP_CONNECT_TIMEOUT", "UV_HTTP_RETRIES"),
    *("UV_CONCURRENT_DOWNLOADS", "UV_CONCURRENT_BUILDS", "UV_CONCURRENT_INSTALLS"),
    *("UV_EXCLUDE_NEWER", "UV_RESOLUTION", "UV_PRERELEASE", "UV_FORK_STRATEGY"),
)
"""What uv sees of the caller's environment. It writes the values of variables into addresses that
a project, or a package of a stranger's, asks for (`https://host/${NAME}/`), and passes them to
builds: so nothing secret is among them. What holds credentials (indexes, proxies) comes to uv as
settings, through a pipe."""

_BUILDING = (
    *("PATH", "LANG", "LC_ALL", "TZ", "NETRC"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT"),
    *("UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_EXCLUDE_NEWER"),
    *("UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_LINK_MODE", "UV_PYTHON_DOWNLOADS"),
)
"""What is left of that where code of packages may run."""

_PROXIES = {"http-proxy": "http_proxy", "https-proxy": "https_proxy"}
_ENVIRONMENTS = ("environments", "required-environments")
"""The settings that uv takes from a project only."""


class Uv(msgspec.Struct, frozen=True, kw_only=True):
    """uv, as ftbuild uses it.

    Attributes:
        binary: Its path.
        env: The environment it runs in, without credentials.
        cwd: Where it runs: relative paths count from here.
        folder: A directory of ours, for what it is configured by; made if need be.
        settings: All its settings, as in a `uv.toml`; no other file of settings is read. They may
            hold credentials, so they reach it by its standard input: variables are there for what
            it starts, and arguments for everybody on the machine to see.
        offline: Whether it may use nothing but its cache.
        stop: Ends it when set.
    """

    binary: str
    env: Mapping[str, str]
    cwd: Path
    folder: Path
    settings: Mapping[str, Any] = {}
    offline: bool = False
    stop: threading.Event

    @property
    def indexes(self) -> tuple[str, ...]:
        """The addresses of its indexes in the order that it asks them; may hold credentials."""
        entries = sorted(entries_of(self.settings), key=lambda entry: bool(entry.get("default")))
        return tuple(entry["url"] for entry in entries)

    def run(self, *words: str | Path, timeout: float = _TIMEOUT) -> process.Completed:
        """Run one command of uv; failing is not an error.

        Raises:
            EnvironmentFault: It cannot be started, or its directory cannot be written to.
            Interrupted: `stop` was set.
        """
        offline = ("--offline",) if self.offline else ()
        of_project = {key: self.settings[key] for key in _ENVIRONMENTS if key in self.settings}
        settings = {key: value for key, value in self.settings.items() if key not in of_project}
        text = f"[tool.uv]\n{_toml_of(of_project)}".encode()
        # Of its own for each content: threads run uv at the same time.
        project = self.folder / f"project-{hashlib.sha256(text).hexdigest()[:8]}"
        return process.capture(
            (
                *(self.binary, *words, *offline, "--color=never", "--no-progress"),
                *("--project", project),
            ),
            env={**self.env, **self._configured(project, text)},
            cwd=self.cwd,
            timeout=timeout,
            stdin=_toml_of(settings),
            stop=self.stop,
        )

    def _configured(self, project: Path, text: bytes) -> dict[str, str]:
        """Lay out what uv looks for: settings of a project, of the user (a pipe), of the system."""
        user, system = self.folder / "user" / "uv", self.folder / "system" / "uv"
        try:
            for place in (project, user, system):
                place.mkdir(parents=True, exist_ok=True)
            write_atomically(project / "pyproject.toml", text, durable=False)
            # Where there is none, that of the machine would be read.
            (system / "uv.toml").touch()
            home = self.env.get("XDG_CONFIG_HOME") or Path(self.env.get("HOME", "/"), ".config")
            links = {"uv/uv.toml": Path("/dev/stdin"), "git": Path(home, "git")}
            for name, target in links.items():
                with contextlib.suppress(FileExistsError):
                    (self.folder / "user" / name).symlink_to(target)
        except OSError as error:
            raise EnvironmentFault(
                f"{self.folder} cannot be written to: {error.strerror}",
                hint="Is there space left?",
            ) from error
        return {
            "XDG_CONFIG_HOME": str(self.folder / "user"),
            "XDG_CONFIG_DIRS": str(self.folder / "system"),
        }


def entries_of(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The indexes in settings of uv's; what does not look like one is left out."""
    entries = settings.get("index", ())
    return [
        entry
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
        and isinstance(entry.get("url"), str)
        and isinstance(entry.get("name", ""), str)
    ]


def uv_of(
    env: Mapping[str, str],
    cwd: Path,
    folder: Path,
    *,
    settings: Mapping[str, Any] = {},
    variables: Sequence[str] = (),
    offline: bool,
    stop: threading.Event,
) -> Uv:
    """The uv to use: the one that came with ftbuild.

    Args:
        env: The caller's environment.
        cwd: Where it runs.
        folder: A directory of ours, for what it is configured by.
        settings: Its settings; the environment's proxies are added.
        variables: What it may see of the environment besides.
        offline: Whether it may use nothing but its cache.
        stop: Ends it when set.

    Raises:
        EnvironmentFault: There is none.
    """
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - in an image's builder stage it is not there

        binary = find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentFault(
            "uv, which resolves a project's dependencies, is not there",
            hint="It comes with ftbuild: install ftbuild again, or `pip install uv`.",
        ) from error
    passed = {name: env[name] for name in (*PASSED, *variables) if name in env}
    passed["UV_PYTHON_DOWNLOADS"] = "never"
    certificates = next(
        (
            env[name]
            for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")
            if env.get(name)
        ),
        None,
    )
    if certificates is not None:
        passed["SSL_CERT_FILE"] = certificates
    return Uv(
        binary=binary,
        env=passed,
        cwd=cwd,
        folder=folder,
        settings={**settings, **_proxies(env)},
        offline=offline,
        stop=stop,
    )


def confined(uv: Uv, folder: Path) -> Uv:
    """A uv that may build: what it starts sees next to nothing of the caller's environment.

    Args:
        uv: Whose environment it is taken from, and whose cache is used.
        folder: Its home and temporary directory are made below.
    """
    for name in ("home", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in uv.env.items() if name in _BUILDING}
    asked = uv.run("cache", "dir")
    if asked.ok:
        kept["UV_CACHE_DIR"] = asked.stdout.strip()
    if home := uv.env.get("HOME"):
        # Where uv looks for credentials.
        kept["NETRC"] = uv.env.get("NETRC") or str(Path(home, ".netrc"))
    for setting, variable in _PROXIES.items():
        if "@" not in (proxy := uv.settings.get(setting, "@")):
            kept[variable] = proxy
    env = kept | {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        process.MARK: str(folder),
    }
    return msgspec.structs.replace(uv, env=env, folder=folder / "uv")


def _proxies(env: Mapping[str, str]) -> dict[str, Any]:
    """The proxies in an environment, as settings: their addresses may hold credentials."""

    def said(name: str) -> str:
        return env.get(name) or env.get(name.upper(), "")

    found: dict[str, Any] = {
        setting: said(variable) or said("all_proxy") for setting, variable in _PROXIES.items()
    }
    found["no-proxy"] = [host.strip() for host in said("no_proxy").split(",") if host.strip()]
    return {setting: value for setting, value in found.items() if value}


def _toml_of(settings: Mapping[str, Any]) -> str:
    return "".join(f"{_inline(key)} = {_inline(value)}\n" for key, value in settings.items())


def _inline(value: Any) -> str:
    """A value in TOML, on one line."""
    if isinstance(value, Mapping):
        pairs = (f"{_inline(key)} = {_inline(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, str):
        # What the environment has that is no text has no place in TOML.
        plain = value.encode("utf-8", "replace").decode()
        return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value, default=str)
